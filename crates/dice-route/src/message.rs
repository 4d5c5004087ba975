//! What the catalog knows of a message: everything that is decided once and not for each event.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use dice_catalog::{Fingerprint, Kind, Level, Owner};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a message is called wherever it is stored.
///
/// Written as 32 hexadecimal digits where a statement is known, with `u:` before them where none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageId {
    /// A message of the catalog.
    Known(Fingerprint),
    /// Lines that no statement is known for, by service and text with its variable parts masked.
    Unknown([u8; 16]),
}

impl MessageId {
    /// The name of unmatched lines that `service` printed, `masked` being their text without what varies.
    pub fn of_unmatched(service: &str, masked: &str) -> MessageId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(service.as_bytes());
        hasher.update(&[0]);
        hasher.update(masked.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        MessageId::Unknown(first)
    }

    /// Whether a statement is known.
    pub fn is_known(self) -> bool {
        matches!(self, MessageId::Known(_))
    }
}

impl MessageId {
    /// Bytes of a name as text, at most.
    pub(crate) const MAX_DIGITS: usize = 2 + 32;

    /// The name as text, written into `room`.
    fn write<'r>(&self, room: &'r mut [u8; MessageId::MAX_DIGITS]) -> &'r str {
        std::str::from_utf8(self.digits(room)).unwrap_or_default()
    }

    /// The bytes of the name as text, written into `room`.
    pub(crate) fn digits<'r>(&self, room: &'r mut [u8; MessageId::MAX_DIGITS]) -> &'r [u8] {
        let (fingerprint, start) = match self {
            MessageId::Known(fingerprint) => (*fingerprint, 0),
            MessageId::Unknown(bytes) => (Fingerprint::from_bytes(*bytes), 2),
        };
        room[..start].copy_from_slice(&b"u:"[..start]);
        room[start..start + 32].copy_from_slice(&fingerprint.to_digits());
        &room[..start + 32]
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; MessageId::MAX_DIGITS]))
    }
}

/// A text that names no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMessage;

impl fmt::Display for NotAMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wanted 32 hexadecimal digits, with `u:` before them for an unmatched message")
    }
}

impl std::error::Error for NotAMessage {}

impl FromStr for MessageId {
    type Err = NotAMessage;

    fn from_str(text: &str) -> Result<MessageId, NotAMessage> {
        match text.strip_prefix("u:") {
            None => text.parse().map(MessageId::Known).map_err(|_| NotAMessage),
            Some(digits) => {
                let fingerprint: Fingerprint = digits.parse().map_err(|_| NotAMessage)?;
                Ok(MessageId::Unknown(fingerprint.to_bytes()))
            }
        }
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MessageId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What the catalog knows of a message, shared by all its events.
///
/// Statements that a line cannot tell apart are one message here, the best of them first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is called.
    pub id: MessageId,
    /// Earlier names of the same message, and the name its lines had while no statement was known.
    pub was: Vec<MessageId>,
    /// The repository's name; empty where no statement is known.
    pub repo: Arc<str>,
    /// The text with `<*>` for holes; for unmatched lines the masked text.
    pub template: Arc<str>,
    /// `file:line` of the best statement; empty where no statement is known.
    pub place: Arc<str>,
    /// The file of the best statement.
    pub file: Arc<str>,
    /// The enclosing function.
    pub function: Option<Arc<str>>,
    /// The logger's target or module.
    pub target: Option<Arc<str>>,
    /// What sort of text it is; `None` where no statement is known.
    pub kind: Option<Kind>,
    /// The statement's level; an event's own counts where the source does not tell.
    pub level: Option<Level>,
    /// Names of the holes, in their order, where the source names them.
    pub holes: Vec<Option<Arc<str>>>,
    /// Who answers for it, says the catalog: the owners of all statements, best first, without repeats.
    pub owners: Vec<Owner>,
    /// Who else might: authors of the format string's line and the enclosing function, code owners; for
    /// "not me", best first.
    pub candidates: Vec<Owner>,
    /// Who answers where nobody else does.
    pub fallback: Option<Owner>,
    /// The comments that name owners, as written.
    pub annotations: Vec<String>,
    /// The e-mail address of who wrote the line.
    pub author: Option<Arc<str>>,
    /// The commit that the catalog was made of.
    pub revision: Option<Arc<str>>,
    /// Where the code can be read.
    pub url: Option<Arc<str>>,
    /// Only a revision that is not the newest of its repository's catalogs knows it.
    #[serde(default)]
    pub is_outdated: bool,
}

impl Message {
    /// A message of which nothing but its name is known: no statement, no text, no owner.
    pub fn unknown(id: MessageId) -> Message {
        let empty: Arc<str> = Arc::from("");
        Message {
            id,
            was: Vec::new(),
            repo: empty.clone(),
            template: empty.clone(),
            place: empty.clone(),
            file: empty,
            function: None,
            target: None,
            kind: None,
            level: None,
            holes: Vec::new(),
            owners: Vec::new(),
            candidates: Vec::new(),
            fallback: None,
            annotations: Vec::new(),
            author: None,
            revision: None,
            url: None,
            is_outdated: false,
        }
    }
}
