//! Where events came from, told once and referred to by number.

use std::sync::Arc;

use dice_catalog::Fingerprint;

use super::codec::{put_signed, put_text, signed_at, text_at};
use super::text_hash;
use crate::{Event, MessageId};

/// A message's name as bytes, for comparing and storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// Whether a statement is known.
    pub(crate) is_known: bool,
    /// The name.
    pub(crate) bytes: [u8; 16],
}

impl From<MessageId> for Named {
    fn from(id: MessageId) -> Named {
        match id {
            MessageId::Known(fingerprint) => Named { is_known: true, bytes: fingerprint.to_bytes() },
            MessageId::Unknown(bytes) => Named { is_known: false, bytes },
        }
    }
}

/// Where an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// The machine.
    pub(crate) host: Option<&'a str>,
    /// The program.
    pub(crate) service: Option<&'a str>,
    /// The release.
    pub(crate) version: Option<&'a str>,
    /// The environment.
    pub(crate) env: Option<&'a str>,
    /// The message.
    pub(crate) message: Named,
}

impl<'a> Origin<'a> {
    /// Where this event came from.
    pub(crate) fn of(event: &'a Event) -> Origin<'a> {
        Origin {
            host: event.host.as_deref(),
            service: event.service.as_deref(),
            version: event.version.as_deref(),
            env: event.env.as_deref(),
            message: event.message.id.into(),
        }
    }

    fn hash(&self) -> u64 {
        let mut hash = text_hash(0, &self.message.bytes);
        for part in [self.host, self.service, self.version, self.env] {
            hash = text_hash(hash, part.unwrap_or_default().as_bytes());
        }
        hash
    }
}

#[derive(Debug)]
struct Kept {
    parts: [Option<Arc<str>>; 4],
    named: Named,
    message: MessageId,
    hash: u64,
}

impl Kept {
    /// Whether it is where this event came from. Words that are shared need not be compared.
    fn is_of(&self, event: &Event) -> bool {
        let [host, service, version, env] = &self.parts;
        self.message == event.message.id
            && *host == event.host
            && *service == event.service
            && *version == event.version
            && *env == event.env
    }

    fn origin(&self) -> Origin<'_> {
        let [host, service, version, env] = &self.parts;
        Origin {
            host: host.as_deref(),
            service: service.as_deref(),
            version: version.as_deref(),
            env: env.as_deref(),
            message: self.named,
        }
    }
}

/// The words of an event's origin, shared with it.
fn parts_of(event: &Event) -> [Option<Arc<str>>; 4] {
    [event.host.clone(), event.service.clone(), event.version.clone(), event.env.clone()]
}

/// Every origin that state refers to. The numbers are for memory; what is stored has the words.
#[derive(Debug)]
pub(crate) struct Origins {
    kept: Vec<Option<Kept>>,
    free: Vec<u32>,
    /// Places in `kept` by hash, open addressing; `0` is empty, everything else one more than the place.
    table: Vec<u32>,
    live: usize,
    /// Past this many it is asked which are still meant.
    sweep_at: usize,
}

/// Origins that are kept before it is first asked which are still meant.
const FIRST_SWEEP: usize = 1 << 16;

impl Default for Origins {
    fn default() -> Origins {
        Origins { kept: Vec::new(), free: Vec::new(), table: vec![0; 64], live: 0, sweep_at: FIRST_SWEEP }
    }
}

impl Origins {
    /// No origin is meant.
    pub(crate) const NONE: u32 = u32::MAX;

