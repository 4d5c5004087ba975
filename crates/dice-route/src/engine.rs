//! Rules at work: events in, transitions out.
//!
//! Each rule has a machine of its type (`machine.rs`) and is run by the same `runner.rs`: it puts events in the
//! order of their time, keeps what the machine keeps for each key, calls its timers, and says what becomes of
//! episodes. Only what a rule needs of an event waits for its time, never the event itself.
//!
//! Transitions come in the order of the event time at which they were decided, then in that of the rules.

mod buffer;
mod bytes;
mod codec;
mod keys;
mod life;
mod machine;
mod machines;
mod origin;
mod recent;
mod runner;
mod sources;
mod tally;
mod words;

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use self::codec::{Reader, Writer};
use self::keys::KeyText;
use self::life::Said;
use self::machine::Arrival;
use self::origin::Origins;
use self::runner::{Ground, Runs};
use crate::book::{Cell, Delta, Table, Waiting};
use crate::condition::{Condition, Field, Share};
use crate::config::{OnMissingKey, Rule};
use crate::{CloseReason, EpisodeId, Event, Evidence, Message, Stamped, Transition};

/// Messages for which it is remembered which rules may look at them.
const MAX_MESSAGES: usize = 1 << 16;

/// Programs that a message is told apart by; with more, each event is asked about anew.
const MAX_PROGRAMS: usize = 8;

/// Removed rules whose episodes' numbers are remembered.
const MAX_RETIRED: usize = 1_000;

/// The row of the engine's own few totals.
const NOTE: &str = "engine";

/// When a rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decides {
    /// When an event arrives.
    OnArrival,
    /// When an event's time has come.
    InOrder,
    /// When an event's time has come; what is bound to follow is announced when it arrives.
    Both,
}

/// How a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleStatus {
    /// The rule's id.
    pub rule: Arc<str>,
    /// When it decides.
    pub decides: Decides,
    /// Keys that are kept; of a rule about terms, the groups that terms are kept in.
    pub keys: usize,
    /// Episodes that are open, those announced included.
    pub open: usize,
    /// Events that wait for their time.
    pub waiting: usize,
    /// Keys that went for want of room and still meant something: above 0 the rule sees less than it should.
    pub evicted: u64,
    /// Beginnings that wait for what belongs to them: an A for its B, a first step for the next. Of a rule
    /// about terms, the terms that are known.
    pub pending: usize,
    /// Beginnings that were given up, for want of room or because an input could not be read: nothing was
    /// said about them, though perhaps something should have been. Of a rule about terms, those forgotten.
    pub lost: u64,
    /// Late events that were taken into account.
    pub late_counted: u64,
    /// Late events that changed nothing.
    pub late_dropped: u64,
    /// How often events were decided before their time, because too many waited.
    pub hurried: u64,
    /// Saved keys that could not be read.
    pub unreadable: u64,
}

impl RuleStatus {
    /// Whether the rule sees less than it should.
    pub fn is_degraded(&self) -> bool {
        self.evicted + self.lost + self.hurried + self.unreadable > 0
    }
}

/// A rule and what the engine knows of it beside its machine.
#[derive(Debug)]
struct Post {
    rule: Arc<Rule>,
    runs: Box<dyn Runs>,
    /// The rule's own condition and those of its machine.
    conditions: Vec<Condition>,
    /// The place of its key's fields among [`Engine::fields`].
    fields: usize,
    /// What is saved of it belongs to it: set by the rule's own cell.
    is_restored: bool,
}

/// A rule that may look at events of a message.
#[derive(Debug, Clone, Copy)]
struct Visit {
    post: u32,
    /// Conditions that hold for all its events.
    always: u64,
    /// Conditions that depend on the event.
    depends: u64,
}

