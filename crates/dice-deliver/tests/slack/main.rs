//! Slack's courier against a workspace that is as strict as Slack, and fails in every way Slack does.

mod buttons;
mod digests;
mod directory;
mod doctor;
mod limits;
mod messages;
#[path = "../shared/outcome.rs"]
mod outcome;
mod outcomes;
mod presence;
mod reconciliation;
mod socket;

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_deliver::slack::{Click, Happening, Seal, Settings, Slack, Token};
use dice_deliver::{Courier, Found, Parcel};
use dice_route::config::{Person, Team};
use dice_route::{
    Config, Destination, Evidence, Intent, Lane, Notice, NoticeKind, NoticeRow, Outcome, Passage, Severity,
    State,
};
use dice_testkit::fakes::slack::{FakeSlack, Message};
use serde_json::Value;
use tokio::runtime::Runtime;

const MESSAGE: &str = "00112233445566778899aabbccddeeff";
const ALERT: &str = "ffeeddccbbaa99887766554433221100";

/// A workspace with `#ops` and a person, and a courier for it.
struct World {
    fake: FakeSlack,
    slack: Arc<Slack>,
    runtime: Runtime,
    ops: String,
    ada: String,
}

impl World {
    fn new() -> World {
        let fake = FakeSlack::start();
        fake.add_channel("general");
        fake.add_channel("random");
        let ops = fake.add_channel("ops");
        let ada = fake.add_person("ada@corp.example");
        let slack = Arc::new(account(&fake));
        World { slack, runtime: runtime(), ops, ada, fake }
    }

    fn deliver(&self, parcel: &Parcel) -> Outcome {
        self.runtime.block_on(self.slack.deliver(parcel))
    }

    fn find(&self, parcel: &Parcel) -> Found {
        self.runtime.block_on(self.slack.find(parcel))
    }

    fn parcel(&self, id: &str, kind: NoticeKind) -> Parcel {
        Parcel { now_ms: self.fake.now_ms(), ..parcel(id, kind) }
    }

    /// Delivers, and gives what Slack calls it.
    #[track_caller]
    fn delivered(&self, parcel: &Parcel) -> String {
        match self.deliver(parcel) {
            Outcome::Delivered(reference) => reference,
            other => panic!("{other:?} {:?}", self.fake.refusals()),
        }
    }

    fn message(&self, n: usize) -> Message {
        self.fake.messages()[n].clone()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread of this test's own")
}

fn account(fake: &FakeSlack) -> Slack {
    let slack = Slack::new(settings(&fake.base())).expect("the fake has an address");
    slack.know(&config("@ada", "ada@corp.example"));
    slack
}

/// A configuration with a person of this name and address, and a team.
fn config(name: &str, email: &str) -> Config {
    let person = Person { handle: name.to_owned(), emails: vec![email.to_owned()], ..Person::default() };
    let team = Team { channel: Some("#ops".to_owned()), ..Team::default() };
    Config {
        people: BTreeMap::from([(name.to_owned(), person)]),
        teams: BTreeMap::from([("@corp/ops".to_owned(), team)]),
        ..Config::default()
    }
}

fn settings(base: &str) -> Settings {
    Settings {
        base: base.to_owned(),
        bot_token: Token::new(FakeSlack::BOT_TOKEN),
        app_token: Some(Token::new(FakeSlack::APP_TOKEN)),
        seal: Some(Seal::new(b"seal")),
        is_proxied: false,
    }
}

fn row() -> NoticeRow {
    NoticeRow {
        episode: None,
        message: Some(MESSAGE.to_owned()),
        alert: Some(ALERT.to_owned()),
        title: "disk <*> is <*>% full".to_owned(),
        state: "open".to_owned(),
        severity: Severity::High,
        evidence: Evidence {
            count: 20,
            seen_ms: Some((1_700_000_000_000, 1_700_000_300_000)),
            hosts: vec![("web-1".into(), 12), ("web-2".into(), 8)],
            sample: Some("disk sda is 93% full".into()),
            place: Some("src/disk.c:12".into()),
            ..Evidence::default()
        },
        owner: Some("#ops, annotation".to_owned()),
        url: Some("https://code.example/disk.c#L12".to_owned()),
        before: None,
        days: Vec::new(),
    }
}

fn parcel(id: &str, kind: NoticeKind) -> Parcel {
    Parcel {
        intent: Intent {
            id: id.to_owned(),
            destination: Destination::Channel("#ops".to_owned()),
            lane: Lane::Immediate,
            kind,
            subject: "subject".to_owned(),
            revision: 0,
            follows: None,
            state: State::Sending,
            due_ms: 0,
            created_ms: 0,
            attempts: 1,
            changed_ms: 0,
            why: None,
            reference: None,
            passage: Passage::default(),
            notice: Notice {
                title: "disk sda is 93% full".to_owned(),
                because: "annotated with #ops".to_owned(),
                severity: Severity::High,
                rows: vec![row()],
                ..Notice::default()
            },
        },
        first: None,
        now_ms: 0,
        unsure_since_ms: None,
        is_possible_repeat: false,
    }
}

/// All texts of a message, one a line.
fn texts(message: &Message) -> String {
    fn gather(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(name, value)| match value {
                Value::String(text) if name == "text" => out.push(text.clone()),
                value => gather(value, out),
            }),
            Value::Array(list) => list.iter().for_each(|value| gather(value, out)),
            _ => {}
        }
    }
    let mut out = vec![message.text.clone()];
    gather(&message.blocks, &mut out);
    out.join("\n")
}

#[track_caller]
fn clicks(happening: Happening) -> Vec<Click> {
    match happening {
        Happening::Clicks(clicks) => clicks,
        other => panic!("{other:?}"),
    }
}
