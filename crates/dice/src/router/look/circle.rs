//! What somebody asks about, and what belongs to it.

use std::collections::BTreeSet;

use dice_route::MessageId;

use super::Look;

/// Fewer digits than this name nothing.
const MIN_DIGITS: usize = 6;

/// Something in the state that has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    Message(MessageId),
    /// Occurrences by their deduplication key.
    Alert(String),
    /// An episode of a rule.
    Episode(String),
    /// A message that is told as it happens.
    Immediate(String),
    Group(String),
    /// A row of the outbox.
    Notice(String),
    Snooze(String),
    Silence(String),
    Digest(String),
}

impl Thing {
    /// What is called `text`, or, where nothing is, what begins with it.
    pub(crate) fn called(look: &Look, text: &str) -> Vec<Thing> {
        let manager = look.router.manager();
        let mut exact = BTreeSet::new();
        let mut begun = BTreeSet::new();
        let mut compare = |name: &str, thing: &dyn Fn() -> Thing| {
            let digits = ["u:", "i:"].iter().find_map(|sign| name.strip_prefix(sign)).unwrap_or(name);
            if name == text || digits == text {
                exact.insert(thing());
            } else if text.len() >= MIN_DIGITS && (name.starts_with(text) || digits.starts_with(text)) {
                begun.insert(thing());
            }
        };
        for (alert, _) in manager.alerts().iter() {
            compare(&alert.message.to_string(), &|| Thing::Message(alert.message));
            compare(&alert.id, &|| Thing::Alert(alert.id.clone()));
        }
        for episode in manager.episodes().iter() {
            compare(&episode.id, &|| Thing::Episode(episode.id.clone()));
        }
        for ongoing in manager.immediate().iter() {
            compare(&ongoing.id, &|| Thing::Immediate(ongoing.id.clone()));
        }
        for group in manager.groups().iter() {
            for name in [&group.name, &group.id, &group.subject()] {
                compare(name, &|| Thing::Group(group.name.clone()));
            }
        }
        for intent in look.router.outbox().iter() {
            compare(&intent.id, &|| Thing::Notice(intent.id.clone()));
        }
        for snooze in manager.snoozes().list() {
            compare(&snooze.id, &|| Thing::Snooze(snooze.id.clone()));
        }
        for silence in manager.silences().iter() {
            compare(&silence.name, &|| Thing::Silence(silence.name.clone()));
        }
        for edition in manager.digests().editions() {
            compare(&edition.id, &|| Thing::Digest(edition.id.clone()));
        }
        let found = if exact.is_empty() { begun } else { exact };
        found.into_iter().collect()
    }

    /// What sort of thing it is, and its name.
    pub(crate) fn name(&self) -> (&'static str, String) {
        match self {
            Thing::Message(id) => ("message", id.to_string()),
            Thing::Alert(id) => ("alert", id.clone()),
            Thing::Episode(id) | Thing::Immediate(id) => ("episode", id.clone()),
            Thing::Group(id) => ("group", id.clone()),
            Thing::Notice(id) => ("notice", id.clone()),
            Thing::Snooze(id) => ("snooze", id.clone()),
            Thing::Silence(id) => ("silence", id.clone()),
            Thing::Digest(id) => ("digest", id.clone()),
        }
    }
}

/// What belongs to something, by name.
#[derive(Debug, Default)]
pub(super) struct Circle {
    pub(super) messages: BTreeSet<MessageId>,
    pub(super) alerts: BTreeSet<String>,
    pub(super) episodes: BTreeSet<String>,
    /// Messages that are told as they happen.
    pub(super) ongoing: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    /// Notices that were asked for themselves.
    pub(super) notices: BTreeSet<String>,
    pub(super) snoozes: BTreeSet<String>,
    pub(super) silences: BTreeSet<String>,
    pub(super) digests: BTreeSet<String>,
    /// Whether the messages are what is asked for, and not only what it is about.
    pub(super) is_about_messages: bool,
}

