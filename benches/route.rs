//! How many lines a second of processor time does `dice route` classify?
//!
//! `cargo bench --package dice --bench route`. The lines are those that the fixture programs printed, over
//! and over; the time is that of the whole program, start and compiling the catalog included.

#![expect(clippy::print_stdout, reason = "a bench prints its answer")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use dice_testkit::{Fixture, Recording};

const LINES: usize = 500_000;

fn main() {
    for name in ["petrel", "siskin"] {
        let fixture = Fixture::build(name);
        let dice = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dice"));
            command.current_dir(fixture.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let indexed = dice().arg("index").status().expect("dice can be started");
        assert!(indexed.success(), "the fixture cannot be indexed");
        let recording = Recording::read(name);
        let times = LINES.div_ceil(recording.truth.len());
        fs::write(fixture.path().join("long.log"), recording.log.repeat(times))
            .expect("a log can be written");
        let lines = times * recording.truth.len();
        let start = Moment::now();
        let routed = dice().args(["route", "long.log"]).status().expect("dice can be started");
        assert!(routed.success(), "the log cannot be routed");
        let (seconds, of) = start.until(&Moment::now());
        println!("route: {name}, {lines} lines, {:.0} lines per second of {of} time", lines as f64 / seconds);
    }
}

/// A moment by the clock, and the processor time that ended programs have taken until then.
struct Moment {
    clock: Instant,
    processor_seconds: Option<f64>,
}

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn now() -> Moment {
        Moment { clock: Instant::now(), processor_seconds: children_seconds() }
    }

    /// Seconds from here to `end`, and of what.
    fn until(&self, end: &Moment) -> (f64, &'static str) {
        match (self.processor_seconds, end.processor_seconds) {
            (Some(start), Some(end)) if end > start => (end - start, "processor"),
            _ => ((end.clock - self.clock).as_secs_f64(), "clock"),
        }
    }
}

/// User and system time of all programs that this one has waited for: `cutime` and `cstime` of proc(5), in
/// hundredths of a second. `None` where there is no such file.
fn children_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses that may hold blanks; what follows it starts with field 3.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13).map_while(|field| field.parse::<f64>().ok());
    Some((fields.next()? + fields.next()?) / 100.0)
}
