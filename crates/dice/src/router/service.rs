//! The one loop: inputs go through the router, what changed is committed, what is due is delivered.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, never, select, tick};
use dice_deliver::slack::Committed;
use dice_route::book::Delta;
use dice_route::dispatch::Call;
use dice_route::{Answer, Command, Input, Intent, Lane, Outcome, PartitionNews, Receipt, Router, State};
use dice_serve::{Ask, Done};
use dice_store::{Batch, JournalLine, Store};

use super::api::{Answering, Asked, Hatch, Unsubscribed, Wanted, journaled};
use super::delivery::{Delivery, News};
use super::hold::Hold;
use super::latency::Latency;
use super::ledger::{KEEP_JOURNAL_MS, Ledger};
use super::operator::ordered;
use super::pipeline::Portion;
use super::terminal;
use crate::commands::Output;
use crate::{clock, interrupt};

/// Lines after which a batch is committed, however little time has passed. While one is committed as many wait
/// behind it: at full speed a line waits for both.
const MAX_LINES: u64 = 12_000;
/// How long lines wait for a commit at most.
const MAX_WAIT: Duration = Duration::from_millis(25);
/// How often time passes for the router when nothing else happens.
const PULSE: Duration = Duration::from_millis(50);
/// How often a batch is committed in which only time has passed.
const IDLE: Duration = Duration::from_secs(1);
/// At the end of the input, notices that are due may take so long.
const FINISHING: Duration = Duration::from_secs(60);
/// Who asks Dice to stop waits so long for calls that are out.
const STOPPING: Duration = Duration::from_secs(10);

/// An operator's command, and where its answer goes once it lasts.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) reply: Sender<Answer>,
}

/// The router at work.
pub(crate) struct Service<W> {
    router: Router,
    ledger: Ledger,
    teller: Outlet<W>,
    /// How notices leave; in a replay, all of them are printed or kept.
    delivery: Option<Delivery>,
    is_replay: bool,
    hold: Hold,
    /// How far reading has come, by source and partition: where it goes on when sources are opened anew.
    positions: BTreeMap<(String, String), String>,
    latency: Latency,
    /// What the next batch consists of, beside the router's deltas.
    batch: Batch,
    n_lines: u64,
    /// When the first thing that waits for the next batch came.
    since: Option<Instant>,
    last_commit: Instant,
    /// Who waits for the next batch.
    waiting: Waiting,
    /// Who waits for the batch that is on its way.
    open: Waiting,
    /// Receipts of attempts, to be taken before anything else.
    receipts: Vec<Receipt>,
    /// Whether something began with the last batch, after which something else may.
    has_begun: bool,
    /// What the API asks for.
    hatch: Option<Hatch>,
    /// Who wants no more digests by mail.
    unsubscribed: Arc<Unsubscribed>,
}

/// What becomes of notices.
pub(crate) enum Outlet<W> {
    /// They are printed.
    Print(W, Output),
    /// They are kept.
    Keep(Vec<Intent>),
}

/// Who waits for a commit.
#[derive(Default)]
struct Waiting {
    /// When lines were read, and how many.
    lines: Vec<(i64, u64)>,
    posts: Vec<Done>,
    replies: Vec<(Sender<Answer>, Answer)>,
    answers: Vec<Answering>,
    /// What is printed or kept once it is written down that it is, in a replay.
    attempts: Vec<Intent>,
    /// Calls that may be made once it is written down that they begin, with their notices.
    calls: Vec<(Call, Intent)>,
    /// Slack, which has told of something.
    heard: Vec<Committed>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// There is nothing more to read.
    Read,
    /// Somebody asked to stop.
    Asked,
    /// Sources or catalogs are others now: they have to be opened anew.
    Changed,
}

