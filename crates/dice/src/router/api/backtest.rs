//! What would have been sent about lines: they are read as a log that is finished, in the time of the lines.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{bounded, never};
use dice_config::Loaded;
use dice_route::{Intent, Router};
use dice_serve::view::Backtested;
use dice_serve::{Found, NotFound};
use dice_source::{Arrival, BLOCK_BYTES, Block, End, Partition, Position};
use jiff::tz::TimeZone;

use super::board::Force;
use super::desk::unavailable;
use crate::clock;
use crate::router::classifier::SourceFacts;
use crate::router::memory::Memory;
use crate::router::pipeline::{Incoming, Numbers, Pipeline, SourcePlan};
use crate::router::plan::{self, Plans};
use crate::router::service::{Ending, Outlet, Pulse, Service};

/// The source of lines about which nothing is known.
const PLAIN: &str = "backtest";
/// Seconds for which time goes on after the last line.
const AFTERWARDS_S: u32 = 1_200;
/// How long both replays together may take; whoever asks waits a little longer.
pub(super) const LIMIT: Duration = Duration::from_secs(25);
/// Notices that are shown.
const MAX_NOTICES: usize = 200;
/// Bytes of a line that are kept.
const LINE_BYTES: usize = 1 << 20;

/// What would have been sent with what is in force, and with `next`. A few lines may be years apart, and it takes
/// long to live through those: past `limit` nobody waits any more, and it ends.
pub(super) fn backtest(
    force: &Force,
    lines: &[u8],
    source: Option<&str>,
    next: &Loaded,
    limit: Duration,
) -> Found<Backtested> {
    let since = clock::start();
    let is_late = || since.elapsed() > limit;
    let replay = |loaded| {
        let replayed = replay(force, loaded, lines, source, &is_late).map_err(unavailable)?;
        replayed.ok_or_else(|| {
            let limit_s = limit.as_secs();
            NotFound::Wrong(format!(
                "the time of these lines takes longer than {limit_s} s to go through; give fewer of them"
            ))
        })
    };
    let (_, before) = replay(&force.loaded)?;
    let (router, after) = replay(next)?;
    let names = |told: &[Intent]| -> BTreeSet<String> {
        told.iter().map(|intent| intent.destination.name().to_owned()).collect()
    };
    let counted = router.counters().iter().map(|counts| (counts.lines.lines, counts.lines.matched));
    let (lines, matched) = counted.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
    let notices = after.iter().take(MAX_NOTICES).map(super::desk::delivery).collect::<Result<Vec<_>>>();
    let notices = notices.map_err(unavailable)?;
    Ok(Backtested {
        lines,
        matched,
        sent_before: before.len() as u64,
        sent: after.len() as u64,
        newly_told: names(&after).difference(&names(&before)).cloned().collect(),
        more_notices: after.len().saturating_sub(MAX_NOTICES) as u64,
        notices,
    })
}

/// `None` where it takes too long.
fn replay(
    force: &Force,
    loaded: &Loaded,
    lines: &[u8],
    source: Option<&str>,
    is_late: &impl Fn() -> bool,
) -> Result<Option<(Router, Vec<Intent>)>> {
    let (name, plan) = match loaded.sources.iter().find(|known| Some(known.name.as_str()) == source) {
        Some(known) => (known.name.as_str(), plan::source(&force.file, known)?.1),
        None => (PLAIN, plain(loaded)?),
    };
    let plans: Plans = [(name.to_owned(), plan)].into();
    let router = Router::new(Arc::new(loaded.router.clone()), 0);
    let outlet = Outlet::<io::Sink>::Keep(Vec::new());
    let mut service = Service::new(router, None, Vec::new(), outlet, true);
    let known = &force.known;
    let (incoming_to, incoming) = sync_channel::<Incoming>(1);
    let mut memory = Memory::default();
    let is_over = AtomicBool::new(false);
    let ending =
        std::thread::scope(|scope| -> Result<Ending> {
            // Whoever classifies ends when nobody takes what it has: the channel has to go before it is waited for.
            let (portions_to, portions) = bounded(1);
            scope.spawn(move || feed(name, lines, &incoming_to));
            let pipeline = Pipeline::new(
                (&known.matcher, &known.repos, &known.outdated),
                &plans,
                Numbers::default(),
                (&[], &mut memory),
                true,
                clock::now,
            );
            let is_over = &is_over;
            scope.spawn(move || pipeline.run(&incoming, &portions_to, is_over));
            service.run(&portions, &never(), |_| {
                if is_late() { Pulse::End(Ending::Asked) } else { Pulse::Nothing }
            })
        })?;
    if ending != Ending::Read {
        return Ok(None);
    }
    service.conclude()?;
    service.run_on(AFTERWARDS_S)?;
    let (router, outlet) = service.end();
    Ok(Some(match outlet {
        Outlet::Keep(told) => (router, told),
        Outlet::Print(..) => (router, Vec::new()),
    }))
}

