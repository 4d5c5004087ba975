//! Something that was never seen before.
//!
//! Every term is a key of its own: the rule's key with the term's values behind it. So the terms that were
//! not seen for the longest time are the ones that go for want of room, and each is saved by itself.
//!
//! It is decided on arrival, late events included: what was never seen stays never seen, whatever else
//! arrives. Only at the edges of `learn_for_ms` and `horizon_ms` the order of arrival decides.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::condition::Field;
use crate::config::{FirstSeen, NewTerms, Timing};
use crate::engine::codec::{Reader, Writer};
use crate::engine::keys::{self, KeyText};
use crate::engine::life::Life;
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::tally::Tally;
use crate::engine::text_hash;
use crate::engine::words::{cut, duration};
use crate::{Event, Key, Message, MessageId};

/// Bytes of a term that a reader is shown.
const SHOWN_BYTES: usize = 80;

/// Something that was never seen before.
#[derive(Debug)]
pub(crate) struct NewTerm {
    rule: FirstSeen,
    /// Names of the fields, for the reader.
    names: String,
    seeds: BTreeSet<String>,
    seed_messages: BTreeSet<MessageId>,
}

/// What is known of a term.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Term {
    last_ms: Option<i64>,
    /// The hash of its key, where it is a message: later names of the message are looked up by it.
    name: Option<u64>,
}

/// What all terms share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// The rule's first event.
    first_ms: Option<i64>,
    /// When the latest was last seen of the terms that went for want of room.
    forgot_ms: Option<i64>,
    /// The terms that are messages, by [`Term::name`]; made anew from them after a restart.
    names: FxHashMap<u64, u32>,
}

/// Why a term is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Never,
    Returned { after_ms: i64 },
}

impl NewTerm {
    /// Watches for what this says.
    pub(crate) fn new(rule: &FirstSeen) -> NewTerm {
        let names = match &rule.terms {
            NewTerms::Fields(fields) => fields.iter().map(Field::name).collect::<Vec<&str>>().join(", "),
            NewTerms::Message | NewTerms::MessageInVersion | NewTerms::Unmatched => String::new(),
        };
        NewTerm {
            names,
            seeds: rule.seed.iter().cloned().collect(),
            seed_messages: rule.seed_messages.iter().copied().collect(),
            rule: rule.clone(),
        }
    }

    /// Gives the values of the event's term one by one; `false` where it has none.
    fn each_value(&self, event: &Event, mut give: impl FnMut(&str)) -> bool {
        let id = event.message.id;
        match &self.rule.terms {
            NewTerms::Fields(fields) => {
                return fields.iter().all(|field| field.of(event).inspect(|value| give(value)).is_some());
            }
            NewTerms::Message if id.is_known() => give(&id.to_string()),
            NewTerms::MessageInVersion if id.is_known() => {
                let Some(version) = &event.version else { return false };
                give(&id.to_string());
                give(version);
            }
            NewTerms::Unmatched if !id.is_known() => give(&id.to_string()),
            NewTerms::Message | NewTerms::MessageInVersion | NewTerms::Unmatched => return false,
        }
        true
    }

    fn is_message(&self) -> bool {
        !matches!(self.rule.terms, NewTerms::Fields(_))
    }

    /// Whether the message was seen under an earlier name: a reworded one is not new.
    fn is_reworded(&self, learned: &Learned, key: &[u8], message: &Message) -> bool {
        let own = message.id.to_string();
        message.was.iter().filter(|_| self.is_message()).any(|name| {
            let name = name.to_string();
            let mut earlier = KeyText::default();
            for value in keys::values(key) {
                earlier.push(if value == own { &name } else { value });
            }
            learned.names.contains_key(&text_hash(0, earlier.bytes()))
        })
    }

    fn is_seeded(&self, event: &Event, values: &[String]) -> bool {
        let message = &event.message;
        if self.is_message()
            && std::iter::once(&message.id).chain(&message.was).any(|id| self.seed_messages.contains(id))
        {
            return true;
        }
        !self.seeds.is_empty() && self.seeds.contains(&*Key::of(values.iter().map(String::as_str)).0)
    }

    fn words_of(&self, news: News, event: &Event, values: &[String], maybe_new: bool) -> Words {
        let what = match &self.rule.terms {
            NewTerms::Fields(_) => format!("`{}` = `{}`", self.names, shown(&values.join(", "))),
            NewTerms::Message => format!("`{}`", shown(&event.message.template)),
            NewTerms::MessageInVersion => {
                format!(
                    "`{}` in release {}",
                    shown(&event.message.template),
                    values.last().map_or("", |version| version)
                )
            }
            NewTerms::Unmatched => {
                format!("`{}`, which no statement is known for,", shown(&event.message.template))
            }
        };
        let mut reason = match news {
            News::Never => match &self.rule.terms {
                NewTerms::MessageInVersion => {
                    format!("first seen in release {}", values.last().map_or("", |version| version))
                }
                _ => format!("{what} was never seen before"),
            },
            News::Returned { after_ms } => format!("{what} is back after {}", duration(after_ms)),
        };
        let mut figures = Vec::new();
        if let News::Returned { after_ms } = news {
            figures.push(("silent_ms", after_ms as f64));
        }
        if maybe_new {
            reason.push_str(", or was forgotten for want of room");
            figures.push(("maybe_new", 1.0));
        }
        Words { reason, figures }
    }
}

