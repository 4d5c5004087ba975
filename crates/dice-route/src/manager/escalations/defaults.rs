//! The policies that exist without being written: this is the only place that says what they are.

use crate::config::{Policy, Step, Target};
use crate::{Config, Severity};

const MINUTE_MS: i64 = 60_000;

/// The policy with this name: the one that is written, else the usual one of the severity with this name.
pub(super) fn called(name: &str, config: &Config) -> Option<Policy> {
    let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let usual = || severities.into_iter().find(|severity| severity.as_str() == name);
    config.policies.get(name).cloned().or_else(|| usual().map(|severity| self::usual(severity, config)))
}

/// The policy of a severity: the one that is written under its name, else the usual one.
pub(super) fn policy(severity: Severity, config: &Config) -> Policy {
    config.policies.get(severity.as_str()).cloned().unwrap_or_else(|| usual(severity, config))
}

/// What happens to episodes of a severity where nothing is written.
///
/// Low stays in the channel. Medium goes to the owner after ten minutes, and somebody is woken after fifteen
/// more. High and critical wake somebody at once, tell the owner when nobody reacts, and begin anew. The paging
/// services wake people; where there is none, those on call are told; where there is neither, the owner.
fn usual(severity: Severity, config: &Config) -> Policy {
    let step = |after_min: i64, to: Vec<Target>| Step {
        after_ms: after_min * MINUTE_MS,
        only_if: Vec::new(),
        to,
        remind_ms: None,
    };
    let waking = waking(config);
    let at_once = || {
        let mut to = vec![Target::Channel];
        to.extend(if waking.is_empty() { vec![Target::Owner] } else { waking.clone() });
        step(0, to)
    };
    let (steps, repeat, ack_timeout_min) = match severity {
        Severity::Low => (vec![step(0, vec![Target::Channel])], 0, 240),
        Severity::Medium => {
            let mut steps = vec![step(0, vec![Target::Channel]), step(10, vec![Target::Owner])];
            if !waking.is_empty() {
                steps.push(step(15, waking));
            }
            (steps, 0, 240)
        }
        Severity::High => (vec![at_once(), step(10, vec![Target::Owner])], 1, 30),
        Severity::Critical => (vec![at_once(), step(5, vec![Target::Owner])], 3, 30),
    };
    Policy {
        steps,
        repeat,
        ack_timeout_ms: ack_timeout_min * MINUTE_MS,
        resolve_quietly: severity == Severity::Low,
    }
}

/// The paging services; where there is none, whoever is on call.
fn waking(config: &Config) -> Vec<Target> {
    let pagers: Vec<Target> = config
        .receivers
        .iter()
        .filter(|(_, receiver)| receiver.courier == "pagerduty")
        .map(|(name, _)| Target::To(name.clone()))
        .collect();
    if !pagers.is_empty() {
        return pagers;
    }
    config.schedules.keys().map(|name| Target::OnCall(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::called;
    use crate::config::{Policy, Step, Target};
    use crate::manager::fixture::config;
    use crate::{Config, Severity};

    /// The steps of a policy, each with the minutes before it and its recipients.
    #[track_caller]
    fn check(config: &Config, name: &str, expected: &str) {
        let policy = called(name, config).unwrap();
        let whom = |target: &Target| match target {
            Target::Owner => "owner".to_owned(),
            Target::Channel => "channel".to_owned(),
            Target::OnCall(name) => format!("oncall:{name}"),
            Target::To(name) => name.clone(),
        };
        let step = |step: &Step| {
            let to: Vec<String> = step.to.iter().map(whom).collect();
            format!("{} {}", step.after_ms / 60_000, to.join(" "))
        };
        let steps: Vec<String> = policy.steps.iter().map(step).collect();
        assert_eq!(format!("{} x{}", steps.join(", "), policy.repeat + 1), expected, "{name}");
    }

    #[test]
    fn a_pager_or_who_is_on_call_is_part_of_the_usual_policies() {
        let mut config = config();
        check(&config, "low", "0 channel x1");
        check(&config, "medium", "0 channel, 10 owner, 15 pager x1");
        check(&config, "high", "0 channel pager, 10 owner x2");
        check(&config, "critical", "0 channel pager, 5 owner x4");
        config.receivers.clear();
        check(&config, "medium", "0 channel, 10 owner, 15 oncall:weekly x1");
        check(&config, "high", "0 channel oncall:weekly, 10 owner x2");
        config.schedules.clear();
        check(&config, "medium", "0 channel, 10 owner x1");
        check(&config, "high", "0 channel owner, 10 owner x2");
        let steps = vec![Step { after_ms: 0, only_if: Vec::new(), to: vec![Target::Owner], remind_ms: None }];
        let own = Policy { steps, repeat: 0, ack_timeout_ms: 0, resolve_quietly: false };
        config.policies.insert(Severity::High.to_string(), own);
        check(&config, "high", "0 owner x1");
        assert_eq!(called("office", &config), None);
    }
}
