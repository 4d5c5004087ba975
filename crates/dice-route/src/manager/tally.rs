//! Occurrences counted: how many, where, when, of which release.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Evidence, Stamped};

/// Hosts that are counted one by one; others are counted together.
const MAX_HOSTS: usize = 32;

/// Of services, releases and traces so many are kept, and so many hosts are told.
const MAX_SHOWN: usize = 8;

/// Occurrences counted.
///
/// Hosts are kept most first; beyond 32 of them the rest is counted together, and how many they are is a
/// lower bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Of these, how many came when their time had been decided.
    #[serde(skip_serializing_if = "is_zero")]
    pub late: u64,
    /// The first and the last, milliseconds since 1970, by event time.
    pub seen_ms: Option<(i64, i64)>,
    /// Hosts with their counts, most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<(Arc<str>, u64)>,
    /// Occurrences on hosts beyond those.
    #[serde(skip_serializing_if = "is_zero")]
    pub elsewhere: u64,
    /// A bit for each of those hosts, by a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<[u64; 4]>,
    /// Services, in the order of their first occurrence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Arc<str>>,
    /// Releases, in the order of their first occurrence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Arc<str>>,
    /// Traces, in the order of their first occurrence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<Arc<str>>,
}

fn emptied<T>(mut list: Vec<T>) -> Vec<T> {
    list.clear();
    list
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    /// Counts one occurrence.
    #[inline]
    pub fn add(&mut self, stamped: &Stamped<'_>) {
        self.count += 1;
        self.late += u64::from(stamped.is_late);
        self.saw(stamped.at_ms, stamped.at_ms);
        let event = stamped.event;
        if let Some(host) = &event.host {
            self.count_host(host, 1);
        }
        keep(&mut self.services, event.service.as_ref());
        keep(&mut self.versions, event.version.as_ref());
        keep(&mut self.traces, event.trace.as_ref());
    }

    /// Counts what another one has counted.
    pub fn fold(&mut self, other: &Tally) {
        self.count += other.count;
        self.late += other.late;
        if let Some((first_ms, last_ms)) = other.seen_ms {
            self.saw(first_ms, last_ms);
        }
        for (host, count) in &other.hosts {
            self.count_host(host, *count);
        }
        self.elsewhere += other.elsewhere;
        if let Some(bits) = other.others {
            let known = self.others.get_or_insert_default();
            known.iter_mut().zip(bits).for_each(|(known, more)| *known |= more);
        }
        for (mine, theirs) in [
            (&mut self.services, &other.services),
            (&mut self.versions, &other.versions),
            (&mut self.traces, &other.traces),
        ] {
            theirs.iter().for_each(|name| keep(mine, Some(name)));
        }
    }

    /// Forgets everything but keeps the room that it took.
    pub fn clear(&mut self) {
        let Tally { hosts, services, versions, traces, .. } = std::mem::take(self);
        *self = Tally {
            hosts: emptied(hosts),
            services: emptied(services),
            versions: emptied(versions),
            traces: emptied(traces),
            ..Tally::default()
        };
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many hosts there are beyond those that [`Tally::evidence`] shows.
    pub fn more_hosts(&self) -> u64 {
        let unnamed: u32 = self.others.iter().flatten().map(|word| word.count_ones()).sum();
        self.hosts.len().saturating_sub(MAX_SHOWN) as u64 + u64::from(unnamed)
    }

    /// What a reader sees of it.
    pub fn evidence(&self) -> Evidence {
        let sorted = |names: &[Arc<str>]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        Evidence {
            count: self.count,
            late: self.late,
            seen_ms: self.seen_ms,
            hosts: self.hosts.iter().take(MAX_SHOWN).cloned().collect(),
            more_hosts: self.more_hosts(),
            services: sorted(&self.services),
            versions: sorted(&self.versions),
            traces: self.traces.clone(),
            ..Evidence::default()
        }
    }

    /// The last never goes back, the first may.
    #[inline]
    fn saw(&mut self, first_ms: i64, last_ms: i64) {
        self.seen_ms = Some(match self.seen_ms {
            None => (first_ms, last_ms),
            Some((first, last)) => (first.min(first_ms), last.max(last_ms)),
        });
    }

    #[inline]
    fn count_host(&mut self, host: &Arc<str>, count: u64) {
        let Some(mut at) = self.hosts.iter().position(|(known, _)| is_same(known, host)) else {
            self.count_new_host(host, count);
            return;
        };
        self.hosts[at].1 += count;
        // Most first, so that the usual one is found first.
        while at > 0 && self.hosts[at - 1].1 < self.hosts[at].1 {
            self.hosts.swap(at - 1, at);
            at -= 1;
        }
    }

    #[cold]
    fn count_new_host(&mut self, host: &Arc<str>, count: u64) {
        if self.hosts.len() < MAX_HOSTS {
            let at = self.hosts.partition_point(|(_, known)| *known >= count);
            self.hosts.insert(at, (host.clone(), count));
            return;
        }
        self.elsewhere += count;
        let bit = usize::from(blake3::hash(host.as_bytes()).as_bytes()[0]);
        self.others.get_or_insert_default()[bit / 64] |= 1 << (bit % 64);
    }
}

/// The same text; mostly it is the same text in memory.
#[inline]
fn is_same(a: &Arc<str>, b: &Arc<str>) -> bool {
    Arc::ptr_eq(a, b) || **a == **b
}

#[inline]
fn keep(names: &mut Vec<Arc<str>>, name: Option<&Arc<str>>) {
    let Some(name) = name else { return };
    if names.len() < MAX_SHOWN && !names.iter().any(|known| is_same(known, name)) {
        names.push(name.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Tally;

    /// Occurrences are `host×count`; the answer is the hosts shown and how many more there are.
    #[track_caller]
    fn check(occurrences: &[(&str, u64)], shown: &str) {
        let mut tally = Tally::default();
        for (host, count) in occurrences {
            tally.count_host(&Arc::from(*host), *count);
        }
        let evidence = tally.evidence();
        let hosts: Vec<String> =
            evidence.hosts.iter().map(|(host, count)| format!("{host}×{count}")).collect();
        assert_eq!(format!("{} +{}", hosts.join(" "), evidence.more_hosts), shown);
    }

    #[test]
    fn hosts_stand_most_first() {
        check(&[("a", 1), ("b", 5), ("a", 2), ("c", 3)], "b×5 a×3 c×3 +0");
        check(&[("a", 1), ("b", 1), ("b", 1)], "b×2 a×1 +0");
    }

    #[test]
    fn hosts_beyond_the_bound_are_counted_together() {
        let names: Vec<String> = (0..40).map(|n| format!("h{n}")).collect();
        let mut occurrences: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        occurrences.push(("h1", 1));
        occurrences.push(("h39", 1));
        check(&occurrences, "h1×2 h0×1 h2×1 h3×1 h4×1 h5×1 h6×1 h7×1 +32");
    }
}
