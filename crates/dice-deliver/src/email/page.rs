//! What a mail says, as text and as a page.

use std::fmt::Write;

use dice_route::NoticeRow;

use crate::{Parcel, wording};

const MAX_ROWS: usize = 60;
const REPEAT: &str = "It is possible that you have had this before: nobody could find out.";

/// The notice as plain text.
pub(super) fn text(parcel: &Parcel, leave: Option<&str>) -> String {
    let notice = &parcel.intent.notice;
    let mut out = format!("{}\n", wording::one_line(&notice.title, 1000));
    if !notice.because.is_empty() {
        let _ = writeln!(out, "You get this because: {}", wording::one_line(&notice.because, 1000));
    }
    if parcel.is_possible_repeat {
        let _ = writeln!(out, "{REPEAT}");
    }
    for row in notice.rows.iter().take(MAX_ROWS) {
        let _ = writeln!(out, "\n* {} ({})", wording::one_line(&row.title, 500), state(row));
        for (name, value) in wording::facts(row) {
            // A line of its own for each line of a sample, set in.
            let value = value.trim_end().replace('\n', "\n      ");
            let _ = writeln!(out, "    {name}: {value}");
        }
        if let Some(url) = row.url.as_deref().and_then(wording::link) {
            let _ = writeln!(out, "    {url}");
        }
    }
    let more = more_rows(parcel);
    if more > 0 {
        let _ = writeln!(out, "\nand {more} more");
    }
    if !notice.notes.is_empty() {
        out.push('\n');
    }
    for note in &notice.notes {
        let _ = writeln!(out, "{}", wording::one_line(note, 1000));
    }
    if !notice.labels.is_empty() {
        out.push('\n');
    }
    for (name, value) in &notice.labels {
        let _ = writeln!(out, "{} = {}", wording::one_line(name, 100), wording::one_line(value, 300));
    }
    let _ = write!(out, "\n-- \nDice, notice {}\n", wording::one_line(&parcel.intent.id, 100));
    if let Some(url) = leave {
        let _ = writeln!(out, "No more of these: {url}");
    }
    out
}

/// The notice as a page: no images, no scripts, nothing from elsewhere.
pub(super) fn html(parcel: &Parcel, leave: Option<&str>) -> String {
    let notice = &parcel.intent.notice;
    let mut out = String::from(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head>\
         <body style=\"font-family:sans-serif;font-size:14px;line-height:1.4\">",
    );
    let _ = write!(out, "<h2 style=\"font-size:18px\">{}</h2>", line(&notice.title, 1000));
    if !notice.because.is_empty() {
        let _ = write!(out, "<p>You get this because: {}</p>", line(&notice.because, 1000));
    }
    if parcel.is_possible_repeat {
        let _ = write!(out, "<p><b>{REPEAT}</b></p>");
    }
    for row in notice.rows.iter().take(MAX_ROWS) {
        let _ = write!(
            out,
            "<h3 style=\"font-size:15px\">{} ({})</h3>",
            line(&row.title, 500),
            escaped(&state(row))
        );
        out.push_str("<table cellpadding=\"3\" style=\"font-size:13px\">");
        for (name, value) in wording::facts(row) {
            let value = match name {
                "sample" => format!("<pre style=\"margin:0;white-space:pre-wrap\">{}</pre>", escaped(&value)),
                _ => escaped(&value),
            };
            let _ = write!(out, "<tr><td valign=\"top\">{name}</td><td>{value}</td></tr>");
        }
        out.push_str("</table>");
        if let Some(url) = row.url.as_deref().and_then(wording::link) {
            let _ = write!(out, "<p><a href=\"{}\">The statement</a></p>", escaped(url));
        }
    }
    let more = more_rows(parcel);
    if more > 0 {
        let _ = write!(out, "<p>and {more} more</p>");
    }
    for note in &notice.notes {
        let _ = write!(out, "<p>{}</p>", line(note, 1000));
    }
    if !notice.labels.is_empty() {
        out.push_str("<p>");
        for (name, value) in &notice.labels {
            let _ = write!(out, "{} = {}<br>", line(name, 100), line(value, 300));
        }
        out.push_str("</p>");
    }
    let _ = write!(out, "<p style=\"color:#666\">Dice, notice {}</p>", line(&parcel.intent.id, 100));
    if let Some(url) = leave {
        let _ = write!(out, "<p style=\"color:#666\"><a href=\"{}\">No more of these</a></p>", escaped(url));
    }
    out.push_str("</body></html>\n");
    out
}

fn more_rows(parcel: &Parcel) -> u64 {
    let notice = &parcel.intent.notice;
    notice.more_rows + notice.rows.len().saturating_sub(MAX_ROWS) as u64
}

fn state(row: &NoticeRow) -> String {
    let state = wording::one_line(&row.state, 60);
    if state.is_empty() { row.severity.to_string() } else { format!("{state}, {}", row.severity) }
}

fn line(text: &str, max: usize) -> String {
    escaped(&wording::one_line(text, max))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
