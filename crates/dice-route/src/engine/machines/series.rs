//! Values by stretches of time.

use std::collections::VecDeque;

use super::buckets::Buckets;
use super::digest::Digest;
use crate::condition::Quantity;
use crate::config::{Aggregate, Measure};
use crate::engine::codec::{Reader, Writer};
use crate::engine::machine::Arrival;

/// What is known of some values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    /// How many.
    pub(crate) count: u64,
    sum: f64,
    min: f64,
    max: f64,
    digest: Option<Box<Digest>>,
}

impl Default for Values {
    fn default() -> Values {
        Values { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, digest: None }
    }
}

impl Values {
    fn add(&mut self, value: f64, is_ranked: bool) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if is_ranked {
            self.digest.get_or_insert_default().add(value);
        }
    }

    fn merge(&mut self, other: &Values) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if let Some(digest) = &other.digest {
            self.digest.get_or_insert_default().merge(digest);
        }
    }

    /// The figure they make. Nothing has a count and a sum of 0, and no other figure.
    pub(crate) fn figure(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Count => Some(self.count as f64),
            Aggregate::Sum => Some(self.sum),
            _ if self.count == 0 => None,
            Aggregate::Avg => Some(self.sum / self.count as f64),
            Aggregate::Min => Some(self.min),
            Aggregate::Max => Some(self.max),
            Aggregate::Quantile(share) => self.digest.as_ref()?.quantile(share),
        }
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.unsigned(self.count);
        for figure in [self.sum, self.min, self.max] {
            writer.float(figure);
        }
        writer.flag(self.digest.is_some());
        if let Some(digest) = &self.digest {
            digest.encode(writer);
        }
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Option<Values> {
        Some(Values {
            count: reader.unsigned()?,
            sum: reader.float()?,
            min: reader.float()?,
            max: reader.float()?,
            digest: if reader.flag()? { Some(Box::new(Digest::decode(reader)?)) } else { None },
        })
    }
}

/// Whether twice the time makes twice the figure.
pub(crate) fn is_extensive(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::Count | Aggregate::Sum)
}

/// The value of an event; `None` where it has none and one is needed. A duration is in milliseconds, a size
/// in bytes.
pub(crate) fn value_of(measure: &Measure, arrival: &Arrival<'_>) -> Option<f64> {
    let Some(field) = &measure.field else {
        return (measure.aggregate == Aggregate::Count).then_some(1.0);
    };
    let text = field.of(arrival.event)?;
    if measure.aggregate == Aggregate::Count {
        return Some(1.0);
    }
    Quantity::parse(&text).map(|quantity| quantity.number)
}

/// Values by stretch. Where they are only counted, the counts are all that is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Series {
    /// How many.
    Counts(Buckets),
    /// What is known of them.
    Values(VecDeque<(i64, Values)>),
}

impl Series {
    /// Nothing yet.
    pub(crate) fn new(aggregate: Aggregate) -> Series {
        match aggregate {
            Aggregate::Count => Series::Counts(Buckets::default()),
            _ => Series::Values(VecDeque::new()),
        }
    }

    /// Adds to a stretch, which is not before the last one.
    pub(crate) fn add(&mut self, part: i64, value: f64, aggregate: Aggregate) {
        match self {
            Series::Counts(counts) => counts.add(part, 1),
            Series::Values(parts) => {
                if parts.back().is_none_or(|(last, _)| *last < part) {
                    parts.push_back((part, Values::default()));
                }
                if let Some((_, values)) = parts.back_mut() {
                    values.add(value, matches!(aggregate, Aggregate::Quantile(_)));
                }
            }
        }
    }

    /// Drops stretches before this one.
    pub(crate) fn drop_before(&mut self, part: i64) {
        match self {
            Series::Counts(counts) => counts.drop_before(part),
            Series::Values(parts) => {
                while parts.front().is_some_and(|(first, _)| *first < part) {
                    parts.pop_front();
                }
            }
        }
    }

    /// The first stretch with values.
    pub(crate) fn first(&self) -> Option<i64> {
        match self {
            Series::Counts(counts) => counts.iter().next().map(|(part, _)| part),
            Series::Values(parts) => parts.front().map(|(part, _)| *part),
        }
    }

    /// The first stretch with values at or after this one.
    pub(crate) fn first_from(&self, part: i64) -> Option<i64> {
        match self {
            Series::Counts(counts) => counts.iter().map(|(part, _)| part).find(|known| *known >= part),
            Series::Values(parts) => parts.iter().map(|(part, _)| *part).find(|known| *known >= part),
        }
    }

    /// The values from one stretch up to another, which does not belong to it.
    pub(crate) fn between(&self, from: i64, to: i64) -> Values {
        match self {
            Series::Counts(counts) => Values { count: counts.between(from, to), ..Values::default() },
            Series::Values(parts) => {
                let mut values = Values::default();
                let inside = parts.iter().filter(|(part, _)| *part >= from && *part < to);
                inside.for_each(|(_, part)| values.merge(part));
                values
            }
        }
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Series::Counts(counts) => counts.encode(writer),
            Series::Values(parts) => {
                writer.size(parts.len());
                for (part, values) in parts {
                    writer.signed(*part);
                    values.encode(writer);
                }
            }
        }
    }

    /// Reads it.
    pub(crate) fn decode(aggregate: Aggregate, reader: &mut Reader<'_, '_>) -> Option<Series> {
        Some(match aggregate {
            Aggregate::Count => Series::Counts(Buckets::decode(reader)?),
            _ => Series::Values(
                (0..reader.size()?)
                    .map(|_| Some((reader.signed()?, Values::decode(reader)?)))
                    .collect::<Option<VecDeque<(i64, Values)>>>()?,
            ),
        })
    }
}
