//! One story: a process with its clock and its store, and everybody else.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use dice_route::book::{Delta, Table};
use dice_route::dispatch::{Call, CourierKind, Purpose};
use dice_route::{Config, Dispatcher, Intent, NoticeKind, Outcome, Receipt, Shelf, State, Troubles};

use crate::chance::Chance;
use crate::mind::{Mind, News};
use crate::provider::{Faults, Name, Providers};
use crate::source::{self, START_MS, config};

/// What happens within so long is one moment.
const MOMENT_MS: i64 = 500;

/// What a story is made of.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    seed: u64,
    events: u64,
    /// Whether a whole router decides what is told, or only the outbox is there.
    is_whole: bool,
    span_ms: i64,
    /// Commits in ten thousand after which the process is gone, before or after they last.
    crashes: u64,
    /// When the clock jumps, and how far.
    jumps: Vec<(i64, i64)>,
    faults: Faults,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Plan {
        let mut chance = Chance::of(seed);
        let chance = &mut chance;
        let mut share = |most: u64| if chance.hits(6_000) { chance.below(most) } else { 0 };
        let mut faults = Faults {
            drop_request: share(600),
            refuse_connection: share(600),
            drop_answer: share(800),
            late: share(500),
            reset: share(400),
            limit: share(600),
            error_without_effect: share(500),
            error_with_effect: share(500),
            refuse: share(60),
            ..Faults::default()
        };
        let couriers = [CourierKind::Slack, CourierKind::PagerDuty, CourierKind::Email, CourierKind::Webhook];
        for courier in couriers {
            if chance.hits(2_500) {
                let from_ms = START_MS + chance.between(0, 120_000);
                let to_ms = from_ms + chance.between(5_000, 400_000);
                faults.outages.push((courier, from_ms, to_ms, chance.hits(5_000)));
            }
        }
        if chance.hits(1_000) {
            let from_ms = START_MS + chance.between(0, 120_000);
            let courier = if chance.hits(5_000) { CourierKind::Slack } else { CourierKind::PagerDuty };
            faults.denials.push((courier, from_ms, from_ms + chance.between(10_000, 900_000)));
        }
        faults.is_blind = chance.hits(1_000);
        let jumps = if chance.hits(3_000) {
            let jump_ms = chance.between(-3_600_000, 3_600_000);
            vec![(START_MS + chance.between(10_000, 200_000), jump_ms)]
        } else {
            Vec::new()
        };
        faults.is_clock_jumping = !jumps.is_empty();
        let is_whole = seed % 10 == 1;
        let crashes = if chance.hits(7_000) { chance.below(80) } else { 0 };
        let span_ms = chance.between(60_000, 300_000);
        faults.defer = if chance.hits(6_000) { chance.below(600) } else { 0 };
        Plan { seed, events: if is_whole { 300 } else { 2_000 }, is_whole, span_ms, crashes, jumps, faults }
    }

    /// The same where nothing is deferred, as in stories that are older than that.
    pub(crate) fn undeferred(mut self) -> Plan {
        self.faults.defer = 0;
        self
    }
}

/// What was seen in a story, or in several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) intents: u64,
    pub(crate) calls: u64,
    pub(crate) commits: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_answers: u64,
    pub(crate) limited: u64,
    pub(crate) deferred: u64,
    pub(crate) found: u64,
    /// Second deliveries where nobody can find out, or the other side tells by the name.
    pub(crate) repeats: u64,
    /// Of these, those that a reader of mail, a webhook or a terminal gets.
    pub(crate) doubles: u64,
    pub(crate) stand_ins: u64,
    pub(crate) superseded: u64,
    pub(crate) suppressed: u64,
    pub(crate) dead: u64,
    pub(crate) sent: u64,
    /// Messages beyond the first of a notice.
    pub(crate) parts: u64,
    /// Rows of digests that were sent, each of which was read.
    pub(crate) rows: u64,
    /// Ends of incidents that were not open.
    pub(crate) idle_resolves: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Counts) {
        let pairs = [
            (&mut self.intents, other.intents),
            (&mut self.calls, other.calls),
            (&mut self.commits, other.commits),
            (&mut self.crashes, other.crashes),
            (&mut self.lost_answers, other.lost_answers),
            (&mut self.limited, other.limited),
            (&mut self.deferred, other.deferred),
            (&mut self.found, other.found),
            (&mut self.repeats, other.repeats),
            (&mut self.doubles, other.doubles),
            (&mut self.stand_ins, other.stand_ins),
            (&mut self.superseded, other.superseded),
            (&mut self.suppressed, other.suppressed),
            (&mut self.dead, other.dead),
            (&mut self.sent, other.sent),
            (&mut self.parts, other.parts),
            (&mut self.rows, other.rows),
            (&mut self.idle_resolves, other.idle_resolves),
        ];
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
    }
}

