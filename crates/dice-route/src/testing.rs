//! What tests of this crate are made of.

use std::sync::Arc;

use crate::{Event, Message, MessageId, PartitionId};

/// A message that nothing is known about but its text.
pub(crate) fn message(template: &str) -> Message {
    Message {
        id: MessageId::of_unmatched("", template),
        was: Vec::new(),
        repo: "".into(),
        template: template.into(),
        place: "".into(),
        file: "".into(),
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
