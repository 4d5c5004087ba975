//! People, messages and events for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Level, Owner, Why};

use crate::book::{Delta, Table};
use crate::calendar::Zone;
use crate::config::{Config, Ownership, Person, Receiver, Schedule, Shift, Team};
use crate::{Act, Command, Event, Message, MessageId, PartitionId};

/// Ann and Bob are in the store team, Cyd is alone and an administrator, Dan has left to Bob, Eve lives in
/// Kathmandu.
pub(crate) fn config() -> Config {
    let person = |name: &str, zone: Option<&str>| Person {
        handle: format!("@{name}"),
        emails: vec![format!("{name}@corp.example")],
        zone: zone.map(str::to_owned),
        ..Person::default()
    };
    let store = |person: Person| Person { team: Some("@corp/store".to_owned()), ..person };
    let people = [
        store(person("ann", None)),
        store(person("bob", None)),
        Person { is_admin: true, ..person("cyd", None) },
        Person { left_to: Some("@bob".to_owned()), ..person("dan", None) },
        person("eve", Some("Asia/Kathmandu")),
    ];
    let team = Team {
        members: vec!["@ann".to_owned(), "@bob".to_owned()],
        channel: Some("#store".to_owned()),
        ..Team::default()
    };
    let pager = Receiver { courier: "pagerduty".to_owned(), settings: BTreeMap::new() };
    let weekly = Schedule {
        zone: "Europe/Berlin".to_owned(),
        people: vec!["@ann".to_owned(), "@dan".to_owned()],
        shift: Shift::Weeks(1),
        from: "2028-03-20T09:00".parse().expect("it is a date"),
    };
    Config {
        zone: "Europe/Berlin".to_owned(),
        receivers: BTreeMap::from([("pager".to_owned(), pager)]),
        schedules: BTreeMap::from([("weekly".to_owned(), weekly)]),
        people: people.into_iter().map(|person| (person.handle.clone(), person)).collect(),
        teams: BTreeMap::from([("@corp/store".to_owned(), team)]),
        ownership: Ownership { triage: Some("#triage".to_owned()), ..Ownership::default() },
        ..Config::default()
    }
}

/// The instant at which a clock in Berlin shows this.
pub(crate) fn at_ms(local: &str) -> i64 {
    let zone = Zone::named("Europe/Berlin").expect("Berlin has a zone");
    zone.instant(local.parse().expect("a story tells times as 2028-03-24T10:00"))
}

/// The id of the message with this text.
pub(crate) fn id_of(text: &str) -> MessageId {
    match text.strip_prefix("unmatched ") {
        Some(text) => MessageId::of_unmatched("db", text),
        None => {
            let hash = crate::name(&[text.as_bytes()]);
            hash.parse().expect("a name is 32 hexadecimal digits")
        }
    }
}

/// The message with this text and these owners.
pub(crate) fn message(text: &str, owners: &[&str]) -> Message {
    let owner = |name: &&str| match name.strip_suffix('!') {
        Some(name) => Owner::named(name, Why::Annotation),
        None => Owner::named(name, Why::Author),
    };
    Message {
        repo: "db".into(),
        template: text.into(),
        place: "src/disk.c:7".into(),
        file: "src/disk.c".into(),
        level: Some(Level::Error),
        owners: owners.iter().map(owner).collect(),
        annotations: owners.iter().filter_map(|name| name.strip_suffix('!')).map(str::to_owned).collect(),
        author: owners.first().map(|name| (*name).into()),
        ..Message::unknown(id_of(text))
    }
}

/// An event of a message.
pub(crate) fn event(message: &Arc<Message>, at_ms: i64, service: &str, version: Option<&str>) -> Event {
    Event {
        partition: PartitionId(1),
        offset: 0,
        at_ms: Some(at_ms),
        ingested_ms: at_ms,
        message: message.clone(),
        level: message.level,
        source: "app".into(),
        host: None,
        service: Some(service.into()),
        env: None,
        version: version.map(Into::into),
        trace: None,
        text: message.template.to_string().into(),
        values: Box::default(),
        fields: Box::default(),
    }
}

/// A command.
pub(crate) fn command(id: &str, actor: &str, at_ms: i64, act: Act) -> Command {
    Command { id: id.to_owned(), actor: actor.to_owned(), at_ms, act }
}

/// Rows as a store keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shelf(pub(crate) BTreeMap<(Table, String), String>);

impl Shelf {
    /// Writes down what has changed.
    pub(crate) fn take(&mut self, deltas: Vec<Delta>) {
        for delta in deltas {
            match delta {
                Delta::Put { table, id, body } => {
                    self.0.insert((table, id), body);
                }
                Delta::Delete { table, id } => {
                    self.0.remove(&(table, id));
                }
                _ => {}
            }
        }
    }
}
