//! What each owner would read of a finished log: equal messages grouped, with counts, hosts and times.

use std::collections::btree_map::{BTreeMap, Entry};

use dice_catalog::{Fingerprint, Level, Owner, OwnerKind};

use crate::{Decided, Decision};

/// Hosts that are listed by name for one message; further ones are only known to exist.
const MAX_HOSTS: usize = 8;

/// One occurrence of a message, as the digest needs it.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// The message's name.
    pub fingerprint: Fingerprint,
    /// Its level.
    pub level: Option<Level>,
    /// The text as printed; kept for the first occurrence only.
    pub text: &'a str,
    /// `file:line` of the best statement.
    pub place: &'a str,
    /// Milliseconds since 1970, where the line tells.
    pub at: Option<i64>,
    /// The host, where the line tells.
    pub host: Option<&'a str>,
}

/// What each owner would read. It grows with the number of messages and owners, not with the number of lines.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// By what the owner is called: one owner for several reasons is one owner.
    owners: BTreeMap<(OwnerKind, String), Share>,
}

/// What one owner would read.
#[derive(Debug, Clone)]
struct Share {
    /// With the strongest of the reasons.
    owner: Owner,
    messages: BTreeMap<Fingerprint, Message>,
}

/// One message in an owner's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The level of the most urgent occurrence.
    pub level: Option<Level>,
    /// The text of the first occurrence.
    pub text: String,
    /// `file:line` of the best statement.
    pub place: String,
    /// How often it was seen.
    pub count: u64,
    /// When it was first and last seen, milliseconds since 1970; by the lines' own times.
    pub seen: Option<(i64, i64)>,
    /// The hosts, first seen first, at most eight.
    pub hosts: Vec<String>,
    /// Whether there were more hosts than are listed.
    pub more_hosts: bool,
    /// The most urgent thing that was decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
}

/// An owner and their messages, most urgent first, then most frequent.
#[derive(Debug, Clone)]
pub struct OwnerDigest<'a> {
    /// Who.
    pub owner: &'a Owner,
    /// What they would read.
    pub messages: Vec<Line<'a>>,
}

/// A message in an owner's digest, with its name.
pub type Line<'a> = (Fingerprint, &'a Message);

impl Digest {
    /// Takes one occurrence. True when an owner hears of the message for the first time.
    pub fn add(&mut self, occurrence: &Occurrence<'_>, decided: &Decided) -> bool {
        let mut is_new = false;
        for each in &decided.owners {
            if each.decision == Decision::None {
                continue;
            }
            let key = (each.owner.kind, each.owner.name.clone());
            let share = self
                .owners
                .entry(key)
                .or_insert_with(|| Share { owner: each.owner.clone(), messages: BTreeMap::new() });
            share.owner.why = share.owner.why.min(each.owner.why);
            match share.messages.entry(occurrence.fingerprint) {
                Entry::Occupied(known) => known.into_mut().add(occurrence, each.decision, &decided.reason),
                Entry::Vacant(place) => {
                    is_new = true;
                    let message = Message {
                        level: occurrence.level,
                        text: occurrence.text.to_owned(),
                        place: occurrence.place.to_owned(),
                        count: 0,
                        seen: None,
                        hosts: Vec::new(),
                        more_hosts: false,
                        decision: each.decision,
                        reason: decided.reason.clone(),
                    };
                    place.insert(message).add(occurrence, each.decision, &decided.reason);
                }
            }
        }
        is_new
    }

    /// Every owner who would read something, in the order of their names.
    pub fn owners(&self) -> Vec<OwnerDigest<'_>> {
        self.owners
            .values()
            .map(|share| {
                let mut messages: Vec<Line<'_>> =
                    share.messages.iter().map(|(name, message)| (*name, message)).collect();
                messages.sort_by(|(_, a), (_, b)| {
                    (b.decision, b.level, b.count)
                        .cmp(&(a.decision, a.level, a.count))
                        .then(a.place.cmp(&b.place))
                });
                OwnerDigest { owner: &share.owner, messages }
            })
            .collect()
    }
}

