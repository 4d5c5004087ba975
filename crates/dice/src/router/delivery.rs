//! How notices leave: the dispatcher's decisions, carried out by the thread that calls.
//!
//! What begins is written down first: [`Delivery::begin`] gives receipts, and only when those are committed the
//! calls are handed over, to [`Delivery::carry`]. How they ended comes back as [`News`]. What no account
//! carries is printed by the loop itself.

mod carriage;
mod fleet;
mod letters;
mod listener;
mod retelling;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, unbounded};
use dice_deliver::Parcel;
use dice_deliver::secrets::{Masking, masked};
use dice_deliver::slack::Remembered;
use dice_route::book::{Delta, Table};
use dice_route::dispatch::{Call, CourierKind, Hearing, Purpose, Round};
use dice_route::outbox::Outbox;
use dice_route::{Config, Destination, Dispatcher, Input, Intent, Outcome, Receipt, Router, Troubles};
use dice_store::Store;

pub(crate) use self::carriage::News;
use self::carriage::{Carriage, Echo, Errand};
pub(crate) use self::fleet::{Fleet, workspace};
pub(crate) use self::letters::Letters;
use self::retelling::Retelling;
use super::service::Order;

/// The notes row with what would have to be looked up again in a Slack workspace; the account follows.
const REMEMBERED: &str = "service slack ";

/// How notices leave.
pub(crate) struct Delivery {
    dispatcher: Dispatcher,
    config: Arc<Config>,
    fleet: Arc<Fleet>,
    /// None while nothing is configured: nothing leaves the machine.
    carriage: Option<Carriage>,
    letters: Letters,
    retelling: Retelling,
    news: Receiver<News>,
    news_to: Sender<News>,
    orders: Sender<Order>,
    /// What is written down of each workspace.
    remembered: BTreeMap<String, Remembered>,
    /// Whether a call has ended since that was looked at.
    is_changed: bool,
    /// Whether nothing new begins.
    is_stopping: bool,
}

impl Delivery {
    /// Begins where the process before has ended: with what `router` has to deliver and `store` remembers.
    ///
    /// # Errors
    ///
    /// When a secret is missing or a setting cannot be used.
    pub(crate) fn new(router: &Router, store: Option<&Store>, orders: Sender<Order>) -> Result<Delivery> {
        let config = Arc::clone(router.config());
        let fleet = Arc::new(Fleet::of(&config, &Fleet::default())?);
        let mut remembered = BTreeMap::new();
        if let Some(store) = store {
            store.entries(Table::Notes, |note| {
                let known = note.id.strip_prefix(REMEMBERED).map(str::to_owned);
                if let (Some(account), Ok(body)) = (known, serde_json::from_str::<Remembered>(&note.body)) {
                    remembered.insert(account, body);
                }
            })?;
        }
        for (account, workspace) in fleet.workspaces() {
            if let Some(known) = remembered.get(account) {
                workspace.slack.remember(known.clone());
            }
        }
        let mut dispatcher = Dispatcher::new(Arc::clone(&config));
        let lasting = router.manager().alarms().lasting();
        let cause = |id: &str| id.strip_prefix("self/").map(str::to_owned);
        dispatcher.resume(lasting.filter_map(|alarm| Some((cause(&alarm.id)?, alarm.text.clone()))));
        let (news_to, news) = unbounded();
        let mut delivery = Delivery {
            dispatcher,
            config,
            retelling: Retelling::of(router.outbox(), &fleet),
            fleet,
            carriage: None,
            letters: Letters::new(news_to.clone()),
            news,
            news_to,
            orders,
            remembered,
            is_changed: false,
            is_stopping: false,
        };
        delivery.follow()?;
        Ok(delivery)
    }

    /// Opens signed letters.
    pub(crate) fn letters(&self) -> Letters {
        self.letters.clone()
    }

    /// What the thread that calls has to say.
    pub(crate) fn news(&self) -> &Receiver<News> {
        &self.news
    }

    /// Another configuration is in force. Accounts that cannot be used are told, and stay as they were.
    pub(crate) fn configure(&mut self, config: &Arc<Config>) {
        self.dispatcher.configure(Arc::clone(config));
        self.config = Arc::clone(config);
        let followed = Fleet::of(config, &self.fleet).and_then(|fleet| {
            self.fleet = Arc::new(fleet);
            self.follow()
        });
        if let Err(error) = followed {
            tracing::error!("{error:#}; notices leave as before");
        }
    }

    fn follow(&mut self) -> Result<()> {
        if self.carriage.is_none() && !self.fleet.is_empty() {
            self.carriage = Some(Carriage::start(self.news_to.clone(), self.orders.clone())?);
        }
        if let Some(carriage) = &self.carriage {
            carriage.follow(Arc::clone(&self.fleet));
        }
        let heard = self.fleet.workspaces().filter(|(_, workspace)| workspace.is_socket);
        self.dispatcher.listen(heard.map(|(account, _)| account.to_owned()));
        let handle = self.carriage.as_ref().map(Carriage::handle);
        self.letters.follow(Arc::clone(&self.fleet), handle);
        Ok(())
    }

