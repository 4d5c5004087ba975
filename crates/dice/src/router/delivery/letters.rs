//! Signed requests: what Slack sends to an address of Dice's own.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use dice_deliver::slack::{Happening, Rejected, Replays};
use dice_route::Answer;
use dice_serve::{Letter, Opened, Turned};
use serde_json::json;
use tokio::runtime::Handle;

use super::carriage::News;
use super::fleet::{Fleet, Workspace};
use super::listener;

/// Slack wants an answer within three seconds, the commit included.
const PATIENCE: Duration = Duration::from_millis(2_000);

/// Opens letters: checks who signed them, and reads what they want.
#[derive(Clone)]
pub(crate) struct Letters {
    inner: Arc<Mutex<Inner>>,
    news: Sender<News>,
}

#[derive(Default)]
struct Inner {
    fleet: Arc<Fleet>,
    handle: Option<Handle>,
    replays: Replays,
}

impl Letters {
    pub(super) fn new(news: Sender<News>) -> Letters {
        Letters { inner: Arc::default(), news }
    }

    /// Letters are for these accounts from now on; what has to be awaited is done at `handle`.
    pub(super) fn follow(&self, fleet: Arc<Fleet>, handle: Option<Handle>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.fleet, inner.handle) = (fleet, handle);
    }

    /// What a letter of Slack wants. Its signature is checked; may wait for Slack for two seconds.
    ///
    /// # Errors
    ///
    /// When nobody is set up who could send it, or it is not to be obeyed.
    #[allow(dead_code, reason = "whoever listens over HTTP hands them in")]
    pub(crate) fn slack(&self, letter: &Letter) -> Result<Opened, Turned> {
        let timestamp = letter.header("x-slack-request-timestamp").unwrap_or_default();
        let signature = letter.header("x-slack-signature").unwrap_or_default();
        let (workspace, handle) = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let Inner { fleet, handle, replays } = &mut *inner;
            let handle = handle.clone().ok_or(Turned::Unknown)?;
            let mut found = Err(Turned::Unknown);
            for (_, workspace) in fleet.workspaces() {
                let Some(checked) = &workspace.signature else { continue };
                match checked.check(timestamp, signature, &letter.body, letter.at_ms, replays) {
                    Ok(()) => {
                        found = Ok(workspace.clone());
                        break;
                    }
                    Err(Rejected::Repeated) => return Err(Turned::Repeated),
                    Err(why) => found = Err(Turned::Forged(why.to_string())),
                }
            }
            (found?, handle)
        };
        let Some(seal) = &workspace.seal else { return Err(Turned::Unknown) };
        let happening = Happening::of_request(&letter.body, seal, letter.at_ms)
            .map_err(|_| Turned::Unclear("the body is not of Slack's form".to_owned()))?;
        match happening {
            Happening::Challenge(text) => {
                Ok(Opened { answer: Some(json!({ "challenge": text })), ..Opened::default() })
            }
            Happening::Posted { intent, reference } => {
                // Nobody listens any more where the loop has ended.
                let _ = self.news.send(News::Seen(intent, reference, None));
                Ok(Opened::default())
            }
            Happening::Nothing => Ok(Opened::default()),
            Happening::Clicks(clicks) => pressed(workspace, clicks, &handle),
        }
    }
}

/// What clicks ask the router; the people who pressed are shown what became of it.
fn pressed(
    workspace: Workspace,
    clicks: Vec<dice_deliver::slack::Click>,
    handle: &Handle,
) -> Result<Opened, Turned> {
    let (to, asked) = sync_channel(1);
    let slack = Arc::clone(&workspace.slack);
    handle.spawn(async move {
        let mut wanted = Vec::new();
        for click in clicks {
            if let Some(command) = listener::wanted(&slack, &click).await {
                wanted.push((click, command));
            }
        }
        // Whoever waited may have gone.
        let _ = to.send(wanted);
    });
    let wanted = asked.recv_timeout(PATIENCE);
    let wanted =
        wanted.map_err(|_| Turned::Unclear("Slack did not say in time who pressed it".to_owned()))?;
    let (clicks, commands): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let (slack, handle) = (workspace.slack, handle.clone());
    let then = move |answers: Vec<Answer>| {
        handle.spawn(async move {
            for (click, answer) in clicks.iter().zip(&answers) {
                listener::show(&slack, click, answer).await;
            }
        });
    };
    Ok(Opened { commands, answer: None, then: Some(Box::new(then)) })
}
