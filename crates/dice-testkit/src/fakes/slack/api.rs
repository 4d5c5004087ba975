//! What the methods of the Web API do.

use serde_json::{Value, json};

use super::FakeSlack;
use super::http::Call;
use super::strict;
use super::workspace::{Channel, Message, Workspace};

/// Methods that read: they take forms only.
const READING: &[&str] = &[
    "conversations.history",
    "conversations.info",
    "conversations.list",
    "conversations.replies",
    "dnd.teamInfo",
    "users.getPresence",
    "users.info",
    "users.lookupByEmail",
];

type Refusal = (&'static str, Value);

fn no(code: &'static str) -> Refusal {
    (code, json!({}))
}

/// The status, further headers and the answer.
pub(super) fn call(call: &Call, workspace: &mut Workspace) -> (u16, String, Value) {
    let mut headers = String::new();
    let answer = match allowed(call, workspace) {
        Ok(()) => {
            let scopes: Vec<&str> = workspace.scopes.iter().map(String::as_str).collect();
            headers = format!("x-oauth-scopes: {}\r\n", scopes.join(","));
            if call.method == "chat.postMessage" && is_too_fast(&call.arguments, workspace) {
                let body = json!({"ok": false, "error": "ratelimited"});
                return (429, "Retry-After: 1\r\n".to_owned(), body);
            }
            answer(&call.method, &call.arguments, workspace)
        }
        Err(refusal) => Err(refusal),
    };
    let body = match answer {
        Ok(mut body) => {
            body["ok"] = json!(true);
            body
        }
        Err((code, mut body)) => {
            (body["ok"], body["error"]) = (json!(false), json!(code));
            body
        }
    };
    (200, headers, body)
}

fn allowed(call: &Call, workspace: &Workspace) -> Result<(), Refusal> {
    let wanted =
        if call.method == "apps.connections.open" { FakeSlack::APP_TOKEN } else { FakeSlack::BOT_TOKEN };
    match call.token.as_str() {
        "" => return Err(no("not_authed")),
        token if token == wanted => {}
        FakeSlack::APP_TOKEN | FakeSlack::BOT_TOKEN => return Err(no("not_allowed_token_type")),
        _ => return Err(no("invalid_auth")),
    }
    if let Some(denial) = &workspace.denial {
        return Err((denial.clone().leak(), json!({})));
    }
    if call.is_json && READING.contains(&call.method.as_str()) {
        return Err(no("invalid_arguments"));
    }
    let text = |name: &str| call.arguments[name].as_str().unwrap_or_default();
    let is_direct = text("channel").starts_with('D');
    let is_private = workspace.channels.get(text("channel")).is_some_and(|channel| channel.is_private);
    let needed = match call.method.as_str() {
        "chat.postMessage" | "chat.update" | "chat.postEphemeral" => vec!["chat:write"],
        "conversations.history" | "conversations.replies" if is_direct => vec!["im:history"],
        "conversations.history" | "conversations.replies" if is_private => vec!["groups:history"],
        "conversations.history" | "conversations.replies" => vec!["channels:history"],
        "conversations.list" if text("types").contains("private") => vec!["channels:read", "groups:read"],
        "conversations.list" => vec!["channels:read"],
        "conversations.info" if is_private => vec!["groups:read"],
        "conversations.info" => vec!["channels:read"],
        "conversations.open" => vec!["im:write"],
        "users.lookupByEmail" => vec!["users:read.email"],
        "users.info" | "users.getPresence" => vec!["users:read"],
        "dnd.teamInfo" => vec!["dnd:read"],
        _ => Vec::new(),
    };
    match needed.into_iter().find(|scope| !workspace.scopes.contains(*scope)) {
        Some(scope) => Err(("missing_scope", json!({"needed": scope}))),
        None => Ok(()),
    }
}

fn is_too_fast(arguments: &Value, workspace: &Workspace) -> bool {
    let Some(rate) = workspace.rate else { return false };
    let since_us = (workspace.now_ms() - 1_000) * 1_000;
    let us = |ts: &str| ts.replace('.', "").parse::<i64>().unwrap_or_default();
    let of_channel =
        workspace.messages.iter().filter(|message| arguments["channel"] == message.channel.as_str());
    of_channel.filter(|message| us(&message.ts) > since_us).count() >= rate
}

fn answer(method: &str, arguments: &Value, workspace: &mut Workspace) -> Result<Value, Refusal> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    match method {
        "auth.test" => {
            Ok(json!({"team": "Fake", "team_id": "T1", "user": "dice", "user_id": "U0", "bot_id": "B1"}))
        }
        "chat.postMessage" => post(arguments, workspace),
        "chat.update" => update(arguments, workspace),
        "chat.postEphemeral" => {
            writable(text("channel"), workspace)?;
            valid(arguments, workspace)?;
            workspace.whispers.push((text("user").to_owned(), text("text").to_owned()));
            Ok(json!({"message_ts": workspace.next_ts()}))
        }
        "conversations.list" => Ok(list(arguments, workspace)),
        "conversations.info" => {
            let channel = workspace.channels.get(text("channel")).ok_or_else(|| no("channel_not_found"))?;
            Ok(json!({"channel": shown(text("channel"), channel)}))
        }
        "conversations.open" => open(text("users"), workspace),
        "conversations.history" => history(arguments, None, workspace),
        "conversations.replies" => history(arguments, Some(text("ts")), workspace),
        "users.lookupByEmail" => {
            let email = text("email").to_lowercase();
            let is_it = |person: &super::Person| person.email.to_lowercase() == email && !person.is_deleted;
            let found = workspace.people.iter().find(|(_, person)| is_it(person));
            let (id, person) = found.ok_or_else(|| no("users_not_found"))?;
            Ok(json!({"user": user(id, person)}))
        }
        "users.info" => {
            let person = workspace.people.get(text("user")).ok_or_else(|| no("user_not_found"))?;
            Ok(json!({"user": user(text("user"), person)}))
        }
        "users.getPresence" => {
            let person = workspace.people.get(text("user")).ok_or_else(|| no("user_not_found"))?;
            Ok(json!({"presence": if person.is_active { "active" } else { "away" }}))
        }
        "dnd.teamInfo" => {
            let ids: Vec<&str> = text("users").split(',').collect();
            if ids.len() > 50 {
                return Err(no("too_many_users"));
            }
            let dnd = ids.iter().filter_map(|id| {
                let (from, to) = workspace.people.get(*id)?.dnd.unwrap_or((1, 1));
                let dnd = json!({"dnd_enabled": to > 1, "next_dnd_start_ts": from, "next_dnd_end_ts": to});
                Some(((*id).to_owned(), dnd))
            });
            Ok(json!({"users": dnd.collect::<serde_json::Map<_, _>>()}))
        }
        "views.open" => {
            if text("trigger_id").is_empty() {
                return Err(no("invalid_trigger_id"));
            }
            let mut view = arguments["view"].clone();
            if view["private_metadata"].as_str().is_none_or(|kept| kept.len() > 3_000) {
                return Err(no("invalid_arguments"));
            }
            view["id"] = json!(format!("V{}", workspace.views.len() + 1));
            workspace.views.push(view.clone());
            Ok(json!({"view": view}))
        }
        "apps.connections.open" => Ok(json!({"url": workspace.socket_url})),
        _ => Err(no("unknown_method")),
    }
}

