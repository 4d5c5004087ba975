//! Fields of an event.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Malformed, nearest};
use crate::{Event, Message};

/// A field of an event that rules may ask for.
///
/// Where a message has several owners or annotations, the first of them is the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    name: Arc<str>,
    part: Part,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    Message,
    Template,
    Text,
    Level,
    Kind,
    Matched,
    Repo,
    File,
    Line,
    Place,
    Function,
    Target,
    Owner,
    Annotation,
    Author,
    Source,
    Service,
    Host,
    Env,
    Version,
    Trace,
    Variable,
    Structured,
}

/// The fields by name, and what each is; `vars.NAME` and `fields.NAME` besides.
pub const FIELDS: &[(&str, &str)] = &[
    ("message", "the message's id, 32 hexadecimal digits; earlier ids of the same message count too"),
    ("template", "the text with `<*>` for what varies"),
    ("text", "the message as printed"),
    ("level", "trace, debug, info, notice, warning, error or critical, in this order"),
    ("kind", "what sort of statement: log, stderr, stdout, fatal, assert"),
    ("matched", "whether a statement is known; stands alone"),
    ("repo", "the repository of the statement"),
    ("file", "the file of the statement, with `/`"),
    ("line", "the line of the statement, from 1"),
    ("place", "`file:line` of the statement"),
    ("function", "the function around the statement"),
    ("target", "the logger's target or module"),
    ("owner", "who answers for the message, says the catalog; any of them"),
    ("annotation", "owners named in the comment behind the statement; any of them"),
    ("author", "the e-mail address of who wrote the line"),
    ("source", "the name of the source in `router.toml`"),
    ("service", "the program, unit or container"),
    ("host", "the machine"),
    ("env", "`production`, `staging`"),
    ("version", "the release that printed it"),
    ("trace", "what one request is called across services"),
];

const PARTS: [Part; FIELDS.len()] = [
    Part::Message,
    Part::Template,
    Part::Text,
    Part::Level,
    Part::Kind,
    Part::Matched,
    Part::Repo,
    Part::File,
    Part::Line,
    Part::Place,
    Part::Function,
    Part::Target,
    Part::Owner,
    Part::Annotation,
    Part::Author,
    Part::Source,
    Part::Service,
    Part::Host,
    Part::Env,
    Part::Version,
    Part::Trace,
];

impl Field {
    /// The field that `text` names: one of [`FIELDS`], `vars.NAME` (the value of a hole, else of a structured
    /// field; `vars.1` is the first hole) or `fields.NAME` (a structured field). `site` is `message`.
    ///
    /// # Errors
    ///
    /// When there is no such field.
    pub fn parse(text: &str) -> Result<Field, Malformed> {
        let word = if text == "site" { "message" } else { text };
        if let Some(at) = FIELDS.iter().position(|(name, _)| *name == word) {
            return Ok(Field { name: word.into(), part: PARTS[at] });
        }
        let part = match text.split_once('.') {
            Some(("vars", name)) if !name.is_empty() => Part::Variable,
            Some(("fields", name)) if !name.is_empty() => Part::Structured,
            _ => return Err(unknown(text)),
        };
        Ok(Field { name: text.into(), part })
    }

    /// The name as written: `service`, `vars.merchant`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The event's value; `None` where it has none.
    pub fn of<'e>(&self, event: &'e Event) -> Option<Cow<'e, str>> {
        let message = &*event.message;
        match self.part {
            Part::Message => Some(message.id.to_string().into()),
            Part::Level => message.level.or(event.level).map(|level| level.as_str().into()),
            Part::Owner => owners(message).next().map(Into::into),
            Part::Annotation => message.annotations.first().map(|written| (&**written).into()),
            _ => self.of_message(message).unwrap_or_else(|| self.of_event(event)).map(Into::into),
        }
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// Whether it says which program wrote the line, which is the same for many lines.
    pub(super) fn is_of_program(&self) -> bool {
        matches!(self.part, Part::Service | Part::Source)
    }

    /// The value where the message has it (or lacks it); `None` where the event has.
    ///
    /// What has no single text (ids, levels, owners, annotations) is not asked for here.
    pub(super) fn of_message<'m>(&self, message: &'m Message) -> Option<Option<&'m str>> {
        let whole = |text: &'m str| Some(text).filter(|text| !text.is_empty());
        Some(match self.part {
            Part::Template => whole(&message.template),
            Part::Kind => message.kind.map(|kind| kind.as_str()),
            Part::Matched => Some(if message.id.is_known() { "true" } else { "false" }),
            Part::Repo => whole(&message.repo),
            Part::File => whole(&message.file),
            Part::Line => message.place.rsplit_once(':').map(|(_, line)| line),
            Part::Place => whole(&message.place),
            Part::Function => message.function.as_deref(),
            Part::Target => message.target.as_deref(),
            Part::Author => message.author.as_deref(),
            _ => return None,
        })
    }

    /// The value where the event itself has it.
    pub(super) fn of_event<'e>(&self, event: &'e Event) -> Option<&'e str> {
        match self.part {
            Part::Text => Some(&event.text),
            Part::Source => Some(&event.source),
            Part::Service => event.service.as_deref(),
            Part::Host => event.host.as_deref(),
            Part::Env => event.env.as_deref(),
            Part::Version => event.version.as_deref(),
            Part::Trace => event.trace.as_deref(),
            Part::Variable => event.variable(&self.name["vars.".len()..]),
            Part::Structured => {
                let name = &self.name["fields.".len()..];
                event.fields.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
            }
            _ => None,
        }
    }
}

/// Who answers for a message: its owners, else who does where nobody else does.
pub(super) fn owners(message: &Message) -> impl Iterator<Item = &str> {
    let fallback = message.fallback.iter().filter(|_| message.owners.is_empty());
    message.owners.iter().chain(fallback).map(|owner| &*owner.name)
}

fn unknown(text: &str) -> Malformed {
    let names = FIELDS.iter().map(|(name, _)| *name);
    let hint = match nearest(text, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None if text.contains('.') => "fields with a dot are `vars.NAME` and `fields.NAME`".to_owned(),
        None => format!("a value in the message is `vars.{text}`, a text stands in quotes"),
    };
    Malformed {
        at: 0..text.len(),
        wanted: "a field".to_owned(),
        found: super::grammar::quoted(text),
        hint: Some(hint),
    }
}

/// As conditions write it, with quotes where the name needs them.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.part, self.name.split_once('.')) {
            (Part::Variable | Part::Structured, Some((group, name))) => {
                write!(f, "{group}.")?;
                if super::token::is_name(name) {
                    f.write_str(name)
                } else {
                    super::token::write_text(f, name)
                }
            }
            _ => f.write_str(&self.name),
        }
    }
}
