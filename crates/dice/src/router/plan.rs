//! What is to be done: the configuration, the catalogs, and how sources are read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use dice_catalog::{Catalog, Fingerprint, Repo};
use dice_config::{Given, Loaded, Problems, SourceKind, SourceSettings};
use dice_match::{Format, Limits, Matcher};
use dice_route::MessageId;
use dice_source::{Kind, Start, Transport};
use jiff::tz::TimeZone;

use super::classifier::SourceFacts;
use super::disk::{Disk, Reach, Stamp};
use super::pipeline::SourcePlan;
use crate::{Failure, settings};

/// Connections of a syslog receiver at once, and how long a silent one is kept.
const SYSLOG_TCP: Transport = Transport::Tcp { connections: 256, idle_ms: 3_600_000 };

/// Reads and checks a configuration without regard to a catalog, and says what is odd in it.
pub(crate) fn read_config(file: &Path) -> Result<Loaded> {
    read_config_under(file, "")
}

/// The same, with the document over it that the API manages.
pub(crate) fn read_config_under(file: &Path, managed: &str) -> Result<Loaded> {
    let given = Given { formats: formats(), managed: managed.to_owned(), ..Given::default() };
    let loaded = read_config_with(file, &given, &mut Reach::default())?;
    warn(&loaded);
    Ok(loaded)
}

/// Says what is odd in a configuration and no error.
pub(crate) fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}

/// The names of all header formats.
pub(crate) fn formats() -> Vec<String> {
    Format::names().map(str::to_owned).collect()
}

/// Reads and checks a configuration; everything that is wrong is told at once, what is odd is not. What it was
/// read from goes into `reach`, also where it cannot be used.
pub(crate) fn read_config_with(file: &Path, given: &Given, reach: &mut Reach) -> Result<Loaded> {
    load_from(file, given, reach)?.map_err(|problems| {
        let n = problems.iter().len();
        for problem in problems.iter() {
            tracing::error!("{problem}");
        }
        Failure::new(
            format!("wanted a configuration that can be used, found {n} problems in it, told above"),
            "mend them; `dice rules schema` lists everything that can be written",
        )
        .into()
    })
}

/// Reads and checks a configuration and says nothing.
pub(crate) fn load(file: &Path, given: &Given) -> Result<std::result::Result<Loaded, Problems>> {
    load_from(file, given, &mut Reach::default())
}

fn load_from(file: &Path, given: &Given, reach: &mut Reach) -> Result<std::result::Result<Loaded, Problems>> {
    let disk = Disk::beside(file);
    let read = disk.read_itself(file).map_err(|error| {
        Failure::new(
            format!("wanted to read the configuration {}", file.display()),
            "give the router.toml that is meant: --config FILE",
        )
        .because(error)
    });
    let loaded = read.map(|text| dice_config::load(&file.display().to_string(), &text, &disk, given));
    reach.add(disk.reach());
    Ok(loaded?)
}

/// The catalogs, compiled, and what only some of them know.
pub(crate) struct Known {
    pub(crate) matcher: Matcher,
    pub(crate) repos: Vec<Repo>,
    /// Messages that the newest revision of their repository does not know.
    pub(crate) outdated: HashSet<Fingerprint>,
    pub(crate) messages: Arc<Vec<MessageId>>,
    /// The files as they were read.
    pub(crate) stamp: Stamp,
}

impl Known {
    /// Reads and compiles the catalogs that are meant: those given, else the usual ones.
    pub(crate) fn open(given: &[PathBuf]) -> Result<Known> {
        Known::read(&settings::catalog_files(given)?)
    }