impl<W: Write> Service<W> {
    /// `router` goes on from what is in `store`, whose `positions` are handed over with it.
    pub(crate) fn new(
        router: Router,
        store: Option<Store>,
        positions: Vec<dice_store::Position>,
        teller: Outlet<W>,
        is_replay: bool,
    ) -> Service<W> {
        let positions = positions.into_iter().map(|each| ((each.source, each.partition), each.body));
        Service {
            router,
            ledger: Ledger::new(store),
            teller,
            delivery: None,
            is_replay,
            hold: Hold::default(),
            positions: positions.collect(),
            latency: Latency::default(),
            batch: Batch::default(),
            n_lines: 0,
            since: None,
            last_commit: clock::start(),
            waiting: Waiting::default(),
            open: Waiting::default(),
            receipts: Vec::new(),
            has_begun: false,
            hatch: None,
            unsubscribed: Arc::default(),
        }
    }

    /// Has notices leave this way; digests by mail not to those who have unsubscribed.
    pub(crate) fn deliver_by(&mut self, delivery: Delivery, unsubscribed: Unsubscribed) {
        self.delivery = Some(delivery);
        self.unsubscribed = Arc::new(unsubscribed);
    }

    /// The router, for questions.
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// How far reading has come.
    pub(crate) fn positions(&self) -> Vec<dice_store::Position> {
        let known = self.positions.iter();
        let each = known.map(|((source, partition), body)| dice_store::Position {
            source: source.clone(),
            partition: partition.clone(),
            body: body.clone(),
        });
        each.collect()
    }

    /// From now on, what the API asks for is done.
    pub(crate) fn attend(&mut self, hatch: Hatch) {
        self.hatch = Some(hatch);
    }

    /// Has a row of the process itself written with the next batch.
    pub(crate) fn note(&mut self, note: Delta) {
        self.batch.deltas.push(note);
    }

    /// Has a line written into the journal with the next batch.
    pub(crate) fn journal(&mut self, line: JournalLine) {
        self.batch.journal.push(line);
    }

    /// Tells of notices whose way is not over.
    fn say_what_is_left(&self) -> Result<()> {
        let is_left = |row: &&Intent| matches!(row.state, State::Sending | State::Ambiguous | State::Retry);
        let left = self.router.outbox().iter().filter(is_left).count();
        if left > 0 {
            tracing::warn!(notices = left, "not everything has arrived; the next start goes on with it");
        }
        Ok(())
    }

    /// Takes an input that comes from no source, with its line in the journal.
    pub(crate) fn input(&mut self, input: Input, line: JournalLine) {
        self.batch.journal.push(line);
        self.step(input);
        self.wait();
    }

    /// Sources are opened now, those for which `is_source` is true.
    pub(crate) fn open(&mut self, is_source: impl Fn(&str) -> bool) {
        if self.is_replay {
            return;
        }
        let now_ms = self.now_ms();
        self.hatch.iter_mut().for_each(Hatch::close);
        for input in self.hold.start(&self.router, now_ms, is_source) {
            self.step(input);
        }
    }

    /// Everything was read that there is: what waits for later lines is decided as far as lines go.
    pub(crate) fn conclude(&mut self) -> Result<()> {
        let Some(input) = self.hold.end(&self.router) else { return Ok(()) };
        self.step(input);
        self.settle()
    }

    /// Works until there is nothing more to read, or somebody asks to stop, or `is_changed` says that sources
    /// have to be opened anew. `on_pulse` is called now and then, and with each change of the managed
    /// configuration that somebody asks for; what it gives is taken.
    pub(crate) fn run(
        &mut self,
        portions: &Receiver<Portion>,
        orders: &Receiver<Order>,
        mut on_pulse: impl FnMut(Option<Asked>) -> Pulse,
    ) -> Result<Ending> {
        let pulse = tick(PULSE);
        let nothing = never();
        let news = self.delivery.as_ref().map_or_else(never, |delivery| delivery.news().clone());
        let wanted = self.hatch.as_ref().map_or_else(never, |hatch| hatch.wanted.clone());
        let mut ending = None;
        while ending.is_none() {
            // While a commit is on its way and the next batch is full, nothing more is read.
            let is_full = self.ledger.is_busy() && self.n_lines >= MAX_LINES;
            select! {
                recv(if is_full { &nothing } else { portions }) -> portion => match portion {
                    Ok(portion) => self.take(portion)?,
                    Err(_) => ending = Some(Ending::Read),
                },
                recv(orders) -> order => if let Ok(order) = order { self.order(order) },
                recv(news) -> news => if let Ok(news) = news { self.hear(news) },
                recv(self.ledger.committed()) -> result => self.committed(result??)?,
                recv(wanted) -> wanted => if let Some(change) = wanted.ok().and_then(|it| self.wanted(it)) {
                    let pulse = on_pulse(Some(change));
                    ending = self.pulse(pulse);
                },
                recv(pulse) -> _ => {
                    let pulse = on_pulse(None);
                    ending = self.pulse(pulse);
                },
            }
            if let Some(hatch) = &self.hatch {
                hatch.board.tell(&self.router);
            }
            self.flush(false)?;
        }
        Ok(ending.expect("the loop has ended"))
    }

