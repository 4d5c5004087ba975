//! The types of rules: one file each, one line each in [`runner`].

mod buckets;
mod frequency;
mod matching;
mod ring;

use self::frequency::Frequency;
use self::matching::Matching;
use super::runner::{Runner, Runs};
use crate::config::{Rule, RuleType};

/// A rule at work. Keys begin to count their episodes after `base_seq`; `generation` tells it apart from
/// rules of the same name that were there before.
pub(crate) fn runner(rule: &Rule, base_seq: u32, generation: u64) -> Option<Box<dyn Runs>> {
    macro_rules! run {
        ($machine:expr) => {
            Some(Box::new(Runner::new(rule, $machine, base_seq, generation)))
        };
    }
    match &rule.kind {
        RuleType::Match { quiet_ms } => run!(Matching::new(*quiet_ms)),
        RuleType::Frequency { count, within_ms, clear } => {
            run!(Frequency::new(*count, *within_ms, *clear, rule.timing.clear_for_ms))
        }
        _ => None,
    }
}
