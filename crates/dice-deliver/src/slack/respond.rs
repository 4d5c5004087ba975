//! What a person sees after a click.

use dice_route::{Answer, Scope};
use serde_json::{Value, json};

use super::Slack;
use super::block;
use super::button::{Deed, Ticket};
use super::click::{Click, Wish};
use super::limits::{self, MAX_TEXT};
use super::message::fitted;
use super::reference::Reference;
use super::sheet::Sheet;
use super::text::prose;

/// How the blocks begin that say what was done.
const DONE: &str = "done-";

impl Slack {
    /// Shows what became of a click: in the message, with a way back, where it was done; to the person alone
    /// where it was not.
    ///
    /// # Errors
    ///
    /// Why it could not be shown, in words. What was done stays done.
    pub async fn respond(&self, click: &Click, answer: &Answer) -> Result<(), String> {
        let Some(at) = &click.at else { return Ok(()) };
        if !answer.is_done {
            return self.refuse(click, &answer.text).await;
        }
        let said = self.said(click, answer);
        let sheet = self.sheets.of(at);
        let mut sheet = sheet.lock().await;
        let changed = self.now(click, at, &sheet).await.and_then(|message| changed(&message, click, &said));
        let Some(mut body) = changed else {
            drop(sheet);
            return self.refuse(click, &answer.text).await;
        };
        body["channel"] = json!(at.channel);
        body["ts"] = json!(at.ts);
        self.rewrite(&mut sheet, &body).await.map(drop).map_err(|failure| failure.to_string())
    }

    /// The message as it stands now, which may be newer than what the person saw; `None` where that is not known.
    async fn now(&self, click: &Click, at: &Reference, sheet: &Sheet) -> Option<Value> {
        if let Sheet::Written(message) = sheet {
            return Some(message.clone());
        }
        match self.message(at).await {
            Some(message) => Some(message),
            // Nobody has changed it since this process began.
            None if *sheet == Sheet::Unseen => click.shown.clone(),
            None => None,
        }
    }

    /// Tells the person alone, at the message.
    ///
    /// # Errors
    ///
    /// Why that could not be told, in words.
    pub async fn refuse(&self, click: &Click, why: &str) -> Result<(), String> {
        let Some(at) = &click.at else { return Ok(()) };
        let text = fitted(MAX_TEXT, why, prose);
        let body = json!({"channel": at.channel, "user": click.user, "text": text, "parse": "none"});
        self.write("chat.postEphemeral", &body).await.map(drop).map_err(|failure| failure.to_string())
    }

    /// The message as it stands.
    async fn message(&self, at: &Reference) -> Option<Value> {
        let fields = [
            ("channel", at.channel.as_str()),
            ("ts", &at.ts),
            ("latest", &at.ts),
            ("oldest", &at.ts),
            ("inclusive", "true"),
            ("limit", "1"),
        ];
        // The first finds what stands in the channel, the second what stands in a thread.
        for method in ["conversations.history", "conversations.replies"] {
            let reply = self.read(method, &fields).await.ok()?;
            let messages = reply.value["messages"].as_array();
            if let Some(found) =
                messages.into_iter().flatten().find(|message| message["ts"] == at.ts.as_str())
            {
                return Some(found.clone());
            }
        }
        None
    }

    /// The block that says what was done.
    fn said(&self, click: &Click, answer: &Answer) -> Value {
        // An id that Slack sent, in the only form an id has.
        let is_id = click.user.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let who = if is_id { format!("<@{}>", click.user) } else { "somebody".to_owned() };
        let body = &answer.body;
        let until = body["until_words"].as_str().filter(|_| body["ended"].is_null());
        let text = match until {
            Some(until) => format!("Snoozed by {who} {}", fitted(300, until, prose)),
            None => format!("{who}: {}", fitted(1_500, &answer.text, prose)),
        };
        let undo = |deed, thing: &Value, wrap: fn(String) -> Scope| {
            Some(Ticket { deed, thing: wrap(thing.as_str()?.to_owned()) })
        };
        let ticket = match &click.wish {
            Wish::Do(Ticket { deed: Deed::Snooze(_), .. }) => {
                undo(Deed::Unsnooze, &body["snooze"], Scope::Alert)
            }
            Wish::Do(Ticket { deed: Deed::Ack, .. }) => undo(Deed::Unack, &body["episode"], Scope::Episode),
            Wish::NotMe { .. } => undo(Deed::Unassign, &body["message"], Scope::Message),
            _ => None,
        };
        let id = format!("{DONE}{}", block_of(click));
        let sealed = ticket.and_then(|ticket| self.settings.seal.as_ref()?.close(&ticket));
        match sealed {
            Some(sealed) => block::section_with(&id, &text, block::button("dice.undo", "Undo", &sealed)),
            None => {
                let mut block = block::context(&text);
                block["block_id"] = json!(id);
                block
            }
        }
    }
}

/// The block that was clicked in; of what was said of it, that same block.
fn block_of(click: &Click) -> String {
    let block = click.block.as_deref().unwrap_or("deeds");
    block.strip_prefix(DONE).unwrap_or(block).chars().take(100).collect()
}

/// The message with what was done below the block where it was; `None` when there is no room for it.
fn changed(message: &Value, click: &Click, said: &Value) -> Option<Value> {
    let block = block_of(click);
    // Blocks would stand in place of a plain text.
    let mut blocks = message["blocks"].as_array().filter(|blocks| !blocks.is_empty())?.clone();
    blocks.retain(|block| block["block_id"] != said["block_id"]);
    let at = blocks.iter().position(|known| known["block_id"] == block.as_str());
    blocks.insert(at.map_or(blocks.len(), |at| at + 1), said.clone());
    let text = message["text"].as_str().filter(|text| !text.trim().is_empty()).unwrap_or("a notice");
    let text = if limits::len(text) <= MAX_TEXT { text } else { "a notice" };
    let body = json!({"text": text, "blocks": blocks});
    limits::check(&body).is_ok().then_some(body)
}
