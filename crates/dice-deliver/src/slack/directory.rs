//! Which of Slack's ids the names of channels, people and teams mean.

use std::collections::BTreeMap;

use dice_route::{Config, Destination, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Slack;
use super::client::Failure;

/// A person who was found is looked up again after this long.
const KNOWN_MS: i64 = 24 * 3_600_000;

/// A person who was not found.
const UNKNOWN_MS: i64 = 3_600_000;

/// The list of channels is gone through again for a name that was not in it.
const LISTED_MS: i64 = 10 * 60_000;

/// Of each kind so many names are kept.
const MAX_NAMES: usize = 50_000;

/// Calls to go through the list of channels, a thousand at a time.
const MAX_PAGES: usize = 200;

/// What is worth keeping over a restart: ids, which do not change when names do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Channels' ids by the names that notices were sent to, with `#`.
    pub channels: BTreeMap<String, String>,
    /// The conversations with people, by their ids.
    pub directs: BTreeMap<String, String>,
    /// Messages that are gone, and those that took their place.
    pub moved: BTreeMap<String, String>,
}

/// What is known of a workspace.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) remembered: Remembered,
    /// E-mail addresses by every name of a person, lower case.
    emails: BTreeMap<String, Vec<String>>,
    /// What a person is called, by e-mail address, lower case.
    called: BTreeMap<String, String>,
    /// Where a team reads.
    teams: BTreeMap<String, String>,
    /// People's ids, where they were found, by name, and when that was.
    people: BTreeMap<String, (Option<String>, i64)>,
    /// What a person is called, by id.
    faces: BTreeMap<String, String>,
    /// Ids of channels that were seen in the list.
    seen: BTreeMap<String, String>,
    /// Where the list goes on, when going through it was interrupted.
    cursor: Option<String>,
    /// When its end was reached, milliseconds since 1970.
    listed_ms: Option<i64>,
    /// Whether the token may not see private channels.
    sees_no_private: bool,
    /// Where and who the bot is.
    home: Option<Home>,
}

/// Where the bot is, and who: ids.
#[derive(Debug, Clone)]
pub(super) struct Home {
    team: String,
    /// The organisation that the workspace belongs to; empty without one.
    enterprise: String,
    /// What its messages say of who wrote them; empty where that is not known.
    pub(super) bot: String,
}

impl Book {
    pub(super) fn know(&mut self, config: &Config) {
        let before = (std::mem::take(&mut self.emails), std::mem::take(&mut self.called));
        self.teams.clear();
        for (name, person) in &config.people {
            let is_email = |name: &str| name.find('@').is_some_and(|at| at > 0);
            let mut emails = person.emails.clone();
            if is_email(name) && !emails.contains(name) {
                emails.push(name.clone());
            }
            let handle = if person.handle.is_empty() { name } else { &person.handle };
            for email in &emails {
                self.called.insert(email.to_lowercase(), handle.clone());
                self.emails.insert(email.to_lowercase(), emails.clone());
            }
            self.emails.insert(name.to_lowercase(), emails.clone());
            self.emails.insert(handle.to_lowercase(), emails);
        }
        for (name, team) in &config.teams {
            if let Some(channel) = &team.channel {
                self.teams.insert(name.clone(), channel.clone());
            }
        }
        if before != (self.emails.clone(), self.called.clone()) {
            // Whoever was found by an address that was wrong must not get any more, and a name that was given
            // today is who acts.
            self.people.clear();
            self.faces.clear();
        }
        // Who was not found may be there now.
        self.people.retain(|_, (id, _)| id.is_some());
    }

    /// The e-mail addresses of a person.
    fn emails_of(&self, person: &str) -> Vec<String> {
        let known = self.emails.get(&person.to_lowercase()).cloned().unwrap_or_default();
        if known.is_empty() && person.find('@').is_some_and(|at| at > 0) {
            vec![person.to_owned()]
        } else {
            known
        }
    }

    /// What the router calls whoever has this e-mail address.
    fn name_of(&self, email: &str) -> String {
        self.called.get(&email.to_lowercase()).cloned().unwrap_or_else(|| email.to_owned())
    }

    /// The name of a channel that notices were sent to.
    pub(super) fn channel_named(&self, id: &str) -> Option<String> {
        let known = self.remembered.channels.iter().find(|(_, known)| *known == id);
        known.map(|(name, _)| name.clone())
    }

    /// Which message stands in place of one that is gone.
    pub(super) fn today(&self, reference: &str) -> String {
        let mut today = reference;
        // As often as messages can have gone; a circle ends too.
        for _ in 0..16 {
            match self.remembered.moved.get(today) {
                Some(next) => today = next,
                None => break,
            }
        }
        today.to_owned()
    }

    pub(super) fn moved(&mut self, from: &str, to: &str) {
        if from != to {
            put(&mut self.remembered.moved, from, to.to_owned());
        }
    }

