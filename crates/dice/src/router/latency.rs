//! How long lines took from their reading to the commit of what they led to.

/// Longer times are counted as this long, milliseconds.
const MAX_MS: usize = 60_000;

/// Counts by the millisecond.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latency {
    counts: Vec<u64>,
    total: u64,
}

impl Latency {
    /// Counts `n` lines that took this long.
    pub(crate) fn add(&mut self, took_ms: i64, n: u64) {
        let place = usize::try_from(took_ms).unwrap_or(0).min(MAX_MS);
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += n;
        self.total += n;
    }

    /// The time within which this share of the lines was done, milliseconds; 0 when there were none.
    pub(crate) fn within(&self, share: f64) -> u64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (ms, n) in self.counts.iter().enumerate() {
            seen += n;
            if seen >= wanted {
                return ms as u64;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn shares_are_of_lines() {
        let mut latency = Latency::default();
        assert_eq!(latency.within(0.5), 0);
        latency.add(3, 98);
        latency.add(200, 1);
        latency.add(1_000_000, 1);
        assert_eq!([0.5, 0.98, 0.99, 1.0].map(|share| latency.within(share)), [3, 3, 200, 60_000]);
        latency.add(-5, 1_000);
        assert_eq!(latency.within(0.5), 0);
    }
}
