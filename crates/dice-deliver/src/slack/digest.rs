//! How a digest looks: a row is one block, so that 45 of them fit into a message; the rest goes into its
//! thread, a message at a time.

use dice_route::{Intent, NoticeKind, NoticeRow};
use serde_json::Value;

use super::block;
use super::button::Seal;
use super::layout::{self, Look, facts_of, options};
use super::limits;
use super::message::{Message, fitted};
use super::text::{code, cut, plain, prose};
use crate::Parcel;

/// Rows of one message.
const MAX_ROWS: usize = 45;

/// Units of a header.
const MAX_HEADER: usize = 150;

/// Characters of a row's title: 45 rows with their menus share what one message may have.
const MAX_TITLE: usize = 100;

/// The blocks of a digest, and how many of its rows are not in them.
pub(super) fn blocks(parcel: &Parcel, look: &Look, seal: Option<&Seal>) -> (Vec<Value>, usize) {
    let notice = &parcel.intent.notice;
    let title = if notice.title.trim().is_empty() { "Digest" } else { &notice.title };
    let rest = goes_on(&parcel.intent);
    let mut blocks = match &rest {
        None => vec![block::header(&fitted(MAX_HEADER, title, plain))],
        Some(words) => vec![block::context(&prose(words))],
    };
    if parcel.is_possible_repeat {
        blocks.push(block::context("_(possible repeat)_"));
    }
    let shown = notice.rows.len().min(look.max_rows).min(MAX_ROWS);
    for (n, row) in notice.rows.iter().take(shown).enumerate() {
        blocks.push(line(parcel, row, n, look, seal));
    }
    let rows_left = notice.rows.len() - shown;
    let more = more(&parcel.intent, rows_left);
    if rest.is_some() {
        blocks.extend(more.map(|more| block::context(&more)));
    } else {
        blocks.extend(layout::foot(parcel, look, more));
    }
    (blocks, rows_left)
}

/// What is said of the rows of a digest that are not in the message.
pub(super) fn more(intent: &Intent, rows_left: usize) -> Option<String> {
    if intent.part() > 1 {
        return (rows_left > 0).then(|| format!("and {rows_left} more below"));
    }
    match (rows_left, intent.notice.more_rows) {
        (0, 0) => None,
        (0, more) => Some(format!("and {more} more")),
        (left, 0) => Some(format!("and {left} more in the thread")),
        (left, more) => Some(format!("and {left} more in the thread, and {more} beyond those")),
    }
}

/// What the message begins with that tells what is left of a digest; `None` for a digest's first.
pub(super) fn goes_on(intent: &Intent) -> Option<String> {
    let told = intent.passage.told.as_ref().filter(|_| intent.kind == NoticeKind::Digest)?;
    Some(format!(
        "the rest of the digest, from {} of {}",
        told.rows + 1,
        told.rows + intent.notice.rows.len()
    ))
}

fn line(parcel: &Parcel, row: &NoticeRow, n: usize, look: &Look, seal: Option<&Seal>) -> Value {
    let text = format!("{}\n{}", code(&cut(&row.title, look.title.min(MAX_TITLE))), facts_of(row, look));
    let text = if limits::len(&text) <= 2_900 { text } else { format!("*{}×*", row.evidence.count) };
    let options = seal.map_or(Vec::new(), |seal| options(&parcel.intent, row, seal));
    if options.is_empty() {
        block::section(&text)
    } else {
        block::section_with(&format!("row-{n}"), &text, block::overflow("dice.row", options))
    }
}

/// How many rows of a digest are in the message, where that is not all of it.
pub(super) fn rows_of(intent: &Intent, message: &Message) -> Option<usize> {
    let is_part = intent.kind == NoticeKind::Digest && (message.rows_left > 0 || intent.part() > 1);
    is_part.then(|| intent.notice.rows.len().saturating_sub(message.rows_left))
}
