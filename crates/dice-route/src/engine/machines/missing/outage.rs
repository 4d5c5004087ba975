//! Many keys that wait in vain at about the same time: an outage, which is one episode instead of thousands.

use std::collections::VecDeque;

use crate::engine::codec::{Reader, Writer};
use crate::engine::keys;
use crate::engine::text_hash;
use crate::engine::words::cut;

/// So many keys within the time that the rule waits are an outage.
pub(super) const MANY: usize = 10;

/// Keys of an outage whose names are told.
const MAX_NAMES: usize = 8;

/// Bytes of a name that are told.
const NAME_BYTES: usize = 40;

/// The outage of a rule, if there is one, and what may become one.
///
/// It is the episode of one of its keys, the host; the others are its guests. The states of guests are not at
/// hand when the host's is and the other way round, so what both must know is here, and the host looks at it
/// every now and then.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outages {
    /// The keys that waited in vain lately, the latest last, each once.
    lately: VecDeque<Lately>,
    outage: Option<Outage>,
    /// How many outages there were: tells them apart.
    number: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Lately {
    missed_ms: i64,
    hash: u64,
}

/// Many keys that wait in vain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outage {
    number: u64,
    /// When the host looks next. Once that is over there is no host any more.
    look_ms: i64,
    /// How many keys it has.
    pub(super) n_keys: u64,
    /// How many of them still wait.
    pub(super) n_waiting: u64,
    /// How many of them were given up, for want of room or of patience.
    pub(super) n_given_up: u64,
    /// When the last of them was found to wait in vain.
    pub(super) missed_ms: i64,
    /// When the last of what was waited for came.
    pub(super) came_ms: i64,
    /// What happened to guests since the host's last look: how many A, the first and the last of them.
    untold: Option<(u64, i64, i64)>,
    /// Some of its keys.
    names: Vec<String>,
    is_changed: bool,
}

/// What a key is to an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    /// Nothing.
    #[default]
    None,
    /// The episode of the outage with this number is the key's; it looks after it at this moment.
    Host(u64, i64),
    /// It belongs to the outage with this number.
    Guest(u64),
}

/// What a key becomes that waited in vain and has no episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It has an episode of its own.
    Alone,
    /// It belongs to an outage.
    In(Role),
}

impl Outages {
    /// A key waited in vain until `missed_ms`, which is found at `at_ms`, since `since_ms`. So many in
    /// `window_ms` are an outage, which its host looks after every `every_ms`.
    pub(super) fn place(
        &mut self,
        key: &[u8],
        since_ms: i64,
        missed_ms: i64,
        at_ms: i64,
        (window_ms, every_ms): (i64, i64),
    ) -> Place {
        let hash = text_hash(0, key);
        self.lately.retain(|other| {
            other.hash != hash && missed_ms.saturating_sub(other.missed_ms) < window_ms.max(1)
        });
        self.lately.push_back(Lately { missed_ms, hash });
        if self.lately.len() > MANY {
            self.lately.pop_front();
        }
        if let Some(outage) = self.outage.as_mut().filter(|outage| at_ms <= outage.look_ms) {
            outage.n_keys += 1;
            outage.n_waiting += 1;
            outage.miss(since_ms, missed_ms);
            if outage.names.len() < MAX_NAMES {
                outage.names.push(name_of(key));
            }
            return Place::In(Role::Guest(outage.number));
        }
        if self.lately.len() < MANY {
            return Place::Alone;
        }
        let look_ms = at_ms.saturating_add(every_ms);
        self.number = self.number.saturating_add(1);
        self.outage = Some(Outage {
            number: self.number,
            look_ms,
            n_keys: 1,
            n_waiting: 1,
            n_given_up: 0,
            missed_ms,
            came_ms: i64::MIN,
            untold: None,
            names: vec![name_of(key)],
            is_changed: false,
        });
        Place::In(Role::Host(self.number, look_ms))
    }

    /// The outage to which the key belongs, if it goes on.
    pub(super) fn of(&mut self, role: Role) -> Option<&mut Outage> {
        let (Role::Host(number, _) | Role::Guest(number)) = role else { return None };
        self.outage.as_mut().filter(|outage| outage.number == number)
    }

    /// The key goes away: without its host an outage ends, without a guest it goes on.
    pub(super) fn leave(&mut self, role: Role) {
        let Some(outage) = self.of(role) else { return };
        match role {
            Role::Host(..) => self.outage = None,
            Role::Guest(_) | Role::None => outage.give_up(),
        }
    }

