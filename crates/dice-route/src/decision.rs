//! Tell now, put it in a digest, or tell nobody; and why.

use std::fmt;

use dice_catalog::{Kind, Level, Owner, OwnerKind, Why};
use serde::{Deserialize, Serialize};

/// What is done about an event for one owner, least urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Nobody is told.
    None,
    /// It goes into the owner's digest.
    Digest,
    /// The owner is told at once.
    Now,
    /// Whoever is on call is woken.
    Page,
}

impl Decision {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::None => "none",
            Decision::Digest => "digest",
            Decision::Now => "now",
            Decision::Page => "page",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One owner and what is done for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerDecision {
    /// Who.
    pub owner: Owner,
    /// What is done.
    pub decision: Decision,
}

/// What is done about an event, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Every owner, in the order of the statement's owners.
    pub owners: Vec<OwnerDecision>,
    /// The most urgent of the owners' decisions; `None` when there is no owner.
    pub decision: Decision,
    /// Why, in words a reader of the message understands, without a full stop.
    pub reason: String,
}

/// More distinct owners than this share no responsibility: the fallback answers alone.
const MAX_OWNERS: usize = 3;

/// Decides about an event.
///
/// `owners` are those of all statements that the line cannot tell apart, best first; repeats are dropped.
/// With more than three distinct ones `fallback` answers alone, or nobody where there is none. `level` is
/// the statement's, else the line's.
pub fn decide<'a>(
    kind: Kind,
    level: Option<Level>,
    owners: impl IntoIterator<Item = &'a Owner>,
    fallback: Option<&Owner>,
) -> Decided {
    let mut distinct: Vec<&Owner> = Vec::new();
    for owner in owners {
        match distinct.iter_mut().find(|known| known.kind == owner.kind && known.name == owner.name) {
            // Of two reasons for the same owner the stronger one is kept.
            Some(known) => *known = if owner.why < known.why { owner } else { known },
            None => distinct.push(owner),
        }
    }
    let too_many = distinct.len() > MAX_OWNERS;
    let count = distinct.len();
    if too_many {
        distinct = fallback.into_iter().collect();
    }
    let owners: Vec<OwnerDecision> = distinct
        .into_iter()
        .map(|owner| OwnerDecision { owner: owner.clone(), decision: for_owner(kind, level, owner) })
        .collect();
    let decision = owners.iter().map(|each| each.decision).max().unwrap_or(Decision::None);
    let reason = if too_many {
        format!("{count} owners share the same words, so the fallback answers alone")
    } else {
        reason(kind, level, &owners)
    };
    Decided { owners, decision, reason }
}

fn for_owner(kind: Kind, level: Option<Level>, owner: &Owner) -> Decision {
    if owner.why == Why::Annotation {
        return match owner.kind {
            OwnerKind::Channel => Decision::Now,
            OwnerKind::Person | OwnerKind::Team => Decision::Digest,
        };
    }
    match weight(kind, level) {
        Some(Level::Critical) => Decision::Now,
        Some(Level::Warning | Level::Error) => Decision::Digest,
        _ => Decision::None,
    }
}

/// The level that counts: text that is meant for standard error or the end of a program is a warning at
/// least when its source does not say.
fn weight(kind: Kind, level: Option<Level>) -> Option<Level> {
    level.or(match kind {
        Kind::Stderr | Kind::Fatal | Kind::Assert => Some(Level::Warning),
        _ => None,
    })
}

