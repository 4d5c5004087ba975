//! Who reads a digest: their zone, calendar and slot, and who reads in the place of whoever has left.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Time;

use super::news::PersonNews;
use crate::Destination;
use crate::book::Book;
use crate::calendar::{Calendar, DaysOff, Zone};
use crate::config::{Config, Person, Team};

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

/// Everybody the configuration knows, by all their names.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    config: Arc<Config>,
    /// Keys of people by handle and e-mail address, in lower case.
    names: BTreeMap<String, String>,
}

impl Directory {
    pub(super) fn of(config: Arc<Config>) -> Directory {
        let mut names = BTreeMap::new();
        let people = || config.people.iter();
        // What a person is listed under goes before what another one says of theirs.
        for (key, _) in people() {
            names.entry(key.to_lowercase()).or_insert_with(|| key.clone());
        }
        for (key, person) in people() {
            for name in person.emails.iter().chain([&person.handle]).filter(|name| !name.is_empty()) {
                names.entry(name.to_lowercase()).or_insert_with(|| key.clone());
            }
        }
        Directory { config, names }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Who reads what is meant for `destination`: the same person under one name, a team's channel, and whoever
    /// takes over from one who has left. Where nobody does, it stays with them.
    pub(super) fn reader(&self, destination: &Destination, news: &Book<PersonNews>) -> Destination {
        let mut reader = destination.clone();
        for _ in 0..MAX_HANDOVERS {
            let next = match &reader {
                Destination::Person(name) => {
                    let (key, person) = self.person(name);
                    let is_gone = person.is_some_and(|person| person.left_to.is_some())
                        || self.news(key, person, news).is_some_and(|news| news.is_gone);
                    let heir = if is_gone { self.heir(person) } else { None };
                    heir.unwrap_or_else(|| Destination::Person(key.to_owned()))
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
        let config = &*self.config;
        let (person, team, slots) = match reader {
            Destination::Person(name) => {
                let person = self.person(name).1;
                (person, person.and_then(|person| self.team(person.team.as_deref()?)), None)
            }
            Destination::Channel(name) => {
                let is_theirs = |team: &&Team| team.channel.as_ref() == Some(name);
                (None, config.teams.values().find(is_theirs), config.digests.channels.get(name))
            }
            Destination::Team(name) => (None, self.team(name), None),
            Destination::Receiver(_) => (None, None, None),
        };
        let policy = &config.digests;
        let slots = slots.unwrap_or(&policy.slots);
        let heard = match reader {
            Destination::Person(name) => {
                let (key, person) = self.person(name);
                self.news(key, person, news)
            }
            _ => None,
        };
        // Where somebody is now goes before where they were when the configuration was written.
        let zones = [
            heard.and_then(|news| news.zone.as_ref()),
            person.and_then(|person| person.zone.as_ref()),
            slots.zone.as_ref(),
            team.and_then(|team| team.zone.as_ref()),
            Some(&config.zone),
        ];
        let calendar = person.and_then(|person| person.calendar.as_ref());
        let calendar = calendar.or_else(|| team.and_then(|team| team.calendar.as_ref()));
        let calendar = calendar.and_then(|name| config.calendars.get(name));
        let mut calendar = calendar.or_else(|| config.calendars.get("default")).cloned().unwrap_or_default();
        if let Some(person) = person {
            calendar
                .off
                .extend(person.days_off.iter().map(|(first, last)| DaysOff { first: *first, last: *last }));
        }
        Reader {
            zone: zones.into_iter().flatten().find_map(|name| Zone::named(name)).unwrap_or_default(),
            calendar,
            slot: slots.name.clone(),
            at: person.and_then(|person| person.digest_at).unwrap_or(slots.at),
            waits: policy.wait_for_presence && matches!(reader, Destination::Person(_)),
            team: match reader {
                Destination::Person(_) => {
                    team.and_then(|team| team.channel.clone()).map(Destination::Channel)
                }
                _ => None,
            },
        }
    }

    /// What was heard of `reader`, the latest under any of their names.
    pub(super) fn heard<'n>(
        &self,
        reader: &Destination,
        news: &'n Book<PersonNews>,
    ) -> Option<&'n PersonNews> {
        let Destination::Person(name) = reader else { return None };
        let (key, person) = self.person(name);
        self.news(key, person, news)
    }

    /// The name a person is kept under, and what is known of them.
    pub(super) fn person<'a>(&'a self, name: &'a str) -> (&'a str, Option<&'a Person>) {
        let key = match self.config.people.contains_key(name) {
            true => name,
            false => self.names.get(&name.to_lowercase()).map_or(name, String::as_str),
        };
        (key, self.config.people.get(key))
    }

    fn news<'n>(
        &self,
        key: &str,
        person: Option<&Person>,
        news: &'n Book<PersonNews>,
    ) -> Option<&'n PersonNews> {
        let names = person.into_iter().flat_map(|person| person.emails.iter().chain([&person.handle]));
        let names = std::iter::once(key).chain(names.map(String::as_str));
        names.filter_map(|name| news.get(name)).max_by_key(|news| news.at_ms)
    }

    /// Who takes over from a person who has left: whom they name, else their team, else triage.
    fn heir(&self, person: Option<&Person>) -> Option<Destination> {
        let named = person.and_then(|person| person.left_to.as_deref()).map(Destination::named);
        let team = || self.team(person?.team.as_deref()?)?.channel.clone().map(Destination::Channel);
        named.or_else(team).or_else(|| self.triage())
    }

    fn triage(&self) -> Option<Destination> {
        self.config.ownership.triage.as_deref().map(Destination::named)
    }

    fn team(&self, name: &str) -> Option<&Team> {
        self.config.teams.get(name)
    }
}
