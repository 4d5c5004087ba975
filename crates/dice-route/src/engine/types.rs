//! The types of rules: one file each, one line each in [`runner`].

mod baseline;
mod buckets;
mod digest;
mod flatline;
mod frequency;
mod hop;
mod matching;
mod metric;
mod ratio;
mod ring;
mod series;
mod spike;

use self::flatline::Flatline;
use self::frequency::Frequency;
use self::matching::Matching;
use self::metric::Metric;
use self::ratio::Ratio;
use self::spike::Spike;
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
    let clear_for_ms = rule.timing.clear_for_ms;
    match &rule.kind {
        RuleType::Match { quiet_ms } => run!(Matching::new(*quiet_ms)),
        RuleType::Frequency { count, within_ms, clear } => {
            run!(Frequency::new(*count, *within_ms, *clear, clear_for_ms))
        }
        RuleType::Spike { window_ms, baseline, measure, tests, on_new } => {
            run!(Spike::new(*window_ms, *baseline, measure, tests, *on_new, rule.timing))
        }
        RuleType::Flatline { within_ms, min, keys, min_seen, learn_ms, forget_after_ms } => {
            let learned = (*min_seen, *learn_ms);
            run!(Flatline::new(*within_ms, *min, keys, learned, *forget_after_ms, clear_for_ms))
        }
        RuleType::Ratio { numerator, window_ms, min_den, bound, clear, confidence } => {
            run!(Ratio::new(numerator, *window_ms, *min_den, *bound, *clear, *confidence, clear_for_ms))
        }
        RuleType::Metric { measure, window_ms, bound, clear, min_count } => {
            run!(Metric::new(measure, *window_ms, *bound, *clear, *min_count, clear_for_ms))
        }
        _ => None,
    }
}
