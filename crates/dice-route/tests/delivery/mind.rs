//! What decides what is told: a whole router, or only its outbox, which is much less work.

use std::collections::BTreeSet;
use std::sync::Arc;

use dice_route::book::{Delta, Table};
use dice_route::outbox::{Draft, Outbox, Remark};
use dice_route::records::Records;
use dice_route::{Cause, Config, Input, Intent, Receipt, Router, Shelf, State, Troubles};

use crate::source::START_MS;

/// Something that happens to it.
pub(crate) enum News {
    Input(Input),
    /// Something is to be told.
    Draft(Draft),
    /// Somebody wants to hear no more of a subject.
    Hide(String),
    /// Somebody wants to hear no more of what this row of a subject is about.
    Withdraw(String, String),
}

pub(crate) enum Mind {
    Whole(Box<Router>),
    Outbox(Box<Part>),
}

/// An outbox with a clock.
#[derive(Default)]
pub(crate) struct Part {
    outbox: Outbox,
    records: Records,
    now_ms: i64,
}

impl Mind {
    pub(crate) fn new(config: &Arc<Config>, is_whole: bool) -> Mind {
        match is_whole {
            true => Mind::Whole(Box::new(Router::new(Arc::clone(config), START_MS))),
            false => Mind::Outbox(Box::new(Part { now_ms: START_MS, ..Part::default() })),
        }
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        match self {
            Mind::Whole(router) => router.outbox(),
            Mind::Outbox(part) => &part.outbox,
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        match self {
            Mind::Whole(router) => router.now_ms(),
            Mind::Outbox(part) => part.now_ms,
        }
    }

    pub(crate) fn tick(&mut self, now_ms: i64) {
        match self {
            Mind::Whole(router) => {
                router.step(Input::Tick(now_ms));
            }
            Mind::Outbox(part) => part.now_ms = part.now_ms.max(now_ms),
        }
    }

    /// Takes what happens; gives the notices that must not be sent from now on.
    pub(crate) fn take(&mut self, news: &News) -> Vec<String> {
        match (self, news) {
            (Mind::Whole(router), News::Input(input)) => {
                router.step(input.clone());
            }
            (Mind::Outbox(part), News::Draft(draft)) => {
                part.outbox.post(draft.clone(), part.now_ms, &mut part.records);
            }
            (Mind::Outbox(part), News::Hide(subject)) => return part.hide(subject),
            (Mind::Outbox(part), News::Withdraw(subject, title)) => part.withdraw(subject, title),
            _ => unreachable!("a story has news of one sort"),
        }
        Vec::new()
    }

    pub(crate) fn receipt(&mut self, receipt: Receipt) {
        match self {
            Mind::Whole(router) => {
                router.step(Input::Receipt(receipt));
            }
            Mind::Outbox(part) => {
                for remark in part.outbox.receipt(&receipt) {
                    let Remark { cause, subject, by, text } = &remark;
                    part.records.note(receipt.at_ms, *cause, subject, by, text);
                }
            }
        }
    }

    pub(crate) fn troubles(&mut self, troubles: Troubles) {
        match self {
            Mind::Whole(router) => {
                router.step(Input::Troubles(troubles));
            }
            Mind::Outbox(_) => {}
        }
    }

    /// Intents that were said to be dead.
    pub(crate) fn obituaries(&self) -> BTreeSet<&str> {
        let records = match self {
            Mind::Whole(router) => router.manager().records(),
            Mind::Outbox(part) => &part.records,
        };
        let dead = records.iter().filter(|record| record.cause == Cause::SelfAlert);
        dead.map(|record| record.subject.as_str()).collect()
    }

    /// What Dice needs somebody for, by cause.
    pub(crate) fn lasting(&self) -> Vec<(String, String)> {
        let Mind::Whole(router) = self else { return Vec::new() };
        let cause = |id: &str| id.strip_prefix("self/").map(str::to_owned);
        let lasting = router.manager().alarms().lasting();
        lasting.filter_map(|alarm| Some((cause(&alarm.id)?, alarm.text.clone()))).collect()
    }

    pub(crate) fn deltas(&mut self) -> Vec<Delta> {
        match self {
            Mind::Whole(router) => router.deltas(),
            Mind::Outbox(part) => {
                let mut deltas = Vec::new();
                part.outbox.deltas(&mut deltas);
                part.records.deltas(&mut deltas);
                deltas
            }
        }
    }

    /// The process is gone, and another one begins with what lasts.
    pub(crate) fn begin_again(&mut self, config: &Arc<Config>, now_ms: i64, shelf: &Shelf) {
        match self {
            Mind::Whole(router) => {
                let (restored, problems) = Router::restore(Arc::clone(config), now_ms, shelf.saved());
                assert_eq!(problems, Vec::<String>::new());
                **router = restored;
            }
            Mind::Outbox(part) => {
                **part = Part { now_ms: part.now_ms.max(now_ms), ..Part::default() };
                for (id, body) in shelf.rows(Table::Outbox) {
                    part.outbox.restore(id, body).expect("what was written can be read");
                }
                for (id, body) in shelf.rows(Table::Records) {
                    part.records.restore(id, body).expect("what was written can be read");
                }
            }
        }
    }
}

impl Part {
    /// What a snooze of one message does to a digest.
    fn withdraw(&mut self, subject: &str, title: &str) {
        let is_out = |row: &Intent| row.notice.rows.iter().map(|row| row.title == title).collect();
        let about = self.outbox.iter().filter(|row| row.subject == subject && !row.notice.rows.is_empty());
        let about: Vec<(String, Vec<bool>)> = about.map(|row| (row.id.clone(), is_out(row))).collect();
        for (id, is_out) in about {
            self.outbox.withdraw(&id, &is_out, Cause::Snoozed, "a click", self.now_ms, &mut self.records);
        }
    }

    /// What a snooze does: what waits is held back, what is on its way is not sent again.
    fn hide(&mut self, subject: &str) -> Vec<String> {
        let about = self.outbox.iter().filter(|row| row.subject == subject);
        let about: Vec<(String, State)> = about.map(|row| (row.id.clone(), row.state)).collect();
        for (id, state) in &about {
            match state {
                State::Sending | State::Ambiguous => {
                    self.outbox.hide(id, "a click");
                }
                _ => {
                    self.outbox.suppress(id, Cause::Snoozed, "a click", self.now_ms, &mut self.records);
                }
            }
        }
        about.into_iter().map(|(id, _)| id).collect()
    }
}
