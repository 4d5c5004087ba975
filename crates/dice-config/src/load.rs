//! All texts of a configuration together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use dice_route::config::EventTime;
use dice_route::{Config, MessageId};
use serde_json::Value as Json;

use crate::case::{self, Case};
use crate::check::check;
use crate::definition::{self, Definition, DefinitionKind, MANAGED};
use crate::names::{Names, check_unique};
use crate::problem::{Problem, Problems};
use crate::schema::{MANAGED_DOCUMENT, ROUTER, RULES_FILE};
use crate::server::{ServerSettings, server};
use crate::source::{SourceSettings, sources};
use crate::text::{Complaint, Desk};
use crate::value::Table;
use crate::{courier, people, route, rule};

/// How the files that a configuration names are read. Paths are as written; they start at the folder of
/// `router.toml`.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is no text.
    fn read(&self, path: &str) -> io::Result<String>;

    /// The paths that a pattern means, sorted: `*` stays in a folder, `**` does not. A pattern without
    /// wildcards means itself when there is such a file.
    ///
    /// # Errors
    ///
    /// When a folder cannot be listed.
    fn matching(&self, pattern: &str) -> io::Result<Vec<String>>;
}

/// Files that are texts already, by path.
#[derive(Debug, Clone, Default)]
pub struct Texts(pub BTreeMap<String, String>);

impl Files for Texts {
    fn read(&self, path: &str) -> io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn matching(&self, pattern: &str) -> io::Result<Vec<String>> {
        // Where a condition means a file in any folder, a configuration means one in its own.
        let pattern =
            dice_route::condition::path_pattern(&format!("/{pattern}")).map_err(io::Error::other)?;
        Ok(self.0.keys().filter(|path| pattern.is_match(path)).cloned().collect())
    }
}

/// What is known from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The messages of the catalog, for rules that are seeded with them.
    pub messages: Arc<Vec<MessageId>>,
    /// The header formats that sources may name; empty where they are not to be checked.
    pub formats: Vec<String>,
    /// The document of rules and routes that lies over the files, as TOML; empty where there is none. Its routes
    /// are asked before those of the files.
    pub managed: String,
}

/// A configuration that has been read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the router does.
    pub router: Config,
    /// What is read; standard input where it is empty.
    pub sources: Vec<SourceSettings>,
    /// Catalogs that lines are matched against. Paths as written; they start at the folder of `router.toml`.
    pub catalogs: Vec<PathBuf>,
    /// The file that keeps the router's state, as written.
    pub state: Option<PathBuf>,
    /// The environment of lines that tell none.
    pub env: Option<String>,
    /// Where the API is; `None` where there is none.
    pub server: Option<ServerSettings>,
    /// Every rule and every route at the top, switched off ones too.
    pub definitions: Vec<Definition>,
    /// Everything together as JSON, with defaults and without secrets.
    pub effective: Json,
    /// The files that were read.
    pub files: Vec<String>,
    /// The tests of the rules, in the order of the files. Those of rules that are switched off are not here.
    pub cases: Vec<Case>,
    /// What may be wrong and is no reason not to start.
    pub warnings: Vec<Problem>,
}

