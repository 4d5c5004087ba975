//! From sources to inputs: a thread that classifies what is read, and the positions that go with it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crossbeam_channel::Sender;
use dice_catalog::{Fingerprint, Repo};
use dice_match::{Format, Matcher, ReaderSettings};
use dice_route::book::Delta;
use dice_route::{Input, LineCounts, PartitionId, PartitionNews};
use dice_serve::{Done, Request};
use dice_source::{Arrival, Block, Partition, Position};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::classifier::{Classifier, Feed, SourceFacts};
use super::memory::Memory;
use super::posts::Taken;

/// What the classifying thread is given.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A source told something.
    Arrival(Arrival),
    /// Somebody posted lines.
    Request(Request),
}

impl From<Arrival> for Incoming {
    fn from(arrival: Arrival) -> Incoming {
        Incoming::Arrival(arrival)
    }
}

impl From<Request> for Incoming {
    fn from(request: Request) -> Incoming {
        Incoming::Request(request)
    }
}

/// Inputs that are taken together, and where reading stands behind them.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    pub(crate) inputs: Vec<Input>,
    pub(crate) positions: Vec<dice_store::Position>,
    /// Positions that are no longer needed.
    pub(crate) forgotten: Vec<(String, String)>,
    /// Rows of the process itself.
    pub(crate) notes: Vec<Delta>,
    /// Who waits for the commit.
    pub(crate) waiting: Vec<Done>,
    /// Lines in it.
    pub(crate) n_lines: u64,
    /// When they were read, milliseconds since 1970.
    pub(crate) read_ms: Option<i64>,
}

/// What is known about a source beyond what it tells.
#[derive(Debug, Clone)]
pub(crate) struct SourcePlan {
    pub(crate) facts: Arc<SourceFacts>,
    pub(crate) format: Option<Format>,
    pub(crate) zone: TimeZone,
    pub(crate) year: Option<i16>,
}

/// Lasting numbers of partitions, by source and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    known: BTreeMap<(String, String), PartitionId>,
    next: u32,
}

impl Numbers {
    /// Numbers that were given out before.
    pub(crate) fn from_state(
        known: impl IntoIterator<Item = (PartitionId, (String, String))>,
        positions: &[dice_store::Position],
    ) -> Numbers {
        let mut numbers = Numbers::default();
        for (id, name) in known {
            numbers.next = numbers.next.max(id.0 + 1);
            numbers.known.insert(name, id);
        }
        for position in positions {
            numbers.of(&position.source, &position.partition);
        }
        numbers
    }

    fn of(&mut self, source: &str, key: &str) -> PartitionId {
        let next = &mut self.next;
        *self.known.entry((source.to_owned(), key.to_owned())).or_insert_with(|| {
            let id = PartitionId(*next);
            *next += 1;
            id
        })
    }

    fn forget(&mut self, source: &str, key: &str) {
        self.known.remove(&(source.to_owned(), key.to_owned()));
    }
}

/// The classifying thread's own.
pub(crate) struct Pipeline<'m> {
    classifier: Classifier<'m>,
    plans: &'m HashMap<String, SourcePlan>,
    numbers: Numbers,
    /// By the number that the source gives.
    feeds: HashMap<u32, Open<'m>>,
    /// Posted lines, by source.
    posted: HashMap<String, Feed<'m>>,
    /// When it was told last that there are no more of them, milliseconds since 1970.
    posted_checked_ms: i64,
    /// How many lines of posted sources there were before.
    posted_before: BTreeMap<String, u64>,
    memory: &'m mut Memory,
    /// The time of old lines is that of the lines: a log is replayed.
    is_replay: bool,
    replay_ms: i64,
    clock: fn() -> Timestamp,
}

/// A partition that is read.
struct Open<'m> {
    feed: Feed<'m>,
    is_behind: bool,
}

/// How long to wait for more before looking whether to stop.
const PAUSE: Duration = Duration::from_millis(100);

/// Inputs of a replay that are handed on together: a line years after the one before has many ticks before it.
const MAX_INPUTS: usize = 8_192;

/// Milliseconds between two words of silence about posted lines.
const CHECK_MS: u64 = 1_000;

