//! Quantiles of many values in little room.

use crate::engine::codec::{Reader, Writer};

/// Up to this many values all are kept, and quantiles are exact.
const MAX_POINTS: usize = 256;

/// About how many points stay when there are more.
const KEPT_POINTS: f64 = 100.0;

/// A t-digest: points with weights, small ones at the ends, where quantiles must be exact.
///
/// It is exact up to 256 values; past that a quantile is off by less than three hundredths of all values near
/// the median, and by much less towards the ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Digest {
    points: Vec<(f64, f64)>,
}

impl Digest {
    /// One more value.
    pub(crate) fn add(&mut self, value: f64) {
        if self.points.len() == self.points.capacity() {
            // Most keys have few values, and no more room than this is ever needed.
            let most = MAX_POINTS + 1;
            let wanted = (2 * self.points.len()).clamp(1, most.max(self.points.len() + 1));
            self.points.reserve_exact(wanted - self.points.len());
        }
        self.points.push((value, 1.0));
        self.compress();
    }

    /// All values of another one.
    pub(crate) fn merge(&mut self, other: &Digest) {
        self.points.extend_from_slice(&other.points);
    }

    fn compress(&mut self) {
        if self.points.len() <= MAX_POINTS {
            return;
        }
        // In place: this happens for every few dozen values.
        self.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let total: f64 = self.points.iter().map(|(_, weight)| weight).sum();
        let (mut n_kept, mut before) = (0, 0.0);
        for at in 0..self.points.len() {
            let (value, weight) = self.points[at];
            if let Some((mean, sum)) = self.points[..n_kept].last_mut() {
                let share = (before + *sum / 2.0) / total;
                let limit = std::f64::consts::TAU * total * (share * (1.0 - share)).sqrt() / KEPT_POINTS;
                if *sum + weight <= limit.max(1.0) {
                    *mean += (value - *mean) * weight / (*sum + weight);
                    *sum += weight;
                    continue;
                }
                before += *sum;
            }
            self.points[n_kept] = (value, weight);
            n_kept += 1;
        }
        self.points.truncate(n_kept);
    }

    fn sorted(&self) -> (Vec<(f64, f64)>, f64) {
        let mut points = self.points.clone();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let total = points.iter().map(|(_, weight)| weight).sum();
        (points, total)
    }

    /// The smallest value that is not exceeded by this share of all.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let (points, total) = self.sorted();
        let wanted = share.clamp(0.0, 1.0) * total;
        let mut sum = 0.0;
        for (value, weight) in &points {
            sum += weight;
            // A share such as 0.99 is not exactly what is written.
            if sum + 1e-9 * total >= wanted {
                return Some(*value);
            }
        }
        points.last().map(|(value, _)| *value)
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.points.len());
        for (value, weight) in &self.points {
            writer.float(*value);
            writer.unsigned(*weight as u64);
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Digest> {
        let points = (0..reader.size()?)
            .map(|_| Some((reader.float()?, reader.unsigned()? as f64)))
            .collect::<Option<Vec<(f64, f64)>>>()?;
        Some(Digest { points })
    }
}
