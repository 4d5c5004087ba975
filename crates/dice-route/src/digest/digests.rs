//! The digests of all readers: gathered, held, told.

mod preview;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use self::preview::Preview;
use super::edition::{Edition, EditionState};
use super::hold::{Hold, hold, next_look, waited};
use super::news::PersonNews;
use super::notice::{Content, content, held_note};
use super::reader::{Directory, Reader};
use super::row::{DigestRow, Gathered, OVERFLOW};
use crate::book::{Book, Delta, Row, Table};
use crate::config::Config;
use crate::outbox::{Draft, Outbox};
use crate::records::Records;
use crate::{Cause, Destination, Intent, Lane, MessageId, Notice, NoticeKind, Presence, Severity, State};
use jiff::civil::Date;

/// Deduplication keys that one reader's rows are kept for; further ones are counted together.
const MAX_MESSAGES: usize = 2_000;

/// What has not been seen for so long is new when it comes again.
const REMEMBERED_MS: i64 = 30 * DAY_MS;

/// Digests that were told are kept for so long.
const KEPT_MS: i64 = 35 * DAY_MS;

/// Digests that are told in one tick: where everybody has the same slot, lines need not wait for all of them.
const MAX_TOLD: usize = 256;

/// A notice whose arrival is uncertain is asked about again after this long.
const UNCERTAIN_MS: i64 = 3_600_000;

const DAY_MS: i64 = 86_400_000;

/// Whether something is too urgent for a digest: it is told at once.
pub fn bypasses(severity: Severity) -> bool {
    severity >= Severity::High
}

/// What people have hidden, as digests need to know when they are told.
pub trait Hiding {
    /// A word for why `row` is not shown to `reader`: `snoozed`, `muted`, `silenced`, `resolved`; `None` when it
    /// is shown. Rows with equal words are counted together in one line.
    fn hidden(&self, reader: &Destination, row: &DigestRow) -> Option<String>;

    /// Sentences for the end of `reader`'s digest, such as what is muted for ever.
    fn notes(&self, _reader: &Destination) -> Vec<String> {
        Vec::new()
    }
}

/// Nothing is hidden.
impl Hiding for () {
    fn hidden(&self, _reader: &Destination, _row: &DigestRow) -> Option<String> {
        None
    }
}

/// The digests of all readers.
///
/// A reader has at most one digest that is gathered or held; it is named by their local date, and no date, nor
/// an earlier one, is used twice. Once its slot has come it is told when its reader is there, in one notice of
/// everything that was gathered until that moment, or at the latest when it may be held no longer; never on a
/// day off. Rows stay until they are told, whatever happens in between.
///
/// Messages past 2,000 of one reader are counted in one row.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    directory: Directory,
    editions: Book<Edition>,
    rows: Book<DigestRow>,
    news: Book<PersonNews>,
    // What follows is made of the above and never kept.
    /// Who reads what is meant for whom.
    readers: BTreeMap<Destination, Destination>,
    times: BTreeMap<Destination, Reader>,
    /// The ids of rows, by reader and deduplication key.
    keys: BTreeMap<Destination, BTreeMap<String, String>>,
    /// The digest that is gathered or held.
    current: BTreeMap<Destination, String>,
    /// The last local date on which a reader had a digest.
    used: BTreeMap<Destination, Date>,
    /// Digests that are gathered, by their slot.
    open: BTreeSet<(i64, String)>,
    held: BTreeSet<String>,
    /// When each held digest is next looked at; at once where it is not in here.
    looks: BTreeMap<String, i64>,
    /// Digests in the outbox that the team hears of unless they arrive, by when.
    watched: BTreeSet<(i64, String)>,
    /// Readers without any working day to come.
    stranded: BTreeSet<Destination>,
    /// The last day the books were tidied, in days since 1970.
    tidied: i64,
}

/// What a tick acts on.
struct Now<'a> {
    ms: i64,
    hiding: &'a dyn Hiding,
    outbox: &'a mut Outbox,
    records: &'a mut Records,
}

impl Digests {
    /// No digests, by a configuration.
    pub fn new(config: Arc<Config>) -> Digests {
        Digests { directory: Directory::of(config), ..Digests::default() }
    }

    /// Takes a configuration, the first or another one: slots move with it, and what somebody has left behind
    /// goes to who takes over.
    pub fn configure(&mut self, config: Arc<Config>, now_ms: i64) {
        self.directory = Directory::of(config);
        self.rename();
        self.settle_all(now_ms);
    }

