//! The types of rules: one file each, one line each in [`runner`].

mod ahead;
mod baseline;
mod buckets;
mod burst;
mod cardinality;
mod change;
mod composite;
mod counts;
mod digest;
mod distinct;
mod first_seen;
mod flatline;
mod frequency;
mod hop;
pub(super) mod matching;
mod metric;
mod missing;
mod ratio;
mod ring;
mod room;
mod sequence;
mod series;
mod session;
mod spike;
mod tail;

use self::cardinality::{TooFew, TooMany, Values};
use self::change::Changes;
use self::composite::Composite;
use self::first_seen::NewTerm;
use self::flatline::Flatline;
use self::frequency::Frequency;
use self::matching::Matching;
use self::metric::Metric;
use self::missing::Absences;
use self::ratio::Ratio;
use self::sequence::{Gaps, Steps, Validation, WholeMatches};
use self::session::{Sessions, Wanted};
use self::spike::Spike;
use super::runner::{Runner, Runs};
use crate::config::{Bound, Rule, RuleType, SequenceMode};

/// A rule at work. Keys begin to count their episodes after `base_seq`; `generation` tells it apart from
/// rules of the same name that were there before.
pub(crate) fn runner(rule: &Rule, base_seq: u32, generation: u64) -> Box<dyn Runs> {
    macro_rules! run {
        ($machine:expr) => {
            Box::new(Runner::new(rule, $machine, base_seq, generation))
        };
    }
    let clear_for_ms = rule.timing.clear_for_ms;
    match &rule.kind {
        RuleType::Match { quiet_ms } => run!(Matching::new(*quiet_ms)),
        RuleType::Change { field, within_ms, ignore, with_null, flap } => {
            run!(Changes::new(field, *within_ms, ignore, *with_null, *flap))
        }
        RuleType::FirstSeen(terms) => run!(NewTerm::new(terms, &rule.key, rule.on_missing_key)),
        RuleType::Cardinality { field, within_ms, bound, clear } => {
            let values = Values { field: field.clone(), within_ms: *within_ms, clear_for_ms };
            match *bound {
                Bound::Above(most) => run!(TooMany::new(values, most, *clear)),
                Bound::Below(least) => run!(TooFew::new(values, least, *clear)),
            }
        }
        RuleType::Sequence { steps, not, within_ms, is_strict, skip, mode, max_partial, collapse } => {
            let steps = Steps::new(steps, not.as_ref(), *is_strict);
            match mode {
                SequenceMode::Match => {
                    run!(WholeMatches::new(steps, *within_ms, *skip, *max_partial, *collapse))
                }
                SequenceMode::Validate => run!(Validation::new(steps, *within_ms, *collapse)),
                SequenceMode::Gaps(field) => run!(Gaps::new(field, *within_ms, *max_partial, *collapse)),
            }
        }
        RuleType::MissingB(missing) => run!(Absences::new(&rule.condition, missing)),
        RuleType::Session { gap_ms, max_len_ms, count, duration_ms, has, lacks, ended_without } => {
            let wanted = Wanted {
                count: *count,
                duration_ms: *duration_ms,
                has: has.clone(),
                lacks: lacks.clone(),
                ended_without: ended_without.clone(),
            };
            run!(Sessions::new(*gap_ms, *max_len_ms, wanted))
        }
        RuleType::Composite { conditions, within_ms, at_least, order } => {
            run!(Composite::new(conditions, *within_ms, *at_least, order.as_ref(), clear_for_ms))
        }
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::keys::Slot;
    use crate::engine::machine::Machine;

    /// What a key takes before anything is known of it lies in one place, and is no more than this.
    fn check<M: Machine>(most: usize) {
        let slot = size_of::<Option<Slot<M::State>>>();
        assert!(slot <= most, "{slot} bytes of {}", std::any::type_name::<M>());
    }

    #[test]
    fn a_key_takes_little() {
        check::<Matching>(80);
        check::<Changes>(120);
        check::<Frequency>(120);
        check::<Sessions>(120);
        check::<Ratio>(144);
        check::<Absences>(112);
        check::<WholeMatches>(104);
        check::<Flatline>(168);
        check::<TooMany>(152);
        check::<Metric>(160);
        check::<Spike>(176);
    }
}
