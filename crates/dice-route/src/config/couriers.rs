//! How notices leave: how long a call may take, how long a notice is worth telling, who hears otherwise.

use crate::Lane;

/// How notices leave. Source: `dispatch` in `router.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchPolicy {
    /// A call to Slack or to a paging service ends within this.
    pub deadline_ms: i64,
    /// A mail is handed over within this.
    pub email_deadline_ms: i64,
    /// A call to a webhook or an Alertmanager ends within this.
    pub webhook_deadline_ms: i64,
    /// How long notices are worth telling, by lane.
    pub ttl: LaneTtl,
    /// A page that nobody took for this long is told otherwise as well.
    pub fallback_after_ms: i64,
    /// Whom else: `#channel`, people, receivers. Where there is none, triage, else the terminal.
    pub fallback: Vec<String>,
    /// A notice that may have arrived, where nobody can find out, is told again after this long.
    pub park_ms: i64,
}

/// How long a notice is worth telling; the time that it was held does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneTtl {
    /// Somebody is woken.
    pub page_ms: i64,
    /// Annotated messages.
    pub immediate_ms: i64,
    /// Episodes of rules.
    pub alert_ms: i64,
    /// Once a day.
    pub digest_ms: i64,
}

impl LaneTtl {
    /// Of a lane.
    pub fn of(&self, lane: Lane) -> i64 {
        match lane {
            Lane::Page => self.page_ms,
            Lane::Immediate => self.immediate_ms,
            Lane::Alert => self.alert_ms,
            Lane::Digest => self.digest_ms,
        }
    }
}

impl Default for DispatchPolicy {
    /// What holds where nothing is set.
    fn default() -> DispatchPolicy {
        const HOUR_MS: i64 = 3_600_000;
        DispatchPolicy {
            deadline_ms: 8_000,
            email_deadline_ms: 30_000,
            webhook_deadline_ms: 15_000,
            ttl: LaneTtl {
                page_ms: 24 * HOUR_MS,
                immediate_ms: 6 * HOUR_MS,
                alert_ms: 6 * HOUR_MS,
                digest_ms: 36 * HOUR_MS,
            },
            fallback_after_ms: 60_000,
            fallback: Vec::new(),
            park_ms: 600_000,
        }
    }
}

/// What of a log does not leave the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Masking {
    /// E-mail addresses in what a log said.
    pub emails: bool,
}
