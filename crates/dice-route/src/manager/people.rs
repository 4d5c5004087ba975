//! What the parts that people talk to ask of the others: things by their names, and how episodes stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::Owner;

use super::screen::Screen;
use super::{
    Alerts, Concern, Episode, Episodes, Groups, Immediate, Kin, Overrides, Scene, Situation, Watch, episodes,
    immediate,
};
use crate::{Cause, Config, Destination, Evidence, Message, MessageId, Scope, Severity};

/// At least so many digits name a thing that has a longer name.
const MIN_DIGITS: usize = 4;

/// So many of the things that fit are named to a person.
const MAX_NAMED: usize = 6;

/// Everything that has a name.
#[derive(Debug, Clone, Copy)]
pub struct Things<'a> {
    /// What the router was told to do.
    pub config: &'a Config,
    /// Messages, and occurrences by deduplication key.
    pub alerts: &'a Alerts,
    /// Messages that are told as they happen.
    pub immediate: &'a Immediate,
    /// Episodes of rules.
    pub episodes: &'a Episodes,
    /// Groups of them.
    pub groups: &'a Groups,
    /// Who owns what.
    pub overrides: &'a Overrides,
}

impl Things<'_> {
    /// What is known of a message beyond its text.
    fn of_message(&self, message: &Message) -> Concern {
        let rows = self.alerts.iter().filter(|(alert, _)| alert.message == message.id);
        let owners = self.overrides.owners(message);
        Concern {
            title: episodes::title_of_message(message, ""),
            severity: rows.map(|(alert, _)| alert.severity()).max().unwrap_or_default(),
            message: Some(message.id),
            told: owners.iter().map(|owner| Destination::named(&owner.name)).collect(),
            owners,
        }
    }

    fn of_alert(&self, named: &str) -> Result<(Scope, Concern), String> {
        let keys = self.alerts.iter().map(|(alert, _)| alert.id.as_str());
        let key = one_of(named, keys, "deduplication key")?;
        let Some((alert, message)) = self.alerts.get(key) else { return Err(nothing(named, "key", "")) };
        let title = episodes::title_of_message(message, &alert.sample);
        let concern = Concern { title, severity: alert.severity(), ..self.of_message(message) };
        Ok((Scope::Alert(key.to_owned()), concern))
    }

    /// What is known of these episodes together.
    fn of_episodes<'e>(&self, title: String, open: impl Iterator<Item = &'e Episode>) -> Concern {
        let mut concern = Concern { title, severity: Severity::Low, ..Concern::default() };
        for episode in open {
            concern.severity = concern.severity.max(episode.severity);
            for owner in self.owners_of(episode) {
                if !concern.owners.iter().any(|known| known.name == owner.name) {
                    concern.owners.push(owner);
                }
            }
            for destination in &episode.destinations {
                if !concern.told.contains(destination) {
                    concern.told.push(destination.clone());
                }
            }
        }
        concern
    }

    /// Who owns the messages of an episode now; who owned them when it began, where they are forgotten.
    fn owners_of(&self, episode: &Episode) -> Vec<Owner> {
        let known = episode.evidence.messages.iter().filter_map(|id| self.alerts.message(*id));
        let messages: Vec<&Arc<Message>> = known.collect();
        if messages.is_empty() {
            return episode.owners.clone();
        }
        let owners = messages.iter().flat_map(|message| self.overrides.owners(message)).collect();
        let owners = self.overrides.roster().distinct(owners);
        let fallback = messages.first().and_then(|message| message.fallback.as_ref());
        let owners = episodes::united(owners, fallback);
        if owners.is_empty() { episode.owners.clone() } else { owners }
    }

    /// What is known now of an episode: of a rule, or of a message that is told as it happens.
    pub fn evidence_of(&self, episode: &str) -> Option<Evidence> {
        if let Some(episode) = self.episodes.get(episode) {
            return Some(episode.evidence.clone());
        }
        let ongoing = self.immediate.get(episode)?;
        let (alert, message) = self.alerts.get(&ongoing.alert)?;
        (alert.runs == ongoing.run).then(|| alert.evidence(&alert.running(), Some(message)))
    }

    fn group_of(&self, episode: &Episode) -> Option<&str> {
        let row = episode.groups.first()?;
        Some(&self.groups.get(row)?.name)
    }

    /// How an episode stands, whether it goes on or has ended.
    pub fn situation_of(&self, episode: &Episode) -> Situation {
        let row = |row: &String| self.groups.get(row);
        let told = episode.groups.iter().filter_map(row);
        Situation {
            severity: episode.severity,
            policy: episode.policy.clone(),
            title: episode.title.clone(),
            row: episode.row(),
            owners: self.owners_of(episode),
            told: told.map(|group| (group.destination.clone(), group.first.clone())).collect(),
        }
    }
}