fn reason(kind: Kind, level: Option<Level>, owners: &[OwnerDecision]) -> String {
    let annotated: Vec<&str> = owners
        .iter()
        .filter(|each| each.owner.why == Why::Annotation)
        .map(|each| each.owner.name.as_str())
        .collect();
    if !annotated.is_empty() {
        return format!("annotated with {}", annotated.join(", "));
    }
    let Some(first) = owners.first() else { return "nobody owns it".to_owned() };
    let who = match first.owner.why {
        Why::Override => "the owner that a person named",
        Why::Annotation => "the annotated owner",
        Why::Author => "the author of the line",
        Why::Owners => "the owner by path",
        Why::Codeowners => "the code owner",
        Why::Fallback => "the fallback owner",
    };
    match (first.decision, level) {
        (Decision::None, Some(level)) => format!("{level} without annotation is told to nobody"),
        (Decision::None, None) => {
            "a message of unknown level without annotation is told to nobody".to_owned()
        }
        (_, Some(level)) => format!("{level} goes to {who}"),
        (_, None) => format!("{kind} text of unknown level counts as warning and goes to {who}"),
    }
}

#[cfg(test)]
mod tests {
    use dice_catalog::{Kind, Level, Owner, Why};

    use super::decide;

    /// Owners are written `name/why`, the answer `name decision, …: reason`.
    #[track_caller]
    fn check(kind: Kind, level: Option<Level>, owners: &[(&str, Why)], answer: &str) {
        let owners: Vec<Owner> = owners.iter().map(|(name, why)| Owner::named(name, *why)).collect();
        let fallback = Owner::named("#triage", Why::Fallback);
        let decided = decide(kind, level, &owners, Some(&fallback));
        let each: Vec<String> =
            decided.owners.iter().map(|o| format!("{} {}", o.owner.name, o.decision)).collect();
        assert_eq!(format!("{} [{}]: {}", decided.decision, each.join(", "), decided.reason), answer);
    }

    #[test]
    fn an_annotation_counts_at_every_level() {
        let info = Some(Level::Info);
        check(Kind::Log, info, &[("#ops", Why::Annotation)], "now [#ops now]: annotated with #ops");
        check(Kind::Log, None, &[("@dev", Why::Annotation)], "digest [@dev digest]: annotated with @dev");
        check(
            Kind::Log,
            info,
            &[("@dev", Why::Annotation), ("#ops", Why::Annotation)],
            "now [@dev digest, #ops now]: annotated with @dev, #ops",
        );
    }

    #[test]
    fn without_annotation_the_level_decides() {
        let by = &[("a@b.c", Why::Author)];
        check(
            Kind::Log,
            Some(Level::Critical),
            by,
            "now [a@b.c now]: critical goes to the author of the line",
        );
        check(
            Kind::Log,
            Some(Level::Error),
            by,
            "digest [a@b.c digest]: error goes to the author of the line",
        );
        check(
            Kind::Log,
            Some(Level::Notice),
            by,
            "none [a@b.c none]: notice without annotation is told to nobody",
        );
    }

    #[test]
    fn an_unknown_level_counts_as_warning_where_the_text_is_for_standard_error() {
        let by = &[("@o/team", Why::Codeowners)];
        check(
            Kind::Stderr,
            None,
            by,
            "digest [@o/team digest]: stderr text of unknown level counts as warning and goes to the code owner",
        );
        check(
            Kind::Log,
            None,
            by,
            "none [@o/team none]: a message of unknown level without annotation is told to nobody",
        );
    }

    #[test]
    fn twins_share_their_owners_up_to_three() {
        let error = Some(Level::Error);
        let many =
            [("a@x.y", Why::Author), ("b@x.y", Why::Author), ("c@x.y", Why::Author), ("d@x.y", Why::Author)];
        check(
            Kind::Log,
            error,
            &many[..3],
            "digest [a@x.y digest, b@x.y digest, c@x.y digest]: error goes to the author of the line",
        );
        check(
            Kind::Log,
            error,
            &many,
            "digest [#triage digest]: 4 owners share the same words, so the fallback answers alone",
        );
        check(
            Kind::Log,
            error,
            &[("a@x.y", Why::Author), ("a@x.y", Why::Author)],
            "digest [a@x.y digest]: error goes to the author of the line",
        );
    }

    #[test]
    fn nobody_is_an_answer() {
        check(Kind::Log, Some(Level::Critical), &[], "none []: nobody owns it");
    }
}
