//! A program around the API that keeps what it is asked, and a loop that commits at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender as Sending, channel};
use std::sync::{Mutex, MutexGuard};

use dice_route::{Act, Answer, Command};
use dice_serve::managed::{Change, ChangeRefused, Changed, Document, Effect, Kind, Version, Versions};
use dice_serve::view::{
    Backtested, Defined, Delivery, Digest, Effective, Episode, Noisy, Noted, Origin, Override, Silence,
    Snooze, Story,
};
use dice_serve::{
    Ask, Backtest, Desk, Family, Fault, Found, Health, Letter, MetricKind, NotFound, NotTaken, Opened,
    Refused, Reply, Sender, Time, Turned, Views, Why,
};
use serde_json::{Value, json};

/// The time of everything here: 2026-11-20T15:53:20Z.
pub(crate) const NOW_MS: i64 = 1_795_190_000_000;

pub(crate) struct Fake {
    pub(crate) now_ms: AtomicI64,
    pub(crate) is_well: AtomicBool,
    /// Whether asks are kept and never answered.
    pub(crate) is_slow: AtomicBool,
    /// Whether there is no room for asks.
    pub(crate) is_full: AtomicBool,
    /// Held while snoozes are not to be told, and backtests of the line `wait` are not to end.
    pub(crate) hold: Mutex<()>,
    versions: Mutex<Versions>,
    taken: Mutex<Vec<String>>,
    kept: Mutex<Vec<Ask>>,
    refused: Mutex<Vec<Refused>>,
    letters: Mutex<BTreeSet<String>>,
    told: (Sending<String>, Mutex<Receiver<String>>),
}

impl Default for Fake {
    fn default() -> Fake {
        let (sending, receiver) = channel();
        Fake {
            now_ms: AtomicI64::new(NOW_MS),
            is_well: AtomicBool::new(true),
            is_slow: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            hold: Mutex::default(),
            versions: Mutex::default(),
            taken: Mutex::default(),
            kept: Mutex::default(),
            refused: Mutex::default(),
            letters: Mutex::default(),
            told: (sending, Mutex::new(receiver)),
        }
    }
}

impl Fake {
    /// What the loop was asked since the last time, in words.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }

    /// What was refused since the last time.
    pub(crate) fn refusals(&self) -> Vec<Refused> {
        std::mem::take(&mut *self.refused.lock().unwrap())
    }

    /// What the next letter's sender was told after the commit.
    pub(crate) fn told(&self) -> String {
        self.told.1.lock().unwrap().recv().unwrap()
    }

    /// Whether somebody still waits for an ask that was kept.
    pub(crate) fn is_anybody_waiting(&self) -> bool {
        self.kept.lock().unwrap().iter().any(|ask| match ask {
            Ask::Command(_, reply) => reply.is_wanted(),
            Ask::Change(_, reply) => reply.is_wanted(),
            Ask::Alerts(_, reply) => reply.is_wanted(),
            Ask::LogOut(_, reply) => reply.is_wanted(),
        })
    }

    fn versions_held(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap()
    }

    fn command(&self, Command { id, actor, act, .. }: Command, reply: Reply<Answer>) {
        assert_eq!(id.len(), 32, "{id}");
        let is_done = match &act {
            Act::Ack { episode } | Act::Resolve { episode } => episode == "e1",
            Act::Assign { owner, .. } => !owner.is_empty(),
            _ => true,
        };
        self.taken.lock().unwrap().push(format!("{actor} {}", serde_json::to_string(&act).unwrap()));
        let text = if is_done { "done" } else { "it has ended" };
        reply.answer(Answer { is_done, text: text.to_owned(), body: json!({ "id": "x1" }) });
    }

    /// What the configuration checker would say.
    fn check(&self, document: &Document) -> Result<Effect, ChangeRefused> {
        let broken = document.of(Kind::Rule).iter().find(|rule| !rule.contains_key("type"));
        match broken {
            None => {
                let differences = vec![format!("{} rules", document.of(Kind::Rule).len())];
                Ok(Effect { differences, warnings: Vec::new() })
            }
            Some(_) => {
                let (at, text) = ("managed:3:1".to_owned(), "wanted a type, found none".to_owned());
                Err(ChangeRefused::Wrong(vec![Fault { at, text, next: Some("say type".to_owned()) }]))
            }
        }
    }
}

