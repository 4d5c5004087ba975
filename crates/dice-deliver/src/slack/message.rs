//! A notice as a message: as much of it as Slack takes.

use dice_route::NoticeKind;
use serde_json::{Value, json};

use super::button::Seal;
use super::digest;
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

/// Units that are kept for the words about what is not in a plain text.
const MORE: usize = 100;

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
    // Every attempt shows the same rows, marked or not: those that are left follow in another message.
    let marked = Parcel { is_possible_repeat: true, ..parcel.clone() };
    for (rung, look) in looks.into_iter().chain(fewer).filter(|(rung, _)| *rung >= from) {
        let shaped = |parcel: &Parcel| {
            let (blocks, rows_left) = layout::blocks(parcel, &look, seal);
            Message { text: fallback(parcel), blocks, rung, rows_left }
        };
        if shaped(&marked).fits() {
            return shaped(parcel);
        }
    }
    let (text, rows_left) = plain(parcel, &marked);
    Message { text, blocks: Vec::new(), rung: Rung::Plain, rows_left }
}

/// What notifications show: the title, and why the reader gets it.
fn fallback(parcel: &Parcel) -> String {
    let notice = &parcel.intent.notice;
    let repeat = if parcel.is_possible_repeat { " (possible repeat)" } else { "" };
    let rest = digest::goes_on(&parcel.intent);
    let title = if notice.title.trim().is_empty() { "a notice without a title" } else { &notice.title };
    let title = rest.as_deref().unwrap_or(title);
    fitted(MAX_TEXT / 4, &format!("{title}{repeat}"), |title| {
        let because =
            if rest.is_none() { text::prose(&text::cut(&notice.because, 200)) } else { String::new() };
        let title = text::prose(title);
        if because.is_empty() { title } else { format!("{title} ({because})") }
    })
}

/// Everything there is room for, without blocks, and how many rows there is none for; `marked` is the same parcel
/// as a possible repeat.
fn plain(parcel: &Parcel, marked: &Parcel) -> (String, usize) {
    let notice = &parcel.intent.notice;
    let (mut text, marked) = (fallback(parcel), fallback(marked));
    let max_rows = MAX_TEXT - MORE - limits::len(&marked).saturating_sub(limits::len(&text));
    let mut add = |line: &str, max: usize| {
        let has_room = limits::len(&text) + limits::len(line) < max;
        if has_room {
            text.push('\n');
            text.push_str(line);
        }
        has_room
    };
    let rows = notice.rows.iter().map(|row| {
        let count = row.evidence.count;
        let place = row.evidence.place.as_deref().unwrap_or_default();
        format!(
            "• {} {count}× {}",
            text::code(&text::cut(&row.title, 120)),
            text::prose(&text::cut(place, 120))
        )
    });
    // A row takes less than half of the text, so there is one at least.
    let shown = rows.take_while(|line| add(line, max_rows)).count();
    let rows_left = notice.rows.len() - shown;
    let more = match (parcel.intent.kind, notice.more_rows + rows_left as u64) {
        (NoticeKind::Digest, _) => digest::more(&parcel.intent, rows_left),
        (_, 0) => None,
        (_, more) => Some(format!("and {more} more")),
    };
    if let Some(more) = more {
        add(&more, MAX_TEXT);
    }
    if digest::goes_on(&parcel.intent).is_none() {
        for note in &notice.notes {
            add(&text::prose(&text::cut(note, 200)), MAX_TEXT);
        }
    }
    (text, rows_left)
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
