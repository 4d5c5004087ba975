//! A program around the pages that shows what it was given, and does what buttons say at once.

use std::sync::{Mutex, MutexGuard};

use dice_route::{Act, Answer, Command};
use dice_serve::managed::{Change, ChangeRefused, Changed, Kind, Version};
use dice_serve::view::{
    Acked, Backtested, Defined, Delivery, Digest, Effective, Noisy, Noted, Override, Silence, Snooze, Story,
};
use dice_serve::{
    Ask, Backtest, Desk, Family, Found, Health, Letter, NotFound, NotTaken, Opened, Refused, Time, Turned,
    Views, Why,
};
use serde_json::{Value, json};

/// All that is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) noisy: Vec<Noisy>,
    pub(crate) stories: Vec<Story>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) records: Vec<Noted>,
    pub(crate) snoozes: Vec<Snooze>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) digests: Vec<Digest>,
    /// What is known of every line that contains the text.
    pub(crate) who: Vec<(String, Value)>,
    /// What is known of an id, of any line where the id is empty, and of anything where it is `*`.
    pub(crate) why: Vec<(String, Value)>,
    pub(crate) health: Health,
    /// What was done, in words.
    pub(crate) done: Vec<String>,
    /// Sessions that were ended.
    pub(crate) ended: Vec<String>,
}

/// The program, whose time stands still.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) now_ms: i64,
    shown: Mutex<Shown>,
}

impl Shelf {
    pub(crate) fn new(now_ms: i64, shown: Shown) -> Shelf {
        Shelf { now_ms, shown: Mutex::new(shown) }
    }

    pub(crate) fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().expect("nobody panics who holds it")
    }

    fn obey(&self, command: Command) -> Answer {
        let mut shown = self.shown();
        let words = serde_json::to_string(&command.act).unwrap_or_default();
        let mut body = json!({});
        let mut is_done = true;
        let text = match &command.act {
            Act::Ack { episode } | Act::Unack { episode } | Act::Resolve { episode } => {
                let story = shown.stories.iter_mut().find(|story| story.episode.id == *episode);
                is_done = story.as_ref().is_some_and(|story| story.episode.state == "open");
                let until = Time(command.at_ms + 3_600_000);
                match (story, &command.act) {
                    (Some(story), Act::Ack { .. }) if is_done => {
                        story.episode.acked = Some(Acked { by: command.actor.clone(), until });
                        "You are on it for an hour.".to_owned()
                    }
                    (Some(story), Act::Unack { .. }) if is_done => {
                        story.episode.acked = None;
                        "Nobody is on it now.".to_owned()
                    }
                    (Some(story), _) if is_done => {
                        "closed".clone_into(&mut story.episode.state);
                        "It is over.".to_owned()
                    }
                    _ => "it has ended".to_owned(),
                }
            }
            Act::Snooze { until, .. } => {
                body = json!({ "snooze": "c0ffee" });
                format!("Snoozed until {until}. 2 notices were held back.")
            }
            Act::Silence { preview, .. } => {
                body = json!({ "silence": "5117", "open": ["<b>goes on</b>"], "recent": ["went on"] });
                let is = if *preview { "would be" } else { "is" };
                format!("1 thing {is} hidden.")
            }
            Act::Unsnooze { id } => {
                shown.snoozes.retain(|snooze| snooze.id != *id);
                "It is told again.".to_owned()
            }
            Act::Unsilence { id } => {
                shown.silences.retain(|silence| silence.id != *id);
                "The silence is over.".to_owned()
            }
            Act::NotMe { person, .. } => {
                format!("{} does not answer for it any more.", person.as_deref().unwrap_or("Nobody"))
            }
            _ => "Done.".to_owned(),
        };
        shown.done.push(format!("{} {words}", command.actor));
        Answer { is_done, text, body }
    }
}

fn of_owner(noisy: &Noisy, owner: Option<&str>) -> bool {
    owner.is_none_or(|owner| noisy.owners.iter().any(|known| known.name == owner))
}

impl Views for Shelf {
    fn defined(&self, _: Kind) -> Found<Vec<Defined>> {
        Ok(Vec::new())
    }

    fn silences(&self, _: bool) -> Found<Vec<Silence>> {
        Ok(self.shown().silences.clone())
    }

