//! Who reads a digest: their zone, calendar and slot, and who reads in the place of whoever has left.

use std::sync::Arc;

use jiff::civil::Time;

use super::news::PersonNews;
use crate::Destination;
use crate::book::Book;
use crate::calendar::{Calendar, Zone};
use crate::config::{Config, Slots, Team};
use crate::manager::Roster;

/// Hand-overs that are followed from one person who has left to the next.
const MAX_HANDOVERS: usize = 8;

/// When somebody reads.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) zone: Zone,
    pub(super) calendar: Calendar,
    /// The slot's name.
    pub(super) slot: String,
    /// The slot's time of day.
    pub(super) at: Time,
    /// Whether a digest waits until they are there.
    pub(super) waits: bool,
    /// Where the team reads.
    pub(super) team: Option<Destination>,
}

/// Who reads what, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    config: Arc<Config>,
    roster: Roster,
}

impl Directory {
    pub(super) fn of(config: Arc<Config>) -> Directory {
        // What is heard of people changes often: it stays beside the roster, which is made anew as a whole.
        Directory { roster: Roster::new(&config, []), config }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// One name for all the names of a person.
    pub(super) fn canonical<'n>(&'n self, name: &'n str) -> &'n str {
        self.roster.canonical(name)
    }

    /// Who reads what is meant for `destination`: the same person under one name, a team's channel, and whoever
    /// takes over from one who has left. Where nobody does, it stays with them.
    pub(super) fn reader(&self, destination: &Destination, news: &Book<PersonNews>) -> Destination {
        let mut reader = destination.clone();
        for _ in 0..MAX_HANDOVERS {
            let next = match &reader {
                Destination::Person(name) => {
                    let name = self.roster.canonical(name);
                    let has_left =
                        self.roster.has_left(name) || news.get(name).is_some_and(|news| news.is_gone);
                    let heir = if has_left { self.heir(name) } else { None };
                    heir.unwrap_or_else(|| Destination::Person(name.to_owned()))
                }
                Destination::Team(name) => {
                    let channel = self.config.teams.get(name).and_then(|team| team.channel.as_ref());
                    channel.map_or_else(|| reader.clone(), |name| Destination::Channel(name.clone()))
                }
                Destination::Channel(_) | Destination::Receiver(_) => return reader,
            };
            if next == reader {
                return reader;
            }
            reader = next;
        }
        // They hand over to each other in a circle.
        self.triage().unwrap_or(reader)
    }

    /// When `reader` reads.
    pub(super) fn times(&self, reader: &Destination, news: &Book<PersonNews>) -> Reader {
        match reader {
            Destination::Person(name) => self.person(name, news.get(name)),
            Destination::Channel(name) => {
                let is_theirs = |team: &&Team| team.channel.as_ref() == Some(name);
                let team = self.config.teams.values().find(is_theirs);
                self.place(team, self.config.digests.channels.get(name))
            }
            Destination::Team(name) => self.place(self.config.teams.get(name), None),
            Destination::Receiver(_) => self.place(None, None),
        }
    }

    fn person(&self, name: &str, news: Option<&PersonNews>) -> Reader {
        let policy = &self.config.digests;
        let own = self.roster.person(name).and_then(|person| person.digest_at);
        let team = self.roster.team_of(name).and_then(|(_, team)| team.channel.clone());
        let zone = news.and_then(|news| Zone::named(news.zone.as_deref()?));
        Reader {
            // Where somebody is now goes before where they were when the configuration was written.
            zone: zone.unwrap_or_else(|| self.roster.zone_of(name)),
            calendar: self.roster.calendar_of(name),
            slot: policy.slots.name.clone(),
            at: own.unwrap_or(policy.slots.at),
            waits: policy.wait_for_presence,
            team: team.map(Destination::Channel),
        }
    }

    /// A place where several people read: nobody is waited for.
    fn place(&self, team: Option<&Team>, slots: Option<&Slots>) -> Reader {
        let config = &*self.config;
        let slots = slots.unwrap_or(&config.digests.slots);
        let zones = [slots.zone.as_ref(), team.and_then(|team| team.zone.as_ref()), Some(&config.zone)];
        let calendars = [team.and_then(|team| team.calendar.as_deref()), Some("default")];
        let mut calendars = calendars.into_iter().flatten().filter_map(|name| config.calendars.get(name));
        Reader {
            zone: zones.into_iter().flatten().find_map(|name| Zone::named(name)).unwrap_or_default(),
            calendar: calendars.next().cloned().unwrap_or_default(),
            slot: slots.name.clone(),
            at: slots.at,
            waits: false,
            team: None,
        }
    }

    /// Who takes over from a person who has left: whom they name, else their team, else triage.
    fn heir(&self, name: &str) -> Option<Destination> {
        let named = self.roster.person(name).and_then(|person| person.left_to.as_deref());
        let team = || self.roster.team_of(name)?.1.channel.clone().map(Destination::Channel);
        named.map(Destination::named).or_else(team).or_else(|| self.triage())
    }

    fn triage(&self) -> Option<Destination> {
        self.config.ownership.triage.as_deref().map(Destination::named)
    }
}