fn writable(id: &str, workspace: &Workspace) -> Result<(), Refusal> {
    let channel = workspace.channels.get(id).ok_or_else(|| no("channel_not_found"))?;
    if channel.is_archived {
        return Err(no("is_archived"));
    }
    if channel.is_member { Ok(()) } else { Err(no("not_in_channel")) }
}

fn valid(arguments: &Value, workspace: &mut Workspace) -> Result<(), Refusal> {
    strict::check(arguments).map_err(|(code, what)| {
        workspace.refusals.push(format!("{code}: {what}"));
        (code, json!({"response_metadata": {"messages": [format!("[ERROR] {what}")]}}))
    })
}

fn post(arguments: &Value, workspace: &mut Workspace) -> Result<Value, Refusal> {
    let text = |name: &str| arguments[name].as_str().map(str::to_owned);
    let mut channel = text("channel").unwrap_or_default();
    if channel.starts_with('U') {
        channel = open(&channel, workspace)?["channel"]["id"].as_str().unwrap_or_default().to_owned();
    }
    writable(&channel, workspace)?;
    valid(arguments, workspace)?;
    let thread = text("thread_ts");
    if let Some(thread) = &thread {
        let is_it = |message: &Message| message.channel == channel && message.ts == *thread;
        if !workspace.messages.iter().any(is_it) {
            return Err(no("thread_not_found"));
        }
    }
    let message = Message {
        bot: "B1".to_owned(),
        channel: channel.clone(),
        ts: workspace.next_ts(),
        is_broadcast: thread.is_some() && arguments["reply_broadcast"] == true,
        thread,
        text: text("text").unwrap_or_default(),
        blocks: arguments["blocks"].clone(),
        metadata: arguments["metadata"].clone(),
        edits: 0,
    };
    let answer = json!({"channel": channel, "ts": message.ts, "message": message.shown(true)});
    workspace.messages.push(message);
    Ok(answer)
}

