//! What Slack calls a message.

use std::fmt;
use std::str::FromStr;

/// A message: its channel and its time stamp, written `C0123:1700000000.000100`. Everybody else keeps the text
/// and does not look into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The channel's id: `C…` and `G…` are channels, `D…` a conversation with one person.
    pub channel: String,
    /// The time stamp, which names the message in its channel.
    pub ts: String,
}

impl Reference {
    /// Whether only one person reads it.
    pub fn is_direct(&self) -> bool {
        self.channel.starts_with('D')
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.channel, self.ts)
    }
}

impl FromStr for Reference {
    type Err = ();

    fn from_str(text: &str) -> Result<Reference, ()> {
        let (channel, ts) = text.split_once(':').ok_or(())?;
        let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_ts =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_id(channel) && is_ts(ts) {
            Ok(Reference { channel: channel.to_owned(), ts: ts.to_owned() })
        } else {
            Err(())
        }
    }
}
