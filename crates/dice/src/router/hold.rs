//! What holds event time where it is while no partition does.

use std::collections::BTreeSet;

use dice_route::config::RuleType;
use dice_route::{Config, Input, PartitionId, PartitionNews, Router};

/// Its number: no partition of a source has it.
const ID: PartitionId = PartitionId(u32::MAX);

/// Holds event time where it is while no partition does: before the first line of all, before partitions are
/// opened again after a start, and when the last of them has ended.
///
/// Without a partition event time follows the clock, and passes lines that are still to come. So there is one
/// more, which has no lines and belongs to no source.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    /// Since when it holds, milliseconds since 1970.
    since_ms: Option<i64>,
    /// Partitions that are open.
    open: BTreeSet<PartitionId>,
    /// The latest line of those that have ended, milliseconds since 1970.
    latest_ms: Option<i64>,
}

impl Hold {
    /// Whether a partition is it.
    pub(crate) fn is(id: PartitionId) -> bool {
        id == ID
    }

    /// Takes it that sources are opened now, for the first time or anew: what has to be taken before what they
    /// tell. `is_source` knows the names of sources that there are.
    ///
    /// What is known of partitions from before is no reason to wait for those that are not opened again.
    pub(crate) fn start(
        &mut self,
        router: &Router,
        now_ms: i64,
        is_source: impl Fn(&str) -> bool,
    ) -> Vec<Input> {
        self.open.clear();
        let mut inputs = vec![self.set(now_ms)];
        for (id, partition) in router.watermarks().partitions().filter(|(id, _)| !Hold::is(*id)) {
            if !is_source(&partition.source) {
                inputs.push(Input::Partition(id, PartitionNews::Closed));
            } else if !partition.is_required {
                inputs.push(Input::Partition(id, PartitionNews::Disconnected("it was not opened".into())));
            }
        }
        inputs
    }

    /// What is to be taken in the place of `input`, in this order.
    pub(crate) fn around(&mut self, input: Input, router: &Router) -> [Option<Input>; 2] {
        let has_begun = has_begun(router);
        match &input {
            Input::Event(_) => [self.lift(), Some(input)],
            // As long as there was no line at all, nobody knows how old the first will be.
            Input::Partition(_, PartitionNews::CaughtUp(_)) if self.since_ms.is_some() && !has_begun => {
                [None, None]
            }
            Input::Partition(id, PartitionNews::Opened { .. }) => {
                self.open.insert(*id);
                let lift = if has_begun { self.lift() } else { None };
                [Some(input), lift]
            }
            Input::Partition(id, PartitionNews::Closed) => {
                let ended = router.watermarks().partitions().find(|(known, _)| known == id);
                self.latest_ms = self.latest_ms.max(ended.map(|(_, partition)| partition.latest_ms));
                self.open.remove(id);
                let is_last = self.open.is_empty() && self.since_ms.is_none();
                [is_last.then(|| self.set(router.now_ms())), Some(input)]
            }
            _ => [Some(input), None],
        }
    }

    /// What time alone brings: it is not waited for ever for partitions that are opened again, nor for a first
    /// line where a rule says that there must be lines.
    pub(crate) fn pass(&mut self, router: &Router, now_ms: i64) -> Option<Input> {
        let idle_after_ms = router.config().time.idle_after_ms;
        let is_over = self.since_ms.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= idle_after_ms);
        if is_over && (has_begun(router) || counts_silence(router.config())) { self.lift() } else { None }
    }

    /// All sources have ended: nothing comes any more that is older than the last line, so event time goes on
    /// to that, and no further.
    pub(crate) fn end(&self, router: &Router) -> Option<Input> {
        let latest_ms = self.latest_ms.filter(|ms| self.since_ms.is_some() && *ms > i64::MIN)?;
        let time = &router.config().time;
        let at_ms = latest_ms.saturating_add(time.lateness_ms).saturating_add(time.idle_after_ms);
        Some(Input::Partition(ID, PartitionNews::CaughtUp(at_ms)))
    }

    fn set(&mut self, now_ms: i64) -> Input {
        self.since_ms = Some(now_ms);
        Input::Partition(ID, PartitionNews::Opened { source: "".into(), name: "".into() })
    }

    fn lift(&mut self) -> Option<Input> {
        self.since_ms.take().map(|_| Input::Partition(ID, PartitionNews::Closed))
    }
}

fn has_begun(router: &Router) -> bool {
    router.watermarks().now_ms() > i64::MIN
}

