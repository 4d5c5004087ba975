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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dice_route::config::Receiver;
    use dice_route::outbox::Draft;
    use dice_route::records::Records;
    use dice_route::{Config, Lane, Notice, Outcome, Receipt};

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn fleet() -> Fleet {
        let settings = BTreeMap::from([("url".to_owned(), "http://127.0.0.1:9093".to_owned())]);
        let receiver = Receiver { courier: "alertmanager".to_owned(), settings };
        let receivers = BTreeMap::from([("am".to_owned(), receiver)]);
        Fleet::of(&Config { receivers, ..Config::default() }, &Fleet::default()).unwrap()
    }

    fn tell(outbox: &mut Outbox, kind: NoticeKind, revision: u32, at_ms: i64) -> String {
        let draft = Draft {
            destination: Destination::Receiver("am".to_owned()),
            lane: Lane::Alert,
            kind,
            subject: "e1".to_owned(),
            revision,
            follows: None,
            due_ms: at_ms,
            held: None,
            notice: Notice::default(),
        };
        let intent = outbox.post(draft, at_ms, &mut Records::default());
        for outcome in [Outcome::Begun("am".to_owned()), Outcome::Delivered("e1".to_owned())] {
            outbox.receipt(&Receipt { intent: intent.clone(), at_ms, outcome });
        }
        intent
    }

    #[test]
    fn what_lasts_is_told_again_until_its_end_is_told() {
        let (fleet, mut outbox) = (fleet(), Outbox::default());
        let first = tell(&mut outbox, NoticeKind::Open, 0, 0);
        let mut retelling = Retelling::of(&outbox, &fleet);
        let mut check = |now_ms: i64, wanted: &[&str]| {
            let due = retelling.due(&outbox, &[], &fleet, now_ms);
            let due: Vec<&str> = due.iter().map(|(row, _)| row.id.as_str()).collect();
            assert_eq!(due, wanted, "at {now_ms}");
        };
        check(MINUTE_MS, &[]);
        check(2 * MINUTE_MS, &[&first]);
        check(3 * MINUTE_MS, &[]);
        check(4 * MINUTE_MS, &[&first]);
        let last = tell(&mut outbox, NoticeKind::Resolved, 1, 5 * MINUTE_MS);
        let row = outbox.get(&last).unwrap();
        retelling.told(row, "am", &fleet, 5 * MINUTE_MS);
        assert_eq!(retelling.next_ms(), None);
        assert_eq!(Retelling::of(&outbox, &fleet).next_ms(), None);
    }
}
