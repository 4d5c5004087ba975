//! People who press buttons.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{FakeSlack, Message, http};

impl FakeSlack {
    /// What Slack tells when `user` presses or chooses what is called `label` in a message; in the block with
    /// this id where one is given, else in the first that has it.
    pub fn press(&self, user: &str, message: &Message, block: Option<&str>, label: &str) -> Value {
        let mut action =
            action(message, block, label).unwrap_or_else(|| panic!("there is no `{label}`: {message:?}"));
        let ts = self.lock().next_ts();
        action["action_ts"] = json!(ts);
        let trigger = format!("trigger-{ts}");
        json!({
            "type": "block_actions",
            "team": {"id": "T1", "domain": "fake"},
            "user": {"id": user, "team_id": "T1", "name": "somebody"},
            "api_app_id": "A1",
            "trigger_id": trigger,
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "channel": {"id": message.channel, "name": "privategroup"},
            "message": message.shown(false),
            "response_url": "http://127.0.0.1:1/",
            "state": {"values": {}},
            "actions": [action],
        })
    }

    /// What Slack tells when `user` sends the newest question with these values, by block and element.
    pub fn submit(&self, user: &str, values: &Value) -> Value {
        let mut view = self.views().pop().expect("a question was shown");
        view["state"] = json!({"values": values});
        json!({
            "type": "view_submission",
            "team": {"id": "T1", "domain": "fake"},
            "user": {"id": user, "team_id": "T1", "name": "somebody"},
            "view": view,
        })
    }

    /// Sends a payload to an address as Slack does, signed; gives the status and the body of the answer.
    pub fn send(&self, url: &str, payload: &Value) -> Option<(u16, String)> {
        let (headers, body) = self.signed(payload);
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        http::post(url, &headers, &body)
    }

    /// The headers and the body of the signed request that carries a payload.
    pub fn signed(&self, payload: &Value) -> (Vec<(&'static str, String)>, String) {
        let text = payload.to_string();
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = format!("payload={encoded}");
        let timestamp = (self.now_ms() / 1000).to_string();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(FakeSlack::SIGNING_SECRET.as_bytes()).expect("any key will do");
        mac.update(format!("v0:{timestamp}:{body}").as_bytes());
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-slack-request-timestamp", timestamp),
            ("x-slack-signature", format!("v0={digits}")),
        ];
        (headers, body)
    }
}

/// The action that stands for an element called so.
fn action(message: &Message, wanted: Option<&str>, label: &str) -> Option<Value> {
    let blocks = message.blocks.as_array()?;
    let blocks = blocks.iter().filter(|block| wanted.is_none_or(|id| block["block_id"] == id));
    for block in blocks {
        let several = block["elements"].as_array().into_iter().flatten();
        for element in several.chain(Some(&block["accessory"])) {
            let common = json!({
                "block_id": block["block_id"], "action_id": element["action_id"], "type": element["type"],
            });
            if element["text"]["text"] == label {
                let mut action = common;
                action["value"] = element["value"].clone();
                return Some(action);
            }
            let options = element["options"].as_array();
            if let Some(option) = options.into_iter().flatten().find(|option| option["text"]["text"] == label)
            {
                let mut action = common;
                action["selected_option"] = option.clone();
                return Some(action);
            }
        }
    }
    None
}