    /// Takes what a look around found.
    fn pulse(&mut self, pulse: Pulse) -> Option<Ending> {
        match pulse {
            Pulse::Nothing => {}
            Pulse::Input(input, line) => self.input(*input, line),
            Pulse::Managed { input, line, notes, answer } => {
                self.batch.deltas.extend(notes);
                self.batch.journal.extend(line);
                if let Some(input) = input {
                    self.step(*input);
                }
                self.answer_soon(answer);
            }
            Pulse::End(why) => return Some(why),
        }
        None
    }

    /// Does what the API asks for; a change of the configuration is handed back.
    fn wanted(&mut self, wanted: Wanted) -> Option<Asked> {
        let now_ms = self.now_ms();
        match wanted {
            Wanted::Ask(Ask::Change(change, reply)) => return reply.is_wanted().then_some((change, reply)),
            Wanted::Ask(Ask::Command(command, reply)) if reply.is_wanted() => {
                self.batch.journal.push(ordered(&command));
                if let Some(answer) = self.router.step(Input::Command(command)) {
                    self.answer_soon(Box::new(move || reply.answer(answer)));
                }
            }
            Wanted::Ask(Ask::Alerts(alerts, reply)) if reply.is_wanted() => {
                let hatch = self.hatch.as_mut()?;
                let (taken, answer) = hatch.alerts(&alerts, reply, now_ms);
                let n_begun = taken.inputs.iter().filter(|input| matches!(input, Input::Event(_))).count();
                // The same ones are posted again each minute.
                if n_begun > 0 {
                    let body = serde_json::json!({ "actor": alerts.actor, "begun": n_begun });
                    self.batch.journal.push(journaled("alerts", now_ms, &body));
                }
                for input in taken.inputs {
                    for input in self.hold.around(input, &self.router).into_iter().flatten() {
                        self.step(input);
                    }
                }
                self.batch.deltas.extend(taken.notes);
                self.answer_soon(answer);
            }
            // Who does not wait for it any more wanted it all the same.
            Wanted::Ask(Ask::LogOut(log_out, reply)) => {
                let rows = self.hatch.as_ref()?.log_out(&log_out, now_ms);
                self.batch.deltas.extend(rows);
                let body = serde_json::json!({ "actor": log_out.actor });
                self.batch.journal.push(journaled("logged-out", now_ms, &body));
                self.answer_soon(Box::new(move || reply.answer(())));
            }
            Wanted::Ask(_) => {}
            Wanted::Leave(address, reply) => {
                self.batch.deltas.push(self.unsubscribed.add(&address, now_ms));
                let body = serde_json::json!({ "address": address });
                self.batch.journal.push(journaled("unsubscribed", now_ms, &body));
                // Whoever asked may have gone.
                self.answer_soon(Box::new(move || {
                    let _ = reply.send(());
                }));
            }
        }
        None
    }

    /// Somebody waits for the commit of what was just done.
    fn answer_soon(&mut self, answer: Answering) {
        self.waiting.answers.push(answer);
        self.n_lines = self.n_lines.max(MAX_LINES);
        self.wait();
    }