impl Scene for Things<'_> {
    fn concern(&self, scope: &Scope) -> Result<(Scope, Concern), String> {
        match scope {
            Scope::Message(named) => {
                let message = message_called(named, self.alerts)?;
                Ok((Scope::Message(message.id.to_string()), self.of_message(&message)))
            }
            Scope::Alert(named) => self.of_alert(named),
            Scope::Rule(named) => {
                let Some(rule) = self.config.rules.iter().find(|rule| *rule.id == **named) else {
                    let names: Vec<&str> =
                        self.config.rules.iter().map(|rule| &*rule.id).take(MAX_NAMED).collect();
                    return Err(nothing(named, "rule", &names.join(", ")));
                };
                let open = self.episodes.open().filter(|episode| episode.rule == rule.id);
                let mut concern = self.of_episodes(format!("rule {named}"), open);
                concern.severity = rule.severity;
                Ok((scope.clone(), concern))
            }
            Scope::Group(named) => {
                // What its notices are about is its name and a number.
                let name = named.split_once('/').map_or(named.as_str(), |(name, _)| name);
                let rows = || self.groups.iter().filter(|group| group.name == name || group.id == name);
                let Some(first) = rows().next() else { return Err(nothing(named, "group", "")) };
                let members = rows().flat_map(|group| group.members.keys());
                let open = members.filter_map(|id| self.episodes.get(id)).filter(|known| known.is_open());
                let concern = self.of_episodes(format!("group of route {}", first.route), open);
                Ok((Scope::Group(first.name.clone()), concern))
            }
            Scope::Episode(named) if named.starts_with(immediate::PREFIX) => {
                // A message that is told as it happens goes on as long as its lines do: those are meant.
                let id = one_of(named, self.immediate.called(named).into_iter(), "episode that goes on")?;
                let Some(ongoing) = self.immediate.get(id) else {
                    return Err(nothing(named, "episode that goes on", ""));
                };
                self.of_alert(&ongoing.alert)
            }
            Scope::Episode(named) => {
                let id = one_of(named, self.episodes.open().map(|known| known.id.as_str()), "open episode")?;
                let Some(episode) = self.episodes.get(id) else {
                    return Err(nothing(named, "episode", ""));
                };
                let concern = self.of_episodes(episode.title.clone(), std::iter::once(episode));
                Ok((Scope::Episode(id.to_owned()), concern))
            }
        }
    }

    fn kin(&self, episode: &str) -> Kin {
        let Some(episode) = self.episodes.get(episode) else { return Kin::default() };
        Kin { rule: Some(episode.rule.to_string()), group: self.group_of(episode).map(str::to_owned) }
    }
}

/// Everything that has a name, and what is hidden of it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The things.
    pub things: Things<'a>,
    /// What is hidden.
    pub screen: Screen<'a>,
}

impl Watch for View<'_> {
    fn situation(&self, episode: &str) -> Option<Situation> {
        let episode = self.things.episodes.get(episode).filter(|episode| episode.is_open())?;
        Some(self.things.situation_of(episode))
    }

    fn hides(&self, episode: &str, destination: &Destination) -> Option<(Cause, String)> {
        let episode = self.things.episodes.get(episode)?;
        let subject = episode.subject(self.things.group_of(episode));
        self.screen.hides(&subject, &episode.labels, destination)
    }

    fn hides_from_all(&self, episode: &str) -> Option<String> {
        let episode = self.things.episodes.get(episode)?;
        let subject = episode.subject(self.things.group_of(episode));
        self.screen.hides_from_all(&subject, &episode.labels)
    }

    fn open(&self) -> Vec<String> {
        self.things.episodes.open().map(|episode| episode.id.clone()).collect()
    }
}

/// The message that a person means by a name of today or before, or by the first digits of one.
pub(super) fn message_called(named: &str, alerts: &Alerts) -> Result<Arc<Message>, String> {
    if let Ok(id) = named.parse::<MessageId>() {
        return today(id, alerts).or_else(|| alerts.message(id)).cloned().ok_or_else(|| {
            format!("message {} has not come yet: `dice who` says which messages there are", shown(named))
        });
    }
    let mut fits: BTreeMap<String, &Arc<Message>> = BTreeMap::new();
    for (_, message) in alerts.iter() {
        let id = message.id.to_string();
        if id.starts_with(named) {
            fits.insert(id, message);
        }
    }
    let id = one_of(named, fits.keys().map(String::as_str), "message that has come")?;
    fits.get(id).map(|message| (*message).clone()).ok_or_else(|| nothing(named, "message", ""))
}

/// What a message is called now that was called `id`; `None` when it is called so still.
fn today(id: MessageId, alerts: &Alerts) -> Option<&Arc<Message>> {
    let mut names = vec![id];
    let mut now = None;
    // A text that is changed and changed back goes in a circle: the last one before it closes counts.
    while let Some(next) = alerts
        .iter()
        .map(|(_, message)| message)
        .find(|known| known.was.contains(&names[names.len() - 1]) && !names.contains(&known.id))
    {
        names.push(next.id);
        now = Some(next);
    }
    now
}

/// The one name that begins so.
pub(super) fn one_of<'n>(
    named: &str,
    names: impl Iterator<Item = &'n str>,
    what: &str,
) -> Result<&'n str, String> {
    let mut fits: Vec<&str> = Vec::new();
    for name in names {
        if name == named {
            return Ok(name);
        }
        if name.starts_with(named) {
            fits.push(name);
        }
    }
    match fits.as_slice() {
        [one] if named.len() >= MIN_DIGITS => Ok(one),
        [] => Err(nothing(named, what, "")),
        _ if named.len() < MIN_DIGITS => {
            Err(format!("`{}` is too short: wanted at least {MIN_DIGITS} digits of a {what}", shown(named)))
        }
        several => Err(format!(
            "`{}` fits several of them ({}): {}",
            shown(named),
            several.len(),
            several[..several.len().min(MAX_NAMED)].join(", ")
        )),
    }
}

fn nothing(named: &str, what: &str, known: &str) -> String {
    let known = if known.is_empty() { String::new() } else { format!("; there are {known}") };
    format!("no {what} is called `{}`{known}", shown(named))
}

/// What a person wrote, short enough to be shown again.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}
