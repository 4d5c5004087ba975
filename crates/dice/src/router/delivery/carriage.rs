//! The thread that calls: what the loop hands over is carried out, and what came of it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Sender;
use dice_deliver::slack::Committed;
use dice_deliver::{Courier, Found, Parcel};
use dice_route::dispatch::{Call, CourierKind, Hearing, Purpose};
use dice_route::{Outcome, Presence};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::fleet::Fleet;
use super::listener;
use crate::router::service::Order;

/// A notice for Slack may be looked up for, before it is told, for so long.
const PREPARE: Duration = Duration::from_secs(8);

/// What the thread that calls tells the loop.
pub(crate) enum News {
    /// A call has ended so.
    Ended(Box<Call>, Outcome),
    /// Something is known about a person.
    Presence(Presence),
    /// How the connection of this account stands over which it tells what people press.
    Hearing(String, Hearing),
    /// A message with the name of this intent stands at the other side: an attempt has ended so.
    Seen(String, Outcome, Option<Committed>),
}

/// A call with what it takes along.
pub(super) struct Errand {
    pub(super) call: Call,
    pub(super) parcel: Parcel,
    pub(super) courier: Arc<dyn Courier>,
    /// To be waited for.
    pub(super) turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

/// Something that was told and is told again, so that it lasts.
pub(super) struct Echo {
    pub(super) account: String,
    pub(super) parcel: Parcel,
    pub(super) courier: Arc<dyn Courier>,
    pub(super) turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

enum Task {
    Carry(Box<Errand>),
    Echo(Box<Echo>),
    Follow(Arc<Fleet>),
}

/// The thread that calls.
pub(super) struct Carriage {
    tasks: Option<mpsc::UnboundedSender<Task>>,
    awaited: watch::Sender<Vec<String>>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Carriage {
    /// Starts it. What it hears goes to `news`, and what people want to `orders`.
    pub(super) fn start(news: Sender<News>, orders: Sender<Order>) -> std::io::Result<Carriage> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (tasks, taken) = mpsc::unbounded_channel();
        let (awaited, watched) = watch::channel(Vec::new());
        let thread = thread::Builder::new().name("carry".to_owned()).spawn(move || {
            runtime.block_on(work(taken, watched, news, orders));
            // A name that is looked up cannot be called back; nobody waits for it.
            runtime.shutdown_background();
        })?;
        Ok(Carriage { tasks: Some(tasks), awaited, handle, thread: Some(thread) })
    }

    /// Where what has to be awaited can be done.
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Has a call made.
    pub(super) fn carry(&self, errand: Errand) {
        self.tell(Task::Carry(Box::new(errand)));
    }

    /// Has something told again. How that ends matters to nobody: it is told again and again.
    pub(super) fn echo(&self, echo: Echo) {
        self.tell(Task::Echo(Box::new(echo)));
    }

    /// Listens to these workspaces from now on.
    pub(super) fn follow(&self, fleet: Arc<Fleet>) {
        self.tell(Task::Follow(fleet));
    }

    /// Has it found out whether these people are there.
    pub(super) fn watch_over(&self, people: Vec<String>) {
        self.awaited.send_if_modified(|known| {
            let is_new = *known != people;
            *known = people;
            is_new
        });
    }

    fn tell(&self, task: Task) {
        if let Some(tasks) = &self.tasks
            && tasks.send(task).is_err()
        {
            // Its calls are given up by the dispatcher.
            tracing::error!("the thread that calls has ended");
        }
    }
}

impl Drop for Carriage {
    fn drop(&mut self) {
        self.tasks = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that calls failed");
        }
    }
}

async fn work(
    mut tasks: mpsc::UnboundedReceiver<Task>,
    awaited: watch::Receiver<Vec<String>>,
    news: Sender<News>,
    orders: Sender<Order>,
) {
    let mut listening: BTreeMap<String, (Arc<dice_deliver::slack::Slack>, AbortHandle)> = BTreeMap::new();
    while let Some(task) = tasks.recv().await {
        match task {
            Task::Carry(errand) => drop(tokio::spawn(carry(*errand, news.clone()))),
            Task::Echo(echo) => drop(tokio::spawn(tell_again(*echo))),
            Task::Follow(fleet) => {
                let today: BTreeMap<&str, _> = fleet.workspaces().collect();
                listening.retain(|name, (slack, handle)| {
                    let is_same = today.get(name.as_str()).is_some_and(|now| Arc::ptr_eq(&now.slack, slack));
                    if !is_same {
                        handle.abort();
                    }
                    is_same
                });
                for (name, workspace) in today {
                    if listening.contains_key(name) {
                        continue;
                    }
                    // People are those of the one workspace that notices for people go to.
                    let awaited = (name == dice_route::dispatch::SLACK).then(|| awaited.clone());
                    let task = listener::listen(
                        name.to_owned(),
                        workspace.clone(),
                        awaited,
                        news.clone(),
                        orders.clone(),
                    );
                    let handle = tokio::spawn(task).abort_handle();
                    listening.insert(name.to_owned(), (Arc::clone(&workspace.slack), handle));
                }
            }
        }
    }
}

async fn carry(errand: Errand, news: Sender<News>) {
    let Errand { call, parcel, courier, turn } = errand;
    let _alone = match &turn {
        Some(turn) => Some(turn.lock().await),
        None => None,
    };
    let mut deadline = Duration::from_millis(u64::try_from(call.deadline_ms).unwrap_or(0));
    if call.way.courier == CourierKind::Slack {
        deadline += PREPARE;
    }
    let outcome = match call.purpose {
        Purpose::Deliver => {
            let told = timeout(deadline, courier.deliver(&parcel)).await;
            told.unwrap_or_else(|_| Outcome::Ambiguous("there was no answer in time".to_owned()))
        }
        Purpose::Find => match timeout(deadline, courier.find(&parcel)).await {
            Ok(Found::There(reference)) => Outcome::Delivered(reference),
            Ok(Found::Part(part)) => Outcome::Partly(part),
            Ok(Found::Absent) => Outcome::Absent("it was looked for and is not there".to_owned()),
            Ok(Found::Failed(outcome)) => outcome,
            Ok(Found::Unknowable(why)) => Outcome::Refused(why),
            Err(_) => Outcome::Deferred(1_000, "looking for it took too long".to_owned()),
        },
    };
    tracing::debug!(account = %call.way.account, intent = %call.intent, ?outcome, "a call has ended");
    // Whoever stops does not wait for everything.
    let _ = news.send(News::Ended(Box::new(call), outcome));
}

async fn tell_again(echo: Echo) {
    let Echo { account, parcel, courier, turn } = echo;
    let _alone = match &turn {
        Some(turn) => Some(turn.lock().await),
        None => None,
    };
    let outcome = courier.deliver(&parcel).await;
    if !matches!(outcome, Outcome::Delivered(_)) {
        tracing::warn!(%account, ?outcome, "an alert could not be kept open");
    }
}
