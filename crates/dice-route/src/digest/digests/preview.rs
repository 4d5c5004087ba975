//! What a reader would be told now, and when.

use serde::Serialize;

use super::{Digests, Hiding};
use crate::calendar::Slot;
use crate::digest::edition::{Edition, EditionState};
use crate::digest::hold::{Hold, hold, latest, moment};
use crate::digest::notice::content;
use crate::digest::row::DigestRow;
use crate::{Destination, Notice};

/// What a reader would be told now, and when they will be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// Who reads it.
    pub reader: Destination,
    /// The digest's id; `None` while the reader has no working day to come.
    pub digest: Option<String>,
    /// Where it stands.
    pub state: EditionState,
    /// The zone of the reader's times.
    pub zone: String,
    /// When it is due, milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// The same by the reader's clock: `Mon 2026-11-23 10:00`.
    pub due: Option<String>,
    /// Why it has not been told yet.
    pub why: String,
    /// When it is told in any case, milliseconds since 1970.
    pub latest_ms: Option<i64>,
    /// What it would say now.
    pub notice: Notice,
}

impl Digests {
    /// What each reader of whom something is gathered would be told now, in the order of readers.
    pub fn previews(&self, now_ms: i64, hiding: &dyn Hiding) -> Vec<Preview> {
        self.keys.keys().filter_map(|reader| self.preview(reader, now_ms, hiding)).collect()
    }

    /// What whoever reads what is meant for `to` would be told now, and when; `None` when nothing is gathered.
    pub fn preview(&self, to: &Destination, now_ms: i64, hiding: &dyn Hiding) -> Option<Preview> {
        let reader = self.directory.reader(to, &self.news);
        let times = self.directory.times(&reader, &self.news);
        let rows = self.gathered(&reader);
        if rows.is_empty() {
            return None;
        }
        let edition = self.current.get(&reader).and_then(|id| self.editions.get(id));
        let policy = &self.directory.config().digests;
        let (why, latest) = match edition {
            None => ("there is no working day within two years".to_owned(), None),
            Some(edition) if edition.state == EditionState::Open => {
                let slot = latest(edition, &times, policy);
                (format!("gathered until {}", moment(edition.at_ms, &times.zone)), slot)
            }
            Some(edition) => {
                let news = self.heard(&reader);
                let why = match hold(edition, &times, policy, news, now_ms) {
                    Hold::Wait(why) | Hold::Exceeded(why) => why,
                    Hold::Tell(why) => why.unwrap_or_else(|| "told with the next tick".to_owned()),
                };
                (why, latest(edition, &times, policy))
            }
        };
        let today = Slot { date: times.zone.date(now_ms), at_ms: now_ms };
        let stand_in = Edition::new(&reader, today, &times.slot, now_ms);
        let hidden = |row: &DigestRow| hiding.hidden(&reader, row);
        let content = content(
            edition.unwrap_or(&stand_in),
            &times,
            &rows,
            hidden,
            hiding.notes(&reader),
            policy.max_rows,
        );
        Some(Preview {
            digest: edition.map(|edition| edition.id.clone()),
            state: edition.map_or(EditionState::Open, |edition| edition.state),
            zone: times.zone.name().to_owned(),
            due_ms: edition.map(|edition| edition.at_ms),
            due: edition.map(|edition| moment(edition.at_ms, &times.zone)),
            why,
            latest_ms: latest.filter(|_| times.waits).map(|slot| slot.at_ms),
            notice: content.notice,
            reader,
        })
    }
}
