//! What Slack takes in a message, told apart from what Dice believes it takes.

use std::collections::BTreeSet;

use serde_json::Value;

/// Characters of all texts of a message's blocks together, as near as anybody knows.
pub const MAX_TOTAL: usize = 13_200;

/// Checks a message's text, blocks and metadata.
///
/// # Errors
///
/// Slack's code, and what is wrong in words.
pub fn check(body: &Value) -> Result<(), (&'static str, String)> {
    let text = body["text"].as_str().unwrap_or_default();
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    if text.trim().is_empty() && blocks.is_empty() {
        return Err(("no_text", "there is neither text nor a block".to_owned()));
    }
    if text.chars().count() > 4_000 {
        return Err(("msg_too_long", format!("{} characters", text.chars().count())));
    }
    markup(text).map_err(|what| ("invalid_blocks", what))?;
    metadata(&body["metadata"])?;
    let invalid = |what: String| ("invalid_blocks", what);
    if blocks.len() > 50 {
        return Err(invalid(format!("{} blocks", blocks.len())));
    }
    let mut total = 0;
    let mut ids = BTreeSet::new();
    for block in &blocks {
        known(block, &["type", "block_id", "text", "fields", "accessory", "elements"]).map_err(invalid)?;
        if let Some(id) = block.get("block_id") {
            let id = bounded(id, 255).map_err(invalid)?;
            if !ids.insert(id.to_owned()) {
                return Err(invalid(format!("block_id {id} twice")));
            }
        }
        self::block(block, &mut total).map_err(invalid)?;
    }
    if total > MAX_TOTAL {
        return Err(("msg_blocks_too_long", format!("{total} characters")));
    }
    Ok(())
}

fn block(block: &Value, total: &mut usize) -> Result<(), String> {
    match block["type"].as_str() {
        Some("divider") => Ok(()),
        Some("header") => text(&block["text"], Some("plain_text"), 150, total),
        Some("section") => {
            let (has_text, has_fields) = (!block["text"].is_null(), !block["fields"].is_null());
            if !has_text && !has_fields {
                return Err("a section without text and fields".to_owned());
            }
            if has_text {
                text(&block["text"], None, 3_000, total)?;
            }
            if has_fields {
                list(&block["fields"], 10)?.iter().try_for_each(|field| text(field, None, 2_000, total))?;
            }
            if block["accessory"].is_null() { Ok(()) } else { element(&block["accessory"], total) }
        }
        Some("context") => {
            list(&block["elements"], 10)?.iter().try_for_each(|one| text(one, None, 3_000, total))
        }
        Some("actions") => {
            let elements = list(&block["elements"], 25)?;
            let ids: BTreeSet<_> = elements.iter().map(|element| element["action_id"].to_string()).collect();
            if ids.len() != elements.len() {
                return Err("an action_id twice in a block".to_owned());
            }
            elements.iter().try_for_each(|one| element(one, total))
        }
        other => Err(format!("a block of type {other:?}")),
    }
}

fn element(element: &Value, total: &mut usize) -> Result<(), String> {
    bounded(&element["action_id"], 255)?;
    match element["type"].as_str() {
        Some("button") => {
            known(element, &["type", "action_id", "text", "value", "url", "style"])?;
            text(&element["text"], Some("plain_text"), 75, total)?;
            element.get("value").map_or(Ok(()), |value| bounded(value, 2_000).map(drop))?;
            element.get("url").map_or(Ok(()), link)
        }
        Some("static_select") => {
            known(element, &["type", "action_id", "placeholder", "options"])?;
            text(&element["placeholder"], Some("plain_text"), 150, total)?;
            list(&element["options"], 100)?.iter().try_for_each(|one| option(one, total))
        }
        Some("overflow") => {
            known(element, &["type", "action_id", "options"])?;
            list(&element["options"], 5)?.iter().try_for_each(|one| option(one, total))
        }
        other => Err(format!("an element of type {other:?}")),
    }
}

fn option(option: &Value, total: &mut usize) -> Result<(), String> {
    known(option, &["text", "value", "url", "description"])?;
    text(&option["text"], None, 75, total)?;
    bounded(&option["value"], 75)?;
    option.get("url").map_or(Ok(()), link)
}

fn text(text: &Value, kind: Option<&str>, max: usize, total: &mut usize) -> Result<(), String> {
    let is_plain = match text["type"].as_str() {
        Some(known @ ("plain_text" | "mrkdwn")) if kind.is_none_or(|kind| kind == known) => {
            known == "plain_text"
        }
        other => return Err(format!("a text of type {other:?}")),
    };
    known(text, if is_plain { &["type", "text", "emoji"] } else { &["type", "text", "verbatim"] })?;
    let said = bounded(&text["text"], max)?;
    *total += said.chars().count();
    if is_plain { Ok(()) } else { markup(said) }
}

fn bounded(text: &Value, max: usize) -> Result<&str, String> {
    let text = text.as_str().ok_or("a text is wanted")?;
    let n = text.chars().count();
    if n == 0 || text.trim().is_empty() || n > max {
        Err(format!("{n} characters of {max}"))
    } else {
        Ok(text)
    }
}

fn link(url: &Value) -> Result<(), String> {
    let url = bounded(url, 3_000)?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web { Ok(()) } else { Err(format!("{url} is no address")) }
}

fn list(list: &Value, max: usize) -> Result<&[Value], String> {
    let list = list.as_array().ok_or("a list is wanted")?;
    if list.is_empty() || list.len() > max { Err(format!("{} of {max}", list.len())) } else { Ok(list) }
}

fn known(object: &Value, names: &[&str]) -> Result<(), String> {
    let object = object.as_object().ok_or("an object is wanted")?;
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("`{name}` is not known here")),
        None => Ok(()),
    }
}

fn metadata(metadata: &Value) -> Result<(), (&'static str, String)> {
    if metadata.is_null() {
        return Ok(());
    }
    let payload = metadata["event_payload"].as_object();
    let is_flat =
        payload.is_some_and(|payload| payload.values().all(|value| value.is_string() || value.is_number()));
    if !metadata["event_type"].is_string() || !is_flat {
        return Err(("invalid_metadata_format", metadata.to_string()));
    }
    if metadata.to_string().len() > 16_000 {
        return Err(("metadata_too_large", metadata.to_string()));
    }
    Ok(())
}

/// Markup in which nothing wakes anybody and nothing is hidden: links to pages, dates and single people.
fn markup(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("the control character {c:?}"));
    }
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>']) {
        let inner = rest[at..].strip_prefix('<').ok_or("a `>` that closes nothing")?;
        let (inside, after) = inner.split_once('>').ok_or("a `<` that nothing closes")?;
        let is_harmless =
            ["https://", "http://", "!date^", "@U", "@W"].iter().any(|head| inside.starts_with(head));
        if inside.contains('<') || !is_harmless {
            return Err(format!("the markup <{inside}>"));
        }
        rest = after;
    }
    let stray = |at: usize| {
        let tail = &text[at..];
        !["&amp;", "&lt;", "&gt;"].iter().any(|entity| tail.starts_with(entity))
    };
    match text.match_indices('&').find(|(at, _)| stray(*at)) {
        Some((at, _)) => {
            Err(format!("an `&` that begins nothing: {}", text[at..].chars().take(10).collect::<String>()))
        }
        None => Ok(()),
    }
}
