//! What is at the other side: it does what it is asked, sometimes twice as late, and does not always say so.

use std::collections::{BTreeMap, BTreeSet};

use dice_route::dispatch::{Call, CallKind, CourierKind, Purpose};
use dice_route::{Intent, NoticeKind, Outcome, Part, Reach};

use crate::chance::Chance;
use crate::world::Counts;

/// How often in ten thousand calls what goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(crate) drop_request: u64,
    pub(crate) refuse_connection: u64,
    pub(crate) drop_answer: u64,
    pub(crate) late: u64,
    /// The connection breaks while the other side is still at it.
    pub(crate) reset: u64,
    pub(crate) limit: u64,
    pub(crate) error_without_effect: u64,
    pub(crate) error_with_effect: u64,
    pub(crate) refuse: u64,
    /// One is not taken now, and others are.
    pub(crate) defer: u64,
    /// From when until when a courier is down, and whether its connections hang.
    pub(crate) outages: Vec<(CourierKind, i64, i64, bool)>,
    /// From when until when an account is denied.
    pub(crate) denials: Vec<(CourierKind, i64, i64)>,
    /// Whether the machine's clock jumps: a wait may then be shorter by what a jump hides.
    pub(crate) is_clock_jumping: bool,
    /// Whether nobody may read Slack's history.
    pub(crate) is_blind: bool,
}

/// What a call does at the other side, and when.
pub(crate) struct Handled {
    /// When it takes effect there, if it does.
    pub(crate) effect_ms: Option<i64>,
    /// When the call ends, and how.
    pub(crate) end_ms: i64,
    pub(crate) outcome: Outcome,
}

/// Something that was said there.
#[derive(Debug, Clone)]
struct Message {
    /// From when on it is seen in the history.
    visible_ms: i64,
    revision: u32,
    /// How a call ends that told it.
    outcome: Outcome,
}

/// A message of a notice: the intent and the number of the message.
pub(crate) type Name = (String, u32);

/// Calls of a kind, to a destination or any; all calls where there is none.
type Scope = Option<(CallKind, Option<String>)>;

/// Everything that was said, and when whoever may not be asked again.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    messages: BTreeMap<String, Message>,
    n_messages: u64,
    /// Messages of Slack by what they tell.
    by_name: BTreeMap<Name, Vec<String>>,
    /// Open incidents by account and key.
    open: BTreeSet<(String, String)>,
    opened_by: BTreeMap<String, u32>,
    /// Effects of deliveries.
    pub(crate) effects: BTreeMap<Name, u32>,
    /// How often a row of a digest was read that did not say that it may be a repetition, and how often one that did, by
    /// intent and title.
    pub(crate) rows: BTreeMap<String, BTreeMap<String, (u32, u32)>>,
    /// Who may not be called, until when, and since which life of the process that is known.
    limits: BTreeMap<(String, Scope), (i64, u32)>,
}

