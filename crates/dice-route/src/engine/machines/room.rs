//! Room for what the keys of a rule keep together: when it is full, the oldest of it goes, whosever it is.
//! What waits in one key's state is a [`Queue`].

use std::collections::{BTreeMap, VecDeque};

use crate::engine::codec::{Reader, Writer};

/// Room for moments that wait in the states of many keys.
///
/// A key's state is not at hand when another needs room. So what has to go is said by its time: everything
/// up to [`Room::gone_ms`] is gone, and every state leaves it out when it is next asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many there are at each moment; made anew from the states after a restart.
    moments: BTreeMap<i64, u32>,
    n: usize,
    gone_ms: i64,
    lost: u64,
}

impl Default for Room {
    fn default() -> Room {
        Room { moments: BTreeMap::new(), n: 0, gone_ms: i64::MIN, lost: 0 }
    }
}

impl Room {
    /// Takes a moment in and lets the oldest ones go while there are more than `most`. `false` if it is too
    /// old to be kept itself.
    pub(crate) fn enter(&mut self, at_ms: i64, most: usize) -> bool {
        if self.is_gone(at_ms) {
            self.lose(1);
            return false;
        }
        self.adopt(at_ms);
        while self.n > most.max(1) {
            let Some((gone_ms, n)) = self.moments.pop_first() else { break };
            self.n -= n as usize;
            self.gone_ms = gone_ms;
            self.lose(u64::from(n));
        }
        !self.is_gone(at_ms)
    }

    /// Takes in a moment of a state that came back from disk.
    pub(crate) fn adopt(&mut self, at_ms: i64) {
        if !self.is_gone(at_ms) {
            *self.moments.entry(at_ms).or_default() += 1;
            self.n += 1;
        }
    }

    /// Lets a moment go that is no longer kept.
    pub(crate) fn leave(&mut self, at_ms: i64) {
        if self.is_gone(at_ms) {
            return;
        }
        if let Some(n) = self.moments.get_mut(&at_ms) {
            *n -= 1;
            self.n -= 1;
            if *n == 0 {
                self.moments.remove(&at_ms);
            }
        }
    }

    /// Whether a moment had to go.
    pub(crate) fn is_gone(&self, at_ms: i64) -> bool {
        at_ms <= self.gone_ms
    }

    /// Counts what was lost.
    pub(crate) fn lose(&mut self, n: u64) {
        self.lost = self.lost.saturating_add(n);
    }

    /// How many were lost, for want of room or of knowledge.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.n
    }

    /// Writes what the states do not tell.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.signed(self.gone_ms);
        writer.unsigned(self.lost);
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Room> {
        Some(Room { gone_ms: reader.signed()?, lost: reader.count()?, ..Room::default() })
    }
}

/// Something that waits.
pub(crate) trait Waits {
    /// Since when.
    fn since_ms(&self) -> i64;
}

/// What waits in the state of one key, oldest first. Each takes up room among what waits in all of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Queue<T> {
    /// The first of them lies here: most keys have one at most.
    first: Option<T>,
    /// The others.
    others: Option<Box<Others<T>>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Others<T> {
    waiting: VecDeque<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { first: None, others: None }
    }
}

impl<T: Waits> Queue<T> {
    /// Leaves out what had to go for want of room.
    pub(crate) fn forget_gone(&mut self, room: &Room) {
        while self.first.as_ref().is_some_and(|first| room.is_gone(first.since_ms())) {
            self.remove(0);
        }
    }

    /// One more, behind those of its moment; the rule has room for `most`. `false` if it is too old to be kept.
    pub(crate) fn enter(&mut self, room: &mut Room, most: usize, one: T) -> bool {
        let since_ms = one.since_ms();
        let is_kept = room.enter(since_ms, most);
        if is_kept {
            let place = match (&self.first, &self.others) {
                (None, _) => 0,
                (Some(first), _) if first.since_ms() > since_ms => 0,
                (_, None) => 1,
                (_, Some(others)) => 1 + others.waiting.partition_point(|other| other.since_ms() <= since_ms),
            };
            self.insert(place, one);
        }
        is_kept
    }

    /// Puts in what stays of one that was taken from this place.
    pub(crate) fn put_back(&mut self, room: &mut Room, place: usize, rest: T) {
        room.adopt(rest.since_ms());
        self.insert(place.min(self.len()), rest);
    }

