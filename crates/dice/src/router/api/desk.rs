//! The API's side: questions are answered from a look at the state, everything else goes to the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Sender, TrySendError, bounded};
use dice_config::{Definition, DefinitionKind, MANAGED};
use dice_route::{Intent, MessageId, RuleStatus};
use dice_serve::managed::{Change, ChangeRefused, Changed, Kind, Version};
use dice_serve::view::{
    self, Backtested, Defined, Delivery, Digest, Effective, Episode, Moment, Noisy, Noted, Override, Silence,
    Snooze, Story,
};
use dice_serve::{
    Ask, Backtest, Desk, Family, Found, Health, Letter, NotFound, NotTaken, Opened, Refused, Time, Turned,
    Views, Why,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::board::{Board, Seen};
use super::hatch::Wanted;
use super::{figures, letters, managed};
use crate::clock;
use crate::commands::who;
use crate::router::delivery::Letters;
use crate::router::look::{self, Dossier, Look, Said, Silenced, Snoozed, Thing, Waiting, incidents};
use crate::router::target;

/// How long somebody who unsubscribes waits for the commit.
const PATIENCE: Duration = Duration::from_millis(2_300);

/// The program around the API.
pub(super) struct Front {
    pub(super) board: Arc<Board>,
    pub(super) wanted: Sender<Wanted>,
    pub(super) letters: Letters,
}

/// What a command prints as JSON is what the API tells.
fn as_view<T: DeserializeOwned>(told: impl Serialize) -> Result<T> {
    Ok(serde_json::from_value(serde_json::to_value(told)?)?)
}

/// A row of the outbox.
pub(super) fn delivery(intent: &Intent) -> Result<Delivery> {
    as_view(look::Delivery::of(intent))
}

pub(super) fn unavailable(error: anyhow::Error) -> NotFound {
    NotFound::Unavailable(format!("{error:#}"))
}

fn views<T: DeserializeOwned>(each: impl IntoIterator<Item = impl Serialize>) -> Found<Vec<T>> {
    each.into_iter().map(as_view).collect::<Result<_>>().map_err(unavailable)
}

impl Front {
    fn seen(&self) -> Found<Arc<Seen>> {
        self.board.look().map_err(unavailable)
    }

    /// The one thing that is called so, of those that `is_it` means.
    fn one(look: &Look, id: &str, is_it: impl Fn(&Thing) -> bool) -> Found<Thing> {
        let mut found = Thing::called(look, id);
        found.retain(is_it);
        match found.len() {
            0 => Err(NotFound::Absent),
            1 => Ok(found.remove(0)),
            _ => Err(NotFound::Several(found.iter().map(|thing| thing.name().1).collect())),
        }
    }

    fn dossiers(&self, asked: &Why) -> Found<Vec<Value>> {
        let seen = self.seen()?;
        let (look, force) = (&seen.look, self.board.force());
        let dossier = match asked {
            Why::Line(line) => {
                let event = target::read_by(look, line, &force.known)
                    .map_err(|error| NotFound::Wrong(format!("{error:#}")))?;
                Dossier::of(look, &Thing::Message(event.message.id), Some(&event.message), Some(&event))
            }
            Why::Id(id) => match Front::one(look, id, |_| true) {
                Ok(thing) => Dossier::of(look, &thing, None, None),
                Err(NotFound::Absent) => {
                    let id: MessageId = id.parse().map_err(|_| NotFound::Absent)?;
                    let message = target::known_message(&force.known, id).ok_or(NotFound::Absent)?;
                    Dossier::of(look, &Thing::Message(message.id), Some(&message), None)
                }
                Err(other) => return Err(other),
            },
        };
        views([dossier])
    }

    fn try_change(&self, change: &Change) -> Found<Result<managed::Done, ChangeRefused>> {
        let mut versions = self.seen()?.managed.clone();
        let force = self.board.force();
        Ok(versions.change(change, (&force.file, &force.known, &force.loaded)))
    }

    /// Has it written down that an address wants no more digests.
    fn leave(&self, address: String) -> Result<(), Turned> {
        let (reply, done) = bounded(1);
        let is_done = self.wanted.try_send(Wanted::Leave(address, reply)).is_ok()
            && done.recv_timeout(PATIENCE).is_ok();
        if is_done { Ok(()) } else { Err(Turned::Late("not committed in time")) }
    }
}

fn status(status: &RuleStatus) -> Value {
    json!({
        "keys": status.keys,
        "open": status.open,
        "waiting": status.waiting,
        "pending": status.pending,
        "evicted": status.evicted,
        "lost": status.lost,
        "late_counted": status.late_counted,
        "late_dropped": status.late_dropped,
        "hurried": status.hurried,
        "unreadable": status.unreadable,
        "is_degraded": status.is_degraded(),
    })
}

fn defined(known: &Definition, statuses: &BTreeMap<String, Value>) -> Defined {
    let is_managed = known.file == MANAGED;
    let is_rule = known.kind == DefinitionKind::Rule;
    Defined {
        id: known.id.clone(),
        origin: if is_managed { view::Origin::Managed } else { view::Origin::File },
        file: (!is_managed).then(|| known.file.clone()),
        line: (!is_managed).then_some(known.line),
        body: known.body.clone(),
        status: statuses.get(&known.id).filter(|_| is_rule).cloned(),
    }
}

impl Views for Front {
    fn defined(&self, kind: Kind) -> Found<Vec<Defined>> {
        let seen = self.seen()?;
        let statuses = seen.look.router.engine().status();
        let statuses = statuses.iter().map(|it| (it.rule.to_string(), status(it))).collect();
        let wanted = match kind {
            Kind::Rule => DefinitionKind::Rule,
            Kind::Route => DefinitionKind::Route,
        };
        let force = self.board.force();
        let of_kind = force.loaded.definitions.iter().filter(|known| known.kind == wanted);
        Ok(of_kind.map(|known| defined(known, &statuses)).collect())
    }

    fn silences(&self, is_all: bool) -> Found<Vec<Silence>> {
        views(Silenced::all(&self.seen()?.look, is_all))
    }

    fn snoozes(&self) -> Found<Vec<Snooze>> {
        views(Snoozed::all(&self.seen()?.look))
    }

    fn overrides(&self) -> Found<Vec<Override>> {
        views(Said::all(&self.seen()?.look))
    }

    fn episodes(&self, is_all: bool) -> Found<Vec<Episode>> {
        views(incidents(&self.seen()?.look, is_all))
    }

    fn episode(&self, id: &str) -> Found<Story> {
        let seen = self.seen()?;
        let is_episode = |thing: &Thing| matches!(thing, Thing::Episode(_) | Thing::Immediate(_));
        let thing = Front::one(&seen.look, id, is_episode)?;
        let told = serde_json::to_value(Dossier::of(&seen.look, &thing, None, None));
        story(&told.map_err(|error| unavailable(error.into()))?).map_err(unavailable)
    }

    fn outbox(&self, state: Option<&str>) -> Found<Vec<Delivery>> {
        let seen = self.seen()?;
        let mut found: Vec<Delivery> =
            seen.look.router.outbox().iter().map(delivery).collect::<Result<_>>().map_err(unavailable)?;
        found.retain(|delivery| state.is_none_or(|state| delivery.state == state));
        Ok(found)
    }

    fn delivery(&self, id: &str) -> Found<Delivery> {
        let seen = self.seen()?;
        let thing = Front::one(&seen.look, id, |thing| matches!(thing, Thing::Notice(_)))?;
        let intent = seen.look.router.outbox().get(&thing.name().1).ok_or(NotFound::Absent)?;
        delivery(intent).map_err(unavailable)
    }

    fn records(&self, since_ms: i64) -> Found<Vec<Noted>> {
        let seen = self.seen()?;
        let records = seen.look.router.manager().records().iter();
        views(records.filter(|record| record.at_ms >= since_ms).map(look::Noted::of))
    }

    fn why(&self, asked: &Why) -> Found<Vec<Value>> {
        self.dossiers(asked)
    }

    fn who(&self, line: &str) -> Found<Vec<Value>> {
        who::objects(&self.board.force().known, line).map_err(unavailable)
    }

    fn digests(&self, owner: Option<&str>) -> Found<Vec<Digest>> {
        let all = Waiting::all(&self.seen()?.look, owner);
        match owner {
            Some(_) => views(all),
            None => views(all.into_iter().map(Waiting::in_short)),
        }
    }

    fn noisiest(&self, owner: Option<&str>, hours: u32) -> Found<Vec<Noisy>> {
        let seen = self.seen()?;
        let (manager, now_ms) = (seen.look.router.manager(), self.now_ms());
        let mut found: BTreeMap<MessageId, Noisy> = BTreeMap::new();
        for (alert, message) in manager.alerts().iter() {
            // Several keys may be of one message, and of one that had other names.
            let Some((id, by_hour)) = manager.by_hour(alert.message, hours, now_ms) else { continue };
            let noisy = found.entry(id).or_insert_with(|| Noisy {
                message: id.to_string(),
                title: if message.template.is_empty() {
                    alert.sample.to_string()
                } else {
                    message.template.to_string()
                },
                level: alert.level.map(|level| level.to_string()),
                place: Some(message.place.to_string()).filter(|place| !place.is_empty()),
                url: message.url.as_deref().map(str::to_owned),
                count: by_hour.iter().sum(),
                hours: by_hour,
                ..Noisy::default()
            });
            for each in &alert.owners {
                if !noisy.owners.iter().any(|known| known.name == each.owner.name) {
                    let why = each.owner.why.to_string();
                    noisy.owners.push(view::Answerable { name: each.owner.name.clone(), why });
                }
            }
            let tallies = [&alert.run, &alert.fresh, &alert.past, &alert.old];
            let seen = tallies.into_iter().filter_map(|tally| tally.seen_ms).map(|(_, last_ms)| last_ms);
            let last = Time(seen.max().unwrap_or(alert.last_ms));
            if noisy.last.is_none_or(|known| known < last) {
                noisy.last = Some(last);
                noisy.sample = Some(alert.sample.to_string());
            }
        }
        let is_theirs =
            |noisy: &Noisy| owner.is_none_or(|name| noisy.owners.iter().any(|it| it.name == name));
        Ok(found.into_values().filter(is_theirs).collect())
    }

    fn effective(&self) -> Found<Effective> {
        let force = self.board.force();
        Ok(Effective {
            files: force.loaded.files.clone(),
            since: Some(Time(force.since_ms)),
            effective: force.loaded.effective.clone(),
            warnings: force.loaded.warnings.iter().map(managed::fault).collect(),
        })
    }

    fn versions(&self) -> Found<(Version, Vec<Version>)> {
        Ok(self.seen()?.managed.all())
    }

    fn rehearse(&self, change: &Change) -> Found<Result<Changed, ChangeRefused>> {
        Ok(self.try_change(change)?.map(|(changed, ..)| changed))
    }

    fn backtest(&self, asked: &Backtest) -> Found<Result<Backtested, ChangeRefused>> {
        let force = self.board.force();
        if let Some(name) = &asked.source
            && !force.loaded.sources.iter().any(|source| source.name == *name)
        {
            return Err(NotFound::Wrong(format!("there is no source {name}")));
        }
        let next = match self.try_change(&asked.change)? {
            Ok((_, next, _)) => next,
            Err(refused) => return Ok(Err(refused)),
        };
        let next = next.as_ref().unwrap_or(&force.loaded);
        let limit = super::backtest::LIMIT;
        super::backtest::backtest(&force, &asked.lines, asked.source.as_deref(), next, limit).map(Ok)
    }
}

/// What a dossier tells of an episode.
fn story(told: &Value) -> Result<Story> {
    let part = |name: &str| told.get(name).cloned().unwrap_or_else(|| json!([]));
    let episodes: Vec<Episode> = serde_json::from_value(part("episodes"))?;
    let mut timeline = Vec::new();
    for group in part("groups").as_array().into_iter().flatten() {
        let to = group.get("destination").and_then(Value::as_str).unwrap_or_default();
        let moments = group.get("timeline").cloned().unwrap_or_else(|| json!([]));
        let moments: Vec<Moment> = serde_json::from_value(moments)?;
        timeline.extend(moments.into_iter().map(|it| {
            // Whoever shows it says of what is to come that it is.
            let text = if it.is_next { it.text } else { look::happened(false, &it.text) };
            Moment { text: format!("{to}: {text}"), ..it }
        }));
    }
    timeline.sort_by_key(|moment| moment.at);
    Ok(Story {
        episode: episodes.into_iter().next().unwrap_or_default(),
        timeline,
        notices: serde_json::from_value(part("notices"))?,
        records: serde_json::from_value(part("records"))?,
    })
}

impl Desk for Front {
    fn now_ms(&self) -> i64 {
        clock::now().as_millisecond()
    }

    fn take(&self, ask: Ask) -> Result<(), NotTaken> {
        self.wanted.try_send(Wanted::Ask(ask)).map_err(|error| match error {
            TrySendError::Full(Wanted::Ask(ask)) => NotTaken::Full(Box::new(ask)),
            TrySendError::Full(Wanted::Leave(..)) | TrySendError::Disconnected(_) => NotTaken::Stopping,
        })
    }

    fn has_ended(&self, session: &str) -> bool {
        self.board.sessions.has(session)
    }

    fn open(&self, letter: &Letter) -> Result<Opened, Turned> {
        letters::open(letter, &self.board.force().loaded, &self.letters, |address| self.leave(address))
    }

    fn health(&self) -> Health {
        self.board.health()
    }

    fn metrics(&self) -> Vec<Family> {
        figures::families(&self.board, &self.board.health())
    }

    fn refused(&self, refused: &Refused) {
        let Refused { peer, token, method, route, status, why } = refused;
        tracing::debug!(%peer, token, method, route, status, "a request was not done: {why}");
        self.board.refuse(refused);
    }
}
