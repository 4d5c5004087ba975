//! What a source has shown so far, and what that says about its next line.
//!
//! In a source in which nearly every line comes from the catalog's statements, a short template that fits
//! from header to end is hardly a coincidence. So the share of lines that are told by their own evidence is
//! kept, apart for each program, format and package that the headers name: foreign programs that write
//! into the same source have a share of their own.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::Envelope;

/// What is known about a source when one of its lines is classified.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Belief {
    /// A message may start behind a text that no header format knows.
    pub(crate) floats: bool,
    /// A header that was guessed is the one that the source has always shown.
    pub(crate) is_certain: bool,
    /// Evidence that a message need not bring itself.
    pub(crate) prior: i32,
    /// Bytes at the start of the text that look like what stood before most messages of the source.
    pub(crate) header: usize,
}

impl Default for Belief {
    fn default() -> Belief {
        Belief { floats: true, is_certain: false, prior: 0, header: 0 }
    }
}

/// What a source has shown so far.
#[derive(Debug)]
pub(crate) struct Source {
    /// How many lines had a guessed header with a time or a process, by the other parts that were found.
    guessed: [u32; 128],
    /// Lines with a header.
    n_headed: u32,
    /// Texts before messages that no header format knows, and how often they were seen.
    headers: Vec<(Box<[u8]>, u32)>,
    /// Messages whose start is known.
    n_starts: u32,
    shares: Vec<Share>,
}

/// How many messages of one program are told by their own evidence, lately.
#[derive(Debug)]
struct Share {
    key: u64,
    n_known: u32,
    n_all: u32,
}

/// Programs that are told apart in one source.
const PROGRAMS: usize = 64;
/// Messages after which the older half counts half.
const LATELY: u32 = 512;
/// Messages of a program that tell nothing yet.
const FEW: u32 = 32;
/// Texts before messages that are remembered, and bytes of one.
const HEADERS: usize = 16;
const HEADER_BYTES: usize = 96;
/// Lines with the same guessed header that tell nothing yet.
const FEW_HEADERS: u32 = 8;

impl Source {
    /// A source that has not shown a line.
    pub(crate) fn new() -> Source {
        Source { guessed: [0; 128], n_headed: 0, headers: Vec::new(), n_starts: 0, shares: Vec::new() }
    }

    /// What is known when the line of `envelope`, which has a header, comes.
    pub(crate) fn belief(&mut self, envelope: &Envelope<'_>) -> Belief {
        self.n_headed = self.n_headed.saturating_add(1);
        let mut is_certain = false;
        let tells_much = envelope.time.is_some() || envelope.service.is_some() && envelope.pid.is_some();
        if envelope.uncut.is_some() && tells_much {
            let n = &mut self.guessed[parts_of(envelope)];
            *n = n.saturating_add(1);
            is_certain = *n > FEW_HEADERS && *n >= self.n_headed / 4;
        }
        let key = key_of(envelope);
        let share = self.shares.iter().find(|share| share.key == key);
        let header = self.header(&envelope.message);
        Belief { floats: true, is_certain, prior: share.map_or(0, Share::prior), header }
    }

    /// How long the text at the start of `text` is that looks like what stood before most messages.
    pub(crate) fn header(&self, text: &[u8]) -> usize {
        let usual = self.headers.iter().filter(|(_, n)| *n >= FEW_HEADERS && *n >= self.n_starts / 2);
        let fits = usual.filter_map(|(look, _)| length_of(look, text));
        fits.filter(|&len| len < text.len()).max().unwrap_or(0)
    }

    /// Learns that a message was found behind `before`.
    pub(crate) fn learn_start(&mut self, before: &[u8]) {
        self.n_starts += 1;
        if self.n_starts >= 2 * LATELY {
            self.n_starts /= 2;
            self.headers.iter_mut().for_each(|(_, n)| *n /= 2);
        }
        let Some(look) = look_of(before) else { return };
        match self.headers.iter().position(|(known, _)| **known == *look) {
            Some(place) => self.headers[place].1 += 1,
            None if self.headers.len() < HEADERS => self.headers.push((look.into(), 1)),
            None => {
                let rarest = (0..HEADERS).min_by_key(|&at| self.headers[at].1).unwrap_or(0);
                self.headers[rarest] = (look.into(), 1);
            }
        }
    }

    /// Learns whether the message of `envelope` was told by its own evidence.
    pub(crate) fn learn(&mut self, envelope: &Envelope<'_>, is_known: bool) {
        let key = key_of(envelope);
        let place = match self.shares.iter().position(|share| share.key == key) {
            Some(place) => place,
            None if self.shares.len() < PROGRAMS => {
                self.shares.push(Share { key, n_known: 0, n_all: 0 });
                self.shares.len() - 1
            }
            None => {
                let rarest = (0..self.shares.len()).min_by_key(|&at| self.shares[at].n_all).unwrap_or(0);
                self.shares[rarest] = Share { key, n_known: 0, n_all: 0 };
                rarest
            }
        };
        let share = &mut self.shares[place];
        share.n_all += 1;
        share.n_known += u32::from(is_known);
        if share.n_all >= LATELY {
            share.n_all /= 2;
            share.n_known /= 2;
        }
    }
}