/// Which rules may look at events of a message.
#[derive(Debug)]
struct Visits {
    /// Held so that its address stays its own.
    _message: Arc<Message>,
    /// Whatever program an event is of.
    any: Box<[Visit]>,
    /// Whether conditions of those depend on the event.
    has_depending: bool,
    /// Where the last of its events came from, unless a program says so.
    origin: u32,
    /// What is decided for a service and a source once and for all. Only filled where conditions depend on
    /// the event.
    programs: Vec<OfProgram>,
}

/// What is decided for the events of one program.
#[derive(Debug)]
struct OfProgram {
    service: Option<Arc<str>>,
    source: Arc<str>,
    visits: Box<[Visit]>,
    /// Where the last of its events came from.
    origin: u32,
}

/// The key of the event at hand under some fields, made when first asked for.
#[derive(Debug, Default)]
struct KeyAtHand {
    /// The event it was made for.
    stamp: u64,
    /// It has all the fields it must have.
    is_whole: bool,
    hash: u32,
    text: KeyText,
}

/// The engine's own few totals, as they are saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    watermark_ms: i64,
    healthy_since_ms: i64,
    /// The next batch of waiting events.
    waiting: u64,
    /// The next rule.
    generation: u64,
    /// Rules that are no more, by id and meaning, with the highest number of an episode.
    retired: BTreeMap<String, u32>,
}

impl Default for Totals {
    fn default() -> Totals {
        Totals {
            watermark_ms: i64::MIN,
            healthy_since_ms: i64::MIN,
            waiting: 0,
            generation: 0,
            retired: BTreeMap::new(),
        }
    }
}

/// Rules at work.
#[derive(Debug, Default)]
pub struct Engine {
    posts: Vec<Post>,
    /// When each rule has something to decide next, in the order of `posts`.
    next_ms: Vec<i64>,
    /// Which rules may look at a message, by the address of the message.
    visits: FxHashMap<usize, Visits>,
    /// The different lists of key fields.
    fields: Vec<(Vec<Field>, OnMissingKey)>,
    at_hand: Vec<KeyAtHand>,
    stamp: u64,
    /// The rules that mean the event at hand, with the conditions that hold.
    meant: Vec<(usize, u64)>,
    origins: Origins,
    totals: Totals,
    saved_totals: Option<Totals>,
    /// Batches of waiting events that are saved: number and latest event time.
    batches: VecDeque<(u64, i64)>,
    /// What is to be taken out of the store.
    dropped: Vec<Delta>,
    /// Saved rules that are no more or mean something else now, with what they meant.
    changed: BTreeMap<String, u64>,
    said: Said,
}

impl Engine {
    /// Sets the rules: those with an id and a meaning that were there before go on as if nothing had
    /// happened, the others' episodes end.
    pub fn configure(&mut self, rules: &[Arc<Rule>], _now_ms: i64, out: &mut Vec<Transition>) {
        let mut before: BTreeMap<Arc<str>, Post> =
            std::mem::take(&mut self.posts).into_iter().map(|post| (post.rule.id.clone(), post)).collect();
        let mut posts: Vec<Post> = Vec::new();
        self.fields.clear();
        for rule in rules {
            if posts.iter().any(|post| post.rule.id == rule.id) {
                continue;
            }
            let known = before.remove(&rule.id);
            let (runs, is_restored) = match known {
                Some(mut post) if post.rule.semantic_rev == rule.semantic_rev => {
                    post.runs.retune(rule);
                    (post.runs, post.is_restored)
                }
                known => {
                    if let Some(post) = known {
                        self.retire(post);
                    }
                    let base_seq =
                        self.totals.retired.get(&retired_name(&rule.id, rule.semantic_rev)).copied();
                    let generation = self.totals.generation;
                    let runs = machines::runner(rule, base_seq.unwrap_or(0), generation);
                    self.totals.generation += 1;
                    (runs, false)
                }
            };
            let mut conditions = vec![rule.condition.clone()];
            conditions.extend(runs.conditions().into_iter().take(63));
            let wanted = (rule.key.clone(), rule.on_missing_key);
            let fields = self.fields.iter().position(|fields| *fields == wanted).unwrap_or_else(|| {
                self.fields.push(wanted);
                self.fields.len() - 1
            });
            posts.push(Post { rule: rule.clone(), runs, conditions, fields, is_restored });
        }
        before.into_values().for_each(|post| self.retire(post));
        self.posts = posts;
        self.next_ms = self.posts.iter().map(|post| post.runs.next_ms()).collect();
        self.at_hand = self.fields.iter().map(|_| KeyAtHand::default()).collect();
        self.stamp = 0;
        self.visits.clear();
        self.tell(out);
    }

