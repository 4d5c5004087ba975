//! What can be asked of the manager without changing it: who is told of a message, what hides it from whom,
//! what waits in a digest or in a storm.

use dice_catalog::{Level, Owner};

use super::duties::decide_for;
use super::{Curtain, Manager, Screen, Subject, episodes};
use crate::config::Route;
use crate::digest::Preview;
use crate::{Cause, Config, Decided, Destination, Message, MessageId};

pub use super::storm::Collected;

impl Manager {
    /// Who is told of a message at this level, and how: by the code, by what people said, by the configuration.
    pub fn decided(&self, message: &Message, level: Option<Level>) -> Decided {
        let owners = self.overrides.owners(message);
        decide_for(message, level, owners, self.config.as_deref().unwrap_or(&Config::default()))
    }

    /// The name that a message has today, and how often it came in each of the last `hours` hours by the time of
    /// its events, this one included, the oldest first; `None` where it did not come. A week is known.
    pub fn by_hour(&self, message: MessageId, hours: u32, now_ms: i64) -> Option<(MessageId, Vec<u64>)> {
        self.snoozes.by_hour(message, hours, now_ms)
    }

    /// What hides a deduplication key from `destination`: the sort of thing, and its name.
    pub fn hides_alert(
        &self,
        alert: &str,
        destination: &Destination,
        now_ms: i64,
    ) -> Option<(Cause, String)> {
        let (alert, message) = self.alerts.get(alert)?;
        let config = self.config.as_deref()?;
        let owners = || alert.owners.iter().map(|each| &each.owner);
        let is_theirs = |owner: &&Owner| self.roster.is_called(destination, &owner.name);
        let owner = owners().find(is_theirs).or_else(|| owners().next())?;
        let labels = episodes::labels_of_alert(alert, message, owner, config);
        let subject = Subject {
            message: Some(alert.message),
            was: &message.was,
            alert: Some(&alert.id),
            ..Subject::default()
        };
        self.screen(now_ms).hides(&subject, &labels, destination)
    }

    /// What hides an episode of a rule from `destination`: the sort of thing, and its name.
    pub fn hides_episode(
        &self,
        episode: &str,
        destination: &Destination,
        now_ms: i64,
    ) -> Option<(Cause, String)> {
        let episode = self.episodes.get(episode)?;
        let group = episode.groups.first().and_then(|row| self.groups.get(row));
        let subject = episode.subject(group.map(|group| group.name.as_str()));
        self.screen(now_ms).hides(&subject, &episode.labels, destination)
    }

    /// What whoever reads the digest that is meant for `to` would be told now; `None` when nothing is gathered.
    pub fn preview(&self, to: &Destination, now_ms: i64) -> Option<Preview> {
        self.digests.preview(to, now_ms, &self.curtain(now_ms)?)
    }

    /// What each reader of whom something is gathered would be told now, in the order of readers.
    pub fn previews(&self, now_ms: i64) -> Vec<Preview> {
        self.curtain(now_ms).map(|curtain| self.digests.previews(now_ms, &curtain)).unwrap_or_default()
    }

    /// Where what is called `name`, an episode or a deduplication key, is told together with others because
    /// there is too much.
    pub fn collected(&self, name: &str) -> Vec<Collected> {
        self.storm.telling(name)
    }

    /// The route with this id, with what it takes over from the routes above.
    pub fn route(&self, id: &str) -> Option<&Route> {
        self.routes.get(id).map(|route| &**route)
    }

    fn screen(&self, now_ms: i64) -> Screen<'_> {
        Screen { silences: &self.silences, inhibitions: &self.inhibitions, snoozes: &self.snoozes, now_ms }
    }

    fn curtain(&self, now_ms: i64) -> Option<Curtain<'_>> {
        let config = self.config.as_deref()?;
        Some(Curtain {
            screen: self.screen(now_ms),
            overrides: &self.overrides,
            alerts: &self.alerts,
            config,
        })
    }
}
