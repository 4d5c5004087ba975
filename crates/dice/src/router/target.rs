//! What an operator means: a message or an episode, by id or by a line.

use std::path::PathBuf;

use anyhow::Result;
use dice_match::{Limits, Matcher, Stream, Strength};
use dice_route::MessageId;

use super::operator::Operator;
use crate::Failure;
use crate::commands::route;

/// What an operator means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A message.
    Message(MessageId),
    /// An episode.
    Episode(String),
}

/// What `text` means: the id of an episode or a message (or its first six digits and more), else a line as
/// the log shows it.
pub(crate) fn named(text: &str, operator: &Operator, catalogs: &[PathBuf]) -> Result<Named> {
    if is_id(text) {
        let router = operator.look()?;
        let mut found: Vec<Named> = Vec::new();
        let episodes = router.manager().episodes().iter().map(|episode| episode.id.to_string());
        found.extend(episodes.filter(|id| id.starts_with(text)).map(Named::Episode));
        let messages = router.manager().alerts().iter().map(|(alert, _)| alert.message);
        found.extend(messages.filter(|id| id.to_string().starts_with(text)).map(Named::Message));
        if found.is_empty()
            && let Ok(id) = text.parse()
        {
            found.push(Named::Message(id));
        }
        found.dedup();
        return match &found[..] {
            [one] => Ok(one.clone()),
            [] => Err(Failure::new(
                format!("wanted a message or an episode called {text}, found none"),
                "list them with `dice episodes --all`, or give a line as the log shows it",
            )
            .into()),
            several => Err(Failure::new(
                format!("wanted one message or episode that begins with {text}, found {}", several.len()),
                "give more of its digits",
            )
            .into()),
        };
    }
    let opened = route::open(catalogs)?;
    message(&opened.matcher, text).map(Named::Message)
}

/// The message of a line, when exactly one statement's words fit.
fn message(matcher: &Matcher, line: &str) -> Result<MessageId> {
    let mut stream = Stream::new(matcher, route::reader_settings(route::zone(None)?), Limits::default());
    let answer = stream.next(line.as_bytes());
    match answer.verdict.entries.first() {
        Some(best) if answer.verdict.strength == Strength::Strong => {
            Ok(MessageId::Known(matcher.entry(*best).fingerprint))
        }
        _ => Err(Failure::new(
            "wanted a line that a statement of the catalog prints, found none that does",
            "see what comes near with `dice who`, or give the id of the message",
        )
        .into()),
    }
}

/// Whether a text can only be an id: digits of a message, an episode or an intent.
pub(crate) fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("u:").unwrap_or(text);
    (6..=32).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
