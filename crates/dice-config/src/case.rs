//! Tests that rules carry: events, and what the rule says to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Fingerprint, HoleKind, Kind, Level, Owner, Part, Template, Why};
use dice_route::{CloseReason, Event, Message, MessageId, PartitionId};

use crate::names::check_unique;
use crate::rule::is_called;
use crate::text::{Complaint, Desk};
use crate::value::Table;

/// A test of one rule.
#[derive(Debug, Clone)]
pub struct Case {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What it shows.
    pub name: String,
    /// Where it stands: `rules/pay.toml:12`.
    pub place: String,
    /// What happens.
    pub events: Vec<CaseEvent>,
    /// What the rule says, in the order of the file.
    pub expected: Vec<Expected>,
    /// Whether another beginning or end of an episode fails the test; it ends with the last event, or the last
    /// thing that is expected, whichever comes later.
    pub is_exact: bool,
}

/// An event, or several that are alike.
#[derive(Debug, Clone)]
pub struct CaseEvent {
    /// When the first of them happens, milliseconds after the start of the test.
    pub at_ms: i64,
    /// How many.
    pub repeat: u32,
    /// Between two of them.
    pub every_ms: i64,
    /// How much later than its time each arrives.
    pub late_ms: i64,
    /// What they have in common; times, partition and offset are not set.
    pub event: Event,
}

/// What the rule is expected to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// When, milliseconds of event time after the start of the test.
    pub at_ms: i64,
    /// What becomes of the episode.
    pub change: ExpectedChange,
    /// Values of the key by the names of the rule's fields; fields that are not here may have any value.
    pub key: BTreeMap<String, String>,
    /// The line of its table.
    pub place: String,
}

/// What becomes of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedChange {
    /// It begins.
    Open,
    /// It goes on.
    Update,
    /// It ends, for this reason or any.
    Close(Option<CloseReason>),
}

/// Events of one test at most.
const MAX_EVENTS: u64 = 1_000_000;

impl Case {
    /// The events in the order of their arrival, the test beginning at `start_ms`. Each source is a partition.
    pub fn events(&self, start_ms: i64) -> Vec<Event> {
        let sources: Vec<&str> = {
            let mut sources: Vec<&str> = self.events.iter().map(|event| &*event.event.source).collect();
            sources.sort_unstable();
            sources.dedup();
            sources
        };
        let mut events: Vec<Event> = Vec::new();
        for alike in &self.events {
            for n in 0..i64::from(alike.repeat) {
                let at_ms =
                    start_ms.saturating_add(alike.at_ms).saturating_add(n.saturating_mul(alike.every_ms));
                let partition =
                    sources.iter().position(|source| **source == *alike.event.source).unwrap_or_default();
                events.push(Event {
                    partition: PartitionId(u32::try_from(partition).unwrap_or_default()),
                    at_ms: Some(at_ms),
                    ingested_ms: at_ms.saturating_add(alike.late_ms),
                    ..alike.event.clone()
                });
            }
        }
        events.sort_by_key(|event| event.ingested_ms);
        let mut offsets = vec![0_u64; sources.len()];
        for event in &mut events {
            if let Some(offset) = offsets.get_mut(event.partition.0 as usize) {
                event.offset = *offset;
                *offset += 1;
            }
        }
        events
    }
}

/// The tests of all rules that are used.
pub(crate) fn cases(desk: &mut Desk, rules: &[&Table]) -> Vec<Case> {
    let mut cases = Vec::new();
    for rule in rules {
        check_unique(desk, "test", "name", rule.tables("tests"));
        for table in rule.tables("tests") {
            let case = case(desk, rule, table);
            if rule.flag("enabled") {
                cases.push(case);
            }
        }
    }
    cases
}

fn case(desk: &mut Desk, rule: &Table, table: &Table) -> Case {
    let events: Vec<CaseEvent> = table.tables("events").map(|event| self::event(desk, event)).collect();
    let n_events: u64 = events.iter().map(|event| u64::from(event.repeat)).sum();
    if n_events > MAX_EVENTS {
        let complaint = Complaint::wanted(format!("at most {MAX_EVENTS} events"), n_events);
        desk.complain(table.place_of("events"), &table.path_of("events"), complaint);
    }
    let expected = table.tables("expect").filter_map(|expected| self::expected(desk, rule, expected));
    let expected = expected.collect();
    Case {
        rule: rule.word("id").into(),
        name: table.word("name").to_owned(),
        place: desk.named(&table.place),
        events,
        expected,
        is_exact: table.flag("expect_no_more"),
    }
}

