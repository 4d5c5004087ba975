//! Notices with their state, and what was written down about them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use dice_route::{Intent, Record, State};
use serde::Serialize;

use super::{Look, Time, brief, word};
use crate::screen::{FAINT, OWNER, STRONG, plain, short, styled};

/// A row of the outbox.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery {
    pub(super) id: String,
    pub(super) destination: String,
    lane: &'static str,
    kind: serde_json::Value,
    pub(super) state: State,
    created: Time,
    due: Time,
    pub(super) changed: Time,
    attempts: u32,
    why: Option<String>,
    reference: Option<String>,
    because: String,
    title: String,
}

impl Delivery {
    pub(crate) fn of(intent: &Intent) -> Delivery {
        Delivery {
            id: intent.id.clone(),
            destination: intent.destination.name().to_owned(),
            lane: intent.lane.as_str(),
            kind: serde_json::to_value(intent.kind).expect("a kind is JSON"),
            state: intent.state,
            created: Time(intent.created_ms),
            due: Time(intent.due_ms),
            changed: Time(intent.changed_ms),
            attempts: intent.attempts,
            why: intent.why.clone(),
            reference: intent.reference.clone(),
            because: intent.notice.because.clone(),
            title: intent.notice.title.clone(),
        }
    }

    /// The row with what it says.
    pub(super) fn show_whole(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        self.show(out, look)?;
        writeln!(out, "      {}", short(&self.title))?;
        if !self.because.is_empty() {
            writeln!(out, "      {}", styled(FAINT, &short(&self.because)))?;
        }
        if let Some(reference) = &self.reference {
            writeln!(out, "      {}", styled(FAINT, &format!("there it is called {}", short(reference))))?;
        }
        Ok(())
    }

    pub(super) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let state = match self.state {
            State::Sent => format!("sent at {}", self.changed.clock()),
            State::Suppressed => "not sent".to_owned(),
            State::Dead => "cannot be sent".to_owned(),
            State::Held => "held".to_owned(),
            State::Pending => format!("to be sent {}", look.distance(self.due)),
            State::Retry => format!("to be sent again {}", look.distance(self.due)),
            State::Sending => "an attempt has begun".to_owned(),
            State::Ambiguous => "it may have arrived".to_owned(),
        };
        let mut about = vec![state];
        if self.attempts > 1 {
            about.push(format!("{} attempts", self.attempts));
        }
        // What was wrong before it arrived is of no interest.
        about.extend(self.why.as_deref().filter(|_| self.state != State::Sent).map(short));
        let kind = self.kind.as_str().unwrap_or_default();
        writeln!(
            out,
            "    {}  {}  {} {kind}  {}  {}",
            self.created.clock(),
            styled(OWNER, &plain(&self.destination)),
            self.lane,
            about.join(", "),
            styled(FAINT, brief(&self.id)),
        )
    }
}

/// Which rows of the outbox are about what: episodes, messages, deduplication keys and subjects by name.
#[derive(Debug)]
pub(crate) struct Outbox<'a> {
    about: BTreeMap<&'a str, Vec<&'a Intent>>,
}

impl<'a> Outbox<'a> {
    pub(super) fn of(look: &'a Look) -> Outbox<'a> {
        let mut about: BTreeMap<&str, Vec<&Intent>> = BTreeMap::new();
        for intent in look.router.outbox().iter() {
            let rows = intent.notice.rows.iter();
            let named = rows.flat_map(|row| [&row.episode, &row.message, &row.alert]).flatten();
            let group = intent.subject.split_once('/').map(|(group, _)| group);
            let mut names: Vec<&str> = named.map(String::as_str).collect();
            names.extend([intent.id.as_str(), intent.subject.as_str()]);
            names.extend(group);
            names.sort_unstable();
            names.dedup();
            for name in names {
                about.entry(name).or_default().push(intent);
            }
        }
        Outbox { about }
    }

    /// The rows about any of `names`, in the order they were decided.
    pub(super) fn about<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Vec<&'a Intent> {
        let found = names.into_iter().filter_map(|name| self.about.get(name)).flatten();
        let mut found: Vec<&Intent> = found.copied().collect();
        found.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        found.dedup_by(|a, b| a.id == b.id);
        found
    }
}

/// Something that did not reach somebody, or that somebody did.
#[derive(Debug, Serialize)]
pub(crate) struct Noted {
    at: Time,
    cause: dice_route::Cause,
    subject: String,
    by: String,
    count: u64,
    text: String,
}

impl Noted {
    pub(crate) fn of(record: &Record) -> Noted {
        Noted {
            at: Time(record.at_ms),
            cause: record.cause,
            subject: record.subject.clone(),
            by: record.by.clone(),
            count: record.count,
            text: record.text.clone(),
        }
    }

    pub(super) fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let times = if self.count > 1 { format!(" {}×", self.count) } else { String::new() };
        writeln!(
            out,
            "    {}  {}{times} by {}: {}  {}",
            self.at.clock(),
            styled(STRONG, word(self.cause)),
            plain(brief(&self.by)),
            short(&self.text),
            styled(FAINT, &plain(brief(&self.subject))),
        )
    }
}
