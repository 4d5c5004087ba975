//! Something that was never seen before.
//!
//! A term is the rule's key with the term's values behind it. Of a term only its hash and when it was last seen
//! are kept, on one of many shelves, which are what the engine knows as keys: a shelf is saved by itself. For
//! want of room the term goes that was not seen for the longest time of those on the shelf of a new one; up to
//! as many terms as a shelf is meant for that is the one of all.
//!
//! It is decided on arrival, late events included: what was never seen stays never seen, whatever else
//! arrives. Only at the edges of `learn_for_ms` and `horizon_ms` the order of arrival decides.

mod shelf;

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use self::shelf::{Shelf, TERMS_MEANT};

use crate::condition::Field;
use crate::config::{FirstSeen, NewTerms, OnMissingKey, Timing};
use crate::engine::codec::{Reader, Writer};
use crate::engine::keys::{self, KeyText};
use crate::engine::life::Life;
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::tally::Tally;
use crate::engine::text_hash;
use crate::engine::words::{cut, duration};
use crate::{EpisodeId, Event, Key, Message, MessageId};

/// Bytes of a term that a reader is shown.
const SHOWN_BYTES: usize = 80;

/// Bytes of a term that is a message's name alone, with its length before it.
const SHORT_TERM: usize = MessageId::MAX_DIGITS + 1;

/// Something that was never seen before.
#[derive(Debug)]
pub(crate) struct NewTerm {
    rule: FirstSeen,
    key: Vec<Field>,
    on_missing_key: OnMissingKey,
    /// Names of the fields, for the reader.
    names: String,
    seeds: BTreeSet<String>,
    seed_messages: BTreeSet<MessageId>,
}

/// What all terms share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// The rule's first event.
    first_ms: Option<i64>,
    /// When the latest was last seen of the terms that went for want of room.
    forgot_ms: Option<i64>,
    /// How many went.
    forgotten: u64,
    /// How many there are; counted anew after a restart.
    n_terms: usize,
    /// The hashes of terms that are messages: later names of a message are looked up by them. Made anew from
    /// the shelves after a restart.
    names: FxHashSet<u64>,
}

/// Why a term is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Never,
    Returned { after_ms: i64 },
}

impl NewTerm {
    /// Watches for what this says, by the rule's key.
    pub(crate) fn new(rule: &FirstSeen, key: &[Field], on_missing_key: OnMissingKey) -> NewTerm {
        let names = match &rule.terms {
            NewTerms::Fields(fields) => fields.iter().map(Field::name).collect::<Vec<&str>>().join(", "),
            NewTerms::Message | NewTerms::MessageInVersion | NewTerms::Unmatched => String::new(),
        };
        NewTerm {
            names,
            seeds: rule.seed.iter().cloned().collect(),
            seed_messages: rule.seed_messages.iter().copied().collect(),
            rule: rule.clone(),
            key: key.to_vec(),
            on_missing_key,
        }
    }

    fn n_shelves(&self) -> usize {
        self.rule.max_terms.div_ceil(TERMS_MEANT).max(1)
    }

    /// The event's term, with the rule's key before it.
    fn term_of(&self, event: &Event) -> Option<KeyText> {
        let mut term = KeyText::default();
        let is_whole = term.fill(event, &self.key, self.on_missing_key)
            && self.each_value(event, |value| term.push(value));
        is_whole.then_some(term)
    }

    /// The hash of the event's term.
    fn hash_of(&self, event: &Event) -> Option<u64> {
        let id = event.message.id;
        let is_plain = self.key.is_empty()
            && match self.rule.terms {
                NewTerms::Message => id.is_known(),
                NewTerms::Unmatched => !id.is_known(),
                NewTerms::Fields(_) | NewTerms::MessageInVersion => false,
            };
        if is_plain {
            // Asked for with every line: the same bytes without memory of their own.
            let mut digits = [0; MessageId::MAX_DIGITS];
            return Some(text_hash(0, keys::short_text(id.digits(&mut digits), &mut [0; SHORT_TERM])));
        }
        Some(text_hash(0, self.term_of(event)?.bytes()))
    }

    /// Takes a term off its shelf: the one that was not seen for the longest time.
    fn forget_oldest(&self, learned: &mut Learned, shelf: &mut Shelf) {
        let Some((hash, last_ms)) = shelf.take_oldest() else { return };
        learned.names.remove(&hash);
        learned.n_terms = learned.n_terms.saturating_sub(1);
        learned.forgotten = learned.forgotten.saturating_add(1);
        learned.forgot_ms = learned.forgot_ms.max(Some(last_ms));
    }