    fn retire(&mut self, mut post: Post) {
        let Engine { origins, totals, said, dropped, .. } = self;
        let mut ground = Ground {
            origins,
            out: said,
            watermark_ms: totals.watermark_ms,
            healthy_since_ms: totals.healthy_since_ms,
        };
        let highest = post.runs.retire(&mut ground, dropped);
        self.remember(&post.rule.id, post.rule.semantic_rev, highest);
    }

    /// Episodes of a rule that is no more must not be named again, should it come back.
    fn remember(&mut self, rule: &str, semantic_rev: u64, highest: u32) {
        if highest == 0 {
            return;
        }
        let known = self.totals.retired.entry(retired_name(rule, semantic_rev)).or_default();
        *known = highest.max(*known);
        while self.totals.retired.len() > MAX_RETIRED {
            self.totals.retired.pop_first();
        }
    }

    /// An event arrives. What can be said of it at once is said; the rest waits for the watermark.
    pub fn arrive(
        &mut self,
        stamped: Stamped<'_>,
        watermark_ms: i64,
        now_ms: i64,
        out: &mut Vec<Transition>,
    ) {
        if stamped.is_late && watermark_ms > self.totals.watermark_ms {
            // Whatever it is late for is decided before it is looked at.
            self.advance(watermark_ms, true, now_ms, out);
        }
        let event = stamped.event;
        let (visits, guess) = visits_of(&mut self.visits, &self.posts, event);
        if visits.is_empty() {
            return;
        }
        self.stamp += 1;
        // First which rules mean it, then what each makes of it: so what they keep for the key is fetched for
        // all of them together.
        self.meant.clear();
        for visit in visits {
            let post = &self.posts[visit.post as usize];
            let mut bits = visit.always;
            if visit.depends != 0 {
                for (number, condition) in post.conditions.iter().enumerate() {
                    if visit.depends & (1 << number) != 0 && condition.holds(event) {
                        bits |= 1 << number;
                    }
                }
                if !post.runs.wants(bits) {
                    continue;
                }
            }
            let key = &mut self.at_hand[post.fields];
            if key.stamp != self.stamp {
                key.stamp = self.stamp;
                let (fields, on_missing) = &self.fields[post.fields];
                key.is_whole = key.text.fill(event, fields, *on_missing);
                key.hash = keys::hash_of(key.text.bytes());
            }
            if key.is_whole {
                post.runs.expect(key.hash);
                self.meant.push((visit.post as usize, bits));
            }
        }
        if self.meant.is_empty() {
            return;
        }
        let origin = self.origins.of_event(event, guess);
        let line = OnceCell::new();
        for (place, bits) in &self.meant {
            let post = &mut self.posts[*place];
            let key = &self.at_hand[post.fields];
            let arrival = Arrival { event, at_ms: stamped.at_ms, bits: *bits, origin, line: &line };
            let mut ground = Ground {
                origins: &mut self.origins,
                out: &mut self.said,
                watermark_ms: self.totals.watermark_ms,
                healthy_since_ms: self.totals.healthy_since_ms,
            };
            post.runs.arrive(&arrival, stamped.is_late, &key.text, key.hash, &mut ground);
            self.next_ms[*place] = post.runs.next_ms();
        }
        if self.origins.is_crowded() {
            self.sweep();
        }
        if !self.said.is_empty() {
            self.tell(out);
        }
    }