    /// Whether something can begin now.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        let next = [self.dispatcher.next_ms(), self.retelling.next_ms()].into_iter().flatten().min();
        !self.is_stopping && next.is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// What begins now: inputs for the router, and calls to be made once those are committed.
    pub(crate) fn begin(&mut self, router: &Router, now_ms: i64) -> (Vec<Input>, Vec<Call>) {
        if self.is_stopping {
            return (Vec::new(), Vec::new());
        }
        if let Some(carriage) = &self.carriage {
            carriage.watch_over(router.manager().digests().awaited(now_ms));
        }
        self.tell_again(router.outbox(), now_ms);
        let Round { receipts, calls } = self.dispatcher.begin(router.outbox(), now_ms);
        let mut inputs: Vec<Input> = receipts.into_iter().map(Input::Receipt).collect();
        if let Some(of) = self.dispatcher.troubles() {
            inputs.push(Input::Troubles(Troubles { at_ms: now_ms, of }));
        }
        (inputs, calls)
    }

    /// Carries out a call whose beginning is committed; false where it is to be printed.
    pub(crate) fn carry(&mut self, call: &Call, row: &Intent, now_ms: i64) -> bool {
        if call.way.courier == CourierKind::Terminal {
            return false;
        }
        let (Some(carriage), Some(courier)) = (&self.carriage, self.fleet.courier(&call.way.account)) else {
            // It was taken out of the configuration after it began.
            let outcome = Outcome::Later(1_000, format!("there is no account {}", call.way.account));
            let _ = self.news_to.send(News::Ended(Box::new(call.clone()), outcome));
            return true;
        };
        let turn = self.fleet.turn(&call.way.account);
        let parcel = parcel(&self.config, call, row, now_ms);
        carriage.carry(Errand { call: call.clone(), parcel, courier, turn });
        true
    }

    /// The one address that a call mails to; none where it does not, or to several.
    pub(crate) fn reader<'c>(&'c self, call: &'c Call) -> Option<&'c str> {
        let receivers = &self.config.receivers;
        match &call.way.destination {
            _ if call.way.courier != CourierKind::Email => None,
            Destination::Receiver(name) => {
                let to = receivers.get(name)?.settings.get("to")?.trim();
                Some(to).filter(|to| !to.contains(','))
            }
            other => Some(other.name()),
        }
    }

    /// Keeps alerts open that would end by themselves.
    fn tell_again(&mut self, outbox: &Outbox, now_ms: i64) {
        if self.retelling.next_ms().is_none_or(|at_ms| at_ms > now_ms) {
            return;
        }
        let Some(carriage) = &self.carriage else { return };
        let out: Vec<&Call> = self.dispatcher.calls().collect();
        for (row, account) in self.retelling.due(outbox, &out, &self.fleet, now_ms) {
            let Some(courier) = self.fleet.courier(&account) else { continue };
            let turn = self.fleet.turn(&account);
            let notice = masked(&row.notice, Masking { emails: self.config.masking.emails });
            let parcel = Parcel {
                intent: Intent { notice, ..row.clone() },
                first: None,
                now_ms,
                unsure_since_ms: None,
                is_possible_repeat: false,
            };
            carriage.echo(Echo { account, parcel, courier, turn });
        }
    }

    /// Takes the end of a call, and gives what follows for the router.
    pub(crate) fn ended(
        &mut self,
        outbox: &Outbox,
        call: &Call,
        outcome: Outcome,
        now_ms: i64,
    ) -> Vec<Receipt> {
        self.is_changed |= call.way.courier == CourierKind::Slack;
        if call.purpose == Purpose::Deliver
            && matches!(outcome, Outcome::Delivered(_))
            && let Some(row) = outbox.get(&call.intent)
        {
            self.retelling.told(row, &call.way.account, &self.fleet, now_ms);
        }
        self.dispatcher.ended(call, outcome, now_ms)
    }

    /// Takes how the connection of an account stands over which it tells what people press.
    pub(crate) fn hear(&mut self, account: &str, hearing: &Hearing, now_ms: i64) {
        self.dispatcher.hear(account, hearing, now_ms);
    }

    /// Takes word that a notice, or a part of it, stands at the other side.
    pub(crate) fn seen(&mut self, outbox: &Outbox, intent: &str, outcome: &Outcome) -> Option<Receipt> {
        self.dispatcher.seen(outbox, intent, outcome)
    }

    /// Rows of the process itself that have changed.
    pub(crate) fn notes(&mut self) -> Vec<Delta> {
        let mut notes = Vec::new();
        if std::mem::take(&mut self.is_changed) {
            for (account, workspace) in self.fleet.workspaces() {
                let today = workspace.slack.remembered();
                if self.remembered.get(account) == Some(&today) {
                    continue;
                }
                notes.push(Delta::Put {
                    table: Table::Notes,
                    id: format!("{REMEMBERED}{account}"),
                    body: serde_json::to_string(&today).expect("names are JSON"),
                });
                self.remembered.insert(account.to_owned(), today);
            }
        }
        notes
    }

    /// Nothing new begins from now on.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Whether a call is out, or one begins within `within_ms`.
    pub(crate) fn is_busy(&self, now_ms: i64, within_ms: i64) -> bool {
        let is_soon = |at_ms: i64| !self.is_stopping && at_ms <= now_ms + within_ms;
        self.carriage.is_some()
            && (self.dispatcher.calls().next().is_some() || self.dispatcher.next_ms().is_some_and(is_soon))
    }
}

/// What a courier is given: what is still to be told, and nothing in it that looks like a secret.
fn parcel(config: &Config, call: &Call, row: &Intent, now_ms: i64) -> Parcel {
    let masking = Masking { emails: config.masking.emails };
    Parcel {
        intent: Intent {
            destination: call.way.destination.clone(),
            notice: masked(&row.rest(&call.way.account), masking),
            ..row.clone()
        },
        first: call.first.clone(),
        now_ms,
        unsure_since_ms: call.unsure_since_ms,
        is_possible_repeat: call.is_possible_repeat,
    }
}