    fn forget_channel(&mut self, name: &str) {
        self.remembered.channels.remove(name);
        self.seen.clear();
        (self.cursor, self.listed_ms) = (None, None);
    }
}

/// Keeps one more, and no more than there is room for.
fn put<T>(map: &mut BTreeMap<String, T>, name: &str, value: T) {
    if map.len() >= MAX_NAMES && !map.contains_key(name) {
        map.pop_first();
    }
    map.insert(name.to_owned(), value);
}

/// A channel's name as Slack has it.
fn plain_name(name: &str) -> String {
    name.trim_start_matches('#').to_lowercase()
}

/// Whether a channel is named by its id.
fn is_id(name: &str) -> bool {
    name.len() >= 9
        && name.starts_with(['C', 'G', 'D'])
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

impl Slack {
    /// The id of the conversation that a destination means.
    pub(super) async fn place(&self, destination: &Destination, now_ms: i64) -> Result<String, Outcome> {
        match destination {
            Destination::Channel(name) => self.channel(name, now_ms).await,
            Destination::Person(name) => {
                let person = self.person(name, now_ms).await?;
                self.direct(&person).await
            }
            Destination::Team(name) => match self.book(|book| book.teams.get(name).cloned()) {
                Some(channel) => self.channel(&channel, now_ms).await,
                None => Err(Outcome::Refused(format!(
                    "{name} reads nowhere in Slack: name its channel under [teams]"
                ))),
            },
            Destination::Receiver(name) => {
                Err(Outcome::Refused(format!("{name} is no channel, person or team in Slack")))
            }
        }
    }

    /// Forgets what a destination meant; true when it may mean something else now.
    pub(super) fn forget(&self, destination: &Destination) -> bool {
        self.book(|book| match destination {
            // An id means the same for ever, and what is known of others stays.
            Destination::Channel(name) if is_id(name.trim_start_matches('#')) => false,
            Destination::Channel(name) => {
                book.forget_channel(name);
                true
            }
            Destination::Person(name) => {
                if let Some((Some(id), _)) = book.people.remove(name) {
                    book.remembered.directs.remove(&id);
                }
                true
            }
            Destination::Team(name) => {
                if let Some(channel) = book.teams.get(name).cloned() {
                    book.forget_channel(&channel);
                }
                true
            }
            Destination::Receiver(_) => false,
        })
    }

    /// The id of a channel. What is known is kept for ever: an id outlives its name.
    pub(super) async fn channel(&self, name: &str, now_ms: i64) -> Result<String, Outcome> {
        let wanted = plain_name(name);
        if is_id(name.trim_start_matches('#')) {
            return Ok(name.trim_start_matches('#').to_owned());
        }
        let known = |book: &mut Book| {
            let known = book.remembered.channels.get(name).or_else(|| book.seen.get(&wanted)).cloned();
            if let Some(id) = &known {
                put(&mut book.remembered.channels, name, id.clone());
            }
            known
        };
        if let Some(id) = self.book(known) {
            return Ok(id);
        }
        let _alone = self.listing.lock().await;
        for _ in 0..MAX_PAGES {
            if let Some(id) = self.book(known) {
                return Ok(id);
            }
            if self.book(|book| book.listed_ms).is_some_and(|at_ms| now_ms < at_ms.saturating_add(LISTED_MS))
            {
                break;
            }
            self.list(now_ms)
                .await
                .map_err(|failure| failure.of_reading(&format!("cannot look up {name}")))?;
        }
        Err(Outcome::Refused(format!(
            "there is no channel {name} that is not archived and that the bot sees: create it, invite the bot, \
             or correct the name"
        )))
    }

    /// Goes on with the list of channels.
    async fn list(&self, now_ms: i64) -> Result<(), Failure> {
        let (cursor, is_public) = self.book(|book| (book.cursor.clone(), book.sees_no_private));
        let types = if is_public { "public_channel" } else { "public_channel,private_channel" };
        let mut fields = vec![("types", types), ("exclude_archived", "true"), ("limit", "1000")];
        if let Some(cursor) = &cursor {
            fields.push(("cursor", cursor));
        }
        let reply = match self.read("conversations.list", &fields).await {
            Err(failure) if failure.is_scope() && !is_public => {
                self.book(|book| (book.sees_no_private, book.cursor) = (true, None));
                return Ok(());
            }
            Err(failure) => {
                self.book(|book| book.cursor = book.cursor.take().filter(|_| !failure.is("invalid_cursor")));
                return Err(failure);
            }
            Ok(reply) => reply,
        };
        let channels = reply.value["channels"].as_array().cloned().unwrap_or_default();
        self.book(|book| {
            for channel in &channels {
                if let (Some(id), Some(name)) = (channel["id"].as_str(), channel["name"].as_str()) {
                    put(&mut book.seen, &name.to_lowercase(), id.to_owned());
                }
            }
            book.cursor = reply.cursor();
            if book.cursor.is_none() {
                book.listed_ms = Some(now_ms);
            }
        });
        Ok(())
    }

    /// Where the bot is, and who. Asked once.
    pub(super) async fn home(&self) -> Result<Home, Failure> {
        if let Some(home) = self.book(|book| book.home.clone()) {
            return Ok(home);
        }
        let reply = self.read("auth.test", &[]).await?;
        let text = |path: &str| reply.text(path).to_owned();
        let home = Home { team: text("/team_id"), enterprise: text("/enterprise_id"), bot: text("/bot_id") };
        self.book(|book| book.home = Some(home.clone()));
        Ok(home)
    }

    /// Whether somebody is of this workspace or its organisation. Guests through shared channels choose their
    /// e-mail addresses elsewhere: such an address is nobody's word for who they are.
    async fn is_ours(&self, user: &Value) -> Result<bool, Failure> {
        let Home { team, enterprise, .. } = self.home().await?;
        let is_colleague =
            !enterprise.is_empty() && user["enterprise_user"]["enterprise_id"] == enterprise.as_str();
        Ok(user["team_id"] == team.as_str() || is_colleague)
    }

    /// The id of a person.
    pub(super) async fn person(&self, name: &str, now_ms: i64) -> Result<String, Outcome> {
        let known = self.book(|book| book.people.get(name).cloned());
        let emails = self.book(|book| book.emails_of(name));
        let unknown = || {
            if emails.is_empty() {
                let text = format!("no e-mail address is known for {name}: add one under [people]");
                return Outcome::Refused(text);
            }
            let emails = emails.join(", ");
            Outcome::Refused(format!(
                "nobody in the workspace has the e-mail address of {name} ({emails}): correct it under [people]"
            ))
        };
        match known {
            Some((Some(id), at_ms)) if now_ms < at_ms.saturating_add(KNOWN_MS) => return Ok(id),
            Some((None, at_ms)) if now_ms < at_ms.saturating_add(UNKNOWN_MS) => return Err(unknown()),
            _ => {}
        }
        for email in &emails {
            match self.read("users.lookupByEmail", &[("email", email)]).await {
                Ok(reply) if !reply.text("/user/id").is_empty() => {
                    let user = &reply.value["user"];
                    let is_ours = self.is_ours(user).await;
                    if user["deleted"] == true
                        || user["is_bot"] == true
                        || !is_ours.map_err(|failure| failure.of_reading("cannot look up the workspace"))?
                    {
                        continue;
                    }
                    let id = reply.text("/user/id").to_owned();
                    self.book(|book| {
                        put(&mut book.people, name, (Some(id.clone()), now_ms));
                        let face = book.name_of(email);
                        put(&mut book.faces, &id, face);
                    });
                    return Ok(id);
                }
                Ok(_) => {}
                Err(failure) if failure.is("users_not_found") => {}
                Err(failure) => return Err(failure.of_reading(&format!("cannot look up {name}"))),
            }
        }
        self.book(|book| put(&mut book.people, name, (None, now_ms)));
        Err(unknown())
    }

    /// The conversation with a person.
    async fn direct(&self, person: &str) -> Result<String, Outcome> {
        if let Some(id) = self.book(|book| book.remembered.directs.get(person).cloned()) {
            return Ok(id);
        }
        let reply = self.write("conversations.open", &json!({"users": person})).await;
        let reply = reply.map_err(|failure| failure.of_reading("cannot open the conversation"))?;
        let id = reply.text("/channel/id").to_owned();
        if id.is_empty() {
            return Err(Outcome::Deferred(10_000, "Slack named no conversation with the person".to_owned()));
        }
        self.book(|book| put(&mut book.remembered.directs, person, id.clone()));
        Ok(id)
    }

    /// What the router calls the person with this id: the handle of the configuration, else the e-mail
    /// address.
    ///
    /// # Errors
    ///
    /// Why that cannot be found out, in words: who nobody knows may do nothing.
    pub async fn person_of(&self, user: &str) -> Result<String, String> {
        if let Some(name) = self.book(|book| book.faces.get(user).cloned()) {
            return Ok(name);
        }
        let reply =
            self.read("users.info", &[("user", user)]).await.map_err(|failure| failure.to_string())?;
        if !self.is_ours(&reply.value["user"]).await.map_err(|failure| failure.to_string())? {
            return Err("only people of this workspace can do that".to_owned());
        }
        let email = reply.text("/user/profile/email");
        if email.is_empty() {
            return Err("Slack does not tell your e-mail address: the app needs users:read.email".to_owned());
        }
        let name = self.book(|book| {
            let name = book.name_of(email);
            put(&mut book.faces, user, name.clone());
            name
        });
        Ok(name)
    }

    /// The name of a channel as the configuration has it, where notices were sent to it.
    pub(super) fn channel_named(&self, id: &str) -> Option<String> {
        self.book(|book| book.channel_named(id))
    }
}
