//! Events for rules, in the order of their arrival.

use std::sync::Arc;

use dice_route::{Event, Message, MessageId, PartitionId};

use crate::random::Random;

/// An event as tests and oracles see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) at_ms: i64,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    /// `fields.k`
    pub(crate) key: String,
    /// `fields.kind`: `a` to `d`
    pub(crate) kind: char,
    /// `fields.v`
    pub(crate) value: Option<i64>,
}

/// How a stream is made.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// How many events.
    pub(crate) count: i64,
    pub(crate) keys: i64,
    /// What the rule's time is measured in: pauses are some times longer or shorter.
    pub(crate) span_ms: i64,
    /// An event may arrive so much after one that is later, and is not late.
    pub(crate) lateness_ms: i64,
    /// So many of a hundred arrive later than that.
    pub(crate) late_percent: i64,
    /// Values lie below this.
    pub(crate) values: i64,
}

/// The times begin here, which lies on no edge of a usual window.
const BEGIN_MS: i64 = 1_700_000_000_123;

/// Events in the order of their arrival.
pub(crate) fn stream(shape: &Shape, random: &mut Random) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut at_ms = BEGIN_MS;
    let mut pace_ms = 1;
    let lateness_ms = shape.lateness_ms.max(1);
    for _ in 0..shape.count {
        if random.percent(15) {
            let divisor = *random.pick(&[1, 2, 5, 20, 100, 1_000]);
            pace_ms = shape.span_ms / divisor;
        }
        at_ms += match random.below(10) {
            0 | 1 => 0,
            2 => 1,
            3 if random.percent(10) => shape.span_ms * random.between(1, 8),
            _ => random.below(pace_ms * 2 + 1),
        };
        // Some keys are much more frequent than others.
        let key = random.below(shape.keys) * random.below(shape.keys + 1) / (shape.keys + 1).max(1);
        let kind = *random.pick(&['a', 'a', 'a', 'b', 'b', 'c', 'd']);
        let value = if random.percent(95) { Some(random.below(shape.values.max(1))) } else { None };
        let is_late = random.percent(shape.late_percent);
        let delay_ms =
            if is_late { random.below(lateness_ms * 6 + shape.span_ms) } else { random.below(lateness_ms) };
        let fact = Fact { at_ms, partition: 0, offset: 0, key: format!("k{key}"), kind, value };
        facts.push((at_ms + delay_ms, fact));
    }
    facts.sort_by_key(|(arrived_ms, _)| *arrived_ms);
    let mut offsets = [0_u64; 3];
    let place = |(_, mut fact): (i64, Fact)| {
        fact.partition = random.below(3) as u32;
        offsets[fact.partition as usize] += 1;
        fact.offset = offsets[fact.partition as usize];
        fact
    };
    facts.into_iter().map(place).collect()
}

/// What all events say.
pub(crate) fn message() -> Arc<Message> {
    Arc::new(Message {
        template: "something happened".into(),
        place: "src/main.c:7".into(),
        file: "src/main.c".into(),
        ..Message::unknown(MessageId::of_unmatched("test", "something happened"))
    })
}

/// The event that a fact is about.
pub(crate) fn event(fact: &Fact, message: &Arc<Message>) -> Event {
    let mut fields: Vec<(Arc<str>, Box<str>)> =
        vec![("k".into(), fact.key.as_str().into()), ("kind".into(), fact.kind.to_string().into())];
    fields.extend(fact.value.map(|value| ("v".into(), value.to_string().into())));
    Event {
        partition: PartitionId(fact.partition),
        offset: fact.offset,
        at_ms: Some(fact.at_ms),
        ingested_ms: fact.at_ms,
        message: message.clone(),
        level: None,
        source: "test".into(),
        host: Some(format!("host{}", fact.offset % 3).into()),
        service: Some("test".into()),
        env: None,
        version: None,
        trace: None,
        text: format!("something happened to {}", fact.key).into(),
        values: Box::default(),
        fields: fields.into(),
    }
}