/// Reads and checks `router.toml` and what it names. `name` is what problems call it.
///
/// # Errors
///
/// When anything is wrong: everything at once, each problem at its place.
pub fn load(name: &str, text: &str, files: &dyn Files, given: &Given) -> Result<Loaded, Problems> {
    let mut desk = Desk::default();
    let number = desk.add(name, text.to_owned());
    let router = check(&mut desk, number, &ROUTER);
    let (rule_files, mut texts) = rule_files(&mut desk, &router, files);
    let managed = (!given.managed.is_empty()).then(|| {
        let number = desk.add(MANAGED, given.managed.clone());
        check(&mut desk, number, &MANAGED_DOCUMENT)
    });
    let rule_tables: Vec<&Table> = router
        .tables("rule")
        .chain(rule_files.iter().chain(&managed).flat_map(|file| file.tables("rule")))
        .collect();
    let route_tables: Vec<&Table> =
        managed.iter().flat_map(|file| file.tables("route")).chain(router.tables("route")).collect();
    check_unique(&mut desk, "rule", "id", rule_tables.iter().copied());
    let names = Names::of(&router, &rule_tables);

    let mut config = Config { zone: router.word("zone").to_owned(), ..Config::default() };
    config.time = time(&router);
    let sources = sources(&mut desk, &router, given);
    config.sources = sources.iter().map(|source| (source.name.as_str().into(), source.known())).collect();
    config.rules = rule::rules(&mut desk, &rule_tables, &names, given);
    config.lanes = route::lanes(&mut desk, &router);
    config.routes = route::routes(&mut desk, &route_tables, &names, &config.lanes);
    config.receivers = courier::receivers(&mut desk, &router, files);
    config.slack = courier::slack(&mut desk, &router);
    config.email = courier::email(&mut desk, &router, files);
    config.dispatch = courier::dispatch(&mut desk, &router, &names);
    config.masking = courier::masking(&router);
    config.inhibitions = route::inhibitions(&mut desk, &router, &names);
    config.policies = route::policies(&mut desk, &router, &names);
    config.schedules = people::schedules(&mut desk, &router, &names);
    config.calendars = people::calendars(&mut desk, &router, files);
    config.intervals = people::intervals(&mut desk, &router);
    config.people = people::people(&mut desk, &router, &names);
    config.teams = people::teams(&mut desk, &router, &names);
    config.digests = people::digests(&mut desk, &router);
    config.storm = route::storm(&router);
    config.correlation = people::correlation(&router);
    config.ownership = people::ownership(&mut desk, &router, &names);
    let cases = case::cases(&mut desk, &rule_tables);

    let server = server(&mut desk, &router, &sources);
    let mut definitions = definition::definitions(&desk, DefinitionKind::Rule, &rule_tables);
    definitions.extend(definition::definitions(&desk, DefinitionKind::Route, &route_tables));
    let mut effective = definition::effective(&desk, &router);
    for (key, tables) in [("rule", &rule_tables), ("route", &route_tables)] {
        let each = tables.iter().map(|table| Json::Object(definition::effective(&desk, table)));
        effective.insert(key.to_owned(), each.collect());
    }
    texts.push((name.to_owned(), text.to_owned()));
    let mut read: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    read.sort();
    if !given.managed.is_empty() {
        texts.push((MANAGED.to_owned(), given.managed.clone()));
    }
    config.version = version(texts, &router, files);
    let (problems, warnings) = desk.finish();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let path = |text: String| PathBuf::from(text);
    Ok(Loaded {
        catalogs: router.texts("catalog").into_iter().map(path).collect(),
        state: router.owned("state").map(path),
        env: router.owned("env"),
        server,
        definitions,
        effective: Json::Object(effective),
        files: read,
        router: config,
        sources,
        cases,
        warnings,
    })
}

/// The files of rules, checked, and their texts by path.
fn rule_files(desk: &mut Desk, router: &Table, files: &dyn Files) -> (Vec<Table>, Vec<(String, String)>) {
    let mut read = BTreeSet::new();
    let (mut tables, mut texts) = (Vec::new(), Vec::new());
    for item in router.list("rules") {
        let Some(pattern) = item.text() else { continue };
        let path = router.path_of("rules");
        let found = match files.matching(pattern) {
            Ok(found) => found,
            Err(error) => {
                let complaint =
                    Complaint::wanted("files that can be listed", format!("\"{pattern}\": {error}"));
                desk.complain(&item.place, &path, complaint);
                continue;
            }
        };
        if found.is_empty() && pattern != "rules/*.toml" {
            let complaint = Complaint::new(format!("there is no file \"{}\"", crate::text::shown(pattern)));
            match pattern.contains(['*', '?', '[', '{']) {
                true => desk.warn(&item.place, &path, complaint),
                false => desk.complain(&item.place, &path, complaint),
            }
        }
        for name in found {
            if !read.insert(name.clone()) {
                continue;
            }
            match files.read(&name) {
                Ok(text) => {
                    let number = desk.add(&name, text.clone());
                    tables.push(check(desk, number, &RULES_FILE));
                    texts.push((name, text));
                }
                Err(error) => {
                    let complaint = Complaint::wanted("a file that can be read", error);
                    desk.complain_of_file(&name, 0, complaint, false);
                }
            }
        }
    }
    (tables, texts)
}

fn time(router: &Table) -> EventTime {
    let Some(table) = router.table("time") else { return EventTime::DEFAULT };
    EventTime {
        max_skew_ms: table.duration("max_skew"),
        max_age_ms: table.duration("max_age"),
        lateness_ms: table.duration("lateness"),
        idle_after_ms: table.duration("idle_after"),
        stall_after_ms: table.duration("stall_after"),
    }
}

/// A name of everything that was read.
fn version(mut texts: Vec<(String, String)>, router: &Table, files: &dyn Files) -> String {
    for (_, calendar) in router.named("calendars") {
        for path in calendar.texts("ics") {
            let text = files.read(&path).unwrap_or_default();
            texts.push((path, text));
        }
    }
    let mailers = router.named("receivers").iter().map(|(_, table)| table).chain(router.table("email"));
    for path in mailers.filter_map(|table| table.owned("ca_file")) {
        let text = files.read(&path).unwrap_or_default();
        texts.push((path, text));
    }
    texts.sort();
    let parts: Vec<&[u8]> =
        texts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]).collect();
    dice_route::name(&parts).to_string()
}
