//! Standard input.

use std::io::Read;

use crate::outlet::{Feed, Outlet, Stopped};
use crate::pump::Pump;
use crate::{End, Position, Settings};

/// What the partition is called.
pub(crate) const NAME: &str = "stdin";

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
    if let Some(error) = pump.run(&mut feed, settings, |_, _| {})? {
        outlet.problem(format!("wanted to read standard input, found: {error}"))?;
    }
    feed.close(End::Read)?;
    outlet.ended()
}
