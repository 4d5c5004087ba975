//! Who there is, when they work, and when they read digests.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};

/// A person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    /// The handle, with `@`; empty where there is none.
    pub handle: String,
    /// Every e-mail address, first the one to write to.
    pub emails: Vec<String>,
    /// The IANA zone; the router's where there is none.
    pub zone: Option<String>,
    /// The calendar; the team's, else `default`.
    pub calendar: Option<String>,
    /// Days off, first and last.
    pub days_off: Vec<(Date, Date)>,
    /// The team, by `@org/team`.
    pub team: Option<String>,
    /// Whether they may hide things for everyone.
    pub is_admin: bool,
    /// Who takes over what they own: they have left.
    pub left_to: Option<String>,
    /// The time of their digest; the policy's where there is none.
    pub digest_at: Option<Time>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Team {
    /// Who, by handle or e-mail address.
    pub members: Vec<String>,
    /// Where the team reads, with `#`.
    pub channel: Option<String>,
    /// The IANA zone.
    pub zone: Option<String>,
    /// The calendar.
    pub calendar: Option<String>,
}

/// When digests are told.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestPolicy {
    /// The time of day, by the reader's clock.
    pub slots: Slots,
    /// Whether a digest waits until its reader is there.
    pub wait_for_presence: bool,
    /// Working days after which it is told anyway.
    pub max_hold_days: u32,
    /// When nothing is known about a reader's presence, it is told this long after the slot.
    pub unknown_grace_ms: i64,
    /// After so many working days without delivery the team's channel hears; 0 never.
    pub team_fallback_days: u32,
    /// Rows that are told in full.
    pub max_rows: usize,
    /// Channels that get a digest instead of single notices, with their zone and time.
    pub channels: BTreeMap<String, Slots>,
}

/// The time of day of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slots {
    /// What the slot is called: `daily`.
    pub name: String,
    /// The time of day, by the reader's clock.
    pub at: Time,
    /// The zone, for channels; the router's where there is none.
    pub zone: Option<String>,
}

impl Default for DigestPolicy {
    /// What holds where nothing is set.
    fn default() -> DigestPolicy {
        DigestPolicy {
            slots: Slots { name: "daily".to_owned(), at: Time::constant(10, 0, 0, 0), zone: None },
            wait_for_presence: true,
            max_hold_days: 1,
            unknown_grace_ms: 2 * 3_600_000,
            team_fallback_days: 3,
            max_rows: 45,
            channels: BTreeMap::new(),
        }
    }
}

/// Who is on call when.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The IANA zone of its times.
    pub zone: String,
    /// Who takes turns, in order.
    pub people: Vec<String>,
    /// When the turn goes to the next one.
    pub shift: Shift,
    /// When the first one of the list had their first turn.
    pub from: jiff::civil::DateTime,
}

/// When the turn goes to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Every so many days.
    Days(u32),
    /// Every so many weeks.
    Weeks(u32),
}

/// How "not me" is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// Where messages go that several people declined.
    pub triage: Option<String>,
    /// So many people's "not me" send a message to triage.
    pub max_rejections: u32,
    /// "Not me" can be undone for this long.
    pub undo_for_ms: i64,
}

impl Default for Ownership {
    /// What holds where nothing is set.
    fn default() -> Ownership {
        Ownership { triage: None, max_rejections: 3, undo_for_ms: 24 * 3_600_000 }
    }
}