impl Providers {
    /// Takes a call; `row` is what the store says of it.
    pub(crate) fn take(
        &mut self,
        (call, row): (&Call, &Intent),
        now_ms: i64,
        life: u32,
        faults: &Faults,
        chance: &mut Chance,
        counts: &mut Counts,
    ) -> Handled {
        let at = |wait_ms: i64, effect_ms: Option<i64>, outcome| Handled {
            effect_ms,
            end_ms: now_ms + wait_ms,
            outcome,
        };
        if call.way.courier == CourierKind::Terminal {
            return at(0, Some(now_ms), Outcome::Delivered("terminal".to_owned()));
        }
        self.check_limits(call, now_ms, life, faults);
        let why = |text: &str| text.to_owned();
        let is_in = |courier, from, to| courier == call.way.courier && (from..to).contains(&now_ms);
        let latency_ms = chance.between(20, 400);
        if faults.denials.iter().any(|(courier, from, to)| is_in(*courier, *from, *to)) {
            return at(latency_ms, None, Outcome::Denied(why("invalid_auth")));
        }
        if let Some((.., hangs)) =
            faults.outages.iter().find(|(courier, from, to, _)| is_in(*courier, *from, *to))
        {
            return match hangs {
                true => at(call.deadline_ms, None, Outcome::Ambiguous(why("no answer"))),
                false => at(latency_ms, None, Outcome::Later(0, why("connection refused"))),
            };
        }
        let mut dice = chance.below(10_000);
        let mut hits = |share: u64| {
            let is_hit = dice < share;
            dice = if is_hit { u64::MAX } else { dice - share };
            is_hit
        };
        if hits(faults.drop_request) {
            return at(call.deadline_ms, None, Outcome::Ambiguous(why("no answer")));
        }
        if hits(faults.refuse_connection) {
            return at(latency_ms, None, Outcome::Later(0, why("connection refused")));
        }
        if hits(faults.limit) {
            counts.limited += 1;
            let wait_ms = chance.between(1, 40) * 1_000;
            let reach = [Reach::Account, Reach::Kind, Reach::Destination][chance.below(3) as usize];
            return at(latency_ms, None, Outcome::Limited(wait_ms, reach, why("too many")));
        }
        if hits(faults.error_without_effect) {
            return at(latency_ms, None, Outcome::Ambiguous(why("internal error")));
        }
        if call.purpose == Purpose::Find {
            return at(latency_ms, None, self.find(call, row, now_ms + latency_ms / 2, faults, counts));
        }
        if hits(faults.refuse) {
            return at(latency_ms, None, Outcome::Refused(why("never")));
        }
        let effect_ms = Some(now_ms + latency_ms / 2);
        if hits(faults.drop_answer) {
            return at(call.deadline_ms, effect_ms, Outcome::Ambiguous(why("no answer")));
        }
        if hits(faults.error_with_effect) {
            return at(latency_ms, effect_ms, Outcome::Ambiguous(why("internal error")));
        }
        if hits(faults.late) {
            // A paging service that acts on what it was sent long ago cannot be told from one that does not.
            let most_ms = if call.way.courier == CourierKind::Slack { 10_000 } else { 0 };
            let effect_ms = now_ms + chance.between(1, call.deadline_ms + most_ms + 1);
            return at(call.deadline_ms, Some(effect_ms), Outcome::Ambiguous(why("no answer")));
        }
        if hits(faults.reset) {
            let effect_ms = now_ms + chance.between(latency_ms, call.deadline_ms);
            return at(latency_ms, Some(effect_ms), Outcome::Ambiguous(why("connection reset")));
        }
        if hits(faults.defer) {
            counts.deferred += 1;
            let wait_ms = chance.between(0, 60) * 1_000;
            return at(latency_ms, None, Outcome::Deferred(wait_ms, why("not this one now")));
        }
        // How the other side calls it is known when it takes effect.
        at(latency_ms, effect_ms, Outcome::Delivered(String::new()))
    }

    /// Somebody was told to wait.
    pub(crate) fn told(&mut self, call: &Call, outcome: &Outcome, now_ms: i64, life: u32) {
        let Outcome::Limited(wait_ms, reach, _) = outcome else { return };
        let scope = match reach {
            Reach::Account => None,
            Reach::Kind => Some((call.kind, None)),
            Reach::Destination => Some((call.kind, Some(call.way.destination.name().to_owned()))),
        };
        self.limits.insert((call.way.account.clone(), scope), (now_ms + wait_ms, life));
    }

    /// Nobody who was told to wait comes earlier.
    fn check_limits(&self, call: &Call, now_ms: i64, life: u32, faults: &Faults) {
        let account = call.way.account.clone();
        let there = Some(call.way.destination.name().to_owned());
        for scope in [None, Some((call.kind, None)), Some((call.kind, there))] {
            if let Some((until_ms, known)) = self.limits.get(&(account.clone(), scope)) {
                let hidden_ms = if faults.is_clock_jumping { 1_000 } else { 0 };
                assert!(
                    *known != life || *until_ms - hidden_ms <= now_ms,
                    "{call:?} comes {} ms early",
                    until_ms - now_ms
                );
            }
        }
    }

