//! A line whose message and time are known.

use std::sync::Arc;

use dice_catalog::Level;

use crate::Message;

/// A partition of the input: lines that arrive in one order, such as a file or a connection.
///
/// Numbers are given by who reads the input and are the same after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct PartitionId(pub u32);

/// A line whose message and time are known.
#[derive(Debug, Clone)]
pub struct Event {
    /// Where it came from.
    pub partition: PartitionId,
    /// Where it stands there; grows along the partition.
    pub offset: u64,
    /// When it happened, by the line itself; `None` when the line does not tell. Milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// When the line was read. Milliseconds since 1970.
    pub ingested_ms: i64,
    /// What it says.
    pub message: Arc<Message>,
    /// The statement's level, else the line's.
    pub level: Option<Level>,
    /// The name of its source in the configuration.
    pub source: Arc<str>,
    /// The machine.
    pub host: Option<Arc<str>>,
    /// The program, unit or container.
    pub service: Option<Arc<str>>,
    /// `production`, `staging`; from the line or the source's configuration.
    pub env: Option<Arc<str>>,
    /// The release that printed it: from the line, else the source's configuration, else the catalog's
    /// revision.
    pub version: Option<Arc<str>>,
    /// What one request is called across services.
    pub trace: Option<Arc<str>>,
    /// The message as printed.
    pub text: Box<str>,
    /// Where the values of the holes lie in `text`, in the order of the holes; bytes, start and end.
    pub values: Box<[(u32, u32)]>,
    /// Structured fields that stand beside the message, name and value.
    pub fields: Box<[(Arc<str>, Box<str>)]>,
}

impl Event {
    /// The value of the hole with this number, counted from 0.
    pub fn value(&self, hole: usize) -> Option<&str> {
        let (start, end) = *self.values.get(hole)?;
        self.text.get(start as usize..end as usize)
    }

    /// The value of the hole or the structured field with this name; a number counts holes from 1.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let named = self.message.holes.iter().position(|hole| hole.as_deref() == Some(name));
        if let Some(value) = named.and_then(|hole| self.value(hole)) {
            return Some(value);
        }
        let field = self.fields.iter().find(|(known, _)| &**known == name);
        if let Some((_, value)) = field {
            return Some(value);
        }
        let number: usize = name.parse().ok()?;
        self.value(number.checked_sub(1)?)
    }
}

/// An event whose time has been settled: later than it may be is now, earlier than it may be is counted
/// only.
#[derive(Debug, Clone, Copy)]
pub struct Stamped<'e> {
    /// The event.
    pub event: &'e Event,
    /// When it happened, milliseconds since 1970: what the line tells, unless that lies too far ahead.
    pub at_ms: i64,
    /// It arrived when the watermark had already passed it.
    pub is_late: bool,
}