impl<'m> Pipeline<'m> {
    /// `positions` are those that reading goes on from, `memory` what is known from before.
    pub(crate) fn new(
        (matcher, repos, outdated): (&'m Matcher, &'m [Repo], &'m HashSet<Fingerprint>),
        plans: &'m HashMap<String, SourcePlan>,
        numbers: Numbers,
        (positions, memory): (&[dice_store::Position], &'m mut Memory),
        is_replay: bool,
        clock: fn() -> Timestamp,
    ) -> Pipeline<'m> {
        let posted = positions.iter().filter(|position| position.partition.ends_with(POSTED));
        let lines = posted.filter_map(|position| {
            let read: Position = serde_json::from_str(&position.body).ok()?;
            Some((position.source.clone(), read.lines))
        });
        Pipeline {
            classifier: Classifier::new(matcher, repos, outdated),
            plans,
            numbers,
            feeds: HashMap::new(),
            posted: HashMap::new(),
            posted_checked_ms: 0,
            posted_before: lines.collect(),
            memory,
            is_replay,
            replay_ms: i64::MIN,
            clock,
        }
    }

    /// Classifies until the sources have ended, or until `is_over` and everything that came was classified:
    /// who posts lines keeps the channel open for the answer.
    pub(crate) fn run(mut self, incoming: &Receiver<Incoming>, out: &Sender<Portion>, is_over: &AtomicBool) {
        if self.open_posted(out).is_err() {
            return;
        }
        loop {
            if self.posted_are_caught_up(out).is_err() {
                break;
            }
            match incoming.recv_timeout(PAUSE) {
                Ok(Incoming::Arrival(arrival)) => {
                    if self.arrival(arrival, out).is_err() {
                        break;
                    }
                }
                Ok(Incoming::Request(request)) => {
                    if self.request(request, out).is_err() {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) if !is_over.load(Ordering::Relaxed) => {}
                Err(_) => break,
            }
        }
    }

    /// Tells each second that nobody waits to have lines taken: silence of who posts is silence.
    fn posted_are_caught_up(&mut self, out: &Sender<Portion>) -> Result<(), Gone> {
        let now_ms = (self.clock)().as_millisecond();
        if self.posted.is_empty() || now_ms.abs_diff(self.posted_checked_ms) < CHECK_MS {
            return Ok(());
        }
        self.posted_checked_ms = now_ms;
        let mut ids: Vec<PartitionId> = self.posted.values().map(Feed::id).collect();
        ids.sort_unstable();
        let news = ids.into_iter().map(|id| Input::Partition(id, PartitionNews::CaughtUp(now_ms)));
        send(Portion { inputs: news.collect(), ..Portion::default() }, out)
    }

    fn arrival(&mut self, arrival: Arrival, out: &Sender<Portion>) -> Result<(), Gone> {
        let mut portion = Portion::default();
        match arrival {
            Arrival::Opened { partition, position, modified_ms } => {
                let key = position.key();
                let id = self.numbers.of(&position.source, &key);
                let near = modified_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let feed = self.feed(id, &partition.source, near, position.lines);
                portion.inputs.push(opened(id, &partition.source, &key));
                portion.positions.push(kept(&position));
                self.feeds.insert(partition.id, Open { feed, is_behind: true });
            }
            Arrival::Lines { partition, block, position, ingested_ms } => {
                return self.lines(&partition, &block, &position, ingested_ms, out);
            }
            Arrival::CaughtUp { partition, at_ms } => {
                if let Some(open) = self.feeds.get_mut(&partition.id) {
                    open.is_behind = false;
                    portion.inputs.push(Input::Partition(open.feed.id(), PartitionNews::CaughtUp(at_ms)));
                }
            }
            Arrival::Checked { source, at_ms } => {
                let mut ids: Vec<PartitionId> = self
                    .feeds
                    .values_mut()
                    .filter(|open| !open.is_behind && **open.feed.source() == *source)
                    .map(|open| {
                        open.feed.move_to(Timestamp::from_millisecond(at_ms).unwrap_or_default());
                        open.feed.id()
                    })
                    .collect();
                ids.sort_unstable();
                let news = ids.into_iter().map(|id| Input::Partition(id, PartitionNews::CaughtUp(at_ms)));
                portion.inputs.extend(news);
            }
            Arrival::Truncated { partition, lost_bytes } => {
                tracing::warn!(partition = %partition.name, lost_bytes, "the file was emptied; it is read from its start");
                let counts =
                    LineCounts { source: Arc::clone(&partition.source), lost_bytes, ..LineCounts::default() };
                portion.inputs.push(Input::Lines(counts));
            }
            Arrival::Lost { partition, messages, kept_bytes } => {
                portion.notes.push(self.memory.losses.dropped(&partition.source, messages, kept_bytes));
            }
            Arrival::Disconnected { partition, why } => {
                tracing::warn!(partition = %partition.name, "cannot be read for now: {why}");
                if let Some(open) = self.feeds.get_mut(&partition.id) {
                    open.is_behind = true;
                    let news = PartitionNews::Disconnected(why.into());
                    portion.inputs.push(Input::Partition(open.feed.id(), news));
                }
            }
            Arrival::Closed { partition, position, end } => {
                tracing::debug!(partition = %partition.name, ?end, "a partition has ended");
                let key = position.key();
                self.feeds.remove(&partition.id);
                let id = self.numbers.of(&position.source, &key);
                portion.inputs.push(Input::Partition(id, PartitionNews::Closed));
                // What was read to its end once stays known as read: a second run must not count it again.
                if end == dice_source::End::Read {
                    portion.positions.push(kept(&position));
                } else {
                    self.numbers.forget(&position.source, &key);
                    portion.forgotten.push((position.source.clone(), key));
                }
            }
            Arrival::Problem { source, what } => tracing::warn!(source = %source, "{what}"),
            Arrival::Ended { source } => tracing::info!(source = %source, "was read to its end"),
        }
        send(portion, out)
    }

    fn lines(
        &mut self,
        partition: &Partition,
        block: &Block,
        position: &Position,
        ingested_ms: i64,
        out: &Sender<Portion>,
    ) -> Result<(), Gone> {
        // What is told of a partition that was never opened is told by nobody.
        let Some(mut open) = self.feeds.remove(&partition.id) else { return Ok(()) };
        let mut portion = Portion::default();
        if !open.is_behind {
            open.is_behind = true;
            portion.inputs.push(Input::Partition(open.feed.id(), PartitionNews::Behind));
        }
        self.classify(&mut open.feed, block, ingested_ms, &mut portion, out)?;
        portion.positions.push(kept(position));
        self.feeds.insert(partition.id, open);
        send(portion, out)
    }

    fn request(&mut self, request: Request, out: &Sender<Portion>) -> Result<(), Gone> {
        let Request { source, lines, key, done } = request;
        // Whoever was told that it was not taken sends it again.
        if !done.is_wanted() {
            return Ok(());
        }
        let mut portion = Portion::default();
        match key.map(|key| self.memory.posts.take(&source, &key, &lines)) {
            Some(Taken::Other) => {
                done.key_is_taken();
                return Ok(());
            }
            // It may be on its way still: who asks again waits for the commit, too.
            Some(Taken::Again) => {
                portion.waiting.push(done);
                return send(portion, out);
            }
            Some(Taken::New(rows)) => portion.notes = rows,
            None => {}
        }
        let now = (self.clock)();
        let mut feed = match self.posted.remove(&source) {
            Some(feed) => feed,
            None => self.posted_feed(&source, now, &mut portion),
        };
        feed.move_to(now);
        self.classify(&mut feed, &lines, now.as_millisecond(), &mut portion, out)?;
        // Whoever posts has posted everything: what is not here yet is not known to anybody.
        portion.inputs.push(Input::Partition(feed.id(), PartitionNews::CaughtUp(now.as_millisecond())));
        let key = posted_key(&source);
        let position =
            serde_json::json!({"source": source, "partition": key, "offset": 0, "lines": feed.line()});
        portion.positions.push(dice_store::Position {
            source: source.clone(),
            partition: key,
            body: position.to_string(),
        });
        self.posted.insert(source, feed);
        portion.waiting.push(done);
        send(portion, out)
    }

    /// Opens again what was posted to before: nobody is to wait for its next lines.
    fn open_posted(&mut self, out: &Sender<Portion>) -> Result<(), Gone> {
        let mut portion = Portion::default();
        let now = (self.clock)();
        let known: Vec<String> =
            self.posted_before.keys().filter(|source| self.plans.contains_key(*source)).cloned().collect();
        for source in known {
            let feed = self.posted_feed(&source, now, &mut portion);
            self.posted.insert(source, feed);
        }
        send(portion, out)
    }

    fn posted_feed(&mut self, source: &str, now: Timestamp, portion: &mut Portion) -> Feed<'m> {
        let key = posted_key(source);
        let id = self.numbers.of(source, &key);
        portion.inputs.push(opened(id, source, &key));
        let before = self.posted_before.get(source).copied().unwrap_or(0);
        self.feed(id, source, Some(now), before)
    }

    fn feed(&self, id: PartitionId, source: &str, near: Option<Timestamp>, line: u64) -> Feed<'m> {
        let near = near.unwrap_or_else(self.clock);
        match self.plans.get(source) {
            Some(plan) => {
                let SourcePlan { facts, format, zone, year } = plan;
                let settings = ReaderSettings { format: *format, zone: zone.clone(), year: *year, near };
                self.classifier.feed(id, Arc::clone(facts), settings, line)
            }
            None => {
                let facts =
                    SourceFacts { name: source.into(), service: None, host: None, env: None, version: None };
                let settings = ReaderSettings { format: None, zone: TimeZone::UTC, year: None, near };
                self.classifier.feed(id, Arc::new(facts), settings, line)
            }
        }
    }