    /// Reads and compiles catalogs. Of several of one repository the first is the newest.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Known> {
        let stamp = Stamp::of(files);
        let mut catalogs: Vec<Catalog> = Vec::new();
        for file in files {
            let catalog = settings::read_catalog(file)?;
            tracing::debug!(catalog = %file.display(), statements = catalog.entries.len(), "opened a catalog");
            catalogs.push(catalog);
        }
        let repos: Vec<Repo> = catalogs.iter().flat_map(|catalog| catalog.repos.clone()).collect();
        let mut newest: HashSet<&str> = HashSet::new();
        let (mut current, mut older) = (HashSet::new(), HashSet::new());
        for catalog in &catalogs {
            let new: HashSet<&str> = catalog
                .repos
                .iter()
                .map(|repo| repo.name.as_str())
                .filter(|name| !newest.contains(name))
                .collect();
            for entry in &catalog.entries {
                let of = if new.contains(entry.repo.as_str()) { &mut current } else { &mut older };
                of.insert(entry.fingerprint);
            }
            newest.extend(new);
        }
        let outdated: HashSet<Fingerprint> = older.difference(&current).copied().collect();
        let mut messages: Vec<MessageId> =
            current.union(&older).map(|fingerprint| MessageId::Known(*fingerprint)).collect();
        messages.sort_unstable();
        drop(newest);
        let matcher = Matcher::new(catalogs, &Limits::default()).map_err(|error| {
            Failure::new("wanted to compile the catalog", "use fewer catalogs at once, or one per service")
                .because(error)
        })?;
        if matcher.entries().is_empty() {
            tracing::warn!("the catalog holds no statement, so nothing can match");
        }
        Ok(Known { matcher, repos, outdated, messages: Arc::new(messages), stamp })
    }
}

/// A path of the configuration, from its folder.
pub(crate) fn beside(config: &Path, path: &Path) -> PathBuf {
    Disk::beside(config).path(path)
}

/// How a source is read, and what is known of its lines. `None` for sources that are posted to.
pub(crate) fn source(
    config: &Path,
    source: &SourceSettings,
) -> Result<(Option<dice_source::Settings>, SourcePlan)> {
    let absolute = |path: &PathBuf| beside(config, path).to_string_lossy().into_owned();
    let kind = match &source.kind {
        SourceKind::Stdin => Some(Kind::Stdin),
        SourceKind::File { paths, is_followed, .. } => {
            Some(Kind::Files { paths: paths.iter().map(absolute).collect(), follow: *is_followed })
        }
        SourceKind::Syslog { listen, transport } => {
            let transport = match transport {
                dice_config::Transport::Udp => Transport::Udp,
                dice_config::Transport::Tcp => SYSLOG_TCP,
            };
            Some(Kind::Syslog { listen: *listen, transport })
        }
        SourceKind::Journald { units } => {
            Some(Kind::Journald { program: "journalctl".into(), units: units.clone() })
        }
        SourceKind::Http { .. } => None,
    };
    let settings = kind.map(|kind| {
        let mut settings = dice_source::Settings::new(&source.name, kind);
        settings.limit_bytes = source.limit_bytes;
        if let SourceKind::File { is_from_end, poll_ms, .. } = source.kind {
            settings.poll_ms = poll_ms;
            settings.start = if is_from_end { Start::End } else { Start::Beginning };
        }
        settings
    });
    let text = |text: &Option<String>| text.as_deref().map(Arc::<str>::from);
    let facts = SourceFacts {
        name: source.name.as_str().into(),
        service: text(&source.service),
        host: text(&source.host),
        env: text(&source.env),
        version: text(&source.version),
    };
    let zone = TimeZone::get(&source.zone).map_err(|error| {
        Failure::new(
            format!("wanted the time zone of source {}, found `{}`", source.name, source.zone),
            "give an IANA name, as in zone = \"Europe/Berlin\"",
        )
        .because(error)
    })?;
    let format = source.format.as_deref().and_then(Format::named);
    Ok((settings, SourcePlan { facts: Arc::new(facts), format, zone, year: source.year }))
}

/// The plans of sources, by name.
pub(crate) type Plans = HashMap<String, SourcePlan>;
