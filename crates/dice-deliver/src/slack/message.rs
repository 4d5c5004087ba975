//! A notice as a message: as much of it as Slack takes.

use serde_json::{Value, json};

use super::button::Seal;
use super::layout::{self, Look};
use super::limits::{self, MAX_TEXT};
use super::text;
use crate::Parcel;

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What notifications show, and all there is where there are no blocks.
    pub text: String,
    /// The message.
    pub blocks: Vec<Value>,
    /// How much had to be left out.
    pub rung: Rung,
    /// Rows of the notice that are not in it.
    pub rows_left: usize,
}

/// How much of a notice is left out, because Slack takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Nothing.
    Full,
    /// All samples but the first, which is short.
    FewerSamples,
    /// The ends of long texts.
    ShorterText,
    /// Rows.
    FewerRows,
    /// Everything but plain text.
    Plain,
}

impl Message {
    /// What Slack's methods take.
    pub fn body(&self) -> Value {
        let mut body = json!({"text": self.text});
        if !self.blocks.is_empty() {
            body["blocks"] = json!(self.blocks);
        }
        body
    }

    fn fits(&self) -> bool {
        limits::check(&self.body()).is_ok()
    }
}

/// The parcel's notice with as little left out as Slack takes, but no less than `from` says. Buttons are in it
/// where there is a seal for them.
pub fn compose(parcel: &Parcel, seal: Option<&Seal>, from: Rung) -> Message {
    let n_rows = parcel.intent.notice.rows.len();
    let looks = [
        (Rung::Full, Look::FULL),
        (Rung::FewerSamples, Look::FEWER_SAMPLES),
        (Rung::ShorterText, Look::SHORTER),
    ];
    let fewer = std::iter::successors(Some(n_rows.min(45)), |n| Some(n * 2 / 3).filter(|n| *n > 0));
    let fewer = fewer.map(|max_rows| (Rung::FewerRows, Look { max_rows, ..Look::SHORTER }));
    for (rung, look) in looks.into_iter().chain(fewer).filter(|(rung, _)| *rung >= from) {
        let (blocks, rows_left) = layout::blocks(parcel, &look, seal);
        let message = Message { text: fallback(parcel), blocks, rung, rows_left };
        if message.fits() {
            return message;
        }
    }
    Message { text: plain(parcel), blocks: Vec::new(), rung: Rung::Plain, rows_left: n_rows }
}

/// What notifications show: the title, and why the reader gets it.
fn fallback(parcel: &Parcel) -> String {
    let notice = &parcel.intent.notice;
    let repeat = if parcel.is_possible_repeat { " (possible repeat)" } else { "" };
    let title = if notice.title.trim().is_empty() { "a notice without a title" } else { &notice.title };
    fitted(MAX_TEXT / 4, &format!("{title}{repeat}"), |title| {
        let because = text::prose(&text::cut(&notice.because, 200));
        let title = text::prose(title);
        if because.is_empty() { title } else { format!("{title} ({because})") }
    })
}

/// Everything there is room for, without blocks.
fn plain(parcel: &Parcel) -> String {
    let notice = &parcel.intent.notice;
    let mut text = fallback(parcel);
    let rows = notice.rows.iter().map(|row| {
        let count = row.evidence.count;
        let place = row.evidence.place.as_deref().unwrap_or_default();
        format!(
            "• {} {count}× {}",
            text::code(&text::cut(&row.title, 120)),
            text::prose(&text::cut(place, 120))
        )
    });
    for line in rows.chain(notice.notes.iter().map(|note| text::prose(&text::cut(note, 200)))) {
        if limits::len(&text) + limits::len(&line) + 1 > MAX_TEXT {
            break;
        }
        text.push('\n');
        text.push_str(&line);
    }
    text
}

/// What `shape` makes of `text`, cut so far that it has at most `max` units.
pub(super) fn fitted(max: usize, text: &str, shape: impl Fn(&str) -> String) -> String {
    let mut n = max;
    loop {
        let shaped = shape(&text::cut(text, n));
        if limits::len(&shaped) <= max || n == 0 {
            return shaped;
        }
        n = n * 3 / 4;
    }
}