    /// Takes news of a person.
    pub fn presence(&mut self, presence: &Presence, now_ms: i64) {
        let name = self.directory.canonical(&presence.person).to_owned();
        if self.news.get(&name).is_none() {
            self.news.put(PersonNews::new(&name));
        }
        let Some(news) = self.news.get_mut(&name) else { return };
        let before = (news.zone.clone(), news.is_gone);
        if !news.take(presence) {
            return;
        }
        let is_elsewhere = before != (news.zone.clone(), news.is_gone);
        let person = Destination::Person(name);
        if let Some(id) = self.current.get(&person) {
            self.looks.remove(id);
        }
        if is_elsewhere {
            self.readers.clear();
            self.times.remove(&person);
            self.settle(&person, now_ms);
        }
    }

    /// What has been heard of people, in the order of their names.
    pub fn news(&self) -> impl Iterator<Item = &PersonNews> {
        self.news.iter()
    }

    /// Counts occurrences that were counted together for whoever reads what is meant for `to`.
    pub fn gather(&mut self, to: &Destination, gathered: &Gathered<'_>, now_ms: i64) {
        if gathered.tally.count == 0 {
            return;
        }
        let reader = self.reader(to);
        let id = self.row(&reader, gathered);
        self.times(&reader);
        if let (Some(row), Some(times)) = (self.rows.get_mut(&id), self.times.get(&reader)) {
            row.add(gathered, &times.zone);
        }
        self.begin(&reader, now_ms);
    }

    /// Gives what `from` was to be told of a message to `to`: it was not theirs.
    pub fn reassign(&mut self, message: &MessageId, from: &Destination, to: &Destination, now_ms: i64) {
        let (from, to) = (self.reader(from), self.reader(to));
        if from != to {
            self.move_rows(&from, &to, |row| row.message == *message, now_ms);
        }
    }

