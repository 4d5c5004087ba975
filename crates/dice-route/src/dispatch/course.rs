//! What follows from the end of a call.

use super::Purpose;
use super::way::{Doubt, patience};
use crate::config::DispatchPolicy;
use crate::{Lane, Outcome};

/// A notice is attempted again after this long at first; each time it may take twice as long.
const RETRY_MS: i64 = 1_000;
/// And after this long at most.
const MAX_RETRY_MS: i64 = 60_000;
/// A page after this long.
const MAX_PAGE_RETRY_MS: i64 = 15_000;
/// But not before this.
const MIN_RETRY_MS: i64 = 100;

/// What has to be known of a call and its notice to say what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course<'a> {
    pub(super) intent: &'a str,
    pub(super) purpose: Purpose,
    pub(super) doubt: Doubt,
    pub(super) lane: Lane,
    /// How often it was attempted, or what is told of it next.
    pub(super) attempts: u32,
    pub(super) account: &'a str,
    /// Whether another account could carry it.
    pub(super) has_other_way: bool,
    /// From now until it is looked for next, or for the first time.
    pub(super) look_in_ms: i64,
    /// Whether what is not seen now will not be seen any more.
    pub(super) is_settled: bool,
    pub(super) policy: &'a DispatchPolicy,
}

impl Course<'_> {
    /// What follows from the way a call ended. Of a look, `Refused` means that the other side lets nobody
    /// look.
    pub(super) fn follow(&self, outcome: Outcome) -> Outcome {
        use Outcome::{
            Absent, Ambiguous, Deferred, Delivered, Denied, Elsewhere, Later, Limited, Parked, Partly,
            Refused, Unsure, Unwanted,
        };
        let back_off_ms = back_off(self.intent, self.attempts, self.lane);
        match (self.purpose, outcome) {
            (_, Delivered(reference)) => Delivered(reference),
            (_, Partly(part)) => Partly(part),
            (Purpose::Deliver, Later(wait_ms, why) | Deferred(wait_ms, why)) => {
                Later(wait_ms.max(back_off_ms), why)
            }
            (Purpose::Deliver, limited @ Limited(..)) => limited,
            (Purpose::Deliver, Denied(why)) => Denied(why),
            (Purpose::Deliver, Refused(why) | Unwanted(why)) if self.has_other_way => {
                Elsewhere(self.account.to_owned(), why)
            }
            (Purpose::Deliver, Unwanted(why)) => Unwanted(why),
            (Purpose::Deliver, Refused(why)) => Refused(why),
            (Purpose::Deliver, other) => {
                let why = if let Ambiguous(why) = other { why } else { "an answer of no sense".to_owned() };
                match self.doubt {
                    Doubt::Look | Doubt::Settle => Unsure(self.look_in_ms, why),
                    Doubt::Repeat => Unsure(back_off_ms, why),
                    Doubt::Mark(wait_ms) => Parked(wait_ms.max(back_off_ms), why),
                }
            }
            (Purpose::Find, Absent(why)) if self.is_settled => Absent(why),
            (Purpose::Find, Absent(why)) => Unsure(self.look_in_ms, why),
            (Purpose::Find, Refused(why)) => Parked(patience(self.lane, self.policy), why),
            (Purpose::Find, Later(wait_ms, why) | Deferred(wait_ms, why) | Limited(wait_ms, _, why)) => {
                Unsure(wait_ms.max(back_off_ms), why)
            }
            (Purpose::Find, Denied(why) | Ambiguous(why)) => Unsure(back_off_ms, why),
            (Purpose::Find, _) => Unsure(back_off_ms, "an answer of no sense".to_owned()),
        }
    }
}

/// How long a notice waits after so many attempts: anything up to a bound that doubles. Which it is hangs on
/// the notice's name, so that many do not come back together and the same story has the same times.
pub(super) fn back_off(intent: &str, attempts: u32, lane: Lane) -> i64 {
    let most_ms = if lane == Lane::Page { MAX_PAGE_RETRY_MS } else { MAX_RETRY_MS };
    let bound_ms = RETRY_MS.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(most_ms);
    let name = crate::name(&[intent.as_bytes(), &attempts.to_be_bytes()]);
    let digits = name.get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    (digits % (bound_ms + 1)).max(MIN_RETRY_MS)
}
