//! How many requests somebody may make.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Tokens and peers that are remembered; when there are more, who has been silent longest is forgotten.
const MAX_KNOWN: usize = 4_096;

/// How many requests a token may make, or a peer that shows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At once.
    pub burst: u32,
    /// In a minute, for longer.
    pub per_minute: u32,
}

/// What everybody may still do.
#[derive(Debug)]
pub(crate) struct Allowances {
    allowance: Allowance,
    known: Mutex<BTreeMap<String, Purse>>,
}

/// Parts of a request: in a millisecond as many are won as there are requests in a minute, so that no time
/// is lost however often somebody asks.
const REQUEST: u64 = 60_000;

/// What one may still do, in parts of a request.
#[derive(Debug, Clone, Copy)]
struct Purse {
    left: u64,
    at_ms: i64,
}

impl Allowances {
    pub(crate) fn new(allowance: Allowance) -> Allowances {
        Allowances { allowance, known: Mutex::default() }
    }

    /// Takes one request off what `who` may do, or says in how many seconds there is one.
    pub(crate) fn take(&self, who: &str, now_ms: i64) -> Result<(), u64> {
        let Allowance { burst, per_minute } = self.allowance;
        let (full, each_ms) = (u64::from(burst.max(1)) * REQUEST, u64::from(per_minute.max(1)));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(who) && known.len() >= MAX_KNOWN {
            let oldest = known.iter().min_by_key(|(_, purse)| purse.at_ms).map(|(who, _)| who.clone());
            oldest.map(|who| known.remove(&who));
        }
        let purse = known.entry(who.to_owned()).or_insert(Purse { left: full, at_ms: now_ms });
        // Where the clock goes back, nothing is won and nothing lost.
        let passed_ms = u64::try_from(now_ms.saturating_sub(purse.at_ms)).unwrap_or(0);
        let left = purse.left.saturating_add(passed_ms.saturating_mul(each_ms)).min(full);
        *purse = Purse { left, at_ms: now_ms };
        match purse.left.checked_sub(REQUEST) {
            Some(left) => {
                purse.left = left;
                Ok(())
            }
            None => Err((REQUEST - purse.left).div_ceil(each_ms * 1_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Allowances, MAX_KNOWN};

    #[test]
    fn a_purse_is_emptied_and_fills_again() {
        let purses = Allowances::new(Allowance { burst: 2, per_minute: 6 });
        for (now_ms, expected) in
            [(0, Ok(())), (0, Ok(())), (0, Err(10)), (5_000, Err(5)), (10_000, Ok(())), (10_000, Err(10))]
        {
            assert_eq!(purses.take("ci", now_ms), expected, "at {now_ms}");
        }
        assert_eq!(purses.take("other", 0), Ok(()));
        assert_eq!(purses.take("ci", 3_600_000), Ok(()));
        assert_eq!(purses.take("ci", 0), Ok(()), "the clock went back");
        assert_eq!(purses.take("ci", 0), Err(10));
    }

    #[test]
    fn a_purse_fills_exactly_however_often_it_is_looked_into() {
        for (per_minute, every_ms) in [(1, 7), (1, 59), (1, 61), (7, 13), (59, 1_001), (1_200, 1)] {
            let purses = Allowances::new(Allowance { burst: 2, per_minute });
            let asked = (0..=3_600_000).step_by(every_ms).map(|now_ms| (now_ms, purses.take("ci", now_ms)));
            let given: Vec<i64> =
                asked.filter(|(_, taken)| taken.is_ok()).map(|(now_ms, _)| now_ms).collect();
            let last_ms = 3_600_000 - 3_600_000 % i64::try_from(every_ms).unwrap();
            let won = last_ms * i64::from(per_minute) / 60_000;
            assert_eq!(given.len(), 2 + usize::try_from(won).unwrap(), "{per_minute} every {every_ms} ms");
        }
    }

    #[test]
    fn who_is_remembered_has_a_bound() {
        let purses = Allowances::new(Allowance { burst: 1, per_minute: 1 });
        for n in 0..MAX_KNOWN + 10 {
            let now_ms = i64::try_from(n).unwrap();
            assert_eq!(purses.take(&n.to_string(), now_ms), Ok(()));
        }
        assert_eq!(purses.known.lock().unwrap().len(), MAX_KNOWN);
    }
}