impl Message {
    fn add(&mut self, occurrence: &Occurrence<'_>, decision: Decision, reason: &str) {
        self.count += 1;
        // Level, decision and reason are those of the most urgent occurrence, together.
        if (decision, occurrence.level) > (self.decision, self.level) {
            self.decision = decision;
            self.level = occurrence.level;
            self.reason.clear();
            self.reason.push_str(reason);
        }
        if let Some(at) = occurrence.at {
            self.seen = Some(self.seen.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        if let Some(host) = occurrence.host
            && !self.hosts.iter().any(|known| known == host)
        {
            if self.hosts.len() < MAX_HOSTS {
                self.hosts.push(host.to_owned());
            } else {
                self.more_hosts = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dice_catalog::{Fingerprint, Kind, Level, Owner, Part, Template, Why};

    use super::{Digest, Occurrence};
    use crate::decide;

    fn occurrence(text: &str, at: i64, host: &'static str) -> Occurrence<'static> {
        let fingerprint = Fingerprint::of("r", &Template::new([Part::text(text)]));
        Occurrence {
            fingerprint,
            level: Some(Level::Error),
            text: "x",
            place: "a.c:1",
            at: Some(at),
            host: Some(host),
        }
    }

    #[test]
    fn equal_messages_are_grouped_with_counts_hosts_and_times() {
        let owner = Owner::named("@dev", Why::Annotation);
        let decided = decide(Kind::Log, Some(Level::Error), [&owner], None);
        let mut digest = Digest::default();
        assert!(digest.add(&occurrence("disk", 30, "web-1"), &decided));
        assert!(!digest.add(&occurrence("disk", 10, "web-2"), &decided));
        assert!(!digest.add(&occurrence("disk", 20, "web-1"), &decided));
        assert!(digest.add(&occurrence("net", 20, "web-1"), &decided));
        let owners = digest.owners();
        assert_eq!(owners.len(), 1);
        let (_, disk) = owners[0].messages[0];
        assert_eq!((disk.count, disk.seen), (3, Some((10, 30))));
        assert_eq!(disk.hosts, ["web-1", "web-2"]);
        assert_eq!(owners[0].messages.len(), 2);
    }

    #[test]
    fn an_owner_for_two_reasons_is_one_owner() {
        let mut digest = Digest::default();
        for (text, why) in [("disk", Why::Author), ("net", Why::Annotation)] {
            let owner = Owner::named("a@b.c", why);
            digest.add(&occurrence(text, 0, "a"), &decide(Kind::Log, Some(Level::Error), [&owner], None));
        }
        let owners = digest.owners();
        assert_eq!(owners.len(), 1);
        assert_eq!((owners[0].owner.why, owners[0].messages.len()), (Why::Annotation, 2));
    }

    #[test]
    fn a_message_is_as_urgent_as_its_most_urgent_occurrence() {
        let owner = Owner::named("a@b.c", Why::Author);
        let mut digest = Digest::default();
        for level in [Level::Warning, Level::Critical, Level::Error] {
            let seen = Occurrence { level: Some(level), ..occurrence("disk", 0, "a") };
            digest.add(&seen, &decide(Kind::Log, Some(level), [&owner], None));
        }
        let owners = digest.owners();
        let (_, disk) = owners[0].messages[0];
        assert_eq!((disk.level, disk.count), (Some(Level::Critical), 3));
        assert_eq!(disk.reason, "critical goes to the author of the line");
    }

    #[test]
    fn hosts_are_listed_up_to_a_bound() {
        let owner = Owner::named("@dev", Why::Annotation);
        let decided = decide(Kind::Log, None, [&owner], None);
        let mut digest = Digest::default();
        for host in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            digest.add(&occurrence("disk", 0, host), &decided);
        }
        let owners = digest.owners();
        let (_, disk) = owners[0].messages[0];
        assert_eq!(disk.hosts.len(), 8);
        assert!(disk.more_hosts);
    }

    #[test]
    fn what_nobody_is_told_is_in_no_digest() {
        let owner = Owner::named("a@b.c", Why::Author);
        let decided = decide(Kind::Log, Some(Level::Info), [&owner], None);
        let mut digest = Digest::default();
        assert!(!digest.add(&occurrence("disk", 0, "a"), &decided));
        assert!(digest.owners().is_empty());
    }
}