    fn find(
        &mut self,
        call: &Call,
        row: &Intent,
        now_ms: i64,
        faults: &Faults,
        counts: &mut Counts,
    ) -> Outcome {
        assert_eq!(call.way.courier, CourierKind::Slack, "only Slack can be asked");
        if faults.is_blind {
            return Outcome::Refused("missing_scope".to_owned());
        }
        let known = self.by_name.get(&(call.intent.clone(), row.part())).into_iter().flatten();
        let known = known.filter_map(|reference| self.messages.get(reference));
        match known.filter(|message| message.visible_ms <= now_ms).map(|message| &message.outcome).next() {
            Some(outcome) => {
                counts.found += 1;
                outcome.clone()
            }
            None => Outcome::Absent("it is not in the history".to_owned()),
        }
    }

    /// A call takes effect; gives how it ends where somebody hears of that.
    pub(crate) fn effect(
        &mut self,
        call: &Call,
        row: &Intent,
        now_ms: i64,
        latest_ms: i64,
        chance: &mut Chance,
        counts: &mut Counts,
    ) -> Outcome {
        let name = (call.intent.clone(), row.part());
        *self.effects.entry(name.clone()).or_default() += 1;
        let n_rows = if row.kind == NoticeKind::Digest { row.rest(&call.way.account).rows.len() } else { 0 };
        // In Slack what is much takes several messages of different lengths, the same one in each attempt.
        let is_long = call.way.courier == CourierKind::Slack && (n_rows > 3 || row.part() > 1);
        let length = 1 + (row.id.bytes().map(usize::from).sum::<usize>() + row.part() as usize) % 4;
        let shown = if is_long { length.min(n_rows) } else { n_rows };
        let read = self.rows.entry(call.intent.clone()).or_default();
        for row in row.rest(&call.way.account).rows.into_iter().take(shown) {
            let (plain, marked) = read.entry(row.title).or_default();
            *(if call.is_possible_repeat { marked } else { plain }) += 1;
        }
        match call.way.courier {
            CourierKind::Slack if call.kind == CallKind::Update => {
                let first = call.first.clone().expect("an update has something to change");
                let message = self.messages.get_mut(&first).expect("what is changed was said");
                assert!(
                    message.revision <= row.revision,
                    "{first} goes back from {} to {}",
                    message.revision,
                    row.revision
                );
                message.revision = row.revision;
                Outcome::Delivered(first)
            }
            CourierKind::Slack => {
                self.n_messages += 1;
                let reference = format!("C:{}", self.n_messages);
                let visible_ms = now_ms + chance.between(0, (latest_ms - now_ms).max(1));
                if row.part() > 1 {
                    let first = call.first.as_ref().expect("what goes on follows its beginning");
                    assert!(self.messages.contains_key(first), "{row:?} follows nothing");
                    counts.parts += 1;
                }
                let outcome = match is_long {
                    true => Outcome::Partly(Part {
                        number: row.part(),
                        rows: shown,
                        reference: reference.clone(),
                    }),
                    false => Outcome::Delivered(reference.clone()),
                };
                let message = Message { visible_ms, revision: row.revision, outcome: outcome.clone() };
                self.messages.insert(reference.clone(), message);
                let known = self.by_name.entry(name).or_default();
                known.push(reference);
                assert!(
                    known.len() == 1 || call.is_possible_repeat,
                    "{} was said twice in Slack: {row:?}",
                    call.intent
                );
                outcome
            }
            CourierKind::PagerDuty => {
                let key = (call.way.account.clone(), row.subject.clone());
                match row.kind {
                    NoticeKind::Resolved => {
                        if !self.open.remove(&key) {
                            counts.idle_resolves += 1;
                        }
                    }
                    NoticeKind::Acknowledged => {}
                    _ => {
                        if self.open.insert(key) {
                            let opened = self.opened_by.entry(call.intent.clone()).or_default();
                            *opened += 1;
                            assert_eq!(*opened, 1, "{} woke somebody twice: {row:?}", call.intent);
                        }
                    }
                }
                Outcome::Delivered("incident".to_owned())
            }
            _ => Outcome::Delivered("taken".to_owned()),
        }
    }

    /// How often a message of a notice was said in Slack.
    pub(crate) fn said(&self, name: &Name) -> usize {
        self.by_name.get(name).map_or(0, Vec::len)
    }

    /// Incidents that are open.
    pub(crate) fn open(&self) -> impl Iterator<Item = &(String, String)> {
        self.open.iter()
    }
}