    /// Takes what was read before the sources were stopped, and commits it.
    pub(crate) fn drain(&mut self, portions: &Receiver<Portion>) -> Result<()> {
        for portion in portions {
            self.take(portion)?;
            self.flush(false)?;
        }
        self.settle()
    }

    /// Commits what there is and delivers what is due, until nothing is left to do now.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.await_commit()?;
        loop {
            self.flush(true)?;
            self.await_commit()?;
            if self.receipts.is_empty() && !self.has_begun {
                return Ok(());
            }
        }
    }

    fn await_commit(&mut self) -> Result<()> {
        while self.ledger.is_busy() {
            let result = self.ledger.committed().recv()?;
            self.committed(result?)?;
        }
        Ok(())
    }

    fn take(&mut self, portion: Portion) -> Result<()> {
        if self.is_replay
            && self.router.now_ms() == 0
            && let Some(Input::Tick(first_ms)) =
                portion.inputs.iter().find(|each| matches!(each, Input::Tick(_)))
        {
            // The first line tells when the replay begins.
            self.router = Router::new(Arc::clone(self.router.config()), *first_ms);
        }
        for input in portion.inputs {
            if self.is_replay {
                self.replay(input)?;
                continue;
            }
            for input in self.hold.around(input, &self.router).into_iter().flatten() {
                self.step(input);
            }
        }
        for position in &portion.positions {
            let key = (position.source.clone(), position.partition.clone());
            self.positions.insert(key, position.body.clone());
        }
        for key in &portion.forgotten {
            self.positions.remove(key);
        }
        self.batch.deltas.extend(portion.notes);
        self.batch.positions.extend(portion.positions);
        self.batch.forgotten.extend(portion.forgotten);
        self.waiting.posts.extend(portion.waiting);
        if let Some(read_ms) = portion.read_ms {
            self.waiting.lines.push((read_ms, portion.n_lines));
        }
        self.n_lines += portion.n_lines;
        self.wait();
        Ok(())
    }

    /// Takes an input in the time of the lines.
    fn replay(&mut self, mut input: Input) -> Result<()> {
        if let Input::Partition(_, PartitionNews::CaughtUp(at_ms)) = &mut input {
            *at_ms = self.router.now_ms().min(*at_ms);
        }
        let is_moment = matches!(input, Input::Tick(_));
        self.step(input);
        // What was due at that moment was delivered before what came next, and is so again.
        if is_moment { self.settle() } else { Ok(()) }
    }

    fn order(&mut self, order: Order) {
        let Order { command, reply } = order;
        self.batch.journal.push(ordered(&command));
        if let Some(answer) = self.router.step(Input::Command(command)) {
            self.waiting.replies.push((reply, answer));
        }
        // A person waits.
        self.n_lines = self.n_lines.max(MAX_LINES);
        self.wait();
    }

    fn step(&mut self, input: Input) {
        let config = match &input {
            Input::Configuration(config) => Some(Arc::clone(config)),
            _ => None,
        };
        self.router.step(input);
        if let (Some(delivery), Some(config)) = (&mut self.delivery, config) {
            delivery.configure(&config);
        }
    }

    /// Takes what the thread that calls has to say.
    fn hear(&mut self, news: News) {
        let now_ms = self.now_ms();
        let Some(delivery) = &mut self.delivery else { return };
        let outbox = self.router.outbox();
        match news {
            News::Ended(call, outcome) => {
                self.receipts.extend(delivery.ended(outbox, &call, outcome, now_ms));
            }
            News::Seen(intent, outcome, committed) => {
                self.receipts.extend(delivery.seen(outbox, &intent, &outcome));
                self.waiting.heard.extend(committed);
            }
            News::Hearing(account, hearing) => delivery.hear(&account, &hearing, now_ms),
            News::Presence(presence) => {
                let body = serde_json::to_string(&presence).expect("what is known of people is JSON");
                let line = JournalLine { at_ms: presence.at_ms, what: "presence".to_owned(), body };
                self.input(Input::Presence(presence), line);
            }
        }
        self.wait();
    }

    /// Waits for the calls that are out, and unless Dice was asked to stop makes those that are due soon. What
    /// has not ended by then is looked for at the next start.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let since = clock::start();
        loop {
            let is_asked = interrupt::is_asked();
            let patience = if is_asked { STOPPING } else { FINISHING };
            let left = patience.saturating_sub(since.elapsed());
            let left_ms = i64::try_from(left.as_millis()).unwrap_or(0);
            let now_ms = self.now_ms();
            let Some(delivery) = &mut self.delivery else { return Ok(()) };
            if is_asked {
                delivery.stop();
            }
            if left.is_zero() || !delivery.is_busy(now_ms, left_ms) {
                return self.say_what_is_left();
            }
            if let Ok(news) = delivery.news().recv_timeout(PULSE.min(left)) {
                self.hear(news);
            }
            self.settle()?;
        }
    }

    fn wait(&mut self) {
        self.since.get_or_insert_with(clock::start);
    }

    /// The time for the router: the clock's, or that of the lines when a log is replayed.
    fn now_ms(&self) -> i64 {
        if self.is_replay { self.router.now_ms() } else { clock::now().as_millisecond() }
    }

    /// Commits when it is time to.
    fn flush(&mut self, is_end: bool) -> Result<()> {
        if self.ledger.is_busy() {
            return Ok(());
        }
        let has_waited = self.since.is_some_and(|since| since.elapsed() >= MAX_WAIT);
        let is_idle = self.last_commit.elapsed() >= IDLE;
        let has_lines = self.n_lines >= MAX_LINES;
        let is_due = self.delivery.as_ref().is_some_and(|delivery| delivery.is_due(self.now_ms()));
        let is_time = is_end || has_waited || is_idle || has_lines || is_due || !self.receipts.is_empty();
        if !is_time {
            return Ok(());
        }
        for receipt in std::mem::take(&mut self.receipts) {
            self.step(Input::Receipt(receipt));
        }
        let now_ms = self.now_ms();
        if let Some(input) = self.hold.pass(&self.router, now_ms) {
            self.step(input);
        }
        if let Some(input) = self.hatch.as_ref().and_then(|hatch| hatch.checked(now_ms)) {
            self.step(input);
        }
        // Before time passes: what goes on by their word is not over for being quiet.
        let words = self.hatch.as_mut().map(|hatch| hatch.words(&self.router, now_ms)).unwrap_or_default();
        self.batch.deltas.extend(words.notes);
        for input in words.inputs {
            self.step(input);
        }
        self.step(Input::Tick(now_ms));
        self.begin_attempts(now_ms);
        let mut batch = std::mem::take(&mut self.batch);
        batch.deltas.append(&mut self.router.deltas());
        (self.n_lines, self.since, self.last_commit) = (0, None, clock::start());
        self.open = std::mem::take(&mut self.waiting);
        if let Some(hatch) = &self.hatch {
            hatch.board.commit_begins(now_ms);
        }
        if self.ledger.commit(batch) {
            self.lasts()?;
        }
        Ok(())
    }

    /// Writes down that the attempts of what is due begin.
    fn begin_attempts(&mut self, now_ms: i64) {
        if let Some(delivery) = &mut self.delivery {
            self.batch.deltas.append(&mut delivery.notes());
            let (inputs, calls) = delivery.begin(&self.router, now_ms);
            let row = |call: &Call| self.router.outbox().get(&call.intent).cloned();
            let calls = calls.into_iter().filter_map(|call| Some((row(&call)?, call)));
            self.waiting.calls.extend(calls.map(|(row, call)| (call, row)));
            self.has_begun = !inputs.is_empty();
            for input in inputs {
                self.step(input);
            }
            return;
        }
        let due: Vec<Intent> = self.router.outbox().due(now_ms).into_iter().cloned().collect();
        for intent in due {
            let receipt = Receipt { intent: intent.id.clone(), at_ms: now_ms, outcome: Outcome::Sending };
            self.step(Input::Receipt(receipt));
            self.waiting.attempts.push(intent);
        }
    }

    fn committed(&mut self, (): ()) -> Result<()> {
        self.ledger.took();
        self.lasts()
    }

    /// What waited for the commit goes on.
    fn lasts(&mut self) -> Result<()> {
        let Waiting { lines, posts, replies, answers, attempts, calls, heard } =
            std::mem::take(&mut self.open);
        let now_ms = self.now_ms();
        if let Some(hatch) = &self.hatch {
            let is_awaited = !(posts.is_empty() && replies.is_empty() && answers.is_empty());
            hatch.board.committed(&self.router, now_ms, is_awaited);
        }
        for (read_ms, n_lines) in lines {
            self.latency.add(now_ms - read_ms, n_lines);
        }
        for done in posts {
            done.committed();
        }
        for (reply, answer) in replies {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
        for answer in answers {
            answer();
        }
        heard.into_iter().for_each(Committed::say);
        let arrived = || Outcome::Delivered("terminal".to_owned());
        for intent in attempts {
            self.receipts.push(Receipt { intent: intent.id.clone(), at_ms: now_ms, outcome: arrived() });
            self.teller.tell(intent, false)?;
        }
        for (call, intent) in calls {
            let Some(delivery) = &mut self.delivery else { continue };
            let reader = delivery.reader(&call).filter(|_| intent.lane == Lane::Digest);
            if reader.is_some_and(|address| self.unsubscribed.has(address)) {
                let outcome =
                    Outcome::Unwanted("unsubscribed: its reader wants no more digests by mail".to_owned());
                self.receipts.extend(delivery.ended(self.router.outbox(), &call, outcome, now_ms));
            } else if !delivery.carry(&call, &intent, now_ms) {
                self.receipts.extend(delivery.ended(self.router.outbox(), &call, arrived(), now_ms));
                let notice = intent.rest(&call.way.account);
                self.teller.tell(Intent { notice, ..intent }, call.is_possible_repeat)?;
            }
        }
        if let (Outlet::Print(out, _), false) = (&mut self.teller, self.receipts.is_empty()) {
            out.flush()?;
        }
        Ok(())
    }

    /// Lets so many seconds pass without anything else happening.
    pub(crate) fn run_on(&mut self, seconds: u32) -> Result<()> {
        for _ in 0..seconds {
            let now_ms = self.router.now_ms() + 1000;
            self.step(Input::Tick(now_ms));
            self.settle()?;
        }
        Ok(())
    }

    /// Ends the commits and gives the router and what was told back.
    pub(crate) fn end(self) -> (Router, Outlet<W>) {
        let Service { router, ledger, teller, latency, .. } = self;
        if let Some(mut store) = ledger.end() {
            tracing::info!(
                p50_ms = latency.within(0.5),
                p99_ms = latency.within(0.99),
                "from the reading of a line to the commit of what it led to"
            );
            let before_ms = clock::now().as_millisecond() - KEEP_JOURNAL_MS;
            if let Err(error) = store.tidy(before_ms) {
                tracing::warn!("{error}");
            }
        }
        (router, teller)
    }
}

impl<W: Write> Outlet<W> {
    fn tell(&mut self, intent: Intent, is_repeat: bool) -> Result<()> {
        match self {
            Outlet::Print(out, output) => terminal::show(out, &intent, *output, is_repeat)?,
            Outlet::Keep(kept) => kept.push(intent),
        }
        Ok(())
    }
}

/// What a look around found.
pub(crate) enum Pulse {
    /// Nothing.
    Nothing,
    /// Something to take, with its line in the journal.
    Input(Box<Input>, JournalLine),
    /// What a change of the managed configuration came to, to be committed together.
    Managed {
        /// The configuration that takes effect.
        input: Option<Box<Input>>,
        line: Option<JournalLine>,
        /// The rows of the version.
        notes: Vec<Delta>,
        /// Done when all of it is on disk.
        answer: Answering,
    },
    /// It is time to end.
    End(Ending),
}