impl Share {
    /// Evidence that the share stands for: nothing below one half, 26 points when all messages are known.
    fn prior(&self) -> i32 {
        if self.n_all < FEW || self.n_known * 2 <= self.n_all {
            return 0;
        }
        let above = f64::from(self.n_known) / f64::from(self.n_all) - 0.5;
        8 + (36.0 * above) as i32
    }
}

/// What a text before messages looks like: `x` for letters and digits, one blank for several.
fn look_of(before: &[u8]) -> Option<Vec<u8>> {
    if before.is_empty() || before.len() > HEADER_BYTES || is_name(before[before.len() - 1]) {
        return None;
    }
    let class = |&byte: &u8| match byte {
        _ if is_name(byte) => b'x',
        b'\t' => b' ',
        _ => byte,
    };
    let mut look: Vec<u8> = before.iter().map(class).collect();
    look.dedup_by(|a, b| a == b && matches!(a, b'x' | b' '));
    Some(look)
}

/// How long the start of `text` is that looks like `look`.
fn length_of(look: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &class in look {
        let rest = &text[at..];
        let len = match class {
            b'x' => rest.iter().take(HEADER_BYTES).take_while(|byte| is_name(**byte)).count(),
            b' ' => rest.iter().take(HEADER_BYTES).take_while(|byte| b" \t".contains(byte)).count(),
            _ => usize::from(rest.first() == Some(&class)),
        };
        if len == 0 {
            return None;
        }
        at += len;
    }
    Some(at)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Which parts a header has, as bits.
fn parts_of(envelope: &Envelope<'_>) -> usize {
    let parts = [
        envelope.level.is_some(),
        envelope.service.is_some(),
        envelope.pid.is_some(),
        envelope.target.is_some(),
        envelope.function.is_some(),
        envelope.file.is_some(),
        envelope.host.is_some(),
    ];
    parts.iter().enumerate().map(|(bit, has)| usize::from(*has) << bit).sum()
}

/// Which program, and which package of it, printed a line.
fn key_of(envelope: &Envelope<'_>) -> u64 {
    let target = envelope.target.as_deref().map(|target| target.split("::").next().unwrap_or(target));
    FxBuildHasher.hash_one((envelope.format, envelope.service.as_deref(), target))
}

#[cfg(test)]
mod tests {
    use super::{Source, length_of, look_of};
    use crate::Envelope;

    /// The prior of `service` after messages of it, one in `of` of them unknown.
    fn prior(source: &mut Source, service: &'static str, n: u32, of: u32) -> i32 {
        let envelope =
            Envelope { format: Some("tool"), service: Some(service.into()), ..Envelope::default() };
        (1..=n).for_each(|n| source.learn(&envelope, n % of != 0));
        source.belief(&envelope).prior
    }

    #[test]
    fn what_stands_before_messages_is_recognised() {
        let look = look_of(b"@2dbd/26839 (W) =>  ").unwrap();
        assert_eq!(look, b"@x/x (x) => ");
        assert_eq!(length_of(&look, b"@1/2  (N) => disk full"), Some(13));
        assert_eq!(length_of(&look, b"@1/2 N => disk full"), None);
        assert_eq!(look_of(b"prefix"), None);
        let mut source = Source::new();
        for n in 0..20 {
            source.learn_start(format!("@{n} => ").as_bytes());
        }
        assert_eq!(source.header(b"@7 => x"), 6);
        (0..40).for_each(|_| source.learn_start(b""));
        assert_eq!(source.header(b"@7 => x"), 0);
    }

    #[test]
    fn a_source_is_believed_as_far_as_it_is_known() {
        let mut source = Source::new();
        assert_eq!(prior(&mut source, "young", 31, 1000), 0);
        assert_eq!(prior(&mut source, "foreign", 1000, 1), 0);
        assert_eq!(prior(&mut source, "mixed", 1000, 2), 0);
        assert!((20..=23).contains(&prior(&mut source, "own", 1000, 10)));
        assert_eq!(prior(&mut source, "foreign", 0, 1), 0);
        for n in 0..1000 {
            let other: &str = Box::leak(format!("other{n}").into_boxed_str());
            prior(&mut source, other, 1, 1);
        }
        assert!(source.shares.len() <= super::PROGRAMS);
        assert!(prior(&mut source, "own", 0, 1) > 0, "a crowd of others displaces nobody who is frequent");
    }
}
