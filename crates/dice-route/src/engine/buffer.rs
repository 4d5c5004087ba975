//! Events that wait for their time, in the order of their time.

use std::collections::BTreeMap;

/// An event that waits.
#[derive(Debug, Clone)]
pub(crate) struct Item<P> {
    /// When it happened.
    pub(crate) at_ms: i64,
    /// Where it stands in its partition.
    pub(crate) offset: u64,
    /// Its partition.
    pub(crate) partition: u32,
    /// The number of its key.
    pub(crate) slot: u32,
    /// Where it came from.
    pub(crate) origin: u32,
    /// What the machine took from it.
    pub(crate) payload: P,
}

impl<P> Item<P> {
    /// What decides between two: the time, then the partition, then the place in it.
    fn order(&self) -> (i64, u32, u64) {
        (self.at_ms, self.partition, self.offset)
    }

    fn page(&self) -> i64 {
        self.at_ms >> PAGE_BITS
    }
}

/// A page has the events of so many milliseconds, as a power of two.
const PAGE_BITS: u32 = 6;

/// Pages that are kept for use when they are empty.
const MAX_SPARE: usize = 64;

/// The room of such a page at most.
const MAX_SPARE_ITEMS: usize = 4_096;

/// Events of a short time, in no order.
#[derive(Debug)]
struct Page<P> {
    first_ms: i64,
    items: Vec<Item<P>>,
}

/// Events that wait for their time, on pages of 64 ms. A page is put in order when its first event is taken.
#[derive(Debug)]
pub(crate) struct Buffer<P> {
    /// The page that is being taken, the first event last.
    open: Vec<Item<P>>,
    /// Its number.
    open_page: i64,
    pages: BTreeMap<i64, Page<P>>,
    spare: Vec<Vec<Item<P>>>,
    len: usize,
}

impl<P> Default for Buffer<P> {
    fn default() -> Buffer<P> {
        Buffer { open: Vec::new(), open_page: i64::MIN, pages: BTreeMap::new(), spare: Vec::new(), len: 0 }
    }
}

impl<P> Buffer<P> {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts one in.
    pub(crate) fn push(&mut self, item: Item<P>) {
        self.len += 1;
        let number = item.page();
        if !self.open.is_empty() {
            if number == self.open_page {
                let place = self.open.partition_point(|known| known.order() > item.order());
                return self.open.insert(place, item);
            }
            if number < self.open_page {
                self.put_back();
            }
        }
        match self.pages.get_mut(&number) {
            Some(page) => {
                page.first_ms = page.first_ms.min(item.at_ms);
                page.items.push(item);
            }
            None => {
                let mut items = self.spare.pop().unwrap_or_default();
                let first_ms = item.at_ms;
                items.push(item);
                self.pages.insert(number, Page { first_ms, items });
            }
        }
    }

    /// An event came for a time before the page that is being taken.
    fn put_back(&mut self) {
        let items = std::mem::take(&mut self.open);
        if let Some(last) = items.last() {
            let first_ms = last.at_ms;
            self.pages.insert(self.open_page, Page { first_ms, items });
        }
    }

    /// When the first of them happened.
    pub(crate) fn first_ms(&self) -> Option<i64> {
        match self.open.last() {
            Some(item) => Some(item.at_ms),
            None => self.pages.first_key_value().map(|(_, page)| page.first_ms),
        }
    }

    /// Takes the first of them.
    pub(crate) fn pop(&mut self) -> Option<Item<P>> {
        if self.open.is_empty() {
            let (number, page) = self.pages.pop_first()?;
            let spare = std::mem::replace(&mut self.open, page.items);
            if self.spare.len() < MAX_SPARE && spare.capacity() <= MAX_SPARE_ITEMS {
                self.spare.push(spare);
            }
            self.open_page = number;
            self.open.sort_unstable_by_key(|item| std::cmp::Reverse(item.order()));
        }
        self.len -= 1;
        self.open.pop()
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item<P>> {
        self.open.iter().chain(self.pages.values().flat_map(|page| &page.items))
    }
}
