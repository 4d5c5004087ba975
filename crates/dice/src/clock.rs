//! The time. Everyone else is handed it.

use std::time::Instant;

use jiff::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "everyone else is handed the time")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The start of something that is measured.
#[expect(clippy::disallowed_methods, reason = "everyone else is handed the time")]
pub(crate) fn start() -> Instant {
    Instant::now()
}
