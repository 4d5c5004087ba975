//! A row of small bars: how often something came, hour by hour.

use std::fmt;

use super::words::{Grouped, many};

/// Bars at most; more hours than that are put together.
const BARS: usize = 48;
/// Units of the picture that a bar is wide, with its gap.
const BAR: usize = 4;
/// Units that the picture is high.
const HEIGHT: u64 = 24;

/// A picture of counts.
#[derive(Debug)]
pub(super) struct Spark {
    bars: Vec<u64>,
    hours_each: usize,
}

impl Spark {
    /// Of counts by hour, oldest first; `None` where there are none.
    pub(super) fn of(hours: &[u64]) -> Option<Spark> {
        if hours.is_empty() {
            return None;
        }
        let hours_each = hours.len().div_ceil(BARS);
        // The last bar is whole, because it is what people look at.
        let parts = hours.rchunks(hours_each);
        let mut bars: Vec<u64> =
            parts.take(BARS).map(|part| part.iter().fold(0, |sum: u64, n| sum.saturating_add(*n))).collect();
        bars.reverse();
        Some(Spark { bars, hours_each })
    }

    fn peak(&self) -> u64 {
        self.bars.iter().copied().max().unwrap_or(0)
    }

    /// What somebody who does not see it is told.
    fn words(&self) -> String {
        let Spark { bars, hours_each } = self;
        let hours = *hours_each as u64;
        let each = if hours == 1 { "an hour".to_owned() } else { format!("in {}", many(hours, "hour")) };
        let last = bars.last().copied().unwrap_or(0);
        format!("at most {} {each}, lately {}", self.peak().grouped(), last.grouped())
    }
}

/// As SVG: nothing but digits and our own words.
impl fmt::Display for Spark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, peak, words) = (self.bars.len() * BAR, self.peak().max(1), self.words());
        write!(f, r#"<svg class="spark" role="img" viewBox="0 0 {width} {HEIGHT}" width="{width}" "#)?;
        write!(f, r#"height="{HEIGHT}" preserveAspectRatio="none"><title>{words}</title><path d=""#)?;
        for (n, count) in self.bars.iter().enumerate() {
            // What is there is seen, however little it is.
            let high = u128::from(*count) * u128::from(HEIGHT) / u128::from(peak);
            let high = if *count == 0 { 0 } else { high.max(2) };
            if high > 0 {
                write!(f, "M{} {HEIGHT}v-{high}h{}v{high}z", n * BAR, BAR - 1)?;
            }
        }
        write!(f, r#""/><path class="floor" d="M0 {HEIGHT}h{width}"/></svg>"#)
    }
}

impl askama::filters::HtmlSafe for Spark {}

#[cfg(test)]
mod tests {
    use super::Spark;

    #[track_caller]
    fn check(hours: &[u64], words: &str, path: &str) {
        let spark = Spark::of(hours).unwrap().to_string();
        assert!(spark.contains(&format!("<title>{words}</title><path d=\"{path}\"/>")), "{spark}");
    }

    #[test]
    fn bars_are_as_high_as_what_they_count() {
        check(&[0, 1, 48], "at most 48 an hour, lately 48", "M4 24v-2h3v2zM8 24v-24h3v24z");
        check(&[0], "at most 0 an hour, lately 0", "");
        check(
            &[u64::MAX; 96],
            "at most 18,446,744,073,709,551,615 in 2 hours, lately 18,446,744,073,709,551,615",
            &(0..48).map(|n| format!("M{} 24v-24h3v24z", n * 4)).collect::<String>(),
        );
        assert!(Spark::of(&[]).is_none());
    }
}
