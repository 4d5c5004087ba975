//! What keeps one account from being called: too many calls, a limit that was told, a refusal, an outage.

use std::collections::BTreeMap;

use super::way::{CallKind, CourierKind};
use crate::{Destination, Lane, Reach};

/// Calls of one account at a time.
const MAX_IN_FLIGHT: u32 = 8;
/// Of these, as many are for pages alone.
const FOR_PAGES: u32 = 2;
/// So many failures after each other, and an account is taken to be down.
const MAX_FAILURES: u32 = 5;
/// An account that is down is tried again after this long at first, and after this long at most.
const OUTAGE_MS: (i64, i64) = (5_000, 60_000);
/// A page tries an account that is down this often.
const PAGE_OUTAGE_MS: i64 = 15_000;
/// An account that was refused is tried again this often: somebody may have mended it at the other side.
const DENIED_MS: i64 = 5 * 60_000;
/// An account that is down for this long is told.
pub(super) const TOLD_AFTER_MS: i64 = 2 * 60_000;
/// Buckets and pauses are tidied past this many.
const MAX_KEPT: usize = 1_000;

/// The guard in front of one account. Its times are those of [`super::Dispatcher`]'s own clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    in_flight: u32,
    /// Why nothing is accepted, and when it is tried again.
    denied: Option<(String, i64)>,
    failures: u32,
    /// The last failure.
    failed_ms: i64,
    down_since_ms: Option<i64>,
    is_told_down: bool,
    last_error: String,
    /// The call that is out to show whether the account can be used again.
    probe: Option<u64>,
    /// Until when the other side wants to be left alone.
    pauses: BTreeMap<Scope, i64>,
    buckets: BTreeMap<Scope, Bucket>,
}

/// What a limit is about: calls of a kind or any, to a destination or any.
type Scope = (Option<CallKind>, Option<Destination>);

/// So many calls at once, then one in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    burst: i64,
    every_ms: i64,
}

/// Holds milliseconds of calls that may be made now.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    credit_ms: i64,
    at_ms: i64,
}

impl Bucket {
    fn credit(&self, rate: Rate, now_ms: i64) -> i64 {
        (self.credit_ms + (now_ms - self.at_ms).max(0)).min(rate.burst * rate.every_ms)
    }
}

const fn rate(burst: i64, every_ms: i64) -> Rate {
    Rate { burst, every_ms }
}

/// The rates that a call has to keep to, those of its destination and those of the account.
fn rates(courier: CourierKind, kind: CallKind, destination: &Destination) -> Vec<(Scope, Rate)> {
    let there = || (Some(kind), Some(destination.clone()));
    let anywhere = (Some(kind), None);
    match (courier, kind) {
        (CourierKind::Terminal, _) => Vec::new(),
        // A message a second and channel; what a workspace bears altogether is not written down anywhere.
        (CourierKind::Slack, CallKind::Post) => vec![(there(), rate(3, 1_000)), (anywhere, rate(20, 100))],
        // Tier 3: fifty a minute.
        (CourierKind::Slack, _) => vec![(anywhere, rate(10, 1_200))],
        (CourierKind::PagerDuty, _) => vec![(anywhere, rate(20, 1_000))],
        (CourierKind::Email, _) => vec![(anywhere, rate(20, 200))],
        (CourierKind::Webhook | CourierKind::Alertmanager, _) => vec![(anywhere, rate(20, 100))],
    }
}

/// A call that wants to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) courier: CourierKind,
    pub(super) kind: CallKind,
    pub(super) destination: &'a Destination,
    pub(super) lane: Lane,
}

impl Gate {
    /// Lets the call with this number pass, which counts from now on, or says when to ask again at the
    /// earliest.
    pub(super) fn pass(&mut self, number: u64, wish: &Wish<'_>, now_ms: i64) -> Result<(), i64> {
        if wish.courier == CourierKind::Terminal {
            self.in_flight += 1;
            return Ok(());
        }
        let is_page = wish.lane == Lane::Page;
        let most = if is_page { MAX_IN_FLIGHT } else { MAX_IN_FLIGHT - FOR_PAGES };
        // The end of a call is news of its own.
        if self.in_flight >= most {
            return Err(i64::MAX);
        }
        let closed_until_ms = self.closed_until_ms(is_page);
        if let Some(until_ms) = closed_until_ms {
            if self.probe.is_some() {
                return Err(i64::MAX);
            }
            if until_ms > now_ms {
                return Err(until_ms);
            }
        }
        for scope in scopes(wish.kind, wish.destination) {
            if let Some(until_ms) = self.pauses.get(&scope).filter(|until_ms| **until_ms > now_ms) {
                return Err(*until_ms);
            }
        }
        let rates = rates(wish.courier, wish.kind, wish.destination);
        for (scope, rate) in &rates {
            // The last call that an account may make is kept for a page.
            let needed = if is_page || scope.1.is_some() { 1 } else { 2 } * rate.every_ms;
            let credit =
                self.buckets.get(scope).map_or(rate.burst * rate.every_ms, |b| b.credit(*rate, now_ms));
            if credit < needed {
                return Err(now_ms + needed - credit);
            }
        }
        for (scope, rate) in rates {
            let full = Bucket { credit_ms: rate.burst * rate.every_ms, at_ms: now_ms };
            let bucket = self.buckets.entry(scope).or_insert(full);
            *bucket = Bucket { credit_ms: bucket.credit(rate, now_ms) - rate.every_ms, at_ms: now_ms };
        }
        if closed_until_ms.is_some() {
            self.probe = Some(number);
        }
        self.in_flight += 1;
        self.tidy(now_ms);
        Ok(())
    }