    /// Writes it.
    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        writer.unsigned(self.number);
        writer.size(self.lately.len());
        for lately in &self.lately {
            writer.signed(lately.missed_ms);
            writer.unsigned(lately.hash);
        }
        writer.flag(self.outage.is_some());
        if let Some(outage) = &self.outage {
            outage.encode(writer);
        }
    }

    /// Reads it.
    pub(super) fn decode(reader: &mut Reader<'_, '_>) -> Option<Outages> {
        let number = reader.count()?;
        let lately = (0..reader.size()?)
            .map(|_| Some(Lately { missed_ms: reader.signed()?, hash: reader.unsigned()? }))
            .collect::<Option<_>>()?;
        let outage = if reader.flag()? { Some(Outage::decode(reader)?) } else { None };
        Some(Outages { lately, outage, number })
    }
}

impl Outage {
    /// An A of a guest waited in vain.
    pub(super) fn miss(&mut self, since_ms: i64, missed_ms: i64) {
        let (n, first_ms, last_ms) = self.untold.unwrap_or((0, since_ms, since_ms));
        self.untold = Some((n.saturating_add(1), first_ms.min(since_ms), last_ms.max(since_ms)));
        self.miss_own(missed_ms);
    }

    /// An A of the host waited in vain.
    pub(super) fn miss_own(&mut self, missed_ms: i64) {
        self.missed_ms = self.missed_ms.max(missed_ms);
        self.is_changed = true;
    }

    /// What one of its keys waited for came.
    pub(super) fn come(&mut self, at_ms: i64) {
        self.n_waiting = self.n_waiting.saturating_sub(1);
        self.came_ms = self.came_ms.max(at_ms);
        self.is_changed = true;
    }

    /// One of its keys is not waited for any more.
    pub(super) fn give_up(&mut self) {
        self.n_waiting = self.n_waiting.saturating_sub(1);
        self.n_given_up = self.n_given_up.saturating_add(1);
        self.is_changed = true;
    }

    /// The host looks, and will again at `next_ms`. Gives what happened to guests since the last time.
    pub(super) fn look(&mut self, next_ms: i64) -> Option<(u64, i64, i64)> {
        self.look_ms = next_ms;
        self.untold.take()
    }

    /// Whether something is to be told that was not; it is, from now on.
    pub(super) fn tell(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Its first keys, for the reader.
    pub(super) fn names(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let others = if self.n_keys > names.len() as u64 { " and others" } else { "" };
        format!("{}{others}", names.join(", "))
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        for number in [self.number, self.n_keys, self.n_waiting, self.n_given_up] {
            writer.unsigned(number);
        }
        for ms in [self.look_ms, self.missed_ms, self.came_ms] {
            writer.signed(ms);
        }
        writer.flag(self.untold.is_some());
        if let Some((n, first_ms, last_ms)) = self.untold {
            writer.unsigned(n);
            writer.signed(first_ms);
            writer.signed(last_ms);
        }
        writer.size(self.names.len());
        self.names.iter().for_each(|name| writer.text(name));
        writer.flag(self.is_changed);
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Option<Outage> {
        let (number, n_keys, n_waiting, n_given_up) =
            (reader.count()?, reader.count()?, reader.count()?, reader.count()?);
        let (look_ms, missed_ms, came_ms) = (reader.signed()?, reader.signed()?, reader.signed()?);
        let untold =
            if reader.flag()? { Some((reader.count()?, reader.signed()?, reader.signed()?)) } else { None };
        let names = (0..reader.size()?).map(|_| Some(reader.text()?.to_owned())).collect::<Option<_>>()?;
        let is_changed = reader.flag()?;
        Some(Outage {
            number,
            look_ms,
            n_keys,
            n_waiting,
            n_given_up,
            missed_ms,
            came_ms,
            untold,
            names,
            is_changed,
        })
    }
}

impl Role {
    /// Writes it.
    pub(super) fn encode(self, writer: &mut Writer<'_>) {
        match self {
            Role::None => writer.byte(0),
            Role::Host(number, look_ms) => {
                writer.byte(1);
                writer.unsigned(number);
                writer.signed(look_ms);
            }
            Role::Guest(number) => {
                writer.byte(2);
                writer.unsigned(number);
            }
        }
    }

    /// Reads it.
    pub(super) fn decode(reader: &mut Reader<'_, '_>) -> Option<Role> {
        Some(match reader.byte()? {
            0 => Role::None,
            1 => Role::Host(reader.unsigned()?, reader.signed()?),
            2 => Role::Guest(reader.unsigned()?),
            _ => return None,
        })
    }
}

fn name_of(key: &[u8]) -> String {
    let whole = keys::values(key).join(", ");
    let start = cut(&whole, NAME_BYTES);
    if start.len() == whole.len() { whole } else { format!("{start}…") }
}