    /// Everything up to the watermark is decided: no earlier event will come in time. While `is_healthy` is
    /// false some input cannot be read, and rules about absence do not know.
    pub fn advance(&mut self, watermark_ms: i64, is_healthy: bool, _now_ms: i64, out: &mut Vec<Transition>) {
        self.totals.watermark_ms = self.totals.watermark_ms.max(watermark_ms);
        if !is_healthy {
            self.totals.healthy_since_ms = self.totals.watermark_ms;
        }
        for (post, next_ms) in self.posts.iter_mut().zip(&mut self.next_ms) {
            if *next_ms > self.totals.watermark_ms {
                continue;
            }
            let mut ground = Ground {
                origins: &mut self.origins,
                out: &mut self.said,
                watermark_ms: self.totals.watermark_ms,
                healthy_since_ms: self.totals.healthy_since_ms,
            };
            post.runs.advance(&mut ground);
            *next_ms = post.runs.next_ms();
        }
        if !self.said.is_empty() {
            self.tell(out);
        }
    }

    /// A person ends an episode. An episode that is not open is nobody's.
    pub fn resolve(&mut self, episode: &EpisodeId, _now_ms: i64, out: &mut Vec<Transition>) {
        self.close(episode, CloseReason::Resolved, out);
    }

    /// Ends an episode for this reason.
    pub fn close(&mut self, episode: &EpisodeId, reason: CloseReason, out: &mut Vec<Transition>) {
        for (post, next_ms) in self.posts.iter_mut().zip(&mut self.next_ms) {
            let mut ground = Ground {
                origins: &mut self.origins,
                out: &mut self.said,
                watermark_ms: self.totals.watermark_ms,
                healthy_since_ms: self.totals.healthy_since_ms,
            };
            if post.runs.close(&episode.0, reason, &mut ground) {
                *next_ms = post.runs.next_ms();
                break;
            }
        }
        self.tell(out);
    }

    /// What is known of the open episode with this id up to now, told or not, and how many events wait for
    /// their time that may belong to it: those of its key.
    pub fn standing(&self, episode: &str) -> Option<(Evidence, u32)> {
        self.posts.iter().find_map(|post| post.runs.standing(episode, &self.origins))
    }