    fn snoozes(&self) -> Found<Vec<Snooze>> {
        Ok(self.shown().snoozes.clone())
    }

    fn overrides(&self) -> Found<Vec<Override>> {
        Ok(self.shown().overrides.clone())
    }

    fn episodes(&self, is_all: bool) -> Found<Vec<dice_serve::view::Episode>> {
        let shown = self.shown();
        let all = shown.stories.iter().map(|story| &story.episode);
        Ok(all.filter(|episode| is_all || episode.state == "open").cloned().collect())
    }

    fn episode(&self, id: &str) -> Found<Story> {
        let shown = self.shown();
        shown.stories.iter().find(|story| story.episode.id == id).cloned().ok_or(NotFound::Absent)
    }

    fn outbox(&self, state: Option<&str>) -> Found<Vec<Delivery>> {
        let shown = self.shown();
        Ok(shown
            .deliveries
            .iter()
            .filter(|each| state.is_none_or(|state| each.state == state))
            .cloned()
            .collect())
    }

    fn delivery(&self, id: &str) -> Found<Delivery> {
        self.shown().deliveries.iter().find(|each| each.id == id).cloned().ok_or(NotFound::Absent)
    }

    fn records(&self, since_ms: i64) -> Found<Vec<Noted>> {
        Ok(self.shown().records.iter().filter(|each| each.at.0 >= since_ms).cloned().collect())
    }

    fn why(&self, asked: &Why) -> Found<Vec<Value>> {
        let id = match asked {
            Why::Line(_) => "",
            Why::Id(id) => id,
        };
        let shown = self.shown();
        let found = shown.why.iter().find(|(known, _)| known == id || known == "*");
        found.map(|(_, value)| vec![value.clone()]).ok_or(NotFound::Absent)
    }

    fn who(&self, line: &str) -> Found<Vec<Value>> {
        let shown = self.shown();
        Ok(shown.who.iter().filter(|(part, _)| line.contains(part)).map(|(_, value)| value.clone()).collect())
    }

    fn digests(&self, owner: Option<&str>) -> Found<Vec<Digest>> {
        let shown = self.shown();
        let all = shown.digests.iter().filter(|digest| owner.is_none_or(|owner| digest.reader == owner));
        Ok(all.cloned().collect())
    }

    fn noisiest(&self, owner: Option<&str>, hours: u32) -> Found<Vec<Noisy>> {
        let shown = self.shown();
        let mut noisy: Vec<Noisy> =
            shown.noisy.iter().filter(|noisy| of_owner(noisy, owner)).cloned().collect();
        for each in &mut noisy {
            let days = (hours as usize).div_ceil(24).max(1);
            each.hours = each.hours.repeat(days);
            each.count = each.count.saturating_mul(days as u64);
        }
        Ok(noisy)
    }

    fn effective(&self) -> Found<Effective> {
        Ok(Effective::default())
    }

    fn versions(&self) -> Found<(Version, Vec<Version>)> {
        Err(NotFound::Absent)
    }

    fn rehearse(&self, _: &Change) -> Found<Result<Changed, ChangeRefused>> {
        Err(NotFound::Absent)
    }

    fn backtest(&self, _: &Backtest) -> Found<Result<Backtested, ChangeRefused>> {
        Err(NotFound::Absent)
    }
}

impl Desk for Shelf {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn take(&self, ask: Ask) -> Result<(), NotTaken> {
        match ask {
            Ask::Command(command, reply) => reply.answer(self.obey(command)),
            Ask::Change(_, reply) => reply.refused("nothing is configured here"),
            Ask::Alerts(_, reply) => reply.answer(Vec::new()),
            Ask::LogOut(log_out, reply) => {
                assert_eq!(log_out.until_ms, self.now_ms + 7 * 24 * 3_600_000);
                self.shown().ended.push(log_out.session);
                reply.answer(());
            }
        }
        Ok(())
    }

    fn has_ended(&self, session: &str) -> bool {
        self.shown().ended.iter().any(|ended| ended == session)
    }

    fn open(&self, _: &Letter) -> Result<Opened, Turned> {
        Err(Turned::Unknown)
    }

    fn health(&self) -> Health {
        self.shown().health.clone()
    }

    fn metrics(&self) -> Vec<Family> {
        Vec::new()
    }

    fn refused(&self, _: &Refused) {}
}