/// Something that will happen.
enum Happening {
    /// A call takes effect at the other side; the call, the row as it was, how the call ends.
    Effect(usize),
    /// A call ends.
    End(usize),
    /// The dispatcher wants to be asked.
    Wake,
}

/// A call that is out, and the life of the process that made it.
struct Out {
    call: Call,
    row: Intent,
    life: u32,
    outcome: Outcome,
    /// It is seen in the history before this.
    latest_ms: i64,
    is_effective: bool,
    /// Its end is committed.
    is_known: bool,
}

/// What lasts.
#[derive(Default)]
struct Store {
    shelf: Shelf,
    /// Notices of which is written that they are sent.
    sending: BTreeSet<String>,
    /// How many inputs were read.
    position: usize,
}

pub(crate) struct World {
    plan: Plan,
    chance: Chance,
    config: Arc<Config>,
    inputs: Vec<(i64, News)>,
    store: Store,
    providers: Providers,
    counts: Counts,
    /// True time.
    now_ms: i64,
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    n_happenings: u64,
    calls: Vec<Out>,
    /// Calls that ended since the last commit.
    ended: Vec<usize>,
    /// Notices that somebody hid since the last commit, and before it.
    hiding: Vec<String>,
    hidden: BTreeSet<String>,
    /// By whom each notice was last sent.
    couriers: BTreeMap<String, CourierKind>,
    life: u32,
    // The process, which all of the above outlives.
    mind: Mind,
    dispatcher: Dispatcher,
    position: usize,
    /// The process's clock: it goes on as time does, and forward when the machine's clock jumps forward.
    clock_ms: i64,
    /// True time when that was looked at.
    looked_ms: i64,
}

impl World {
    pub(crate) fn of(plan: Plan) -> World {
        let mut chance = Chance::of(plan.seed ^ 0xD1CE);
        let config = config();
        let inputs = match plan.is_whole {
            true => source::inputs(plan.events, plan.span_ms, &mut chance),
            false => source::drafts(plan.events, plan.span_ms, &mut chance),
        };
        World {
            mind: Mind::new(&config, plan.is_whole),
            dispatcher: Dispatcher::new(Arc::clone(&config)),
            chance,
            inputs,
            store: Store::default(),
            providers: Providers::default(),
            counts: Counts::default(),
            now_ms: START_MS,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            n_happenings: 0,
            calls: Vec::new(),
            ended: Vec::new(),
            hiding: Vec::new(),
            hidden: BTreeSet::new(),
            couriers: BTreeMap::new(),
            life: 0,
            position: 0,
            clock_ms: START_MS,
            looked_ms: START_MS,
            config,
            plan,
        }
    }

    /// Tells the story to its end, and says what was seen.
    pub(crate) fn run(mut self) -> Counts {
        let end_ms = START_MS + 8 * 3_600_000;
        loop {
            self.work();
            let next_input_ms = self.inputs.get(self.position).map(|(at_ms, _)| *at_ms);
            let next_ms = self.queue.peek().map(|Reverse((at_ms, _))| *at_ms);
            // Timers of the manager are looked at every few seconds.
            let is_over = next_input_ms.is_none() && self.is_finished();
            if is_over || self.now_ms > end_ms {
                break;
            }
            let tick_ms = self.now_ms + 3_000;
            let at_ms = [next_input_ms, next_ms, Some(tick_ms)].into_iter().flatten().min().expect("a tick");
            // What happens within a moment is committed together.
            self.now_ms = self.now_ms.max((at_ms + MOMENT_MS - 1) / MOMENT_MS * MOMENT_MS);
            while let Some(Reverse((at_ms, number))) = self.queue.peek().copied()
                && at_ms <= self.now_ms
            {
                self.queue.pop();
                if let Some(happening) = self.happenings.remove(&number) {
                    self.happen(happening);
                }
            }
        }
        self.judge()
    }

