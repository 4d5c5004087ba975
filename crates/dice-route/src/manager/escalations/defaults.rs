//! What happens where no policy is configured.

use crate::config::{Policy, Step, Target};
use crate::{Config, Severity};

/// The name that stands for whatever wakes people: the receiver called so, else the first that pages.
pub(super) const PAGE: &str = "page";

const MINUTE_MS: i64 = 60_000;

/// The policy of a severity: the configured one of that name, else the built-in one.
///
/// Low stays in the channel; medium goes to the owner after ten minutes and pages after fifteen more; high
/// and critical page at once.
pub(super) fn policy(severity: Severity, config: &Config) -> Policy {
    if let Some(policy) = config.policies.get(severity.as_str()) {
        return policy.clone();
    }
    let step =
        |after_ms: i64, to: Target| Step { after_ms, only_if: Vec::new(), to: vec![to], remind_ms: None };
    let page = || Target::To(PAGE.to_owned());
    let steps = match severity {
        Severity::Low => vec![step(0, Target::Channel)],
        Severity::Medium => {
            vec![step(0, Target::Channel), step(10 * MINUTE_MS, Target::Owner), step(15 * MINUTE_MS, page())]
        }
        Severity::High | Severity::Critical => {
            let both = Step { to: vec![Target::Channel, page()], ..step(0, Target::Channel) };
            vec![both]
        }
    };
    let ack_timeout_ms = match severity {
        Severity::Low | Severity::Medium => 4 * 60 * MINUTE_MS,
        Severity::High | Severity::Critical => 30 * MINUTE_MS,
    };
    Policy { steps, repeat: 0, ack_timeout_ms, resolve_quietly: false }
}

/// The receiver that wakes people.
pub(super) fn page_receiver(config: &Config) -> Option<&str> {
    if config.receivers.contains_key(PAGE) {
        return Some(PAGE);
    }
    let pages = config.receivers.iter().find(|(_, receiver)| receiver.courier == "pagerduty");
    pages.map(|(name, _)| name.as_str())
}