    /// Appends what has changed since the last call. Cells of a rule begin with the rule's own, whose key is
    /// empty.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        out.append(&mut self.dropped);
        for post in &mut self.posts {
            post.runs.deltas(&self.origins, out);
        }
        let mut body = Writer::new(&self.origins);
        let mut waiting = 0;
        let mut latest_ms = i64::MIN;
        for post in &mut self.posts {
            let mut part = Writer::new(&self.origins);
            let (count, part_ms) = post.runs.waiting(self.totals.watermark_ms, &mut part);
            if count > 0 {
                body.text(&post.rule.id);
                body.unsigned(post.runs.generation());
                body.blob(&part.into_bytes());
                waiting += count;
                latest_ms = latest_ms.max(part_ms);
            }
        }
        let mut up_to = None;
        while let Some((number, _)) = self.batches.front().filter(|(_, ms)| *ms <= self.totals.watermark_ms) {
            up_to = Some(*number);
            self.batches.pop_front();
        }
        out.extend(up_to.map(|up_to| Delta::DropWaiting { up_to }));
        if waiting > 0 {
            let number = self.totals.waiting;
            self.totals.waiting += 1;
            self.batches.push_back((number, latest_ms));
            out.push(Delta::PutWaiting(Waiting { number, latest_ms, body: body.into_bytes() }));
        }
        if self.saved_totals.as_ref() != Some(&self.totals) {
            let body = serde_json::to_string(&self.totals).expect("totals are numbers and names");
            out.push(Delta::Put { table: Table::Notes, id: NOTE.to_owned(), body });
            self.saved_totals = Some(self.totals.clone());
        }
    }

    /// Puts back a row of [`Table::Notes`] whose id begins with `engine`. These come first, after
    /// [`Engine::configure`].
    ///
    /// # Errors
    ///
    /// When it is none that was written.
    pub fn restore_note(&mut self, id: &str, body: &str) -> Result<(), String> {
        if id != NOTE {
            return Err(format!("wanted the row {NOTE}, found {id}"));
        }
        let totals: Totals =
            serde_json::from_str(body).map_err(|error| format!("wanted totals of rules, found {error}"))?;
        let generation = self.totals.generation;
        self.saved_totals = Some(totals.clone());
        self.totals = totals;
        self.totals.generation = self.totals.generation.max(generation);
        Ok(())
    }

    /// Puts back a cell. All cells come after the notes, each rule's own cell (with the empty key) before the
    /// others of the rule; sorted by rule and key they do. Cells of rules that are no more, or mean something
    /// else now, end their episodes and are dropped.
    pub fn restore_cell(&mut self, cell: &Cell, out: &mut Vec<Transition>) {
        let watermark_ms = self.totals.watermark_ms;
        let mut ground = Ground {
            origins: &mut self.origins,
            out: &mut self.said,
            watermark_ms,
            healthy_since_ms: self.totals.healthy_since_ms,
        };
        let post = self.posts.iter_mut().find(|post| *post.rule.id == *cell.rule);
        if let Some(post) = post {
            if cell.key.is_empty() {
                post.is_restored = post.runs.restore(cell, &mut ground).is_some();
                if post.is_restored {
                    return;
                }
            } else if post.is_restored && post.runs.restore(cell, &mut ground).is_some() {
                return;
            }
        }
        if cell.key.is_empty() {
            let semantic_rev = runner::semantic_rev_of(cell, &mut self.origins).unwrap_or(0);
            self.changed.insert(cell.rule.clone(), semantic_rev);
        } else if let Some(semantic_rev) = self.changed.get(&cell.rule).copied() {
            self.remember(&cell.rule, semantic_rev, u32::try_from(cell.episodes).unwrap_or(u32::MAX));
        }
        out.extend(runner::end_of_changed(cell, watermark_ms, &mut self.origins));
        self.dropped.push(Delta::DeleteCell { rule: cell.rule.clone(), key: cell.key.clone() });
    }

    /// Puts back events that wait. These come last, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// When it is nothing that was written; what could be read is kept.
    pub fn restore_waiting(&mut self, waiting: &Waiting) -> Result<(), String> {
        self.batches.push_back((waiting.number, waiting.latest_ms));
        self.totals.waiting = self.totals.waiting.max(waiting.number + 1);
        let wrong = || format!("wanted events that wait, found something else in {}", waiting.number);
        let mut parts = Vec::new();
        let mut reader = Reader::new(&waiting.body, &mut self.origins);
        while !reader.is_done() {
            let rule = reader.text().ok_or_else(wrong)?;
            let generation = reader.unsigned().ok_or_else(wrong)?;
            parts.push((rule, generation, reader.blob().ok_or_else(wrong)?));
        }
        for (rule, generation, body) in parts {
            let place = self.posts.iter().position(|post| *post.rule.id == *rule);
            let Some(place) = place.filter(|place| {
                let post = &self.posts[*place];
                post.is_restored && post.runs.generation() == generation
            }) else {
                continue;
            };
            let mut reader = Reader::new(body, &mut self.origins);
            let runs = &mut self.posts[place].runs;
            runs.restore_waiting(&mut reader, self.totals.watermark_ms).ok_or_else(wrong)?;
        }
        Ok(())
    }

    /// Nothing more will be put back.
    pub fn restored(&mut self) {
        self.changed.clear();
        self.next_ms = self.posts.iter().map(|post| post.runs.next_ms()).collect();
    }

    /// Those rules that see less than they should.
    pub fn degraded(&self) -> impl Iterator<Item = RuleStatus> {
        self.posts.iter().map(|post| post.runs.status()).filter(RuleStatus::is_degraded)
    }

    /// How each rule does, in the order of the configuration.
    pub fn status(&self) -> Vec<RuleStatus> {
        self.posts.iter().map(|post| post.runs.status()).collect()
    }

    /// Bytes that keys take whatever the type of their rule keeps for them: what they are called, where they lie,
    /// when they are next asked about. What texts of long keys take is not in it.
    pub fn key_bytes(&self) -> usize {
        self.posts.iter().map(|post| post.runs.key_bytes()).sum()
    }

    /// Forgets origins that nothing refers to any more.
    fn sweep(&mut self) {
        let mut meant = vec![false; self.origins.bound()];
        for post in &self.posts {
            post.runs.origins(&mut |origin| {
                if let Some(meant) = meant.get_mut(origin as usize) {
                    *meant = true;
                }
            });
        }
        self.origins.keep_only(&meant);
    }

    /// Hands over what was said, in the order of the time it was decided.
    fn tell(&mut self, out: &mut Vec<Transition>) {
        self.said.sort_by_key(|(decided_ms, _)| *decided_ms);
        out.extend(self.said.drain(..).map(|(_, transition)| transition));
    }
}