fn event(desk: &mut Desk, table: &Table) -> CaseEvent {
    let arc = |key: &str| table.text(key).map(Arc::<str>::from);
    let text = table.word("text");
    let template = table.text("template").unwrap_or(text);
    let is_matched = table.flag("matched");
    let written = table.text("message").map(str::parse::<MessageId>);
    if let Some(Err(wrong)) = &written {
        let complaint = Complaint::new(wrong.to_string()).hint("leave it out: it is made of the template");
        desk.complain(table.place_of("message"), &table.path_of("message"), complaint);
    }
    let id = match written {
        Some(Ok(id)) => id,
        _ if is_matched => MessageId::Known(Fingerprint::of(table.word("repo"), &template_of(template))),
        _ => MessageId::of_unmatched(table.word("service"), template),
    };
    let level = Level::ALL.into_iter().find(|level| Some(level.as_str()) == table.text("level"));
    let kind = Kind::ALL.into_iter().find(|kind| Some(kind.as_str()) == table.text("kind"));
    let file = table.text("file").filter(|_| id.is_known()).unwrap_or_default();
    let owners =
        |key: &str, why| table.texts(key).iter().map(|name| Owner::named(name, why)).collect::<Vec<_>>();
    let annotated = owners("annotation", Why::Annotation);
    let owned = owners("owner", Why::Author);
    let message = Message {
        id,
        was: Vec::new(),
        repo: if id.is_known() { table.word("repo").into() } else { "".into() },
        template: template.into(),
        place: if file.is_empty() { "".into() } else { format!("{file}:{}", table.count("line")).into() },
        file: file.into(),
        function: arc("function"),
        target: arc("target"),
        kind: kind.filter(|_| id.is_known()),
        level,
        holes: Vec::new(),
        // An annotation makes an owner, as in the catalog.
        owners: if annotated.is_empty() || !owned.is_empty() { owned } else { annotated },
        candidates: Vec::new(),
        fallback: None,
        annotations: table.texts("annotation"),
        author: arc("author"),
        revision: None,
        url: None,
        is_outdated: false,
    };
    // Values of holes have no place in a text that need not have them: they stand beside it, where conditions
    // and keys find them by the same names.
    let values = table.map("vars").iter().chain(table.map("fields"));
    let fields = values.filter_map(|(name, item)| Some((Arc::from(name.as_str()), Box::from(item.text()?))));
    let event = Event {
        partition: PartitionId(0),
        offset: 0,
        at_ms: None,
        ingested_ms: 0,
        message: Arc::new(message),
        level,
        source: table.word("source").into(),
        host: arc("host"),
        service: arc("service"),
        env: arc("env"),
        version: arc("version"),
        trace: arc("trace"),
        text: text.into(),
        values: Box::default(),
        fields: fields.collect(),
    };
    CaseEvent {
        at_ms: table.duration("at"),
        repeat: table.count("repeat"),
        every_ms: table.duration("every"),
        late_ms: table.duration("late"),
        event,
    }
}

/// The template that is written with `<*>` for holes.
fn template_of(text: &str) -> Template {
    let mut parts = Vec::new();
    for (n, literal) in text.split("<*>").enumerate() {
        if n > 0 {
            parts.push(Part::hole(HoleKind::Text));
        }
        parts.push(Part::text(literal));
    }
    Template::new(parts)
}

fn expected(desk: &mut Desk, rule: &Table, table: &Table) -> Option<Expected> {
    let changes: Vec<(&str, &Table)> =
        ["open", "update", "close"].into_iter().filter_map(|key| Some((key, table.table(key)?))).collect();
    let [(change, episode)] = changes.as_slice() else {
        if table.is_sound() {
            let found = if changes.is_empty() { "none" } else { "several" };
            let complaint = Complaint::wanted("one of `open`, `update` and `close`", found);
            desk.complain(&table.place, &table.path, complaint);
        }
        return None;
    };
    let reason = episode.text("reason").and_then(close_reason);
    if *change != "close" && episode.is_written("reason") {
        let complaint = Complaint::new("only `close` has a reason").hint("remove it");
        desk.complain(episode.place_of("reason"), &episode.path_of("reason"), complaint);
    }
    let fields = rule.fields("key");
    let mut key = BTreeMap::new();
    for (name, item) in episode.map("key") {
        match fields.iter().find(|field| is_called(field, name)) {
            Some(field) => {
                drop(key.insert(field.name().to_owned(), item.text().unwrap_or_default().to_owned()))
            }
            None => {
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                let complaint =
                    Complaint::wanted("a field of the rule's key", format!("`{}`", crate::text::shown(name)));
                let hint = if names.is_empty() {
                    "the rule has no key".to_owned()
                } else {
                    format!("there are {}", names.join(", "))
                };
                desk.complain(&item.place, &episode.path_of("key"), complaint.hint(hint));
            }
        }
    }
    let change = match *change {
        "open" => ExpectedChange::Open,
        "update" => ExpectedChange::Update,
        _ => ExpectedChange::Close(reason),
    };
    Some(Expected { at_ms: table.duration("at"), change, key, place: desk.named(&table.place) })
}

fn close_reason(word: &str) -> Option<CloseReason> {
    Some(match word {
        "cleared" => CloseReason::Cleared,
        "instant" => CloseReason::Instant,
        "arrived-late" => CloseReason::ArrivedLate,
        "rebaselined" => CloseReason::Rebaselined,
        "forgotten" => CloseReason::Forgotten,
        "evicted" => CloseReason::Evicted,
        _ => return None,
    })
}
