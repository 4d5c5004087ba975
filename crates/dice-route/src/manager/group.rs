//! A group: episodes that are told together at one destination, with its timers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::screen::Hidden;
use crate::book::{Row, Table};
use crate::{Destination, Lane};

/// Past instants that a group remembers.
const MAX_PAST: usize = 20;

/// Episodes that are told together at one destination.
///
/// Its timers are instants, not spans, and are kept with it: a restart or another configuration neither
/// resets nor doubles them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Names the row: the group at this destination.
    pub id: String,
    /// Names the group: route, way and the labels it is made by. The same at every destination, for ever.
    pub name: String,
    /// Tells this life of the group from earlier ones.
    pub number: u64,
    /// The route.
    pub route: String,
    /// The labels it is made by.
    pub labels: Vec<(String, String)>,
    /// Where it is told.
    pub destination: Destination,
    /// Why there.
    pub because: String,
    /// How urgent the way is.
    pub lane: Lane,
    /// Its episodes, until their end has been told.
    pub members: BTreeMap<String, Member>,
    /// When it is looked at next, milliseconds since 1970.
    pub due_ms: i64,
    /// When it is told again though nothing changed.
    pub repeat_ms: Option<i64>,
    /// When it was told last.
    pub notified_ms: Option<i64>,
    /// The first notice, which later ones change or follow.
    pub first: Option<String>,
    /// The number of the next notice.
    pub revision: u32,
    /// Until when its notices are held, and why.
    pub held: Option<(i64, String)>,
    /// When it was looked at, and what came of it; the last twenty.
    pub past: Vec<(i64, Reason)>,
}

impl Row for Group {
    const TABLE: Table = Table::Groups;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Group {
    /// What its notices are about.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.name, self.number)
    }

    /// When something has to be done about it.
    pub fn wake_ms(&self) -> i64 {
        match &self.held {
            Some((until_ms, _)) => *until_ms,
            None => self.repeat_ms.map_or(self.due_ms, |repeat_ms| repeat_ms.min(self.due_ms)),
        }
    }

    /// Remembers that it was looked at.
    pub fn remember(&mut self, at_ms: i64, reason: Reason) {
        // Looking at it in vain again and again is remembered once, with its last time.
        if reason == Reason::None
            && let Some((last_ms, Reason::None)) = self.past.last_mut()
        {
            *last_ms = at_ms;
            return;
        }
        if self.past.len() >= MAX_PAST {
            self.past.remove(0);
        }
        self.past.push((at_ms, reason));
    }
}

/// An episode in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What has been told of it.
    pub told: Told,
    /// What hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Hidden>,
}

/// What has been told of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// Nothing.
    Nothing,
    /// That it is open.
    Open,
    /// That it ended, or everything that there is to tell.
    Everything,
}

/// Why a group was told, or that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It had not been told yet.
    First,
    /// It has an open episode that had not been told.
    New,
    /// An episode ended.
    Resolved,
    /// All have ended.
    AllResolved,
    /// It is still so.
    Repeat,
    /// Nothing was to be told.
    None,
}

impl Reason {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::First => "first",
            Reason::New => "new",
            Reason::Resolved => "resolved",
            Reason::AllResolved => "all_resolved",
            Reason::Repeat => "repeat",
            Reason::None => "none",
        }
    }
}

/// A moment in the life of a group; for explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is still to come.
    pub is_next: bool,
    /// What happened or will, in words.
    pub text: String,
}
