//! What comes back from a Slack workspace: what people press, what has arrived, who is there.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use dice_deliver::slack::{Click, Happening, Incoming, Rota, Slack, Socket, Standing};
use dice_route::dispatch::Hearing;
use dice_route::{Answer, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::carriage::News;
use super::fleet::Workspace;
use crate::clock;
use crate::router::service::Order;

/// What came and is not taken yet.
const MAX_INCOMING: usize = 64;
/// An order is committed within this, or its sender is not answered.
const PATIENCE: Duration = Duration::from_secs(20);
/// Presence is asked for at most this long after it was first wanted.
const LATEST_MS: i64 = 300_000;

fn now_ms() -> i64 {
    clock::now().as_millisecond()
}

/// Listens until it is aborted.
pub(super) async fn listen(
    name: String,
    workspace: Workspace,
    awaited: Option<watch::Receiver<Vec<String>>>,
    news: Sender<News>,
    orders: Sender<Order>,
) {
    // All of it ends with this.
    let mut tasks = JoinSet::new();
    if let Some(awaited) = awaited {
        tasks.spawn(look_for_people(Arc::clone(&workspace.slack), awaited, news.clone()));
    }
    if !workspace.is_socket {
        while tasks.join_next().await.is_some() {}
        return;
    }
    let (out, mut incoming) = mpsc::channel(MAX_INCOMING);
    let (socket, mut standing) = Socket::new(Arc::clone(&workspace.slack), out, Arc::new(now_ms));
    tasks.spawn(socket.run());
    loop {
        tokio::select! {
            came = incoming.recv() => {
                let Some(came) = came else { return };
                tasks.spawn(take(Arc::clone(&workspace.slack), came, news.clone(), orders.clone()));
            }
            Ok(()) = standing.changed() => match &*standing.borrow_and_update() {
                Standing::Opening => {}
                Standing::Open => {
                    tracing::info!(workspace = %name, "buttons in Slack are listened to");
                    tell(&news, &name, Hearing::Open);
                }
                Standing::Down(why) => {
                    tracing::warn!(workspace = %name, "buttons in Slack do nothing for now: {why}");
                    tell(&news, &name, Hearing::Down(why.clone()));
                }
                Standing::Refused(why) => {
                    tracing::warn!(workspace = %name, "buttons in Slack do nothing: {why}");
                    tell(&news, &name, Hearing::Refused(why.clone()));
                }
            },
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
}

/// Tells the loop how the connection stands; where that has ended, nobody listens any more.
fn tell(news: &Sender<News>, workspace: &str, hearing: Hearing) {
    let _ = news.send(News::Hearing(workspace.to_owned(), hearing));
}

/// Takes what came over the connection: Slack is answered after the commit, the person after that.
async fn take(slack: Arc<Slack>, came: Incoming, news: Sender<News>, orders: Sender<Order>) {
    let Incoming { happening, committed } = came;
    match happening {
        Happening::Clicks(clicks) => {
            let mut answered = Vec::new();
            for click in clicks {
                let Some(command) = wanted(&slack, &click).await else { continue };
                let Some(answer) = order(&orders, command).await else { return };
                answered.push((click, answer));
            }
            committed.say();
            for (click, answer) in &answered {
                show(&slack, click, answer).await;
            }
        }
        // Nobody listens any more where the loop has ended.
        Happening::Posted { intent, outcome } => {
            let _ = news.send(News::Seen(intent, outcome, Some(committed)));
        }
        Happening::Challenge(_) | Happening::Nothing => committed.say(),
    }
}

/// What a click asks the router, if anything; what it asks otherwise is done.
pub(super) async fn wanted(slack: &Slack, click: &Click) -> Option<Command> {
    let told = match slack.command(click).await {
        Ok(Some(command)) => return Some(command),
        Ok(None) => match slack.ask(click).await {
            Ok(()) => Ok(()),
            Err(why) => slack.refuse(click, &why).await,
        },
        Err(why) => slack.refuse(click, &why).await,
    };
    if let Err(why) = told {
        tracing::warn!("a person who pressed a button in Slack could not be answered: {why}");
    }
    None
}

/// Shows a person what became of a click.
pub(super) async fn show(slack: &Slack, click: &Click, answer: &Answer) {
    if let Err(why) = slack.respond(click, answer).await {
        tracing::warn!("what a button in Slack did could not be shown there: {why}");
    }
}

/// Has a command done; its answer when that is committed.
async fn order(orders: &Sender<Order>, command: Command) -> Option<Answer> {
    let (reply, answer) = bounded(1);
    orders.send(Order { command, reply }).ok()?;
    let waiting = tokio::task::spawn_blocking(move || answer.recv_timeout(PATIENCE).ok());
    waiting.await.ok()?
}

/// Finds out whether people are there whom something waits for.
async fn look_for_people(slack: Arc<Slack>, mut awaited: watch::Receiver<Vec<String>>, news: Sender<News>) {
    let mut rota = Rota::default();
    loop {
        let wanted = awaited.borrow_and_update().clone();
        if wanted.is_empty() {
            if awaited.changed().await.is_err() {
                return;
            }
            continue;
        }
        let (found, next_ms) = slack.presence(&mut rota, &wanted, now_ms()).await;
        for presence in found {
            if news.send(News::Presence(presence)).is_err() {
                return;
            }
        }
        let wait_ms = (next_ms - now_ms()).clamp(100, LATEST_MS);
        let wait = Duration::from_millis(wait_ms.unsigned_abs());
        if matches!(timeout(wait, awaited.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}
