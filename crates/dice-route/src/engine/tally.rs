//! What is known about the events of an episode.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::codec::{Reader, Writer};
use super::origin::{Origins, Sample};
use crate::{Evidence, MessageId};

/// Origins of an episode's events that are told apart; events of further ones are only counted.
pub(crate) const MAX_ORIGINS: u8 = 64;

const MAX_TOLD: usize = Evidence::MAX_NAMED;

/// What is known about some events: how many, when, from where, and a line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tally {
    /// How many.
    pub(crate) count: u64,
    /// Of these, how many arrived after their time had been decided.
    pub(crate) late: u64,
    /// The first and the last, by event time.
    pub(crate) seen_ms: Option<(i64, i64)>,
    /// A line.
    pub(crate) sample: Option<Arc<Sample>>,
    origins: Vec<(u32, u32)>,
    traces: Vec<Arc<str>>,
}

impl Tally {
    /// One more event.
    pub(crate) fn add(&mut self, at_ms: i64, origin: u32) {
        self.add_many(at_ms, at_ms, origin, 1);
    }

    /// More events of one origin, the first and the last of them.
    pub(crate) fn add_many(&mut self, first_ms: i64, last_ms: i64, origin: u32, count: u64) {
        self.see(first_ms, last_ms, count);
        self.add_origin(origin, count);
    }

    /// Counts events, wherever they came from.
    pub(crate) fn see(&mut self, first_ms: i64, last_ms: i64, count: u64) {
        self.count += count;
        self.seen_ms = Some(match self.seen_ms {
            None => (first_ms, last_ms),
            Some((first, last)) => (first.min(first_ms), last.max(last_ms)),
        });
    }

    /// Says where events came from that are counted.
    pub(crate) fn add_origin(&mut self, origin: u32, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if let Some((_, known)) = self.origins.iter_mut().find(|(known, _)| *known == origin) {
            *known = known.saturating_add(count);
        } else if self.origins.len() < usize::from(MAX_ORIGINS) {
            self.origins.push((origin, count));
        }
    }

    /// A line that shows what it is about; the latest stays.
    pub(crate) fn show(&mut self, sample: &Arc<Sample>) {
        if let Some(trace) = &sample.trace {
            self.trace(trace);
        }
        if self.sample.as_ref().is_none_or(|known| known.at_ms <= sample.at_ms) {
            self.sample = Some(sample.clone());
        }
    }

    /// What a request was called.
    pub(crate) fn trace(&mut self, trace: &Arc<str>) {
        if self.traces.len() < MAX_TOLD && !self.traces.contains(trace) {
            self.traces.push(trace.clone());
        }
    }

    /// Whether more traces are wanted.
    pub(crate) fn wants_traces(&self) -> bool {
        self.traces.len() < MAX_TOLD
    }

    /// Adds everything that another one knows.
    pub(crate) fn merge(&mut self, other: &Tally) {
        self.count += other.count;
        self.late += other.late;
        if let Some((first_ms, last_ms)) = other.seen_ms {
            let (first, last) = self.seen_ms.unwrap_or((first_ms, last_ms));
            self.seen_ms = Some((first.min(first_ms), last.max(last_ms)));
        }
        for (origin, count) in &other.origins {
            self.add_origin(*origin, u64::from(*count));
        }
        other.traces.iter().for_each(|trace| self.trace(trace));
        if let Some(sample) = &other.sample {
            self.show(sample);
        }
    }

    /// Takes lines and traces of another one, not its counts.
    pub(crate) fn illustrate(&mut self, other: &Tally) {
        other.traces.iter().for_each(|trace| self.trace(trace));
        if let Some(sample) = &other.sample {
            self.show(sample);
        }
    }

    /// Where its events came from, and how many.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (u32, u32)> {
        self.origins.iter().copied()
    }

    /// What the first request was called of which that is known.
    pub(crate) fn first_trace(&self) -> Option<&str> {
        self.traces.first().map(|trace| &**trace)
    }

    /// The origins it refers to.
    pub(crate) fn origins(&self, mark: &mut dyn FnMut(u32)) {
        self.origins.iter().for_each(|(origin, _)| mark(*origin));
    }

    /// What a reader is told.
    pub(crate) fn evidence(&self, origins: &Origins, figures: Vec<(Arc<str>, f64)>) -> Evidence {
        let mut hosts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
        let mut services: BTreeSet<&Arc<str>> = BTreeSet::new();
        let mut versions: BTreeSet<&Arc<str>> = BTreeSet::new();
        let mut envs: BTreeSet<Option<&Arc<str>>> = BTreeSet::new();
        let mut messages: Vec<MessageId> = Vec::new();
        for (origin, count) in &self.origins {
            let Some(([host, service, version, env], message)) = origins.shared(*origin) else { continue };
            if let Some(host) = host {
                *hosts.entry(host).or_default() += u64::from(*count);
            }
            services.extend(service);
            versions.extend(version);
            envs.insert(env.as_ref());
            if messages.len() < MAX_TOLD && !messages.contains(&message) {
                messages.push(message);
            }
        }
        let more_hosts = hosts.len().saturating_sub(MAX_TOLD) as u64;
        let mut hosts: Vec<(Arc<str>, u64)> =
            hosts.into_iter().map(|(host, count)| (host.clone(), count)).collect();
        // Equal counts stay in the order of the names.
        hosts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        hosts.truncate(MAX_TOLD);
        let env = if envs.len() == 1 { envs.pop_first().flatten().cloned() } else { None };
        Evidence {
            count: self.count,
            late: self.late,
            seen_ms: self.seen_ms,
            hosts,
            more_hosts,
            services: services.into_iter().take(MAX_TOLD).cloned().collect(),
            versions: versions.into_iter().take(MAX_TOLD).cloned().collect(),
            env,
            traces: self.traces.clone(),
            messages,
            sample: self.sample.as_ref().map(|sample| sample.text.clone()),
            place: self.sample.as_ref().map(|sample| sample.place.clone()).filter(|place| !place.is_empty()),
            figures,
        }
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.unsigned(self.count);
        writer.unsigned(self.late);
        writer.flag(self.seen_ms.is_some());
        if let Some((first, last)) = self.seen_ms {
            writer.signed(first);
            writer.signed(last);
        }
        writer.sample(self.sample.as_ref());
        writer.size(self.origins.len());
        for (origin, count) in &self.origins {
            writer.origin(*origin);
            writer.unsigned(u64::from(*count));
        }
        writer.size(self.traces.len());
        self.traces.iter().for_each(|trace| writer.text(trace));
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Tally> {
        let count = reader.count()?;
        let late = reader.count()?;
        let seen_ms = if reader.flag()? { Some((reader.signed()?, reader.signed()?)) } else { None };
        let sample = reader.sample()?;
        let origins = (0..reader.size()?)
            .map(|_| Some((reader.origin()?, reader.unsigned_32()?)))
            .collect::<Option<Vec<(u32, u32)>>>()?;
        let traces =
            (0..reader.size()?).map(|_| reader.text().map(Into::into)).collect::<Option<Vec<Arc<str>>>>()?;
        Some(Tally { count, late, seen_ms, sample, origins, traces })
    }
}
