//! What a dispatcher finds in the rows of the process before it.

use super::{CallKind, CourierKind, Dispatcher};
use crate::outbox::Outbox;
use crate::{Intent, State};

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
                _ => {}
            }
        }
    }

    /// Takes from the rows what the process before knew: who wanted to be left alone, and what may still
    /// arrive a second time, after which nothing newer may come before that.
    pub(super) fn start(&mut self, outbox: &Outbox) {
        outbox.waiting().filter(|row| row.state == State::Retry).for_each(|row| self.pause(row));
        let patience_ms = self.config.dispatch.deadline_ms + super::SETTLE_MS + super::LOOK_AGAIN_MS;
        let from_ms = self.clock.now_ms.saturating_sub(patience_ms + super::GRACE_MS);
        let is_unsure = |row: &&Intent| row.passage.unsure_since_ms.is_some() && row.changed_ms >= from_ms;
        for row in outbox.iter().filter(|row| row.state == State::Sent).filter(is_unsure) {
            let until_ms = self.clock.patience_ms.saturating_add(patience_ms);
            self.hush(row.destination.clone(), row.subject.clone(), row.id.clone(), until_ms);
        }
    }

    fn pause(&mut self, row: &Intent) {
        let (Some(reach), Some(account)) = (row.passage.limited, &row.passage.account) else { return };
        let wait_ms = row.due_ms.saturating_sub(self.clock.now_ms);
        let way = super::ways(&row.destination, &self.config).into_iter().find(|way| way.account == *account);
        let Some(way) = way.filter(|_| wait_ms > 0) else { return };
        let is_update = row.kind == crate::NoticeKind::Update && way.courier == CourierKind::Slack;
        let kind = if is_update { CallKind::Update } else { CallKind::Post };
        let until_ms = self.clock.patience_ms.saturating_add(wait_ms);
        self.gates.entry(account.clone()).or_default().pause(reach, kind, &way.destination, until_ms);
    }
}
