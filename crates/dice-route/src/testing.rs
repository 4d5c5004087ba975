//! What tests of this crate are made of.

use std::sync::Arc;

use crate::{Event, Message, MessageId, PartitionId};

/// A message that nothing is known about but its text.
pub(crate) fn message(template: &str) -> Message {
    let id = MessageId::of_unmatched("", template);
    Message { template: template.into(), ..Message::unknown(id) }
}

/// An event of such a message.
pub(crate) fn event(
    partition: PartitionId,
    source: &str,
    offset: u64,
    at_ms: Option<i64>,
    ingested_ms: i64,
) -> Event {
    Event {
        partition,
        offset,
        at_ms,
        ingested_ms,
        message: Arc::new(message("something happened")),
        level: None,
        source: source.into(),
        host: None,
        service: None,
        env: None,
        version: None,
        trace: None,
        text: "something happened".into(),
        values: Box::default(),
        fields: Box::default(),
    }
}