    /// Classifies lines into `portion`. In a replay what comes before the last of them may be handed on already.
    fn classify(
        &mut self,
        feed: &mut Feed<'m>,
        block: &Block,
        ingested_ms: i64,
        portion: &mut Portion,
        out: &Sender<Portion>,
    ) -> Result<(), Gone> {
        let mut counts = LineCounts { source: Arc::clone(feed.source()), ..LineCounts::default() };
        for line in block.iter() {
            let event = self.classifier.line(feed, line, ingested_ms, &mut counts);
            let Some(mut event) = event else { continue };
            if self.is_replay {
                let before = self.replay_ms;
                self.replay_ms = before.max(event.at_ms.unwrap_or(before));
                if self.replay_ms == i64::MIN {
                    self.replay_ms = ingested_ms;
                }
                event.ingested_ms = self.replay_ms;
                for tick in ticks(before, self.replay_ms) {
                    portion.inputs.push(tick);
                    if portion.inputs.len() >= MAX_INPUTS {
                        send(std::mem::take(portion), out)?;
                    }
                }
            }
            portion.inputs.push(Input::Event(event));
        }
        portion.n_lines += counts.lines;
        portion.read_ms = Some(ingested_ms);
        portion.inputs.push(Input::Lines(counts));
        Ok(())
    }
}