    fn insert(&mut self, place: usize, one: T) {
        let (place, one) = match place.checked_sub(1) {
            Some(place) => (place, one),
            None => match self.first.replace(one) {
                Some(second) => (0, second),
                None => return,
            },
        };
        let others = self.others.get_or_insert_with(|| Box::new(Others { waiting: VecDeque::new() }));
        others.waiting.insert(place, one);
    }

    fn remove(&mut self, place: usize) -> Option<T> {
        let Some(others) = &mut self.others else { return self.first.take_if(|_| place == 0) };
        let one = match place.checked_sub(1) {
            Some(place) => others.waiting.remove(place),
            None => std::mem::replace(&mut self.first, others.waiting.pop_front()),
        };
        if others.waiting.is_empty() {
            self.others = None;
        }
        one
    }

    /// Takes the one at this place: it waits no more.
    pub(crate) fn take(&mut self, room: &mut Room, place: usize) -> Option<T> {
        let one = self.remove(place)?;
        room.leave(one.since_ms());
        Some(one)
    }

    /// Takes the first if its time is over, which is told from when it began to wait.
    pub(crate) fn take_first(&mut self, room: &mut Room, is_over: impl Fn(i64) -> bool) -> Option<T> {
        self.forget_gone(room);
        if is_over(self.first.as_ref()?.since_ms()) { self.take(room, 0) } else { None }
    }

    /// Nothing waits any more.
    pub(crate) fn clear(&mut self, room: &mut Room) {
        self.iter().for_each(|one| room.leave(one.since_ms()));
        *self = Queue::default();
    }

    /// The state goes away: what waits in it is lost.
    pub(crate) fn drop_from(&self, room: &mut Room) {
        for one in self.iter() {
            if !room.is_gone(one.since_ms()) {
                room.leave(one.since_ms());
                room.lose(1);
            }
        }
    }

    /// The state came back from disk.
    pub(crate) fn adopt_into(&self, room: &mut Room) {
        self.iter().for_each(|one| room.adopt(one.since_ms()));
    }

    /// The one that waits for the longest time.
    pub(crate) fn first(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.as_ref().map_or(0, |others| others.waiting.len())
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.others.iter().flat_map(|others| &others.waiting))
    }

    /// Writes them.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>, encode: impl Fn(&T, &mut Writer<'_>)) {
        writer.size(self.len());
        self.iter().for_each(|one| encode(one, writer));
    }

    /// Reads them; they are in no room yet.
    pub(crate) fn decode<'r, 'o>(
        reader: &mut Reader<'r, 'o>,
        decode: impl Fn(&mut Reader<'r, 'o>) -> Option<T>,
    ) -> Option<Queue<T>> {
        let mut waiting: VecDeque<T> = (0..reader.size()?).map(|_| decode(reader)).collect::<Option<_>>()?;
        // Out of order they would be waited for too long.
        if !waiting.iter().is_sorted_by_key(Waits::since_ms) {
            return None;
        }
        let first = waiting.pop_front();
        Some(Queue { first, others: (!waiting.is_empty()).then(|| Box::new(Others { waiting })) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_whosever_they_are() {
        let mut room = Room::default();
        for at_ms in [5, 1, 3] {
            assert!(room.enter(at_ms, 3));
        }
        assert!(room.enter(4, 3));
        assert!(room.is_gone(1) && !room.is_gone(3));
        // What has gone is not counted twice, what comes too late is not kept.
        room.leave(1);
        assert!(!room.enter(1, 3));
        assert_eq!((room.len(), room.lost()), (3, 2));
        room.leave(3);
        assert!(room.enter(2, 3));
        assert_eq!((room.len(), room.lost()), (3, 2));
    }

    impl Waits for i64 {
        fn since_ms(&self) -> i64 {
            *self
        }
    }

    #[test]
    fn a_queue_takes_up_room_for_what_waits_in_it() {
        let (mut room, mut one, mut other) = (Room::default(), Queue::default(), Queue::default());
        assert!(one.enter(&mut room, 3, 5) && one.enter(&mut room, 3, 1) && other.enter(&mut room, 3, 2));
        assert!(other.enter(&mut room, 3, 7));
        // The oldest was the other's, and is left out when that is next asked.
        assert_eq!((room.len(), room.lost()), (3, 1));
        assert_eq!(one.take_first(&mut room, |since_ms| since_ms < 5), None);
        assert_eq!(one.take_first(&mut room, |since_ms| since_ms < 6), Some(5));
        other.drop_from(&mut room);
        assert_eq!((room.len(), room.lost()), (0, 3));
    }
}