    /// Until when nothing but a probe is let through; `None` when all is well.
    fn closed_until_ms(&self, is_page: bool) -> Option<i64> {
        if let Some((_, until_ms)) = &self.denied {
            return Some(*until_ms);
        }
        if self.failures < MAX_FAILURES {
            return None;
        }
        let doubled = OUTAGE_MS.0.saturating_mul(1 << (self.failures - MAX_FAILURES).min(10));
        let wait_ms = doubled.min(if is_page { PAGE_OUTAGE_MS } else { OUTAGE_MS.1 });
        Some(self.failed_ms.saturating_add(wait_ms))
    }

    /// A call has ended, however; gives whether it was the probe. Those that began before the account was shut
    /// leave the probe alone.
    pub(super) fn end(&mut self, number: u64) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.probe.take_if(|probe| *probe == number).is_some()
    }

    /// The other side has answered.
    pub(super) fn answered(&mut self) {
        (self.failures, self.down_since_ms, self.is_told_down) = (0, None, false);
        self.denied = None;
    }

    /// The other side could not be reached, or did not answer. Where it is known to be down, what began before
    /// that was known makes nobody wait longer.
    pub(super) fn failed(&mut self, why: &str, is_probe: bool, now_ms: i64) {
        if self.failures < MAX_FAILURES || is_probe {
            self.failures = self.failures.saturating_add(1);
            self.failed_ms = now_ms;
        }
        why.clone_into(&mut self.last_error);
        if self.failures >= MAX_FAILURES {
            self.down_since_ms.get_or_insert(now_ms);
        }
    }

    /// The other side does not accept who Dice says it is.
    pub(super) fn denied(&mut self, why: &str, now_ms: i64) {
        self.denied = Some((why.to_owned(), now_ms.saturating_add(DENIED_MS)));
    }

    /// It was denied, or down, when the process ended: the next call finds out whether it still is.
    pub(super) fn was_denied(&mut self, why: &str, now_ms: i64) {
        self.denied = Some((why.to_owned(), now_ms));
    }

    pub(super) fn was_down(&mut self, why: &str, now_ms: i64) {
        self.failures = self.failures.max(MAX_FAILURES);
        self.failed_ms = now_ms.saturating_sub(OUTAGE_MS.1);
        self.down_since_ms.get_or_insert(now_ms);
        self.is_told_down = true;
        why.clone_into(&mut self.last_error);
    }

    /// The other side wants to be left alone until then.
    pub(super) fn pause(&mut self, reach: Reach, kind: CallKind, destination: &Destination, until_ms: i64) {
        let scope = match reach {
            Reach::Destination => (Some(kind), Some(destination.clone())),
            Reach::Kind => (Some(kind), None),
            Reach::Account => (None, None),
        };
        let known = self.pauses.entry(scope).or_insert(until_ms);
        *known = until_ms.max(*known);
    }

    /// Whether nothing arrives by this account for longer than a moment.
    pub(super) fn is_shut(&self) -> bool {
        self.denied.is_some() || self.down_since_ms.is_some()
    }

    /// Somebody has changed the configuration: what was denied may be accepted now.
    pub(super) fn try_again(&mut self, now_ms: i64) {
        if let Some((_, until_ms)) = &mut self.denied {
            *until_ms = now_ms;
        }
    }

    /// Why nothing is accepted.
    pub(super) fn why_denied(&self) -> Option<&str> {
        self.denied.as_ref().map(|(why, _)| why.as_str())
    }

    /// Why nothing arrives, when that has lasted long enough to be told.
    pub(super) fn why_down(&mut self, now_ms: i64) -> Option<&str> {
        let is_long = self.down_since_ms.is_some_and(|since_ms| now_ms - since_ms >= TOLD_AFTER_MS);
        self.is_told_down |= is_long;
        (self.is_told_down && self.denied.is_none()).then_some(self.last_error.as_str())
    }

    fn tidy(&mut self, now_ms: i64) {
        if self.pauses.len() > MAX_KEPT {
            self.pauses.retain(|_, until_ms| *until_ms > now_ms);
        }
        if self.buckets.len() > MAX_KEPT {
            // A bucket that was not touched for so long is full again.
            self.buckets.retain(|_, bucket| now_ms - bucket.at_ms < 60_000);
        }
    }
}

fn scopes(kind: CallKind, destination: &Destination) -> [Scope; 3] {
    [(None, None), (Some(kind), None), (Some(kind), Some(destination.clone()))]
}
