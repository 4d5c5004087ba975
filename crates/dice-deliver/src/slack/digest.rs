//! How a digest looks: a row is one block, so that 45 of them fit into a message; the rest goes into its
//! thread.

use dice_route::NoticeRow;
use serde_json::Value;

use super::block;
use super::button::Seal;
use super::layout::{self, Look, facts_of, options};
use super::limits::{self, MAX_BLOCKS, MAX_TOTAL};
use super::message::{Message, Rung, fitted};
use super::text::{code, cut, plain};
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
    let mut blocks = vec![block::header(&fitted(MAX_HEADER, title, plain))];
    if parcel.is_possible_repeat {
        blocks.push(block::context("_(possible repeat)_"));
    }
    let shown = notice.rows.len().min(look.max_rows).min(MAX_ROWS);
    for (n, row) in notice.rows.iter().take(shown).enumerate() {
        blocks.push(line(parcel, row, n, look, seal));
    }
    let rows_left = notice.rows.len() - shown;
    let more = match (rows_left, notice.more_rows) {
        (0, 0) => None,
        (0, more) => Some(format!("and {more} more")),
        (left, 0) => Some(format!("and {left} more in the thread")),
        (left, more) => Some(format!("and {left} more in the thread, and {more} beyond those")),
    };
    blocks.extend(layout::foot(parcel, look, more));
    (blocks, rows_left)
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

/// The rows that are not in the message, as messages for its thread, in order.
pub(super) fn pages(parcel: &Parcel, message: &Message, seal: Option<&Seal>) -> Vec<Message> {
    let rows = &parcel.intent.notice.rows;
    let rest = &rows[rows.len().saturating_sub(message.rows_left)..];
    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut room = 0;
    for (n, row) in rest.iter().enumerate() {
        let block = line(parcel, row, n, &Look::SHORTER, seal);
        let size = limits::len(&block.to_string());
        match pages.last_mut() {
            Some(page) if page.len() < MAX_BLOCKS && size <= room => page.push(block),
            _ => {
                pages.push(vec![block]);
                room = MAX_TOTAL;
            }
        }
        room = room.saturating_sub(size);
    }
    let n_pages = pages.len();
    let text = |n: usize| format!("the rest of the digest, {} of {n_pages}", n + 1);
    let messages = pages.into_iter().enumerate().map(|(n, blocks)| Message {
        text: text(n),
        blocks,
        rung: message.rung,
        rows_left: 0,
    });
    messages.filter(|page| limits::check(&page.body()).is_ok()).collect()
}

/// Whether rows of a digest are left for its thread.
pub(super) fn goes_on(message: &Message) -> bool {
    message.rows_left > 0 && message.rung < Rung::Plain
}
