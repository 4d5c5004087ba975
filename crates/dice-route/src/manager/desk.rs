//! What the parts of the manager are lent while one input is handled.

use crate::outbox::Outbox;
use crate::records::Records;
use crate::{Config, MessageId};

/// What every part of the manager works with while one input is handled.
#[derive(Debug)]
pub struct Desk<'a> {
    /// What the router was told to do.
    pub config: &'a Config,
    /// Where notices go.
    pub outbox: &'a mut Outbox,
    /// Where it is written down that something was not told.
    pub records: &'a mut Records,
    /// The time, milliseconds since 1970.
    pub now_ms: i64,
}

/// What a notice is about, as far as snoozes ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The message, when it is about one.
    pub message: Option<MessageId>,
    /// Earlier names of that message.
    pub was: &'a [MessageId],
    /// The deduplication key.
    pub alert: Option<&'a str>,
    /// The rule.
    pub rule: Option<&'a str>,
    /// The group.
    pub group: Option<&'a str>,
    /// The episode.
    pub episode: Option<&'a str>,
}

/// The desk, without holding on to the other parts of the manager.
macro_rules! desk {
    ($manager:ident, $config:ident, $now_ms:ident) => {
        &mut $crate::manager::Desk {
            config: $config,
            outbox: &mut $manager.outbox,
            records: &mut $manager.records,
            now_ms: $now_ms,
        }
    };
}

macro_rules! screen {
    ($manager:ident, $now_ms:ident) => {
        $crate::manager::Screen {
            silences: &$manager.silences,
            inhibitions: &$manager.inhibitions,
            snoozes: &$manager.snoozes,
            now_ms: $now_ms,
        }
    };
}

macro_rules! sight {
    ($manager:ident, $now_ms:ident) => {
        &mut $crate::manager::Sight {
            alerts: &$manager.alerts,
            roster: &$manager.roster,
            screen: screen!($manager, $now_ms),
            storm: &mut $manager.storm,
        }
    };
}

macro_rules! around {
    ($manager:ident, $now_ms:ident) => {
        &mut $crate::manager::Around {
            episodes: &$manager.episodes,
            routes: &$manager.routes,
            screen: screen!($manager, $now_ms),
            storm: &mut $manager.storm,
        }
    };
}

macro_rules! things {
    ($manager:ident, $config:ident) => {
        $crate::manager::Things {
            config: $config,
            alerts: &$manager.alerts,
            immediate: &$manager.immediate,
            episodes: &$manager.episodes,
            groups: &$manager.groups,
            overrides: &$manager.overrides,
        }
    };
}

macro_rules! means {
    ($manager:ident, $config:ident, $now_ms:ident) => {
        &mut $crate::manager::Means {
            watch: &$crate::manager::View {
                things: things!($manager, $config),
                screen: screen!($manager, $now_ms),
            },
            storm: &mut $manager.storm,
            alarms: &mut $manager.alarms,
        }
    };
}