fn seen(id: &str) -> Episode {
    Episode {
        kind: "rule".to_owned(),
        id: id.to_owned(),
        state: "open".to_owned(),
        opened: Time(NOW_MS),
        title: "<script>alert(1)</script>".to_owned(),
        ..Episode::default()
    }
}

fn delivery(id: &str) -> Delivery {
    Delivery { id: id.to_owned(), state: "sent".to_owned(), ..Delivery::default() }
}

impl Views for Fake {
    fn defined(&self, kind: Kind) -> Found<Vec<Defined>> {
        let managed = Document::parse(&self.versions_held().current().text).unwrap();
        let managed = managed.of(kind).iter().map(|body| Defined {
            id: body["id"].as_str().unwrap().to_owned(),
            origin: Origin::Managed,
            body: serde_json::to_value(body).unwrap(),
            ..Defined::default()
        });
        let in_file = Defined {
            id: "in-file".to_owned(),
            file: Some("rules/a.toml".to_owned()),
            line: Some(12),
            body: json!({"type": "any"}),
            ..Defined::default()
        };
        Ok(managed.chain([in_file]).collect())
    }

    fn silences(&self, is_all: bool) -> Found<Vec<Silence>> {
        let one = |id: &str| Silence { id: id.to_owned(), ..Silence::default() };
        Ok(if is_all { vec![one("s1"), one("s2")] } else { vec![one("s1")] })
    }

    fn snoozes(&self) -> Found<Vec<Snooze>> {
        let _held = self.hold.lock().unwrap();
        Ok(vec![Snooze { id: "z1".to_owned(), ..Snooze::default() }])
    }

    fn overrides(&self) -> Found<Vec<Override>> {
        Ok(vec![Override { message: "m1".to_owned(), ..Override::default() }])
    }

    fn episodes(&self, is_all: bool) -> Found<Vec<Episode>> {
        let ended = Episode { state: "closed".to_owned(), ..seen("e0") };
        Ok(if is_all { vec![ended, seen("e1")] } else { vec![seen("e1")] })
    }

    fn episode(&self, id: &str) -> Found<Story> {
        match id {
            "e" => Err(NotFound::Several(vec!["e0".to_owned(), "e1".to_owned()])),
            "e0" | "e1" => Ok(Story { episode: seen(id), ..Story::default() }),
            _ => Err(NotFound::Absent),
        }
    }

    fn outbox(&self, state: Option<&str>) -> Found<Vec<Delivery>> {
        Ok(if matches!(state, None | Some("sent")) { vec![delivery("d1")] } else { Vec::new() })
    }

    fn delivery(&self, id: &str) -> Found<Delivery> {
        if id == "d1" { Ok(delivery(id)) } else { Err(NotFound::Absent) }
    }

    fn records(&self, since_ms: i64) -> Found<Vec<Noted>> {
        Ok(vec![Noted { at: Time(since_ms), ..Noted::default() }])
    }

    fn why(&self, asked: &Why) -> Found<Vec<Value>> {
        match asked {
            Why::Line(line) => Ok(vec![json!({ "line": line })]),
            Why::Id(id) if id == "defect" => panic!("a defect"),
            Why::Id(id) => Ok(vec![json!({ "id": id })]),
        }
    }

    fn who(&self, line: &str) -> Found<Vec<Value>> {
        Ok(vec![json!({ "line": line, "owner": "#ops" })])
    }

    fn digests(&self, owner: Option<&str>) -> Found<Vec<Digest>> {
        let known = ["#ops", "@org/team"];
        let readers = known.into_iter().filter(|reader| owner.is_none_or(|owner| owner == *reader));
        Ok(readers.map(|reader| Digest { reader: reader.to_owned(), ..Digest::default() }).collect())
    }

    fn noisiest(&self, owner: Option<&str>, hours: u32) -> Found<Vec<Noisy>> {
        let title = format!("{} in {hours}", owner.unwrap_or("all"));
        Ok(vec![Noisy { title, ..Noisy::default() }])
    }