fn update(arguments: &Value, workspace: &mut Workspace) -> Result<Value, Refusal> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    let (channel, ts) = (text("channel"), text("ts"));
    if workspace.channels.get(channel).ok_or_else(|| no("channel_not_found"))?.is_archived {
        return Err(no("is_archived"));
    }
    valid(arguments, workspace)?;
    let is_it = |message: &&mut Message| message.channel == channel && message.ts == ts;
    let message = workspace.messages.iter_mut().find(is_it).ok_or_else(|| no("message_not_found"))?;
    message.text = text("text").to_owned();
    message.blocks = arguments["blocks"].clone();
    message.edits += 1;
    if !arguments["metadata"].is_null() {
        message.metadata = arguments["metadata"].clone();
    }
    Ok(json!({"channel": channel, "ts": ts, "text": message.text}))
}

fn open(user: &str, workspace: &mut Workspace) -> Result<Value, Refusal> {
    let person = workspace.people.get(user).ok_or_else(|| no("user_not_found"))?;
    if person.is_deleted {
        return Err(no("user_disabled"));
    }
    let id = format!("D{}", &user[1..]);
    let with = Some(user.to_owned());
    let direct = Channel { is_member: true, with, name: id.clone(), ..Channel::default() };
    workspace.channels.entry(id.clone()).or_insert(direct);
    Ok(json!({"channel": {"id": id}}))
}

fn shown(id: &str, channel: &Channel) -> Value {
    json!({
        "id": id, "name": channel.name, "is_member": channel.is_member, "is_archived": channel.is_archived,
        "is_private": channel.is_private,
    })
}

fn user(id: &str, person: &super::Person) -> Value {
    json!({
        "id": id, "deleted": person.is_deleted, "is_bot": false, "tz": person.zone, "name": id.to_lowercase(),
        "team_id": if person.is_guest { "T2" } else { "T1" },
        "profile": {"email": person.email},
    })
}

/// Two channels a call, so that whoever does not go on is found out.
fn list(arguments: &Value, workspace: &Workspace) -> Value {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    let has_private = text("types").contains("private_channel");
    let no_archived = text("exclude_archived") == "true";
    let channels = workspace.channels.iter().filter(|(_, channel)| {
        channel.with.is_none()
            && (!channel.is_private || (has_private && channel.is_member))
            && !(no_archived && channel.is_archived)
    });
    page(channels.map(|(id, channel)| shown(id, channel)).collect(), text("cursor"), 2, "channels")
}

fn page(all: Vec<Value>, cursor: &str, size: usize, name: &str) -> Value {
    let from: usize = cursor.trim_start_matches("next:").parse().unwrap_or(0);
    let next = if from + size < all.len() { format!("next:{}", from + size) } else { String::new() };
    let some: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    let mut page = json!({"response_metadata": {"next_cursor": next}});
    page[name] = json!(some);
    page
}

/// The newest first in a channel, the oldest first in a thread; three a call.
fn history(arguments: &Value, thread: Option<&str>, workspace: &mut Workspace) -> Result<Value, Refusal> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    let channel = text("channel");
    let known = workspace.channels.get(channel).ok_or_else(|| no("channel_not_found"))?;
    if !known.is_member {
        return Err(no("not_in_channel"));
    }
    let us = |ts: &str| {
        let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
        seconds.parse::<i64>().unwrap_or(0) * 1_000_000 + format!("{rest:0<6}").parse::<i64>().unwrap_or(0)
    };
    if let Some(ts) = thread
        && !workspace.messages.iter().any(|message| message.channel == channel && message.ts == ts)
    {
        return Err(no("thread_not_found"));
    }
    let is_lagging = workspace.lag > 0;
    workspace.lag = workspace.lag.saturating_sub(1);
    let last = workspace.messages.last().filter(|_| is_lagging).map(|message| message.ts.clone());
    let (oldest, latest) =
        (us(text("oldest")), if text("latest").is_empty() { i64::MAX } else { us(text("latest")) });
    let is_shown = |message: &&Message| {
        let is_there = match thread {
            Some(ts) => message.ts == ts || message.thread.as_deref() == Some(ts),
            None => message.thread.is_none() || message.is_broadcast,
        };
        let at = us(&message.ts);
        // The head of a thread is shown however old it is.
        let is_head = thread == Some(message.ts.as_str());
        message.channel == channel
            && is_there
            && (is_head || (oldest..=latest).contains(&at))
            && Some(&message.ts) != last.as_ref()
    };
    let with_metadata = text("include_all_metadata") == "true";
    let mut all: Vec<Value> =
        workspace.messages.iter().filter(is_shown).map(|message| message.shown(with_metadata)).collect();
    if thread.is_none() {
        all.reverse();
    }
    Ok(page(all, text("cursor"), 3, "messages"))
}
