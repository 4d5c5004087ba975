//! What an operator means: something in the state by its id, or a message by a line.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use dice_match::{Format, ReaderSettings};
use dice_route::{Event, LineCounts, Message, MessageId, PartitionId};

use super::classifier::{Classifier, SourceFacts};
use super::look::{Look, Thing};
use super::operator::Operator;
use super::plan::{self, Known};
use crate::Failure;
use crate::commands::route;

/// What an operator means who wants something done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A message.
    Message(MessageId),
    /// An episode, or a message that is told as it happens.
    Episode(String),
}

/// What `text` means: the id of an episode or a message (or its first six digits and more), else a line as
/// the log shows it.
pub(crate) fn named(text: &str, operator: &Operator, catalogs: &[PathBuf]) -> Result<Named> {
    let look = operator.look()?;
    let mut found: Vec<Named> = Vec::new();
    for thing in Thing::called(&look, text) {
        match thing {
            Thing::Message(id) => found.push(Named::Message(id)),
            Thing::Episode(id) | Thing::Immediate(id) => found.push(Named::Episode(id)),
            _ => {}
        }
    }
    if found.is_empty()
        && let Ok(id) = text.parse()
    {
        found.push(Named::Message(id));
    }
    match &found[..] {
        [one] => return Ok(one.clone()),
        [] if is_id(text) => {
            return Err(Failure::new(
                format!("wanted a message or an episode called {text}, found none"),
                "list them with `dice episodes --all`, or give a line as the log shows it",
            )
            .into());
        }
        [] => {}
        several => return Err(too_short(text, several.len())),
    }
    let event = read(&look, text, catalogs)?;
    let is_there =
        event.message.id.is_known() || look.router.manager().alerts().message(event.message.id).is_some();
    if !is_there {
        return Err(Failure::new(
            "wanted a line that a statement of the catalog prints, found none that does",
            "see what comes near with `dice who`, or give the id of the message",
        )
        .into());
    }
    Ok(Named::Message(event.message.id))
}

/// Several things begin so.
pub(crate) fn too_short(text: &str, n: usize) -> anyhow::Error {
    Failure::new(format!("wanted one thing that begins with {text}, found {n}"), "give more of its digits")
        .into()
}

/// The event that a line as the log shows it is for the router.
pub(crate) fn read(look: &Look, text: &str, catalogs: &[PathBuf]) -> Result<Event> {
    read_by(look, text, &Known::read(&look.catalogs(catalogs)?)?)
}

/// The same by catalogs that are compiled already.
pub(crate) fn read_by(look: &Look, text: &str, known: &Known) -> Result<Event> {
    let mut classifier = Classifier::new(&known.matcher, &known.repos, &known.outdated);
    let alerts = look.router.manager().alerts();
    let mut first = None;
    // The line does not tell which source it came through: the one that has brought such lines.
    for (facts, settings) in sources(look)? {
        let Some(event) = event(&mut classifier, facts, settings, text) else { continue };
        let is_from_here = alerts.iter().any(|(alert, _)| {
            alert.message == event.message.id
                && event.service.as_ref().is_none_or(|service| {
                    let services = [&alert.run.services, &alert.fresh.services, &alert.past.services];
                    services.into_iter().flatten().any(|known| known == service)
                })
        });
        if is_from_here {
            return Ok(event);
        }
        first.get_or_insert(event);
    }
    first.ok_or_else(|| {
        Failure::new(
            "wanted the id of something or a log line, found nothing but blanks",
            "give a line as the log shows it, in quotes",
        )
        .into()
    })
}

/// A message of the catalogs by its id, though it has not come yet.
pub(crate) fn of_catalog(look: &Look, id: MessageId, catalogs: &[PathBuf]) -> Option<Arc<Message>> {
    id.is_known().then_some(())?;
    known_message(&Known::read(&look.catalogs(catalogs).ok()?).ok()?, id)
}

/// The same by catalogs that are compiled already.
pub(crate) fn known_message(known: &Known, id: MessageId) -> Option<Arc<Message>> {
    let MessageId::Known(fingerprint) = id else { return None };
    let entry = known.matcher.find(fingerprint)?;
    Some(Arc::new(Classifier::new(&known.matcher, &known.repos, &known.outdated).message(&[entry])))
}

fn event(
    classifier: &mut Classifier<'_>,
    facts: Arc<SourceFacts>,
    settings: ReaderSettings,
    text: &str,
) -> Option<Event> {
    let line = text.lines().find(|line| !line.trim().is_empty())?.as_bytes();
    let now_ms = settings.near.as_millisecond();
    let mut read = |settings| {
        let mut feed = classifier.feed(PartitionId(0), Arc::clone(&facts), settings, 0);
        classifier.line(&mut feed, line, now_ms, &mut LineCounts::default())
    };
    let bare = ReaderSettings { format: Format::named("bare"), ..settings.clone() };
    let event = read(settings);
    if event.as_ref().is_some_and(|event| event.message.id.is_known()) {
        return event;
    }
    // A message may be given without what the logger puts before it.
    read(bare).filter(|bare| bare.message.id.is_known()).or(event)
}

/// What is known of the lines of each source, and how they are read.
fn sources(look: &Look) -> Result<Vec<(Arc<SourceFacts>, ReaderSettings)>> {
    let zone = route::zone(None)?;
    let env = look.config.as_ref().and_then(|(_, loaded)| loaded.env.as_deref());
    let unknown =
        SourceFacts { name: "".into(), service: None, host: None, env: env.map(Into::into), version: None };
    let mut sources = Vec::new();
    if let Some((file, loaded)) = &look.config {
        for source in &loaded.sources {
            let (_, plan) = plan::source(file, source)?;
            let settings = route::reader_settings(plan.zone);
            sources.push((plan.facts, ReaderSettings { format: plan.format, year: plan.year, ..settings }));
        }
    }
    // Files of the command line have no source of the configuration.
    sources.push((Arc::new(unknown), route::reader_settings(zone)));
    Ok(sources)
}

/// Whether a text can only be an id: digits of a message, an episode or an intent.
pub(crate) fn is_id(text: &str) -> bool {
    let digits = ["u:", "i:"].iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text);
    (6..=32).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