/// Which rules may look at the event, and where an event like it came from.
fn visits_of<'v>(
    visits: &'v mut FxHashMap<usize, Visits>,
    posts: &[Post],
    event: &Event,
) -> (&'v [Visit], &'v mut u32) {
    let address = Arc::as_ptr(&event.message) as usize;
    if visits.len() >= MAX_MESSAGES && !visits.contains_key(&address) {
        visits.clear();
    }
    let known = visits.entry(address).or_insert_with(|| {
        let of_any = visits_by(posts, |condition| condition.of_message(&event.message));
        Visits {
            has_depending: of_any.iter().any(|visit| visit.depends != 0),
            any: of_any,
            programs: Vec::new(),
            origin: Origins::NONE,
            _message: event.message.clone(),
        }
    });
    if !known.has_depending {
        return (&known.any, &mut known.origin);
    }
    let same = |program: &OfProgram| program.service == event.service && program.source == event.source;
    let place = match known.programs.iter().position(same) {
        Some(place) => place,
        None if known.programs.len() >= MAX_PROGRAMS => return (&known.any, &mut known.origin),
        None => {
            known.programs.push(OfProgram {
                service: event.service.clone(),
                source: event.source.clone(),
                visits: visits_by(posts, |condition| condition.of_program(event)),
                origin: Origins::NONE,
            });
            known.programs.len() - 1
        }
    };
    let program = &mut known.programs[place];
    (&program.visits, &mut program.origin)
}

/// The rules that may look at events of which `share` says what is known of a condition.
fn visits_by(posts: &[Post], share: impl Fn(&Condition) -> Share) -> Box<[Visit]> {
    let mut visits = Vec::new();
    for (number, post) in posts.iter().enumerate() {
        let mut visit = Visit { post: number as u32, always: 0, depends: 0 };
        for (bit, condition) in post.conditions.iter().enumerate() {
            match share(condition) {
                Share::Always => visit.always |= 1 << bit,
                Share::Depends => visit.depends |= 1 << bit,
                Share::Never => {}
            }
        }
        if post.runs.wants(visit.always | visit.depends) {
            visits.push(visit);
        }
    }
    visits.into()
}

fn retired_name(rule: &str, semantic_rev: u64) -> String {
    format!("{semantic_rev:016x} {rule}")
}

/// A hash of bytes that is the same everywhere and always: it decides between equals.
fn text_hash(seed: u64, bytes: &[u8]) -> u64 {
    const MULTIPLIER: u128 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word ^ 0x2545_f491_4f6c_dd1d) * MULTIPLIER;
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut hash = mix(seed, bytes.len() as u64);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        hash = mix(hash, u64::from_le_bytes(word.try_into().expect("a chunk has eight bytes")));
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    mix(hash, 0)
}
