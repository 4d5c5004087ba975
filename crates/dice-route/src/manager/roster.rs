//! Who is who: all the names of a person, where they live, what they may do, and who took over.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Owner, OwnerKind};

use crate::calendar::{Calendar, DaysOff, Zone};
use crate::config::{Config, Ownership, Person, Team};
use crate::digest::PersonNews;
use crate::{Destination, Presence};

/// How often what somebody owns is handed on from one who left to another.
const MAX_HEIRS: usize = 16;

/// The people of a configuration, with what has been heard of them since.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    config: Option<Arc<Config>>,
    ownership: Ownership,
    /// Every handle and address in lower case → the key in `config.people`.
    keys: BTreeMap<String, String>,
    /// By the name that [`Roster::canonical`] gives.
    heard: BTreeMap<String, Heard>,
}

/// What was heard of a person, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    at_ms: i64,
    zone: Option<String>,
    is_gone: bool,
}

impl Roster {
    /// The people of `config`, with what has been heard of them.
    pub fn new<'n>(config: &Arc<Config>, news: impl IntoIterator<Item = &'n PersonNews>) -> Roster {
        let mut keys = BTreeMap::new();
        for (key, person) in &config.people {
            let names = [key, &person.handle].into_iter().chain(&person.emails);
            for name in names.filter(|name| !name.is_empty()) {
                keys.entry(name.to_lowercase()).or_insert_with(|| key.clone());
            }
        }
        let ownership = config.ownership.clone();
        let mut roster = Roster { config: Some(config.clone()), ownership, keys, heard: BTreeMap::new() };
        for news in news {
            let name = roster.canonical(&news.person).to_owned();
            let heard = Heard { at_ms: news.at_ms, zone: news.zone.clone(), is_gone: news.is_gone };
            if roster.heard.get(&name).is_none_or(|known| known.at_ms < heard.at_ms) {
                roster.heard.insert(name, heard);
            }
        }
        roster
    }

    /// Whether a person's news say that they live elsewhere, have left or are back.
    pub fn is_news(&self, presence: &Presence) -> bool {
        match self.heard.get(self.canonical(&presence.person)) {
            Some(known) => {
                known.is_gone != presence.is_gone || (presence.zone.is_some() && known.zone != presence.zone)
            }
            None => presence.zone.is_some() || presence.is_gone,
        }
    }

    /// How "not me" is resolved.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.config.iter().flat_map(|config| config.people.values())
    }

    fn teams(&self) -> impl Iterator<Item = (&String, &Team)> {
        self.config.iter().flat_map(|config| &config.teams)
    }

    fn team(&self, name: &str) -> Option<&Team> {
        self.config.as_ref()?.teams.get(name)
    }

    /// The person with this handle or address.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.config.as_ref()?.people.get(self.keys.get(&name.to_lowercase())?)
    }

    /// One name for all the names of a person: the handle, else the first address. Who is not in the
    /// configuration is called what they are called.
    pub fn canonical<'n>(&'n self, name: &'n str) -> &'n str {
        let Some(key) = self.keys.get(&name.to_lowercase()) else { return name };
        let person = self.config.as_ref().and_then(|config| config.people.get(key));
        match person {
            Some(person) if !person.handle.is_empty() => &person.handle,
            Some(person) => person.emails.first().unwrap_or(key),
            None => key,
        }
    }

    /// Whether two names are one person's.
    pub fn is_same(&self, a: &str, b: &str) -> bool {
        a == b || self.canonical(a).eq_ignore_ascii_case(self.canonical(b))
    }

    /// Whether two destinations are the same.
    pub fn reaches_same(&self, a: &Destination, b: &Destination) -> bool {
        match (a, b) {
            (Destination::Person(a), Destination::Person(b)) => self.is_same(a, b),
            (a, b) => a == b,
        }
    }

    /// Whether a destination goes by this name: a person by any of theirs.
    pub fn is_called(&self, destination: &Destination, name: &str) -> bool {
        match destination {
            Destination::Person(known) => self.is_same(known, name),
            _ => destination.name() == name,
        }
    }

    /// Every destination that is the same as this one, this one first.
    pub fn aliases(&self, destination: &Destination) -> Vec<Destination> {
        let mut aliases = vec![destination.clone()];
        if let Destination::Person(name) = destination
            && let Some(person) = self.person(name)
        {
            let names = [self.canonical(name), &person.handle].into_iter();
            let names = names.chain(person.emails.iter().map(String::as_str)).filter(|name| !name.is_empty());
            for alias in names.map(|name| Destination::Person(name.to_owned())) {
                if !aliases.contains(&alias) {
                    aliases.push(alias);
                }
            }
        }
        aliases
    }

    /// The same owners, each person once: under the first of their names, and for the strongest of the reasons.
    pub fn distinct(&self, owners: Vec<Owner>) -> Vec<Owner> {
        if owners.len() < 2 {
            return owners;
        }
        let mut distinct: Vec<Owner> = Vec::with_capacity(owners.len());
        for owner in owners {
            let is_same = |known: &&mut Owner| {
                known.kind == owner.kind
                    && (known.name == owner.name
                        || owner.kind == OwnerKind::Person && self.is_same(&known.name, &owner.name))
            };
            match distinct.iter_mut().find(is_same) {
                Some(known) => known.why = known.why.min(owner.why),
                None => distinct.push(owner),
            }
        }
        distinct
    }

    /// Whether they are an administrator.
    pub fn is_admin(&self, name: &str) -> bool {
        self.person(name).is_some_and(|person| person.is_admin)
    }

    /// The administrators, in order.
    pub fn admins(&self) -> impl Iterator<Item = &str> {
        let admins = self.config.iter().flat_map(|config| &config.people).filter(|(_, who)| who.is_admin);
        admins.map(|(name, _)| self.canonical(name))
    }

    /// Whether they have left.
    pub fn has_left(&self, name: &str) -> bool {
        self.person(name).is_some_and(|person| person.left_to.is_some())
            || self.heard.get(self.canonical(name)).is_some_and(|heard| heard.is_gone)
    }

    /// Whether anybody has left at all.
    pub fn has_leavers(&self) -> bool {
        self.people().any(|person| person.left_to.is_some()) || self.heard.values().any(|heard| heard.is_gone)
    }

    /// Who takes over what `name` owns: themselves while they are there; `None` when they left it to nobody.
    pub fn heir<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        let mut name = name;
        for _ in 0..MAX_HEIRS {
            if !self.has_left(name) {
                return Some(name);
            }
            name = self.person(name)?.left_to.as_deref()?;
        }
        None
    }

    /// Their team, by name.
    pub fn team_of(&self, name: &str) -> Option<(&str, &Team)> {
        let named = self.person(name).and_then(|person| person.team.as_deref());
        let listed = || {
            let members = |team: &Team| team.members.iter().any(|member| self.is_same(member, name));
            self.teams().find(|(_, team)| members(team)).map(|(team, _)| team.as_str())
        };
        let team = named.or_else(listed)?;
        self.config.as_ref()?.teams.get_key_value(team).map(|(name, team)| (name.as_str(), team))
    }

    /// Whether they are in the team with this name.
    pub fn is_in(&self, name: &str, team: &str) -> bool {
        self.person(name).is_some_and(|person| person.team.as_deref() == Some(team))
            || self
                .team(team)
                .is_some_and(|team| team.members.iter().any(|member| self.is_same(member, name)))
    }

    /// Whether `name` is that owner, or one of those who are: a team's members, the team that reads a channel.
    pub fn is_owner(&self, name: &str, owner: &Owner) -> bool {
        match owner.kind {
            OwnerKind::Person => self.is_same(&owner.name, name),
            OwnerKind::Team => self.is_in(name, &owner.name),
            OwnerKind::Channel => {
                let reads = |team: &Team| team.channel.as_deref() == Some(owner.name.as_str());
                self.teams().any(|(key, team)| reads(team) && self.is_in(name, key))
            }
        }
    }

    /// Whether `name` may hide something from everyone: an administrator or one of its owners. Where there
    /// is neither, everybody may, since somebody must be able to.
    pub fn may_hide(&self, name: &str, owners: &[Owner]) -> bool {
        let is_held = self.people().any(|person| person.is_admin)
            || owners.iter().any(|owner| match owner.kind {
                OwnerKind::Person => true,
                OwnerKind::Team => self.team(&owner.name).is_some_and(|t| !t.members.is_empty()),
                OwnerKind::Channel => false,
            });
        !is_held || self.is_admin(name) || owners.iter().any(|owner| self.is_owner(name, owner))
    }

    /// The zone they live in: what was heard last, else the configuration's, their team's, the router's.
    pub fn zone_of(&self, name: &str) -> Zone {
        let heard = self.heard.get(self.canonical(name)).and_then(|heard| heard.zone.as_deref());
        let said = self.person(name).and_then(|person| person.zone.as_deref());
        let team = self.team_of(name).and_then(|(_, team)| team.zone.as_deref());
        let routers = self.config.as_ref().map(|config| config.zone.as_str());
        [heard, said, team, routers].into_iter().flatten().find_map(Zone::named).unwrap_or_else(Zone::utc)
    }

    /// The days they work: their own calendar, else their team's, else the default one, without their days
    /// off.
    pub fn calendar_of(&self, name: &str) -> Calendar {
        let person = self.person(name);
        let own = person.and_then(|person| person.calendar.as_deref());
        let team = self.team_of(name).and_then(|(_, team)| team.calendar.as_deref());
        let mut calendar = [own, team, Some("default")]
            .into_iter()
            .flatten()
            .find_map(|name| self.config.as_ref()?.calendars.get(name))
            .cloned()
            .unwrap_or_default();
        let days_off = person.map_or(&[][..], |person| &person.days_off);
        calendar.off.extend(days_off.iter().map(|(first, last)| DaysOff { first: *first, last: *last }));
        calendar
    }
}
