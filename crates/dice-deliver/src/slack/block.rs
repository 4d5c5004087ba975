//! The parts that messages are made of.

use serde_json::{Value, json};

/// Markup of our own making, in which everything else has been escaped. Slack is told to look for nothing more
/// in it.
fn markup(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn words(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

pub(super) fn header(text: &str) -> Value {
    json!({"type": "header", "text": words(text)})
}

pub(super) fn section(text: &str) -> Value {
    json!({"type": "section", "text": markup(text)})
}

pub(super) fn section_with(id: &str, text: &str, accessory: Value) -> Value {
    json!({"type": "section", "block_id": id, "text": markup(text), "accessory": accessory})
}

pub(super) fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [markup(text)]})
}

pub(super) fn actions(id: &str, elements: Vec<Value>) -> Value {
    json!({"type": "actions", "block_id": id, "elements": elements})
}

pub(super) fn button(id: &str, text: &str, value: &str) -> Value {
    json!({"type": "button", "action_id": id, "text": words(text), "value": value})
}

/// A button that opens a page. Slack tells of it too, and nothing is done then.
pub(super) fn link_button(id: &str, text: &str, url: &str) -> Value {
    json!({"type": "button", "action_id": id, "text": words(text), "url": url})
}

pub(super) fn select(id: &str, placeholder: &str, options: Vec<Value>) -> Value {
    json!({"type": "static_select", "action_id": id, "placeholder": words(placeholder), "options": options})
}

pub(super) fn overflow(id: &str, options: Vec<Value>) -> Value {
    json!({"type": "overflow", "action_id": id, "options": options})
}

pub(super) fn choice(text: &str, value: &str) -> Value {
    json!({"text": words(text), "value": value})
}

pub(super) fn link_choice(text: &str, url: &str) -> Value {
    json!({"text": words(text), "value": "open", "url": url})
}
