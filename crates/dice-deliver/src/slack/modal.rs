//! The question who it was, when somebody says "not me".

use serde_json::{Value, json};

use super::Slack;
use super::button::{Deed, Ticket};
use super::click::{Click, Wish};

/// What Slack calls the question when it is answered.
pub(super) const NOT_ME: &str = "dice.not-me";

impl Slack {
    /// Asks the person who it was instead. To be called at once: Slack lets it be asked for three seconds.
    ///
    /// # Errors
    ///
    /// Why it could not be asked, in words; nothing for clicks that mean something else.
    pub async fn ask(&self, click: &Click) -> Result<(), String> {
        let (Wish::AskNotMe(message), Some(trigger)) = (&click.wish, &click.trigger) else { return Ok(()) };
        let thing = dice_route::Scope::Message(message.clone());
        let ticket =
            self.settings.seal.as_ref().and_then(|seal| seal.close(&Ticket { deed: Deed::NotMe, thing }));
        let Some(ticket) = ticket else { return Err("there is no seal for buttons".to_owned()) };
        let kept = json!({
            "ticket": ticket,
            "at": click.at.as_ref().map(ToString::to_string).unwrap_or_default(),
            "block": click.block.clone().unwrap_or_default(),
        });
        let body = json!({"trigger_id": trigger, "view": view(&kept.to_string())});
        self.write("views.open", &body).await.map(drop).map_err(|failure| failure.to_string())
    }
}

fn view(kept: &str) -> Value {
    let words = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let input = |block: &str, label: &str, element: Value| json!({"type": "input", "block_id": block, "optional": true, "label": words(label), "element": element});
    json!({
        "type": "modal",
        "callback_id": NOT_ME,
        "private_metadata": kept,
        "title": words("Not me"),
        "submit": words("Pass it on"),
        "close": words("Cancel"),
        "blocks": [
            {
                "type": "section",
                "text": words(
                    "You will not be told of this message again. Who should be? Leave both empty, and Dice asks \
                     whoever wrote the code before you, then the owners of the path."
                ),
            },
            input("person", "A person", json!({"type": "users_select", "action_id": "dice.person"})),
            input("channel", "Or a channel", json!({
                "type": "conversations_select", "action_id": "dice.channel",
                "filter": {"include": ["public", "private"], "exclude_bot_users": true},
            })),
            input("reason", "Why, if it is worth knowing", json!({
                "type": "plain_text_input", "action_id": "dice.reason", "multiline": true, "max_length": 500,
            })),
        ],
    })
}