    /// Nothing waits any more, and nothing will come: groups and messages are over.
    fn is_finished(&self) -> bool {
        let is_quiet = self.now_ms > START_MS + self.plan.span_ms + 150_000;
        let ends = |row: &Intent| matches!(row.state, State::Sent | State::Suppressed | State::Dead);
        is_quiet && self.dispatcher.calls().next().is_none() && self.mind.outbox().iter().all(ends)
    }

    /// The machine's clock.
    fn wall_ms(&self) -> i64 {
        let jumped: i64 = self
            .plan
            .jumps
            .iter()
            .filter(|(at_ms, _)| *at_ms <= self.now_ms)
            .map(|(_, jump_ms)| jump_ms)
            .sum();
        self.now_ms + jumped
    }

    fn schedule(&mut self, at_ms: i64, happening: Happening) {
        self.n_happenings += 1;
        self.queue.push(Reverse((at_ms, self.n_happenings)));
        self.happenings.insert(self.n_happenings, happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake => {}
            Happening::Effect(number) => {
                let out = &self.calls[number];
                let (call, row, latest_ms) = (out.call.clone(), out.row.clone(), out.latest_ms);
                let now_ms = self.now_ms;
                let ended =
                    self.providers.effect(&call, &row, now_ms, latest_ms, &mut self.chance, &mut self.counts);
                let out = &mut self.calls[number];
                out.is_effective = true;
                match &out.outcome {
                    Outcome::Delivered(_) => out.outcome = ended,
                    _ => self.counts.lost_answers += 1,
                }
            }
            Happening::End(number) => {
                let out = &mut self.calls[number];
                if out.life != self.life {
                    return;
                }
                self.ended.push(number);
                let (call, outcome) = (out.call.clone(), out.outcome.clone());
                self.providers.told(&call, &outcome, self.now_ms, self.life);
                let now_ms = self.look();
                for receipt in self.dispatcher.ended(&call, outcome, now_ms) {
                    self.mind.receipt(receipt);
                }
            }
        }
    }

    /// The process's clock, now.
    fn look(&mut self) -> i64 {
        let passed_ms = self.now_ms - self.looked_ms;
        self.looked_ms = self.now_ms;
        self.clock_ms = (self.clock_ms + passed_ms).max(self.wall_ms());
        self.clock_ms
    }

    /// What the loop does: inputs, time, what begins, the commit, the calls.
    fn work(&mut self) {
        loop {
            let now_ms = self.look();
            while let Some((at_ms, input)) = self.inputs.get(self.position)
                && *at_ms <= self.now_ms
            {
                self.position += 1;
                self.hiding.extend(self.mind.take(input));
            }
            self.mind.tick(now_ms);
            let round = self.dispatcher.begin(self.mind.outbox(), now_ms);
            for receipt in round.receipts {
                self.count(&receipt);
                self.mind.receipt(receipt);
            }
            if let Some(of) = self.dispatcher.troubles() {
                self.mind.troubles(Troubles { at_ms: now_ms, of });
            }
            if !self.commit() {
                continue;
            }
            for call in round.calls {
                self.call(call);
            }
            match self.dispatcher.next_ms() {
                Some(at_ms) if at_ms <= now_ms => {}
                Some(at_ms) => {
                    let at_ms = self.now_ms + (at_ms - now_ms);
                    self.schedule(at_ms, Happening::Wake);
                    return;
                }
                None => return,
            }
        }
    }

    fn count(&mut self, receipt: &Receipt) {
        match &receipt.outcome {
            Outcome::StoodIn(_) => self.counts.stand_ins += 1,
            Outcome::Superseded(_) => self.counts.superseded += 1,
            _ => {}
        }
    }

