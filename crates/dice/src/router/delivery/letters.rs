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
            Happening::Posted { intent, outcome } => {
                // Nobody listens any more where the loop has ended.
                let _ = self.news.send(News::Seen(intent, outcome, None));
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
    let wanted = wanted.map_err(|_| Turned::Late("Slack did not say in time who pressed it"))?;
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

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;
    use dice_deliver::slack::{Seal, Settings, Signature, Slack, Token};
    use dice_serve::Sender as From;
    use dice_testkit::fakes::slack::FakeSlack;

    use super::*;

    #[test]
    fn a_letter_of_slack_is_opened_once_and_only_signed() {
        let fake = FakeSlack::start();
        let ada = fake.add_person("ada@corp.example");
        let seal = Seal::new(b"seal");
        let settings = Settings {
            base: fake.base(),
            bot_token: Token::new(FakeSlack::BOT_TOKEN),
            app_token: None,
            seal: Some(seal.clone()),
            is_proxied: false,
        };
        let workspace = Workspace {
            slack: Arc::new(Slack::new(settings).unwrap()),
            seal: Some(seal.clone()),
            signature: Some(Signature::new(Token::new(FakeSlack::SIGNING_SECRET))),
            is_socket: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        let (news_to, news) = unbounded();
        let letters = Letters::new(news_to);
        let letter = |payload: &serde_json::Value| {
            let (headers, body) = fake.signed(payload);
            let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
            let (headers, body) = (headers.collect(), body.into_bytes());
            Letter { from: From::Slack, headers, body, at_ms: fake.now_ms() }
        };
        let ticket = dice_deliver::slack::Ticket {
            deed: dice_deliver::slack::Deed::Ack,
            thing: dice_route::Scope::Episode("4f2a91".to_owned()),
        };
        let pressed = letter(&json!({
            "type": "block_actions", "team": {"id": "T1"}, "user": {"id": ada, "team_id": "T1"},
            "actions": [{"action_id": "dice.ack", "value": seal.close(&ticket), "action_ts": "1700000000.000100"}],
        }));
        assert_eq!(letters.slack(&pressed).unwrap_err(), Turned::Unknown);
        letters.follow(Arc::new(Fleet::with(workspace)), Some(handle));
        let mut forged = pressed.clone();
        forged.body.push(b' ');
        assert!(matches!(letters.slack(&forged), Err(Turned::Forged(_))));
        let opened = letters.slack(&pressed).unwrap();
        let [command] = opened.commands.as_slice() else { panic!("{opened:?}") };
        assert_eq!((command.actor.as_str(), opened.then.is_some()), ("ada@corp.example", true));
        assert_eq!(letters.slack(&pressed).unwrap_err(), Turned::Repeated);
        assert!(news.is_empty());
    }
}