fn plain(loaded: &Loaded) -> Result<SourcePlan> {
    let env = loaded.env.as_deref().map(Into::into);
    let facts = SourceFacts { name: PLAIN.into(), service: None, host: None, env, version: None };
    Ok(SourcePlan {
        facts: Arc::new(facts),
        format: None,
        zone: TimeZone::get(&loaded.router.zone)?,
        year: None,
    })
}

/// Tells the lines as a source does that is read to its end.
fn feed(name: &str, lines: &[u8], to: &mpsc::SyncSender<Incoming>) {
    let partition = Partition { id: 0, source: name.into(), name: PLAIN.into() };
    let mut position = Position {
        source: name.to_owned(),
        partition: PLAIN.to_owned(),
        offset: 0,
        lines: 0,
        file: None,
        cursor: None,
        within: None,
    };
    let now_ms = clock::now().as_millisecond();
    let opened =
        Arrival::Opened { partition: partition.clone(), position: position.clone(), modified_ms: None };
    // Whoever classifies ends only when nothing more comes.
    let _ = to.send(opened.into());
    let mut rest = lines;
    while !rest.is_empty() {
        let at_most = rest.len().min(BLOCK_BYTES);
        let end = match rest[..at_most].iter().rposition(|byte| *byte == b'\n') {
            _ if at_most == rest.len() => at_most,
            Some(end) => end + 1,
            None => rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1),
        };
        let (these, others) = rest.split_at(end);
        rest = others;
        let block = Block::of_text(these.to_vec(), LINE_BYTES);
        position.lines += block.iter().count() as u64;
        position.offset += these.len() as u64;
        let (partition, position) = (partition.clone(), position.clone());
        let _ = to.send(Arrival::Lines { partition, block, position, ingested_ms: now_ms }.into());
    }
    let _ = to.send(Arrival::CaughtUp { partition: partition.clone(), at_ms: now_ms }.into());
    let _ = to.send(Arrival::Closed { partition, position, end: End::Read }.into());
    let _ = to.send(Arrival::Ended { source: name.into() }.into());
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;

    use dice_config::{Given, Texts};
    use dice_serve::NotFound;

    use super::{LIMIT, backtest};
    use crate::router::api::Force;
    use crate::router::plan::Known;

    #[test]
    fn lines_that_are_centuries_apart_are_not_lived_through_for_ever() {
        let load = || dice_config::load("router.toml", "", &Texts::default(), &Given::default()).unwrap();
        let known = Arc::new(Known::read(&[]).unwrap());
        let force = Force { file: PathBuf::from("router.toml"), loaded: load(), known, since_ms: 0 };
        let check = |lines: &str, limit| backtest(&force, lines.as_bytes(), None, &load(), limit);
        let near = "2026-11-20T10:00:00Z one\n2026-11-20T10:00:02Z two\n";
        assert_eq!(check(near, LIMIT).unwrap().lines, 2);
        let far: String =
            (1970..2990).step_by(10).map(|year| format!("{year}-11-20T10:00:00Z one\n")).collect();
        let refused = check(&far, Duration::ZERO).unwrap_err();
        assert!(matches!(&refused, NotFound::Wrong(why) if why.contains("fewer")), "{refused:?}");
    }
}
