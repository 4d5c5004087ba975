//! Alerts at an Alertmanager end by themselves: those that last are posted again.

use std::collections::BTreeMap;

use dice_deliver::alertmanager::told_again_at;
use dice_route::dispatch::Call;
use dice_route::outbox::Outbox;
use dice_route::{Destination, Intent, NoticeKind, State};

use super::fleet::Fleet;

/// What is posted again, by what it is about.
#[derive(Default)]
pub(super) struct Retelling {
    lasting: BTreeMap<(Destination, String), Lasting>,
}

struct Lasting {
    intent: String,
    account: String,
    at_ms: i64,
}

impl Retelling {
    /// What the process before has told and lasts still.
    pub(super) fn of(outbox: &Outbox, fleet: &Fleet) -> Retelling {
        let mut told: Vec<&Intent> = outbox
            .iter()
            .filter(|row| row.state == State::Sent)
            .filter(|row| account(row).is_some_and(|account| fleet.alertmanager(account).is_some()))
            .collect();
        told.sort_by_key(|row| (row.changed_ms, row.revision));
        let mut retelling = Retelling::default();
        for row in told {
            if let Some(account) = account(row) {
                retelling.told(row, account, fleet, row.changed_ms);
            }
        }
        retelling
    }

    /// A notice was told: it is what lasts now, or its end.
    pub(super) fn told(&mut self, row: &Intent, account: &str, fleet: &Fleet, told_ms: i64) {
        let Some(settings) = fleet.alertmanager(account) else { return };
        let key = (row.destination.clone(), row.subject.clone());
        match told_again_at(settings, row, told_ms) {
            Some(at_ms) => {
                let lasting = Lasting { intent: row.id.clone(), account: account.to_owned(), at_ms };
                self.lasting.insert(key, lasting);
            }
            None => drop(self.lasting.remove(&key)),
        }
    }

    /// When something is to be posted again, milliseconds since 1970.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.lasting.values().map(|lasting| lasting.at_ms).min()
    }

    /// What is posted again now, with its account. What has ended meanwhile is left out, and what has something
    /// newer on its way waits for that.
    pub(super) fn due<'o>(
        &mut self,
        outbox: &'o Outbox,
        out: &[&Call],
        fleet: &Fleet,
        now_ms: i64,
    ) -> Vec<(&'o Intent, String)> {
        let mut due = Vec::new();
        self.lasting.retain(|(destination, subject), lasting| {
            if lasting.at_ms > now_ms {
                return true;
            }
            let Some(row) = outbox.get(&lasting.intent) else { return false };
            let Some(settings) = fleet.alertmanager(&lasting.account) else { return false };
            let Some(next_ms) = told_again_at(settings, row, now_ms) else { return false };
            let about = |other: &&Intent| other.destination == *destination && other.subject == *subject;
            let is_over =
                |other: &Intent| other.kind == NoticeKind::Resolved && other.revision > row.revision;
            if outbox.waiting().filter(about).any(is_over) {
                return false;
            }
            lasting.at_ms = next_ms;
            let is_busy = out.iter().any(|call| {
                call.way.account == lasting.account
                    && outbox.get(&call.intent).is_some_and(|other| other.subject == *subject)
            });
            if !is_busy {
                due.push((row, lasting.account.clone()));
            }
            true
        });
        due
    }
}

fn account(row: &Intent) -> Option<&str> {
    row.passage.account.as_deref()
}
