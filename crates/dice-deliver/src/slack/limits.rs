//! How much Slack takes in one message.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// Blocks of a message.
pub const MAX_BLOCKS: usize = 50;

/// Of the text that stands for the message in notifications.
pub const MAX_TEXT: usize = 4_000;

/// Of all texts of the blocks together. Slack does not document its limit, which is near 13,200.
pub const MAX_TOTAL: usize = 12_000;

const MAX_SECTION: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD: usize = 2_000;
const MAX_HEADER: usize = 150;
const MAX_CONTEXT: usize = 10;
const MAX_ACTIONS: usize = 25;
const MAX_BUTTON: usize = 75;
const MAX_VALUE: usize = 2_000;
const MAX_URL: usize = 3_000;
const MAX_ID: usize = 255;
const MAX_OPTIONS: usize = 100;
const MAX_OPTION: usize = 75;
const MAX_OVERFLOW: usize = 5;
const MAX_PLACEHOLDER: usize = 150;
const MAX_METADATA: usize = 8_000;

/// What is too much, or of a form that Slack does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Where, as a path into the message.
    pub path: String,
    /// What, in words.
    pub what: String,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// The length that counts: in units of UTF-16, the longest that Slack might mean.
pub(super) fn len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Checks the `text`, `blocks` and `metadata` of a message against what Slack takes.
///
/// # Errors
///
/// The first thing that Slack would refuse.
///
/// Source: the Block Kit reference of docs.slack.dev.
pub fn check(message: &Value) -> Result<(), Excess> {
    let mut tally = Tally::default();
    let text = message["text"].as_str().unwrap_or_default();
    tally.length("text", text, 1, MAX_TEXT)?;
    tally.total = 0;
    let metadata = &message["metadata"];
    if !metadata.is_null() && len(&metadata.to_string()) > MAX_METADATA {
        return Err(excess("metadata", format!("wanted at most {MAX_METADATA} characters")));
    }
    let Some(blocks) = message.get("blocks").filter(|blocks| !blocks.is_null()) else { return Ok(()) };
    let blocks = tally.list("blocks", blocks, 0, MAX_BLOCKS)?;
    for (n, block) in blocks.iter().enumerate() {
        tally.block(&format!("blocks[{n}]"), block)?;
    }
    if tally.total > MAX_TOTAL {
        return Err(excess(
            "blocks",
            format!("{} characters of text, wanted at most {MAX_TOTAL}", tally.total),
        ));
    }
    Ok(())
}

/// What has been counted over a whole message.
#[derive(Default)]
struct Tally {
    total: usize,
    ids: BTreeSet<String>,
}

fn excess(path: &str, what: impl Into<String>) -> Excess {
    Excess { path: path.to_owned(), what: what.into() }
}

impl Tally {
    fn length(&mut self, path: &str, text: &str, min: usize, max: usize) -> Result<(), Excess> {
        let found = len(text);
        self.total += found;
        if found < min || found > max || (min > 0 && text.trim().is_empty()) {
            return Err(excess(path, format!("{found} characters, wanted {min} to {max}")));
        }
        Ok(())
    }

    fn list<'v>(&self, path: &str, list: &'v Value, min: usize, max: usize) -> Result<&'v [Value], Excess> {
        let list = list.as_array().ok_or_else(|| excess(path, "wanted a list"))?;
        if list.len() < min || list.len() > max {
            return Err(excess(path, format!("{} of them, wanted {min} to {max}", list.len())));
        }
        Ok(list)
    }

    fn block(&mut self, path: &str, block: &Value) -> Result<(), Excess> {
        if let Some(id) = block["block_id"].as_str() {
            if id.is_empty() || len(id) > MAX_ID {
                return Err(excess(path, format!("a block_id has 1 to {MAX_ID} characters")));
            }
            if !self.ids.insert(id.to_owned()) {
                return Err(excess(path, "two blocks have the same block_id"));
            }
        }
        match block["type"].as_str() {
            Some("divider") => Ok(()),
            Some("header") => self.text(path, &block["text"], "plain_text", MAX_HEADER),
            Some("section") => {
                if block["text"].is_null() && block["fields"].is_null() {
                    return Err(excess(path, "a section needs text or fields"));
                }
                if !block["text"].is_null() {
                    self.text(path, &block["text"], "", MAX_SECTION)?;
                }
                if !block["fields"].is_null() {
                    for field in self.list(path, &block["fields"], 1, MAX_FIELDS)? {
                        self.text(path, field, "", MAX_FIELD)?;
                    }
                }
                if block["accessory"].is_null() { Ok(()) } else { self.element(path, &block["accessory"]) }
            }
            Some("context") => {
                for element in self.list(path, &block["elements"], 1, MAX_CONTEXT)? {
                    self.text(path, element, "", MAX_FIELD)?;
                }
                Ok(())
            }
            Some("actions") => {
                let mut ids = BTreeSet::new();
                for element in self.list(path, &block["elements"], 1, MAX_ACTIONS)? {
                    self.element(path, element)?;
                    if !ids.insert(element["action_id"].as_str().unwrap_or_default()) {
                        return Err(excess(path, "two elements have the same action_id"));
                    }
                }
                Ok(())
            }
            _ => Err(excess(path, "a type of block that is not used")),
        }
    }

    fn text(&mut self, path: &str, text: &Value, kind: &str, max: usize) -> Result<(), Excess> {
        match text["type"].as_str() {
            Some(known @ ("plain_text" | "mrkdwn")) if kind.is_empty() || kind == known => {}
            _ => return Err(excess(path, "a text of another type is wanted")),
        }
        self.length(path, text["text"].as_str().unwrap_or_default(), 1, max)
    }

    fn element(&mut self, path: &str, element: &Value) -> Result<(), Excess> {
        let is_within = |name: &str, max: usize| match element[name].as_str() {
            Some(text) if text.is_empty() || len(text) > max => {
                Err(excess(path, format!("{name} has 1 to {max} characters")))
            }
            _ => Ok(()),
        };
        is_within("action_id", MAX_ID)?;
        match element["type"].as_str() {
            Some("button") => {
                is_within("value", MAX_VALUE)?;
                is_within("url", MAX_URL)?;
                self.text(path, &element["text"], "plain_text", MAX_BUTTON)
            }
            Some("static_select") => {
                if !element["placeholder"].is_null() {
                    self.text(path, &element["placeholder"], "plain_text", MAX_PLACEHOLDER)?;
                }
                self.options(path, &element["options"], MAX_OPTIONS)
            }
            Some("overflow") => self.options(path, &element["options"], MAX_OVERFLOW),
            _ => Err(excess(path, "a type of element that is not used")),
        }
    }

    fn options(&mut self, path: &str, options: &Value, max: usize) -> Result<(), Excess> {
        for option in self.list(path, options, 1, max)? {
            self.text(path, &option["text"], "plain_text", MAX_OPTION)?;
            let value = len(option["value"].as_str().unwrap_or_default());
            let url = len(option["url"].as_str().unwrap_or_default());
            if value == 0 || value > MAX_OPTION || url > MAX_URL {
                return Err(excess(path, format!("an option has a value of 1 to {MAX_OPTION} characters")));
            }
        }
        Ok(())
    }
}
