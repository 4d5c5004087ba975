//! What has been heard of a person: whether they are there, where they live, whether they have left.

use serde::{Deserialize, Serialize};

use crate::Presence;
use crate::book::{Row, Table};

/// What has been heard of a person, all of it the latest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonNews {
    /// The person, by one of all their names.
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
    /// Nothing has been heard of `person`.
    pub(super) fn new(person: &str) -> PersonNews {
        PersonNews {
            person: person.to_owned(),
            at_ms: i64::MIN,
            online: None,
            dnd_until_ms: None,
            zone: None,
            is_gone: false,
        }
    }

    /// Takes further news; false when it is older than what is known, which it leaves as it is. What the news
    /// does not say stays.
    pub(super) fn take(&mut self, presence: &Presence) -> bool {
        if presence.at_ms < self.at_ms {
            return false;
        }
        self.at_ms = presence.at_ms;
        self.is_gone = presence.is_gone;
        if let Some(zone) = &presence.zone
            && self.zone.as_ref() != Some(zone)
        {
            self.zone = Some(zone.clone());
        }
        match presence.is_online {
            Some(is_online) => {
                self.online = Some((is_online, presence.at_ms));
                self.dnd_until_ms = presence.dnd_until_ms;
            }
            // Nothing could be found out: a rest that was announced still counts.
            None => self.dnd_until_ms = presence.dnd_until_ms.or(self.dnd_until_ms),
        }
        true
    }
}
