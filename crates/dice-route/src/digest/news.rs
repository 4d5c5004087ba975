//! What has been heard of a person: whether they are there, where they live, whether they have left.

use serde::{Deserialize, Serialize};

use crate::Presence;
use crate::book::{Row, Table};

/// What has been heard of a person, all of it the latest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonNews {
    /// The handle or the e-mail address, as it was told.
    pub person: String,
    /// When something was last heard, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether they were there when that was last known, and when it was; `None` when it never was.
    pub online: Option<(bool, i64)>,
    /// Until when they do not want to be disturbed, milliseconds since 1970.
    pub dnd_until_ms: Option<i64>,
    /// The IANA zone they live in.
    pub zone: Option<String>,
    /// They have left.
    pub is_gone: bool,
}

impl Row for PersonNews {
    const TABLE: Table = Table::People;

    fn id(&self) -> &str {
        &self.person
    }
}

impl PersonNews {
    /// What one piece of news says by itself.
    pub fn of(presence: &Presence) -> PersonNews {
        PersonNews {
            person: presence.person.clone(),
            at_ms: presence.at_ms,
            online: presence.is_online.map(|is_online| (is_online, presence.at_ms)),
            dnd_until_ms: presence.dnd_until_ms,
            zone: presence.zone.clone(),
            is_gone: presence.is_gone,
        }
    }

    /// Takes further news. Older news than what is known changes nothing, and what the news does not say stays.
    pub fn take(&mut self, presence: &Presence) {
        if presence.at_ms < self.at_ms {
            return;
        }
        let before = std::mem::replace(self, PersonNews::of(presence));
        self.person = before.person;
        self.online = self.online.or(before.online);
        self.zone = self.zone.take().or(before.zone);
        if presence.is_online.is_none() {
            // Nothing could be found out: an hour of rest that was announced still counts.
            self.dnd_until_ms = self.dnd_until_ms.or(before.dnd_until_ms);
        }
    }
}