/// Whether a rule is about lines that have to come, even if none ever did.
fn counts_silence(config: &Config) -> bool {
    config.rules.iter().any(|rule| matches!(&rule.kind, RuleType::Flatline { keys, .. } if !keys.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use dice_match::{Limits, Matcher, ReaderSettings};
    use dice_route::{Config, Input, LineCounts, PartitionId, PartitionNews, Router};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Hold;
    use crate::router::classifier::{Classifier, SourceFacts};

    const START: i64 = 1_800_000_000_000;

    /// Reads a timetable in seconds: `0 start`, `0 open a`, `3 a caught-up`, `5 a line 4`, `9 a closed`, `9 end`.
    /// What event time has come to after each stands behind `->`.
    #[track_caller]
    fn check(config: &Config, story: &str) {
        let mut router = Router::new(Arc::new(config.clone()), START);
        let mut hold = Hold::default();
        let outdated = HashSet::new();
        let matcher = Matcher::new(Vec::new(), &Limits::default()).unwrap();
        let mut classifier = Classifier::new(&matcher, &[], &outdated);
        let mut n_lines = 0;
        for line in story.lines().map(str::trim) {
            let (input, expected) = line.split_once("->").unwrap_or((line, ""));
            let words: Vec<&str> = input.split_whitespace().collect();
            let ms = |word: &str| START + word.parse::<i64>().unwrap() * 1000;
            let now_ms = ms(words[0]);
            let id = |name: &str| PartitionId(u32::from(name.as_bytes()[0]));
            let told = match words[1..] {
                ["start"] => {
                    for input in hold.start(&router, now_ms, |source| source == "app") {
                        router.step(input);
                    }
                    None
                }
                ["end"] => {
                    if let Some(input) = hold.end(&router) {
                        router.step(input);
                    }
                    None
                }
                ["tick"] => None,
                ["open", name] => {
                    let news = PartitionNews::Opened { source: "app".into(), name: name.into() };
                    Some(Input::Partition(id(name), news))
                }
                [name, "caught-up"] => Some(Input::Partition(id(name), PartitionNews::CaughtUp(now_ms))),
                [name, "closed"] => Some(Input::Partition(id(name), PartitionNews::Closed)),
                [name, "line", at] => {
                    let facts = SourceFacts {
                        name: "app".into(),
                        service: None,
                        host: None,
                        env: None,
                        version: None,
                    };
                    let near = Timestamp::from_millisecond(now_ms).unwrap();
                    let settings = ReaderSettings { format: None, zone: TimeZone::UTC, year: None, near };
                    let mut feed = classifier.feed(id(name), Arc::new(facts), settings, n_lines);
                    n_lines += 1;
                    let time = Timestamp::from_millisecond(ms(at)).unwrap();
                    let text = format!("{time} something happened");
                    let counts = &mut LineCounts::default();
                    classifier.line(&mut feed, text.as_bytes(), now_ms, counts).map(Input::Event)
                }
                _ => panic!("{line}"),
            };
            let told = told.map(|input| hold.around(input, &router));
            for input in told.into_iter().flatten().flatten() {
                router.step(input);
            }
            if let Some(input) = hold.pass(&router, now_ms) {
                router.step(input);
            }
            router.step(Input::Tick(now_ms));
            let time = router.watermarks().now_ms();
            let time =
                if time == i64::MIN { "never".to_owned() } else { ((time - START) / 1000).to_string() };
            let late = router.counters().iter().map(|counts| counts.late).sum::<u64>();
            let late = if late > 0 { format!(", {late} late") } else { String::new() };
            assert_eq!(format!("{time}{late}"), expected.trim(), "{line}");
        }
    }

    #[test]
    fn a_source_without_a_line_does_not_move_event_time() {
        check(
            &Config::default(),
            "0 start -> never
             0 open a -> never
             1 a caught-up -> never
             500 a caught-up -> never
             501 a line -3000 -> -3030
             502 a line -2999 -> -3029
             503 open b -> -3029
             504 b caught-up -> -3029
             505 a line 400 -> 370",
        );
    }

    #[test]
    fn nobody_waits_for_ever() {
        check(
            &Config::default(),
            "0 start -> never
             0 open a -> never
             0 open b -> never
             1 a line 0 -> never
             2 b line 0 -> -30
             99 tick -> -30
             99 start -> -30
             99 open a -> -30
             99 a line 98 -> -30
             219 tick -> -30
             220 tick -> 68
             400 tick -> 68
             400 start -> 68
             460 tick -> 68
             700 tick -> 610",
        );
    }

    #[test]
    fn files_that_end_let_time_go_on_to_their_last_line() {
        check(
            &Config::default(),
            "0 start -> never
             0 open a -> never
             1 a line -900 -> -930
             2 a line -700 -> -730
             3 a closed -> -730
             30 tick -> -730
             31 open b -> -730
             32 b line -701 -> -730
             33 b line -699 -> -729
             34 b closed -> -729
             35 end -> -699
             36 tick -> -699
             90 start -> -699
             90 open b -> -699
             91 b line -600 -> -630
             92 b line -699 -> -630, 1 late",
        );
    }
}
