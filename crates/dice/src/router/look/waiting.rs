//! What waits in somebody's digest, until when, and why.

use std::io::{self, Write};

use dice_route::digest::{EditionState, Preview};
use dice_route::{Destination, Notice};
use serde::Serialize;

use super::{Look, Time};
use crate::router::terminal;
use crate::screen::{FAINT, OWNER, count, plain, short, styled};

/// What somebody would read now, and when they will.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    reader: String,
    digest: Option<String>,
    state: EditionState,
    zone: String,
    due: Option<Time>,
    /// By the reader's clock: `Mon 2026-11-23 10:00`.
    due_local: Option<String>,
    is_held: bool,
    why: String,
    /// When it is told in any case.
    latest: Option<Time>,
    messages: u64,
    occurrences: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

impl Waiting {
    /// What waits for `who`, for everybody where nobody is named.
    pub(crate) fn all(look: &Look, who: Option<&str>) -> Vec<Waiting> {
        let manager = look.router.manager();
        let previews = match who {
            Some(who) => manager.preview(&Destination::named(who), look.now_ms).into_iter().collect(),
            None => manager.previews(look.now_ms),
        };
        previews.into_iter().map(Waiting::of).collect()
    }

    pub(super) fn of(preview: Preview) -> Waiting {
        let rows = &preview.notice.rows;
        Waiting {
            reader: preview.reader.name().to_owned(),
            digest: preview.digest,
            state: preview.state,
            zone: preview.zone,
            due: preview.due_ms.map(Time),
            due_local: preview.due,
            is_held: preview.state == EditionState::Held,
            why: preview.why,
            latest: preview.latest_ms.map(Time),
            messages: rows.len() as u64 + preview.notice.more_rows,
            occurrences: rows.iter().map(|row| row.evidence.count).sum(),
            notice: Some(preview.notice),
        }
    }

    /// The same without what it says.
    pub(crate) fn in_short(self) -> Waiting {
        Waiting { notice: None, ..self }
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let messages = count(self.messages, "message", "messages");
        let when = match (&self.due_local, self.due) {
            (Some(local), Some(due)) => {
                format!("{} ({}), {}", plain(local), plain(&self.zone), look.distance(due))
            }
            _ => "never".to_owned(),
        };
        writeln!(out, "{}  {messages}  {when}", styled(OWNER, &plain(&self.reader)))?;
        let mut about = vec![format!("{}{}", if self.is_held { "held: " } else { "" }, short(&self.why))];
        about.extend(self.latest.map(|latest| format!("told at the latest {}", look.moment(latest))));
        writeln!(out, "      {}", styled(FAINT, &about.join(" · ")))?;
        let Some(notice) = &self.notice else { return Ok(()) };
        for row in &notice.rows {
            terminal::show_row(out, row)?;
        }
        if notice.more_rows > 0 {
            writeln!(out, "      and {} more", notice.more_rows)?;
        }
        for note in &notice.notes {
            writeln!(out, "      {}", styled(FAINT, &short(note)))?;
        }
        Ok(())
    }
}