    /// Writes what has changed; false when the process died of it and began again.
    fn commit(&mut self) -> bool {
        self.counts.commits += 1;
        let dies = self.chance.hits(self.plan.crashes);
        // Half of a commit is none: torn writes and failed syncs are found out.
        let lasts = !dies || self.chance.hits(5_000);
        if lasts {
            let deltas = self.mind.deltas();
            for delta in &deltas {
                if let Delta::Put { table: Table::Outbox, id, body } = delta {
                    self.store.sending.remove(id);
                    if body.contains("\"state\":\"sending\"") {
                        self.store.sending.insert(id.clone());
                    }
                }
            }
            self.store.shelf.write(deltas);
            self.store.position = self.position;
            self.hidden.extend(self.hiding.drain(..));
            for number in self.ended.drain(..) {
                self.calls[number].is_known = true;
            }
        }
        self.ended.clear();
        self.hiding.clear();
        if dies {
            self.counts.crashes += 1;
            self.begin_again();
        }
        !dies
    }

    fn begin_again(&mut self) {
        self.life += 1;
        // What was out and took effect, or will, is heard of by nobody.
        self.now_ms += self.chance.between(100, 5_000);
        let wall_ms = self.wall_ms();
        self.mind.begin_again(&self.config, wall_ms, &self.store.shelf);
        self.clock_ms = self.mind.now_ms().max(wall_ms);
        self.looked_ms = self.now_ms;
        self.dispatcher = Dispatcher::new(Arc::clone(&self.config));
        self.dispatcher.resume(self.mind.lasting());
        self.position = self.store.position;
    }

    fn call(&mut self, call: Call) {
        self.counts.calls += 1;
        let row = self.mind.outbox().get(&call.intent).expect("what is sent is there").clone();
        if call.purpose == Purpose::Deliver {
            assert!(!self.hidden.contains(&call.intent), "it is sent although it was hidden: {row:?}");
            assert!(
                self.store.sending.contains(&call.intent),
                "it is sent before that is committed: {row:?}"
            );
        }
        let Plan { faults, .. } = &self.plan;
        self.couriers.insert(call.intent.clone(), call.way.courier);
        let handled = self.providers.take(
            (&call, &row),
            self.now_ms,
            self.life,
            faults,
            &mut self.chance,
            &mut self.counts,
        );
        let number = self.calls.len();
        let latest_ms = self.now_ms + call.deadline_ms + 19_000;
        let (effect_ms, end_ms) = (handled.effect_ms, handled.end_ms);
        self.calls.push(Out {
            call,
            row,
            life: self.life,
            outcome: handled.outcome,
            latest_ms,
            is_effective: false,
            is_known: false,
        });
        if let Some(effect_ms) = effect_ms {
            self.schedule(effect_ms, Happening::Effect(number));
        }
        self.schedule(end_ms, Happening::End(number));
    }