impl Circle {
    /// What belongs to `thing`; `was` are earlier names of a message.
    pub(super) fn around(look: &Look, thing: &Thing, was: &[MessageId]) -> Circle {
        let mut circle = Circle::default();
        let manager = look.router.manager();
        match thing {
            Thing::Message(id) => circle.message(look, &|known| known == *id || was.contains(&known), None),
            Thing::Alert(key) => {
                if let Some((alert, _)) = manager.alerts().get(key) {
                    let id = alert.message;
                    circle.message(look, &|known| known == id, Some(key));
                }
            }
            Thing::Episode(id) => circle.episode(look, id),
            Thing::Immediate(id) => {
                if let Some(ongoing) = manager.immediate().get(id) {
                    circle.ongoing.insert(id.clone());
                    if let Some((alert, _)) = manager.alerts().get(&ongoing.alert) {
                        circle.alerts.insert(alert.id.clone());
                        circle.messages.insert(alert.message);
                    }
                }
            }
            Thing::Group(name) => {
                circle.groups.insert(name.clone());
                for group in manager.groups().iter().filter(|group| group.name == *name) {
                    circle.episodes.extend(group.members.keys().cloned());
                }
            }
            Thing::Notice(id) => circle.notice(look, id),
            Thing::Snooze(id) => {
                circle.snoozes.insert(id.clone());
                circle.hidden_by(look, id);
            }
            Thing::Silence(id) => {
                circle.silences.insert(id.clone());
                circle.hidden_by(look, id);
            }
            Thing::Digest(id) => {
                circle.digests.insert(id.clone());
                let intent = manager.digests().edition(id).and_then(|edition| edition.intent.clone());
                circle.notices.extend(intent);
            }
        }
        circle
    }

    /// Messages that are asked for, with everything about them; of one deduplication key where one is given.
    fn message(&mut self, look: &Look, is_it: &dyn Fn(MessageId) -> bool, only: Option<&str>) {
        self.is_about_messages = true;
        let manager = look.router.manager();
        for (alert, _) in manager.alerts().iter().filter(|(alert, _)| is_it(alert.message)) {
            if only.is_none_or(|only| only == alert.id) {
                self.messages.insert(alert.message);
                self.alerts.insert(alert.id.clone());
                self.ongoing.extend(manager.immediate().about(&alert.id).map(|each| each.id.clone()));
            }
        }
        let of =
            manager.episodes().iter().filter(|known| known.evidence.messages.iter().any(|id| is_it(*id)));
        for episode in of {
            self.episodes.insert(episode.id.clone());
            self.groups_of(look, &episode.groups);
        }
        for row in manager.digests().rows().filter(|row| !row.is_told() && self.alerts.contains(&row.alert)) {
            let edition = manager
                .digests()
                .editions()
                .find(|edition| edition.reader == row.reader && edition.told.is_none());
            self.digests.extend(edition.map(|edition| edition.id.clone()));
        }
    }

    fn episode(&mut self, look: &Look, id: &str) {
        let Some(episode) = look.router.manager().episodes().get(id) else { return };
        self.episodes.insert(id.to_owned());
        self.messages.extend(&episode.evidence.messages);
        self.groups_of(look, &episode.groups);
    }

    fn groups_of(&mut self, look: &Look, rows: &[String]) {
        let groups = rows.iter().filter_map(|row| look.router.manager().groups().get(row));
        self.groups.extend(groups.map(|group| group.name.clone()));
    }

    fn notice(&mut self, look: &Look, id: &str) {
        let manager = look.router.manager();
        self.notices.insert(id.to_owned());
        let Some(intent) = look.router.outbox().get(id) else { return };
        for row in &intent.notice.rows {
            if let Some(episode) = row.episode.as_deref() {
                if manager.immediate().get(episode).is_some() {
                    self.ongoing.insert(episode.to_owned());
                } else if manager.episodes().get(episode).is_some() {
                    self.episodes.insert(episode.to_owned());
                }
            }
            self.messages.extend(row.message.as_deref().and_then(|id| id.parse::<MessageId>().ok()));
        }
        let group = intent.subject.split_once('/').map_or(intent.subject.as_str(), |(name, _)| name);
        if manager.groups().iter().any(|known| known.name == group) {
            self.groups.insert(group.to_owned());
        }
        if manager.digests().edition(&intent.subject).is_some() {
            self.digests.insert(intent.subject.clone());
        }
    }

    fn hidden_by(&mut self, look: &Look, id: &str) {
        let manager = look.router.manager();
        for episode in manager.episodes().open() {
            let hides = |to: &dice_route::Destination| {
                manager.hides_episode(&episode.id, to, look.now_ms).is_some_and(|(_, by)| by == id)
            };
            if episode.destinations.iter().any(hides) {
                self.episodes.insert(episode.id.clone());
            }
        }
        for ongoing in manager.immediate().iter() {
            let hidden = manager.hides_alert(&ongoing.alert, &ongoing.destination, look.now_ms);
            if hidden.is_some_and(|(_, by)| by == id) {
                self.ongoing.insert(ongoing.id.clone());
            }
        }
    }

    /// All names in it, as notices and records have them.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let lists =
            [&self.alerts, &self.episodes, &self.ongoing, &self.notices, &self.snoozes, &self.silences];
        let mut names: BTreeSet<String> = lists.into_iter().flatten().cloned().collect();
        names.extend(self.groups.iter().cloned());
        names.extend(self.digests.iter().cloned());
        if self.is_about_messages {
            names.extend(self.messages.iter().map(MessageId::to_string));
        }
        names
    }
}