/// What stands behind a source's name in the key of its posted lines.
const POSTED: &str = "\tposted";

fn posted_key(source: &str) -> String {
    format!("{source}{POSTED}")
}

/// The ticks between two moments of a replay: a second apart, and a minute apart in long pauses.
fn ticks(from_ms: i64, to_ms: i64) -> impl Iterator<Item = Input> {
    const LONG_MS: i64 = 600_000;
    // Without a moment before there is nothing between; a log that tells nonsense has years in it.
    let from_ms = if from_ms == i64::MIN { to_ms - 1000 } else { from_ms.max(to_ms - 400 * 86_400_000) };
    let step_ms = if to_ms - from_ms > LONG_MS { 60_000 } else { 1000 };
    let first = from_ms.div_euclid(step_ms) + 1;
    (first..=to_ms.div_euclid(step_ms)).map(move |n| Input::Tick(n * step_ms))
}

/// Nobody takes portions any more.
struct Gone;

fn send(portion: Portion, out: &Sender<Portion>) -> Result<(), Gone> {
    let Portion { inputs, positions, forgotten, notes, waiting, .. } = &portion;
    let is_empty = inputs.is_empty() && positions.is_empty() && forgotten.is_empty();
    if is_empty && notes.is_empty() && waiting.is_empty() {
        return Ok(());
    }
    out.send(portion).map_err(|_| Gone)
}

fn opened(id: PartitionId, source: &str, key: &str) -> Input {
    Input::Partition(id, PartitionNews::Opened { source: source.into(), name: key.into() })
}

fn kept(position: &Position) -> dice_store::Position {
    dice_store::Position {
        source: position.source.clone(),
        partition: position.key(),
        body: serde_json::to_string(position).expect("a position is strings and numbers"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::sync_channel;

    use crossbeam_channel::bounded;
    use dice_match::{Limits, Matcher};
    use dice_source::{Arrival, Block, End, Partition, Position};

    use super::{MAX_INPUTS, Memory, Numbers, Pipeline};
    use crate::clock;

    #[test]
    fn a_replay_of_years_is_handed_on_in_pieces() {
        let matcher = Matcher::new(Vec::new(), &Limits::default()).unwrap();
        let (plans, outdated, mut memory) = (HashMap::new(), HashSet::new(), Memory::default());
        let pipeline = Pipeline::new(
            (&matcher, &[], &outdated),
            &plans,
            Numbers::default(),
            (&[], &mut memory),
            true,
            clock::now,
        );
        let partition = Partition { id: 0, source: "app".into(), name: "app".into() };
        let position = Position {
            source: "app".to_owned(),
            partition: "app".to_owned(),
            offset: 0,
            lines: 0,
            file: None,
            cursor: None,
            within: None,
        };
        let text = "2026-01-01T00:00:00Z one\n2026-03-01T00:00:00Z two\n";
        let block = Block::of_text(text.as_bytes().to_vec(), 100);
        let (to, incoming) = sync_channel(3);
        for arrival in [
            Arrival::Opened { partition: partition.clone(), position: position.clone(), modified_ms: None },
            Arrival::Lines {
                partition: partition.clone(),
                block,
                position: position.clone(),
                ingested_ms: 0,
            },
            Arrival::Closed { partition, position, end: End::Read },
        ] {
            to.send(arrival.into()).unwrap();
        }
        drop(to);
        let (portions_to, portions) = bounded(100);
        pipeline.run(&incoming, &portions_to, &AtomicBool::new(false));
        drop(portions_to);
        let sizes: Vec<usize> = portions.iter().map(|portion| portion.inputs.len()).collect();
        assert!(sizes.iter().all(|size| *size <= MAX_INPUTS + 2), "{sizes:?}");
        // A tick for each minute of 59 days, and what was read.
        let ticks = 59 * 1_440;
        assert!(sizes.iter().sum::<usize>() > ticks, "{sizes:?}");
    }
}