fn shown(text: &str) -> String {
    let start = cut(text, SHOWN_BYTES);
    if start.len() == text.len() { text.to_owned() } else { format!("{start}…") }
}

impl Machine for NewTerm {
    type State = Term;
    type Payload = ();
    type Shared = Learned;

    fn pass(&self) -> Pass {
        Pass::Arrival
    }

    fn extends_key(&self) -> bool {
        true
    }

    fn extend_key(&self, arrival: &Arrival<'_>, key: &mut KeyText) -> bool {
        self.each_value(arrival.event, |value| key.push(value))
    }

    fn max_keys(&self, _: &Timing) -> usize {
        self.rule.max_terms
    }

    fn payload(&self, _: &Arrival<'_>) -> Option<()> {
        Some(())
    }

    fn begin(&self, _at_ms: i64) -> Term {
        Term::default()
    }

    fn eager(
        &self,
        learned: &mut Learned,
        term: &mut Term,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) {
        let at_ms = seen.at_ms;
        let first_ms = *learned.first_ms.get_or_insert(at_ms);
        let before = term.last_ms;
        if before.is_none() && self.is_message() {
            let name = text_hash(0, life.key());
            term.name = Some(name);
            *learned.names.entry(name).or_default() += 1;
        }
        term.last_ms = Some(before.map_or(at_ms, |last_ms| last_ms.max(at_ms)));
        if at_ms < first_ms.saturating_add(self.rule.learn_for_ms) {
            return;
        }
        let news = match before.map(|last_ms| at_ms.saturating_sub(last_ms)) {
            None => News::Never,
            Some(after_ms) if after_ms >= self.rule.horizon_ms => News::Returned { after_ms },
            Some(_) => return,
        };
        let mut values = Vec::new();
        self.each_value(arrival.event, |value| values.push(value.to_owned()));
        let message = &arrival.event.message;
        if news == News::Never
            && (self.is_seeded(arrival.event, &values) || self.is_reworded(learned, life.key(), message))
        {
            return;
        }
        // It may have been seen and have gone for want of room, unless that was longer ago than counts.
        let maybe_new = news == News::Never
            && learned
                .forgot_ms
                .is_some_and(|forgot_ms| at_ms.saturating_sub(forgot_ms) < self.rule.horizon_ms);
        let mut tally = Tally::default();
        tally.add(at_ms, seen.origin);
        tally.late += u64::from(life.is_late());
        tally.show(&arrival.sample());
        life.instant(at_ms, tally, || self.words_of(news, arrival.event, &values, maybe_new));
    }

    fn drop_state(&self, learned: &mut Learned, term: &Term) {
        learned.forgot_ms = learned.forgot_ms.max(term.last_ms);
        let Some(name) = term.name else { return };
        if let Some(n) = learned.names.get_mut(&name) {
            *n -= 1;
            if *n == 0 {
                learned.names.remove(&name);
            }
        }
    }

    fn adopt_state(&self, learned: &mut Learned, term: &Term, _: &[u8]) {
        if let Some(name) = term.name {
            *learned.names.entry(name).or_default() += 1;
        }
    }

    fn words(&self, _: &Term, _: &Tally) -> Words {
        Words::default()
    }

    fn encode(&self, term: &Term, writer: &mut Writer<'_>) {
        writer.signed_or_none(term.last_ms);
        writer.flag(term.name.is_some());
        if let Some(name) = term.name {
            writer.unsigned(name);
        }
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Term> {
        let last_ms = reader.signed_or_none()?;
        Some(Term { last_ms, name: if reader.flag()? { Some(reader.unsigned()?) } else { None } })
    }

    fn encode_payload(&self, _: &(), _: &mut Writer<'_>) {}

    fn decode_payload(&self, _: &mut Reader<'_, '_>) -> Option<()> {
        Some(())
    }

    fn encode_shared(&self, learned: &Learned, writer: &mut Writer<'_>) {
        writer.signed_or_none(learned.first_ms);
        writer.signed_or_none(learned.forgot_ms);
    }

    fn decode_shared(&self, reader: &mut Reader<'_, '_>) -> Option<Learned> {
        let first_ms = reader.signed_or_none()?;
        Some(Learned { first_ms, forgot_ms: reader.signed_or_none()?, names: FxHashMap::default() })
    }
}