    /// Tells what is to be told now.
    pub fn tick(&mut self, now_ms: i64, hiding: &dyn Hiding, outbox: &mut Outbox, records: &mut Records) {
        let now = &mut Now { ms: now_ms, hiding, outbox, records };
        self.tidy(now_ms);
        while let Some((_, id)) = self.open.first().filter(|(at_ms, _)| *at_ms <= now_ms).cloned() {
            self.open.pop_first();
            if let Some(edition) = self.editions.get_mut(&id) {
                edition.state = EditionState::Held;
                self.held.insert(id);
            }
        }
        let is_due = |id: &&String| self.looks.get(*id).is_none_or(|look_ms| *look_ms <= now_ms);
        let held: Vec<String> = self.held.iter().filter(is_due).cloned().collect();
        let n_held = self.held.len();
        for id in held {
            if n_held - self.held.len() >= MAX_TOLD {
                break;
            }
            self.look_at(&id, now);
        }
        while self.watched.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms) {
            let Some((_, id)) = self.watched.pop_first() else { break };
            let again_ms = self.follow_up(&id, now).map(|again_ms| again_ms.max(now_ms.saturating_add(1)));
            self.watched.extend(again_ms.map(|again_ms| (again_ms, id.clone())));
            if let Some(edition) = self.editions.get_mut(&id) {
                edition.fallback_ms = again_ms;
            }
        }
    }

    /// When [`Digests::tick`] next has something to do, at the latest; `None` when only a new input can give it
    /// something.
    pub fn wake_ms(&self, now_ms: i64) -> Option<i64> {
        let looks = self.held.iter().map(|id| self.looks.get(id).copied().unwrap_or(now_ms));
        let timers = [self.open.first(), self.watched.first()].into_iter().flatten();
        timers.map(|(at_ms, _)| *at_ms).chain(looks).min()
    }

    /// The people whose presence decides about a digest now, in order; nobody else's needs to be asked for.
    pub fn awaited(&self, now_ms: i64) -> Vec<String> {
        let held = self.held.iter().filter_map(|id| self.editions.get(id));
        let waits = |edition: &&Edition| {
            let times = self.times.get(&edition.reader);
            times.is_some_and(|times| times.waits && times.calendar.is_open(now_ms, &times.zone))
        };
        held.filter(waits).map(|edition| edition.reader.name().to_owned()).collect()
    }

    /// The digest called `id`: its slot's key.
    pub fn edition(&self, id: &str) -> Option<&Edition> {
        self.editions.get(id)
    }

    /// Every digest that is gathered, held, or was told within five weeks, in the order of the ids.
    pub fn editions(&self) -> impl Iterator<Item = &Edition> {
        self.editions.iter()
    }

    /// Every row, in the order of the ids; those with a count of 0 have been told and are remembered for the
    /// trend.
    pub fn rows(&self) -> impl Iterator<Item = &DigestRow> {
        self.rows.iter()
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.editions.deltas(out);
        self.rows.deltas(out);
        self.news.deltas(out);
    }

    /// The tables the rows are kept in.
    pub const TABLES: [Table; 3] =
        [<Edition as Row>::TABLE, <DigestRow as Row>::TABLE, <PersonNews as Row>::TABLE];

    /// Puts in a row of one of [`Digests::TABLES`] as it was written.
    ///
    /// # Errors
    ///
    /// When the body is not of that table; the text says what was wanted.
    pub fn restore(&mut self, table: Table, id: &str, body: &str) -> Result<(), String> {
        if table == DigestRow::TABLE {
            self.rows.restore(id, body)?;
            if let Some(row) = self.rows.get(id) {
                let keys = self.keys.entry(row.reader.clone()).or_default();
                keys.insert(row.alert.clone(), row.id.clone());
            }
        } else if table == Edition::TABLE {
            self.editions.restore(id, body)?;
            if let Some(edition) = self.editions.get(id).cloned() {
                self.remember(&edition);
            }
        } else if table == PersonNews::TABLE {
            self.news.restore(id, body)?;
            // Zones and hand-overs hang on it.
            self.readers.clear();
            self.times.clear();
        } else {
            return Err(format!("wanted a row of a digest, found one of {}", table.name()));
        }
        Ok(())
    }

    /// Files an edition by what it waits for.
    fn remember(&mut self, edition: &Edition) {
        match edition.state {
            EditionState::Open => {
                self.open.insert((edition.at_ms, edition.id.clone()));
            }
            EditionState::Held => {
                self.held.insert(edition.id.clone());
            }
            EditionState::Told | EditionState::Fallback => {
                if let Some(at_ms) = edition.fallback_ms {
                    self.watched.insert((at_ms, edition.id.clone()));
                }
            }
        }
        if edition.is_current() {
            self.current.insert(edition.reader.clone(), edition.id.clone());
        }
        if let Some(used) = edition.used() {
            let known = self.used.entry(edition.reader.clone()).or_insert(used);
            *known = used.max(*known);
        }
    }

    /// Takes out the digest of `reader` that is gathered or held.
    fn withdraw(&mut self, reader: &Destination) -> Option<Edition> {
        let edition = self.editions.remove(&self.current.remove(reader)?)?;
        self.open.remove(&(edition.at_ms, edition.id.clone()));
        self.held.remove(&edition.id);
        self.looks.remove(&edition.id);
        Some(edition)
    }

    fn reader(&mut self, to: &Destination) -> Destination {
        if let Some(reader) = self.readers.get(to) {
            return reader.clone();
        }
        let reader = self.directory.reader(to, &self.news);
        self.readers.insert(to.clone(), reader.clone());
        reader
    }

    fn times(&mut self, reader: &Destination) -> &Reader {
        if !self.times.contains_key(reader) {
            self.times.insert(reader.clone(), self.directory.times(reader, &self.news));
        }
        self.times.get(reader).expect("it was put in above")
    }

    /// The id of the row an occurrence is counted in, which exists.
    fn row(&mut self, reader: &Destination, gathered: &Gathered<'_>) -> String {
        if let Some(id) = self.keys.get(reader).and_then(|keys| keys.get(gathered.alert)) {
            return id.clone();
        }
        if self.keys.get(reader).is_some_and(|keys| keys.len() >= MAX_MESSAGES) {
            // What was told already makes room first; only its trend is lost.
            self.drop_rows(reader, |row| row.is_told());
        }
        let keys = self.keys.entry(reader.clone()).or_default();
        let row = if keys.len() < MAX_MESSAGES {
            DigestRow::new(reader, gathered)
        } else if let Some(id) = keys.get(OVERFLOW) {
            return id.clone();
        } else {
            DigestRow::overflow(reader, gathered)
        };
        let id = row.id.clone();
        keys.insert(row.alert.clone(), id.clone());
        self.rows.put(row);
        id
    }

    fn drop_rows(&mut self, reader: &Destination, which: impl Fn(&DigestRow) -> bool) {
        let Some(keys) = self.keys.get_mut(reader) else { return };
        let rows = &mut self.rows;
        keys.retain(|_, id| {
            let goes = rows.get(id).is_none_or(&which);
            if goes {
                rows.remove(id);
            }
            !goes
        });
        if keys.is_empty() {
            self.keys.remove(reader);
        }
    }

    /// The rows of `reader` that hold something that was not told.
    fn gathered(&self, reader: &Destination) -> Vec<&DigestRow> {
        let ids = self.keys.get(reader).into_iter().flat_map(BTreeMap::values);
        ids.filter_map(|id| self.rows.get(id)).filter(|row| !row.is_told()).collect()
    }

    /// Begins a digest for `reader` unless there is one.
    fn begin(&mut self, reader: &Destination, now_ms: i64) {
        if !self.current.contains_key(reader) && !self.stranded.contains(reader) {
            self.begin_since(reader, now_ms, now_ms);
        }
    }

    /// Begins a digest that is due at the first slot after `after_ms`.
    fn begin_since(&mut self, reader: &Destination, since_ms: i64, after_ms: i64) {
        let used = self.used.get(reader).copied();
        let times = self.times(reader);
        let slot = times.calendar.next_slot(after_ms, used, times.at, &times.zone);
        let Some(slot) = slot else {
            self.stranded.insert(reader.clone());
            return;
        };
        let name = times.slot.clone();
        let edition = Edition::new(reader, slot, &name, since_ms);
        self.remember(&edition);
        self.editions.put(edition);
    }

    /// Keeps what was heard of people under the names that the configuration has for them now.
    fn rename(&mut self) {
        let name = |news: &PersonNews| self.directory.canonical(&news.person).to_owned();
        let renamed: Vec<(String, PersonNews)> = self
            .news
            .iter()
            .map(|news| (name(news), news.clone()))
            .filter(|(name, news)| *name != news.person)
            .collect();
        for (person, news) in renamed {
            self.news.remove(&news.person);
            if self.news.get(&person).is_none_or(|known| known.at_ms < news.at_ms) {
                self.news.put(PersonNews { person, ..news });
            }
        }
    }

    fn settle_all(&mut self, now_ms: i64) {
        self.readers.clear();
        self.times.clear();
        self.stranded.clear();
        self.looks.clear();
        let readers: Vec<Destination> = self.keys.keys().cloned().collect();
        for reader in readers {
            self.settle(&reader, now_ms);
        }
    }

    /// Fits what `reader` is to be told to who they are now: another zone, another calendar, or gone.
    fn settle(&mut self, reader: &Destination, now_ms: i64) {
        let read_by = self.reader(reader);
        if read_by != *reader {
            self.move_rows(reader, &read_by, |_| true, now_ms);
            return;
        }
        if self.gathered(reader).is_empty() {
            return;
        }
        match self.current.get(reader).and_then(|id| self.editions.get(id)) {
            // What is due stays due: its name has been given away.
            Some(edition) if edition.state == EditionState::Held || edition.at_ms <= now_ms => {}
            Some(_) => {
                if let Some(old) = self.withdraw(reader) {
                    // A slot that has passed in the new zone, and not in the old one, is due at once.
                    let after_ms = old.since_ms.max(now_ms.saturating_sub(DAY_MS));
                    self.begin_since(reader, old.since_ms, after_ms);
                }
            }
            None => {
                self.stranded.remove(reader);
                self.begin(reader, now_ms);
            }
        }
    }

    /// Gives rows of one reader to another.
    fn move_rows(
        &mut self,
        from: &Destination,
        to: &Destination,
        which: impl Fn(&DigestRow) -> bool,
        now_ms: i64,
    ) {
        let moved: Vec<DigestRow> =
            self.gathered(from).into_iter().filter(|row| which(row)).cloned().collect();
        self.drop_rows(from, |row| which(row));
        if self.gathered(from).is_empty() {
            self.withdraw(from);
            self.stranded.remove(from);
        }
        for row in moved {
            let id = DigestRow::id_of(to, &row.alert);
            let has_room = self.keys.get(to).is_none_or(|keys| keys.len() < MAX_MESSAGES);
            let overflow = DigestRow::id_of(to, OVERFLOW);
            if let Some(known) = self.rows.get_mut(&id) {
                known.merge(row);
            } else if !has_room && let Some(known) = self.rows.get_mut(&overflow) {
                known.merge(row);
            } else {
                // Without room the first of them stands for all that follow.
                let alert = if has_room { row.alert.clone() } else { OVERFLOW.to_owned() };
                let id = if has_room { id } else { overflow };
                self.keys.entry(to.clone()).or_default().insert(alert.clone(), id.clone());
                self.rows.put(DigestRow {
                    id,
                    alert,
                    reader: to.clone(),
                    before: None,
                    told_ms: None,
                    ..row
                });
            }
            self.begin(to, now_ms);
        }
    }

    /// Tells a digest whose slot has come, or writes down why not.
    fn look_at(&mut self, id: &str, now: &mut Now<'_>) {
        let Some(edition) = self.editions.get(id).cloned() else {
            self.held.remove(id);
            return;
        };
        let times = self.times(&edition.reader).clone();
        let policy = &self.directory.config().digests;
        let news = self.heard(&edition.reader);
        match hold(&edition, &times, policy, news, now.ms) {
            Hold::Tell(why) => {
                let why = why.or_else(|| waited(&edition, now.ms));
                self.tell(&edition, &times, None, why, now);
            }
            Hold::Exceeded(why) => {
                let edition = Edition { is_hold_exceeded: true, ..edition };
                self.tell(&edition, &times, None, Some(why), now);
            }
            Hold::Wait(why) => {
                let fallback_ms = self.fallback_ms(&edition, &times);
                let is_over = fallback_ms.is_some_and(|at_ms| at_ms <= now.ms);
                let look_ms = next_look(&edition, &times, policy, news, now.ms);
                let team_ms = match (times.team.clone(), fallback_ms) {
                    (Some(team), Some(at_ms)) => self.next_open(&team, at_ms.max(now.ms)),
                    _ => None,
                };
                let team_ms = team_ms.unwrap_or(i64::MAX);
                self.looks.insert(id.to_owned(), look_ms.min(team_ms));
                if let Some(team) = times.team.clone().filter(|_| is_over)
                    && self.is_open(&team, now.ms)
                {
                    let why = format!("for {}, who has not been reached: {why}", edition.reader.name());
                    self.tell(&edition, &times, Some(team), Some(why), now);
                } else if edition.why.as_ref() != Some(&why) {
                    now.records.note(now.ms, Cause::Held, id, edition.reader.name(), &why);
                    if let Some(edition) = self.editions.get_mut(id) {
                        edition.why = Some(why);
                    }
                }
            }
        }
    }

    /// Makes a notice of everything gathered for `edition` until now, for its reader or for the `team`.
    fn tell(
        &mut self,
        edition: &Edition,
        times: &Reader,
        team: Option<Destination>,
        why: Option<String>,
        now: &mut Now<'_>,
    ) {
        let reader = &edition.reader;
        self.held.remove(&edition.id);
        self.looks.remove(&edition.id);
        self.current.remove(reader);
        let rows = self.gathered(reader);
        if rows.is_empty() {
            // Nothing is told of nothing.
            self.editions.remove(&edition.id);
            return;
        }
        let hidden = |row: &DigestRow| now.hiding.hidden(reader, row);
        let mut notes: Vec<String> = why.iter().map(|why| held_note(edition, times, why)).collect();
        notes.extend(now.hiding.notes(reader));
        let max_rows = self.directory.config().digests.max_rows;
        let Content { mut notice, messages, occurrences } =
            content(edition, times, &rows, hidden, notes, max_rows);
        if edition.is_hold_exceeded {
            // Couriers that can tell quietly do.
            notice.labels.push(("quiet".to_owned(), "hold_exceeded".to_owned()));
        }
        let (destination, state, fallback_ms) = match team {
            None => (reader.clone(), EditionState::Told, self.fallback_ms(edition, times)),
            Some(team) => {
                notice.title = format!("{} – for {}", notice.title, reader.name());
                (team, EditionState::Fallback, None)
            }
        };
        let intent = now.outbox.post(draft(destination, &edition.id, notice, now.ms), now.ms, now.records);
        let ids: Vec<&String> = self.keys.get(reader).into_iter().flat_map(BTreeMap::values).collect();
        for id in ids {
            // A row that is remembered only changes once: from what was told last to nothing.
            if self.rows.get(id).is_some_and(|row| !row.is_told() || row.before != Some(0))
                && let Some(row) = self.rows.get_mut(id)
            {
                row.begin_anew(now.ms);
            }
        }
        let told = Edition {
            state,
            why,
            intent: Some(intent),
            told: Some((now.ms, times.zone.date(now.ms))),
            messages,
            occurrences,
            fallback_ms,
            ..edition.clone()
        };
        self.remember(&told);
        self.editions.put(told);
    }

    /// When the team hears of a digest that has not arrived.
    fn fallback_ms(&self, edition: &Edition, times: &Reader) -> Option<i64> {
        let days = self.directory.config().digests.team_fallback_days;
        times.team.as_ref().filter(|_| days > 0)?;
        let days = usize::try_from(days).unwrap_or(usize::MAX);
        let slot = times.calendar.slot_after(edition.slot(), days, times.at, &times.zone)?;
        Some(slot.at_ms)
    }

    /// Tells the team of a digest that has not arrived; gives when to look again, where that is needed.
    fn follow_up(&mut self, id: &str, now: &mut Now<'_>) -> Option<i64> {
        let edition = self.editions.get(id)?.clone();
        let intent: Intent = now.outbox.get(edition.intent.as_ref()?)?.clone();
        match intent.state {
            State::Sent | State::Suppressed => return None,
            State::Sending | State::Ambiguous => return Some(now.ms.saturating_add(UNCERTAIN_MS)),
            State::Pending | State::Held | State::Retry | State::Dead => {}
        }
        let team = self.times(&edition.reader).team.clone()?;
        if !self.is_open(&team, now.ms) {
            return self.next_open(&team, now.ms);
        }
        let name = edition.reader.name();
        let mut notice = intent.rest(name);
        notice.title = format!("{} – for {name}", notice.title);
        notice.notes.push(format!("for {name}, whom it has not reached"));
        let told = now.outbox.post(draft(team, &edition.id, notice, now.ms), now.ms, now.records);
        now.outbox.suppress(&intent.id, Cause::Superseded, &told, now.ms, now.records);
        if let Some(edition) = self.editions.get_mut(id) {
            (edition.state, edition.intent) = (EditionState::Fallback, Some(told));
        }
        None
    }

    /// What has been heard of a reader.
    fn heard(&self, reader: &Destination) -> Option<&PersonNews> {
        match reader {
            Destination::Person(name) => self.news.get(name),
            _ => None,
        }
    }

    fn is_open(&mut self, reader: &Destination, now_ms: i64) -> bool {
        let times = self.times(reader);
        times.calendar.is_open(now_ms, &times.zone)
    }

    fn next_open(&mut self, reader: &Destination, at_ms: i64) -> Option<i64> {
        let times = self.times(reader);
        times.calendar.next_open(at_ms, &times.zone)
    }

    /// Once a day: forgets what is long past, and looks for working days of those who had none.
    fn tidy(&mut self, now_ms: i64) {
        let today = now_ms.div_euclid(DAY_MS);
        if today == self.tidied {
            return;
        }
        self.tidied = today;
        // Counted from midnight, so that it does not matter when the books were last tidied.
        let midnight_ms = today.saturating_mul(DAY_MS);
        let kept_ms = midnight_ms.saturating_sub(KEPT_MS);
        let is_old = |edition: &&Edition| {
            edition.fallback_ms.is_none() && edition.told.is_some_and(|(at_ms, _)| at_ms < kept_ms)
        };
        let old: Vec<String> =
            self.editions.iter().filter(is_old).map(|edition| edition.id.clone()).collect();
        for id in old {
            self.editions.remove(&id);
        }
        let remembered_ms = midnight_ms.saturating_sub(REMEMBERED_MS);
        let readers: Vec<Destination> = self.keys.keys().cloned().collect();
        for reader in readers {
            self.drop_rows(&reader, |row| {
                row.is_told() && row.told_ms.is_none_or(|at_ms| at_ms < remembered_ms)
            });
            if !self.current.contains_key(&reader) && !self.gathered(&reader).is_empty() {
                self.stranded.remove(&reader);
                self.begin(&reader, now_ms);
            }
        }
    }
}

fn draft(destination: Destination, subject: &str, notice: Notice, now_ms: i64) -> Draft {
    Draft {
        destination,
        lane: Lane::Digest,
        kind: NoticeKind::Digest,
        subject: subject.to_owned(),
        revision: 0,
        follows: None,
        due_ms: now_ms,
        held: None,
        notice,
    }
}

#[cfg(test)]
mod tests;