    /// The origin with this number.
    pub(crate) fn get(&self, id: u32) -> Option<Origin<'_>> {
        Some(self.kept.get(id as usize)?.as_ref()?.origin())
    }

    /// Host, service, release and environment of the origin with this number, shared, and its message.
    pub(crate) fn shared(&self, id: u32) -> Option<(&[Option<Arc<str>>; 4], MessageId)> {
        let kept = self.kept.get(id as usize)?.as_ref()?;
        Some((&kept.parts, kept.message))
    }

    /// The number of an event's origin, a new one if it is new. `guess` is the number that an event like it had,
    /// and then its own.
    #[inline]
    pub(crate) fn of_event(&mut self, event: &Event, guess: &mut u32) -> u32 {
        let guessed = self.kept.get(*guess as usize).and_then(Option::as_ref);
        if !guessed.is_some_and(|kept| kept.is_of(event)) {
            *guess = self.find(Origin::of(event), || parts_of(event));
        }
        *guess
    }

    /// The number of an origin, a new one if it is new.
    pub(crate) fn id_of(&mut self, origin: Origin<'_>) -> u32 {
        let parts = [origin.host, origin.service, origin.version, origin.env];
        self.find(origin, || parts.map(|part| part.map(Arc::from)))
    }

    fn find(&mut self, origin: Origin<'_>, parts: impl FnOnce() -> [Option<Arc<str>>; 4]) -> u32 {
        let hash = origin.hash();
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(id) = self.table[place].checked_sub(1) {
            let kept = self.kept[id as usize].as_ref();
            if kept.is_some_and(|kept| kept.hash == hash && kept.origin() == origin) {
                return id;
            }
            place = (place + 1) & mask;
        }
        let message = match origin.message {
            Named { is_known: false, bytes } => MessageId::Unknown(bytes),
            Named { is_known: true, bytes } => MessageId::Known(Fingerprint::from_bytes(bytes)),
        };
        let kept = Some(Kept { parts: parts(), named: origin.message, message, hash });
        let id = match self.free.pop() {
            Some(id) => {
                self.kept[id as usize] = kept;
                id
            }
            None => {
                self.kept.push(kept);
                (self.kept.len() - 1) as u32
            }
        };
        self.live += 1;
        self.table[place] = id + 1;
        if self.live * 2 > self.table.len() {
            self.rebuild(self.table.len() * 2);
        }
        id
    }

    /// Whether so many are kept that it should be asked which are still meant.
    pub(crate) fn is_crowded(&self) -> bool {
        self.live > self.sweep_at
    }

    /// Forgets every origin that is not among `meant`, which has a place for each number.
    pub(crate) fn keep_only(&mut self, meant: &[bool]) {
        for (id, kept) in self.kept.iter_mut().enumerate() {
            if kept.is_some() && !meant.get(id).copied().unwrap_or(false) {
                *kept = None;
                self.free.push(id as u32);
                self.live -= 1;
            }
        }
        self.sweep_at = (self.live * 2).max(FIRST_SWEEP);
        self.rebuild(self.table.len());
    }

    /// How many numbers there are: one more than the highest.
    pub(crate) fn bound(&self) -> usize {
        self.kept.len()
    }

    fn rebuild(&mut self, size: usize) {
        self.table.clear();
        self.table.resize(size, 0);
        for (id, kept) in self.kept.iter().enumerate() {
            let Some(kept) = kept else { continue };
            let mut place = kept.hash as usize & (size - 1);
            while self.table[place] != 0 {
                place = (place + 1) & (size - 1);
            }
            self.table[place] = id as u32 + 1;
        }
    }
}

/// A line that shows what an episode is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// When it happened.
    pub(crate) at_ms: i64,
    /// The message as printed, cut where it is very long.
    pub(crate) text: Arc<str>,
    /// `file:line` of its statement.
    pub(crate) place: Arc<str>,
    /// Its trace id.
    pub(crate) trace: Option<Arc<str>>,
}

/// How much of a line is kept.
const SAMPLE_BYTES: usize = 2_048;

impl Sample {
    /// What is kept of this event.
    pub(crate) fn of(event: &Event, at_ms: i64) -> Sample {
        Sample {
            at_ms,
            text: super::words::cut(&event.text, SAMPLE_BYTES).into(),
            place: event.message.place.clone(),
            trace: event.trace.clone(),
        }
    }
    /// Appends it in few bytes; [`Packed::at`] reads them.
    pub(crate) fn pack(&self, bytes: &mut Vec<u8>) {
        put_signed(bytes, self.at_ms);
        put_text(bytes, &self.text);
        put_text(bytes, &self.place);
        bytes.push(self.trace.is_some().into());
        self.trace.iter().for_each(|trace| put_text(bytes, trace));
    }
}

/// A line of a key that is idle: bytes, which are read when it is shown.
#[derive(Debug)]
pub(crate) struct Packed<'b> {
    /// When it happened.
    pub(crate) at_ms: i64,
    text: &'b str,
    place: &'b str,
    /// Its trace id.
    pub(crate) trace: Option<&'b str>,
}

impl<'b> Packed<'b> {
    /// The line at the beginning of these bytes, and where it ends.
    pub(crate) fn at(bytes: &'b [u8]) -> Option<(Packed<'b>, usize)> {
        let (at_ms, at) = signed_at(bytes, 0)?;
        let (text, at) = text_at(bytes, at)?;
        let (place, at) = text_at(bytes, at)?;
        let (trace, end) = match bytes.get(at)? {
            0 => (None, at + 1),
            _ => text_at(bytes, at + 1).map(|(trace, end)| (Some(trace), end))?,
        };
        Some((Packed { at_ms, text, place, trace }, end))
    }

    /// The line as it was.
    pub(crate) fn sample(&self) -> Sample {
        let Packed { at_ms, text, place, trace } = self;
        Sample { at_ms: *at_ms, text: (*text).into(), place: (*place).into(), trace: trace.map(Into::into) }
    }
}
