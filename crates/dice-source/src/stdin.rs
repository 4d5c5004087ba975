//! Standard input.

use std::io::Read;

use crate::outlet::{Feed, Outlet, Stopped};
use crate::pump::{Pump, Reading};
use crate::{Block, End, Position, Settings};

/// What the partition is called.
pub(crate) const NAME: &str = "stdin";

/// Milliseconds without bytes after which there is nothing more for now.
const QUIET_MS: u64 = 50;

/// Tells the lines of `input` until its end.
///
/// What was read before cannot be read again: `resumed` only goes on with the count.
pub(crate) fn run(
    input: impl Read + Send + 'static,
    settings: &Settings,
    resumed: Position,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    let mut feed = Feed::open(outlet, Position { within: None, ..resumed }, None)?;
    let mut pump = Pump::start(input);
    let reading = Reading { is_rest_told: true, quiet_ms: QUIET_MS, after: |_: &Block, _: &mut Position| {} };
    if let Some(error) = pump.run(&mut feed, settings, reading)? {
        outlet.problem(format!("wanted to read standard input, found: {error}"))?;
    }
    feed.close(End::Read)?;
    outlet.ended()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use super::{NAME, run};
    use crate::outlet::{Outlet, Stop};
    use crate::{Arrival, Kind, Position, Settings};

    /// Gives one of its pieces for each read, then an error or the end.
    struct Pieces(Vec<&'static str>, Option<io::ErrorKind>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return self.1.map_or(Ok(0), |kind| Err(kind.into()));
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }

    #[track_caller]
    fn check(input: Pieces, lines: &[&str], offset: u64, problem: bool) {
        let (sender, arrivals) = sync_channel::<Arrival>(100);
        let outlet = Outlet::new(sender, Arc::new(Stop::default()), Arc::new(|| 0));
        let settings = Settings { limit_bytes: 8, ..Settings::new("test", Kind::Stdin) };
        assert!(run(input, &settings, Position::start("test", NAME), &outlet).is_ok());
        drop(outlet);
        let (mut found, mut place, mut is_problem) = (Vec::new(), 0, false);
        for arrival in arrivals {
            match arrival {
                Arrival::Lines { block, .. } => {
                    found.extend(block.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
                }
                Arrival::Closed { position, .. } => place = position.offset,
                Arrival::Problem { .. } => is_problem = true,
                _ => {}
            }
        }
        assert_eq!((found.as_slice(), place, is_problem), (owned(lines).as_slice(), offset, problem));
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn lines_come_in_any_pieces() {
        check(Pieces(vec!["one\ntw", "o", "\n\nthr", "ee"], None), &["one", "two", "", "three"], 14, false);
        check(Pieces(vec!["0123", "456789", "abc", "def\nx\n"], None), &["012345678", "x"], 19, false);
        check(Pieces(vec![], None), &[], 0, false);
    }

    #[test]
    fn what_was_read_before_an_error_is_told() {
        check(Pieces(vec!["one\ntw"], Some(io::ErrorKind::Other)), &["one", "tw"], 6, true);
    }
}