    fn effective(&self) -> Found<Effective> {
        Ok(Effective { files: vec!["router.toml".to_owned()], ..Effective::default() })
    }

    fn versions(&self) -> Found<(Version, Vec<Version>)> {
        let versions = self.versions_held();
        Ok((versions.current(), versions.iter().cloned().collect()))
    }

    fn rehearse(&self, change: &Change) -> Found<Result<Changed, ChangeRefused>> {
        let mut versions = self.versions_held().clone();
        Ok(versions.change(change, &mut |document| self.check(document)).map(|(changed, _)| changed))
    }

    fn backtest(&self, asked: &Backtest) -> Found<Result<Backtested, ChangeRefused>> {
        let lines = asked.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
        if asked.lines == b"wait" {
            self.taken.lock().unwrap().push("a backtest begins".to_owned());
            drop(self.hold.lock());
        }
        let tried = self.rehearse(&asked.change)?;
        Ok(tried.map(|_| Backtested {
            lines,
            sent: asked.change.edits.len() as u64,
            ..Backtested::default()
        }))
    }
}

impl Desk for Fake {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn take(&self, ask: Ask) -> Result<(), NotTaken> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(NotTaken::Full(Box::new(ask)));
        }
        if self.is_slow.load(Ordering::Relaxed) {
            self.kept.lock().unwrap().push(ask);
            return Ok(());
        }
        match ask {
            Ask::Command(command, reply) => self.command(command, reply),
            Ask::Change(change, reply) => {
                self.taken.lock().unwrap().push(format!("{} changes {:?}", change.actor, change.comment));
                let changed = self.versions_held().change(&change, &mut |document| self.check(document));
                reply.answer(changed.map(|(changed, _)| changed));
            }
            Ask::Alerts(alerts, reply) => {
                let body: Vec<Value> = serde_json::from_slice(&alerts.body).unwrap();
                let wrong = body.iter().filter(|alert| alert.get("labels").is_none()).count();
                self.taken.lock().unwrap().push(format!("{} alerts {}", alerts.actor, body.len()));
                reply.answer(vec!["wanted labels, found none".to_owned(); wrong]);
            }
            Ask::LogOut(log_out, reply) => {
                self.taken.lock().unwrap().push(format!("{} logs out", log_out.actor));
                reply.answer(());
            }
        }
        Ok(())
    }

    fn has_ended(&self, _: &str) -> bool {
        false
    }

    fn open(&self, letter: &Letter) -> Result<Opened, Turned> {
        let signature = letter.header("x-signature");
        if let Sender::Unsubscribe(token) = &letter.from {
            if token != "good" {
                return Err(Turned::Forged("another token".to_owned()));
            }
        } else if signature.is_none_or(|value| !value.starts_with("good")) {
            return Err(Turned::Forged("another signature".to_owned()));
        } else if !self.letters.lock().unwrap().insert(signature.unwrap().to_owned()) {
            return Err(Turned::Repeated);
        }
        if letter.body == b"challenge" {
            return Ok(Opened { answer: Some(json!({ "challenge": 1 })), ..Opened::default() });
        }
        if letter.body.is_empty() {
            return Err(Turned::Unclear("nothing".to_owned()));
        }
        if letter.body == b"late" {
            return Err(Turned::Late("nobody knows yet"));
        }
        let act = Act::Ack { episode: "e1".to_owned() };
        let id = "0".repeat(32);
        let command = Command { id, actor: letter.from.as_str().to_owned(), at_ms: letter.at_ms, act };
        let told = self.told.0.clone();
        let then = Box::new(move |answers: Vec<Answer>| drop(told.send(answers[0].text.clone())));
        Ok(Opened { commands: vec![command], answer: None, then: Some(then) })
    }

    fn health(&self) -> Health {
        let is_well = self.is_well.load(Ordering::Relaxed);
        Health { is_writable: is_well, commit_age_ms: Some(7), ..Health::default() }
    }

    fn metrics(&self) -> Vec<Family> {
        vec![Family::new("dice_lines", MetricKind::Counter, "Lines.").with([("source", "a\"b")], 3.0)]
    }

    fn refused(&self, refused: &Refused) {
        self.refused.lock().unwrap().push(refused.clone());
    }
}