    /// Why the event's term is to be told. It was last seen at `before_ms`.
    fn news_of(&self, learned: &Learned, before_ms: Option<i64>, at_ms: i64) -> Option<News> {
        let first_ms = learned.first_ms.unwrap_or(at_ms);
        if at_ms < first_ms.saturating_add(self.rule.learn_for_ms) {
            return None;
        }
        match before_ms.map(|before_ms| at_ms.saturating_sub(before_ms)) {
            None => Some(News::Never),
            Some(after_ms) if after_ms >= self.rule.horizon_ms => Some(News::Returned { after_ms }),
            Some(_) => None,
        }
    }

    fn tell(
        &self,
        learned: &Learned,
        life: &mut Life<'_>,
        seen: &Seen<'_, u64>,
        arrival: &Arrival<'_>,
        news: News,
    ) {
        let (event, at_ms) = (arrival.event, seen.at_ms);
        let Some(term) = self.term_of(event) else { return };
        let mut values = Vec::new();
        self.each_value(event, |value| values.push(value.to_owned()));
        let is_known =
            |term: &[u8]| self.is_seeded(event, &values) || self.is_reworded(learned, term, &event.message);
        if news == News::Never && is_known(term.bytes()) {
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
        let before = life.out.len();
        life.instant(at_ms, tally, || self.words_of(news, event, &values, maybe_new));
        // The engine's key is the shelf, the reader's is the term. The numbers of a shelf's episodes are never
        // used twice, so those of a term, which never changes its shelf, are not either.
        let key = keys::to_key(term.bytes());
        for (_, transition) in life.out.iter_mut().skip(before) {
            let speaker = &life.speaker;
            transition.episode = EpisodeId::of(&speaker.rule, speaker.semantic_rev, &key, transition.seq);
            transition.key = key.clone();
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
            learned.names.contains(&text_hash(0, earlier.bytes()))
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
    type State = Shelf;
    /// The hash of the term.
    type Payload = u64;
    type Shared = Learned;

    fn pass(&self) -> Pass {
        Pass::Arrival
    }

    fn extends_key(&self) -> bool {
        true
    }

    fn extend_key(&self, hash: &u64, key: &mut KeyText) {
        key.clear();
        Shelf::name(*hash, self.n_shelves(), key);
    }

    fn max_keys(&self, _: &Timing) -> usize {
        self.n_shelves()
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<u64> {
        self.hash_of(arrival.event)
    }

    fn begin(&self, _at_ms: i64) -> Shelf {
        Shelf::default()
    }

    fn eager(
        &self,
        learned: &mut Learned,
        shelf: &mut Shelf,
        life: &mut Life<'_>,
        seen: &Seen<'_, u64>,
        arrival: &Arrival<'_>,
    ) {
        let (hash, at_ms) = (*seen.payload, seen.at_ms);
        learned.first_ms.get_or_insert(at_ms);
        let before_ms = shelf.see(hash, at_ms);
        if before_ms.is_none() {
            learned.n_terms += 1;
            if self.is_message() {
                learned.names.insert(hash);
            }
        }
        if let Some(news) = self.news_of(learned, before_ms, at_ms) {
            self.tell(learned, life, seen, arrival, news);
        }
        let most = self.rule.max_terms.max(1);
        while shelf.is_crowded() || (learned.n_terms > most && shelf.len() > 1) {
            self.forget_oldest(learned, shelf);
        }
    }

    fn drop_state(&self, learned: &mut Learned, shelf: &Shelf) {
        let mut shelf = shelf.clone();
        while shelf.len() > 0 {
            self.forget_oldest(learned, &mut shelf);
        }
    }

    fn adopt_state(&self, learned: &mut Learned, shelf: &Shelf, _: &[u8]) {
        learned.n_terms += shelf.len();
        if self.is_message() {
            learned.names.extend(shelf.hashes());
        }
    }

    fn pending(&self, learned: &Learned) -> usize {
        learned.n_terms
    }

    fn lost(&self, learned: &Learned) -> u64 {
        learned.forgotten
    }

    fn words(&self, _: &Shelf, _: &Tally) -> Words {
        Words::default()
    }

    fn encode(&self, shelf: &Shelf, writer: &mut Writer<'_>) {
        shelf.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Shelf> {
        Shelf::decode(reader)
    }

    fn encode_payload(&self, _: &u64, _: &mut Writer<'_>) {}

    fn decode_payload(&self, _: &mut Reader<'_, '_>) -> Option<u64> {
        // Nothing waits: everything is decided on arrival.
        None
    }

    fn encode_shared(&self, learned: &Learned, writer: &mut Writer<'_>) {
        writer.signed_or_none(learned.first_ms);
        writer.signed_or_none(learned.forgot_ms);
        writer.unsigned(learned.forgotten);
    }

    fn decode_shared(&self, reader: &mut Reader<'_, '_>) -> Option<Learned> {
        let (first_ms, forgot_ms) = (reader.signed_or_none()?, reader.signed_or_none()?);
        Some(Learned { first_ms, forgot_ms, forgotten: reader.count()?, ..Learned::default() })
    }
}
