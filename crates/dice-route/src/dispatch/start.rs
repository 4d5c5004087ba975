//! What a dispatcher finds in the rows of the process before it.

use super::{CallKind, CourierKind, Dispatcher, GRACE_MS, Way, settled_ms, ways};
use crate::outbox::Outbox;
use crate::{Intent, NoticeKind, State};

impl Dispatcher {
    /// Takes what was told to keep notices from leaving and has not been taken back, by cause: the lasting
    /// alarms of the router, before the first round. Whether it still does is found out.
    pub fn resume(&mut self, lasting: impl IntoIterator<Item = (String, String)>) {
        let now_ms = self.clock.patience_ms;

        for (cause, text) in lasting {
            let Some((what, name)) = cause.split_once(' ') else { continue };
            match what {
                "courier_denied" => self.gates.entry(name.to_owned()).or_default().was_denied(&text, now_ms),
                "courier_down" => self.gates.entry(name.to_owned()).or_default().was_down(&text, now_ms),
                "courier_deaf" => self.ears.was_deaf(name, &text, now_ms),
                _ => {}
            }
        }
    }

    /// Takes from the rows what the process before knew: who wanted to be left alone, and what may still
    /// arrive a second time, after which nothing newer may come before that.
    pub(super) fn start(&mut self, outbox: &Outbox) {
        outbox.waiting().filter(|row| row.state == State::Retry).for_each(|row| self.pause(row));
        let unsure: Vec<&Intent> = outbox
            .iter()
            .filter(|row| row.state == State::Sent && row.passage.unsure_since_ms.is_some())
            .collect();
        unsure.into_iter().for_each(|row| self.let_settle(row));
    }

    /// Keeps what is newer waiting while an earlier attempt of a row that was sent may still arrive.
    fn let_settle(&mut self, row: &Intent) {
        let Some((way, kind)) = self.taken(row) else { return };
        let deadline_ms = way.courier.deadline_ms(&self.config.dispatch);
        let is_over = settled_ms(row.changed_ms + deadline_ms) + GRACE_MS <= self.clock.now_ms;
        if !is_over && way.doubt(kind, row.lane, &self.config.dispatch).is_repeated() {
            let until_ms = settled_ms(self.clock.patience_ms + deadline_ms);
            self.hush(row.destination.clone(), row.subject.clone(), row.id.clone(), until_ms);
        }
    }

    fn pause(&mut self, row: &Intent) {
        let Some(reach) = row.passage.limited else { return };
        let wait_ms = row.due_ms.saturating_sub(self.clock.now_ms);
        let Some((way, kind)) = self.taken(row).filter(|_| wait_ms > 0) else { return };
        let until_ms = self.clock.patience_ms.saturating_add(wait_ms);
        self.gates.entry(way.account).or_default().pause(reach, kind, &way.destination, until_ms);
    }

    /// The way that the row's last attempt took, and what it did there.
    fn taken(&self, row: &Intent) -> Option<(Way, CallKind)> {
        let account = row.passage.account.as_ref()?;
        let way = ways(&row.destination, &self.config).into_iter().find(|way| way.account == *account)?;
        let is_update = row.kind == NoticeKind::Update && way.courier == CourierKind::Slack;
        Some((way, if is_update { CallKind::Update } else { CallKind::Post }))
    }
}