    /// What must hold at the end.
    fn judge(mut self) -> Counts {
        // What has not taken effect yet does so now.
        while let Some(Reverse((at_ms, number))) = self.queue.pop() {
            self.now_ms = self.now_ms.max(at_ms);
            if let Some(happening @ Happening::Effect(_)) = self.happenings.remove(&number) {
                self.happen(happening);
            }
        }
        let mut unheard: BTreeMap<Name, u32> = BTreeMap::new();
        for out in self.calls.iter().filter(|out| out.is_effective && out.call.purpose == Purpose::Deliver) {
            let has_arrived = matches!(out.outcome, Outcome::Delivered(_) | Outcome::Partly(_));
            let name = (out.call.intent.clone(), out.row.part());
            *unheard.entry(name).or_default() += u32::from(!(out.is_known && has_arrived));
        }
        let (seed, dead) = (self.plan.seed, self.mind.obituaries());
        let mut counts = self.counts.clone();
        for row in self.mind.outbox().iter() {
            counts.intents += 1;
            match row.state {
                State::Sent => {
                    counts.sent += 1;
                    self.judge_rows(row, &mut counts);
                }
                State::Suppressed => {
                    counts.suppressed += 1;
                    assert!(row.why.is_some(), "seed {seed}: suppressed without a reason: {row:?}");
                }
                State::Dead => {
                    counts.dead += 1;
                    assert!(row.why.is_some(), "seed {seed}: dead without a reason: {row:?}");
                    assert!(dead.contains(row.id.as_str()), "seed {seed}: nobody hears that {row:?} is dead");
                }
                _ => panic!(
                    "seed {seed}: it is left over after {} s: {row:?}",
                    (self.now_ms - START_MS) / 1_000
                ),
            }
            for part in 1..=row.part() {
                let name = (row.id.clone(), part);
                let effects = self.providers.effects.get(&name).copied().unwrap_or_default();
                let unheard = unheard.get(&name).copied().unwrap_or_default();
                self.judge_message(row, &name, effects, unheard, &mut counts);
            }
        }
        let open: Vec<&(String, String)> = self.providers.open().collect();
        for (account, subject) in open {
            let about = self.mind.outbox().iter().filter(|row| {
                row.subject == *subject && row.destination.name() == account && row.state == State::Sent
            });
            let last = about.max_by_key(|row| row.revision);
            assert!(
                last.is_none_or(|row| row.kind != NoticeKind::Resolved),
                "seed {seed}: {subject} is open at {account} though its end was sent"
            );
        }
        counts
    }

    /// What must hold of one message of a notice, which took effect so often, and so often nobody heard of it.
    fn judge_message(&self, row: &Intent, name: &Name, effects: u32, unheard: u32, counts: &mut Counts) {
        let seed = self.plan.seed;
        let is_last = name.1 == row.part();
        // Of what is past nobody knows any more that it may have been a repetition: its rows tell.
        let is_marked = row.passage.is_possible_repeat || !is_last;
        let is_slack = row.passage.account.as_deref() == Some("slack");
        if is_slack && row.kind != NoticeKind::Update {
            let said = self.providers.said(name);
            assert!(said <= 1 || is_marked, "seed {seed}: {name:?} said {said} times: {row:?}");
        }
        let known = effects - unheard.min(effects);
        assert!(known <= 1, "seed {seed}: {name:?} was known to have arrived and sent again: {row:?}");
        counts.repeats += u64::from(effects.max(1) - 1);
        let reads = matches!(self.couriers.get(&row.id), Some(CourierKind::Email | CourierKind::Terminal));
        assert!(
            effects <= 1 || !reads || is_marked,
            "seed {seed}: {name:?} was told twice without a word: {row:?}"
        );
        // Whoever cannot be asked is told once more for each answer that got lost, and not oftener.
        if row.state == State::Sent && !is_slack && is_last {
            assert_eq!(effects, unheard + 1, "seed {seed}: {row:?}");
            counts.doubles += u64::from(unheard);
        }
    }

    /// Of what was sent each row was read, and none twice without a word that it may be a repetition.
    fn judge_rows(&self, row: &Intent, counts: &mut Counts) {
        let seed = self.plan.seed;
        let is_seen = |part: &u32| self.providers.effects.contains_key(&(row.id.clone(), *part));
        assert!((1..=row.part()).any(|part| is_seen(&part)), "seed {seed}: nobody saw {row:?}");
        let none = BTreeMap::new();
        let read = self.providers.rows.get(&row.id).unwrap_or(&none);
        for wanted in row.notice.rows.iter().filter(|_| row.kind == NoticeKind::Digest) {
            let (plain, marked) = read.get(&wanted.title).copied().unwrap_or_default();
            assert!(plain + marked > 0, "seed {seed}: nobody read {:?} of {row:?}", wanted.title);
            assert!(plain <= 1, "seed {seed}: {:?} was read {plain} times: {row:?}", wanted.title);
            counts.rows += 1;
        }
        let is_told = |title: &String| row.notice.rows.iter().any(|row| row.title == *title);
        let hidden = read.keys().find(|title| !is_told(title));
        assert_eq!(hidden, None, "seed {seed}: it was told although it was hidden: {row:?}");
    }
}
