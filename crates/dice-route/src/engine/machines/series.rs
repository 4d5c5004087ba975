//! Values by stretches of time.

use std::collections::VecDeque;

use super::counts::Counts;
use super::digest::Digest;
use crate::condition::Quantity;
use crate::config::{Aggregate, Measure};
use crate::engine::codec::{Reader, Writer};
use crate::engine::machine::Arrival;

/// What is known of some values, as far as their figure needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    /// How many.
    pub(crate) count: u64,
    /// Their sum, or the smallest or largest.
    merged: f64,
    digest: Option<Digest>,
}

impl Values {
    /// The figure they make. Nothing has a count and a sum of 0, and no other figure.
    pub(crate) fn figure(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Count => Some(self.count as f64),
            Aggregate::Sum => Some(self.merged),
            _ if self.count == 0 => None,
            Aggregate::Avg => Some(self.merged / self.count as f64),
            Aggregate::Min | Aggregate::Max => Some(self.merged),
            Aggregate::Quantile(share) => self.digest.as_ref()?.quantile(share),
        }
    }
}

/// What values are merged into: nothing changes any of them.
fn nothing(aggregate: Aggregate) -> f64 {
    match aggregate {
        Aggregate::Min => f64::INFINITY,
        Aggregate::Max => f64::NEG_INFINITY,
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Quantile(_) => 0.0,
    }
}

/// Two values as one.
fn merge(aggregate: Aggregate, one: f64, other: f64) -> f64 {
    match aggregate {
        Aggregate::Min => one.min(other),
        Aggregate::Max => one.max(other),
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Quantile(_) => one + other,
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

/// Values by stretch: how many, and no more of them than their figure needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    counts: Counts,
    figures: Figures,
}

/// What is known of the values of each stretch, beside their number, in order.
#[derive(Debug, Clone, PartialEq)]
enum Figures {
    /// The sum, or the smallest or largest.
    Each(Box<[f64]>),
    /// Enough for quantiles; nothing where values are only counted.
    Ranked(Option<Box<Ranked>>),
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Ranked {
    digests: VecDeque<Digest>,
}

const _: () = assert!(size_of::<Figures>() == 16, "no room is wasted");

impl Series {
    /// Nothing yet.
    pub(crate) fn new(aggregate: Aggregate) -> Series {
        let figures = match aggregate {
            Aggregate::Count | Aggregate::Quantile(_) => Figures::Ranked(None),
            _ => Figures::Each(Box::default()),
        };
        Series { counts: Counts::default(), figures }
    }

    /// Adds to a stretch, which is not before the last one.
    pub(crate) fn add(&mut self, part: i64, value: f64, aggregate: Aggregate) {
        let is_new = self.counts.add(part, 1);
        match &mut self.figures {
            Figures::Each(figures) => {
                if is_new {
                    *figures = figures.iter().copied().chain([nothing(aggregate)]).collect();
                }
                if let Some(last) = figures.last_mut() {
                    *last = merge(aggregate, *last, value);
                }
            }
            Figures::Ranked(_) if aggregate == Aggregate::Count => {}
            Figures::Ranked(ranked) => {
                let digests = &mut ranked.get_or_insert_default().digests;
                if is_new {
                    if digests.len() == digests.capacity() {
                        digests.reserve_exact(1 + digests.len() / 2);
                    }
                    digests.push_back(Digest::default());
                }
                digests.back_mut().into_iter().for_each(|digest| digest.add(value));
            }
        }
    }

    /// Drops stretches before this one.
    pub(crate) fn drop_before(&mut self, part: i64) {
        let n = self.counts.drop_before(part);
        if n == 0 {
            return;
        }
        match &mut self.figures {
            Figures::Each(figures) => *figures = figures.get(n..).unwrap_or(&[]).into(),
            Figures::Ranked(Some(ranked)) if !self.counts.is_empty() => drop(ranked.digests.drain(..n)),
            Figures::Ranked(ranked) => *ranked = None,
        }
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u64 {
        self.counts.between(i64::MIN, i64::MAX)
    }

    /// The first stretch with values.
    pub(crate) fn first(&self) -> Option<i64> {
        self.counts.first()
    }

    /// The first stretch with values at or after this one.
    pub(crate) fn first_from(&self, part: i64) -> Option<i64> {
        self.counts.iter_back().map(|(known, _)| known).take_while(|known| *known >= part).last()
    }

    /// The values from one stretch up to another, which does not belong to it.
    pub(crate) fn between(&self, from: i64, to: i64, aggregate: Aggregate) -> Values {
        let (mut count, mut n_later, mut n) = (0, 0, 0);
        for (part, of_part) in self.counts.iter_back() {
            if part < from {
                break;
            }
            if part >= to {
                n_later += 1;
            } else {
                n += 1;
                count += u64::from(of_part);
            }
        }
        let mut values = Values { count, merged: nothing(aggregate), digest: None };
        match &self.figures {
            Figures::Each(figures) => {
                let inside = figures.iter().rev().skip(n_later).take(n).rev();
                values.merged = inside.fold(values.merged, |merged, one| merge(aggregate, merged, *one));
            }
            Figures::Ranked(Some(ranked)) => {
                let inside = ranked.digests.iter().rev().skip(n_later).take(n).rev();
                inside.for_each(|one| values.digest.get_or_insert_default().merge(one));
            }
            Figures::Ranked(None) => {}
        }
        values
    }

    /// The figures of single stretches from one up to another, which does not belong to them, in no order.
    /// Nothing is no figure, unless it is a count or a sum.
    pub(crate) fn figures(&self, from: i64, to: i64, aggregate: Aggregate) -> Vec<f64> {
        let parts = self.counts.iter_back().enumerate().skip_while(|(_, (part, _))| *part >= to);
        let parts = parts.take_while(|(_, (part, _))| *part >= from);
        let (mut n, mut figures) = (0, Vec::new());
        for (back, (_, count)) in parts {
            n += 1;
            figures.extend(self.values_of(back, count, aggregate).figure(aggregate));
        }
        if is_extensive(aggregate) {
            figures.resize((to.saturating_sub(from) - n).max(0) as usize + figures.len(), 0.0);
        }
        figures
    }

    /// The values of one stretch, so many before the last.
    fn values_of(&self, back: usize, count: u32, aggregate: Aggregate) -> Values {
        let mut values = Values { count: u64::from(count), merged: nothing(aggregate), digest: None };
        match &self.figures {
            Figures::Each(figures) => {
                let one = figures.iter().rev().nth(back).copied();
                values.merged = merge(aggregate, values.merged, one.unwrap_or(values.merged));
            }
            Figures::Ranked(Some(ranked)) => values.digest = ranked.digests.iter().rev().nth(back).cloned(),
            Figures::Ranked(None) => {}
        }
        values
    }

    /// Writes it. What the figure does not need is written as if there were no values.
    pub(crate) fn encode(&self, aggregate: Aggregate, writer: &mut Writer<'_>) {
        if aggregate == Aggregate::Count {
            return self.counts.encode(writer);
        }
        let counts = self.counts.to_vec();
        writer.size(counts.len());
        for (place, (part, count)) in counts.iter().enumerate() {
            let values = self.values_of(counts.len() - 1 - place, *count, aggregate);
            writer.signed(*part);
            writer.unsigned(values.count);
            for other in [Aggregate::Sum, Aggregate::Min, Aggregate::Max] {
                let is_kept = other == aggregate || (other, aggregate) == (Aggregate::Sum, Aggregate::Avg);
                writer.float(if is_kept { values.merged } else { nothing(other) });
            }
            writer.flag(values.digest.is_some());
            values.digest.iter().for_each(|digest| digest.encode(writer));
        }
    }

    /// Reads it.
    pub(crate) fn decode(aggregate: Aggregate, reader: &mut Reader<'_, '_>) -> Option<Series> {
        let mut series = Series::new(aggregate);
        if aggregate == Aggregate::Count {
            series.counts = Counts::decode(reader)?;
            return Some(series);
        }
        let (mut figures, mut digests) = (Vec::new(), VecDeque::new());
        for _ in 0..reader.size()? {
            let part = reader.signed()?;
            let count = u32::try_from(reader.unsigned()?).unwrap_or(u32::MAX);
            let [sum, min, max] = [reader.float()?, reader.float()?, reader.float()?];
            let digest = if reader.flag()? { Digest::decode(reader)? } else { Digest::default() };
            if count == 0 || series.counts.last().is_some_and(|last| part <= last) {
                return None;
            }
            series.counts.add(part, count);
            figures.push(match aggregate {
                Aggregate::Min => min,
                Aggregate::Max => max,
                _ => sum,
            });
            digests.push_back(digest);
        }
        match &mut series.figures {
            Figures::Each(each) => *each = figures.into(),
            Figures::Ranked(_) if digests.is_empty() => {}
            Figures::Ranked(ranked) => *ranked = Some(Box::new(Ranked { digests })),
        }
        Some(series)
    }
}
