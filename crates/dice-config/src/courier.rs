//! How notices leave, and to whom that has a name of its own.

use std::collections::BTreeMap;

use dice_route::address::public;
use dice_route::config::{DispatchPolicy, LaneTtl, Masking, Receiver};

use crate::load::Files;
use crate::names::Names;
use crate::text::{Complaint, Desk, shown};
use crate::value::{Item, Table, Value};

/// The setting with the text of what `ca_file` names.
const TRUSTED_PEM: &str = "ca_pem";

/// The receivers, with what their couriers need, as text.
pub(crate) fn receivers(desk: &mut Desk, router: &Table, files: &dyn Files) -> BTreeMap<String, Receiver> {
    let mut receivers = BTreeMap::new();
    for (name, table) in router.named("receivers") {
        let is_taken = matches!(name.as_str(), "owner" | "channel") || name.starts_with("oncall:");
        if is_taken
            || name.starts_with('#')
            || name.contains(['@', '/'])
            || name.contains(char::is_whitespace)
        {
            let complaint = Complaint::wanted("the name of a receiver", format!("\"{}\"", shown(name)))
                .hint("it would be taken for something else: choose a plain word");
            desk.complain(&table.place, &table.path, complaint);
        }
        let courier = table.word("courier");
        match courier {
            "slack" => check_slack(desk, router, table),
            "email" => {
                let missing = ["smtp", "from"].into_iter().find(|key| table.text(key).is_none());
                if let Some(missing) = missing.filter(|_| router.table("email").is_none())
                    && table.is_sound()
                {
                    let complaint = Complaint::wanted(format!("`{missing}`, or [email]"), "neither")
                        .hint("write [email] for all mail, or what is missing here");
                    desk.complain(&table.place, &table.path, complaint);
                }
                check_server(desk, table);
            }
            "pagerduty" => {
                if table.is_written("fallback_region") && table.text("fallback_key_env").is_none() {
                    let complaint = Complaint::new("`fallback_region` belongs to `fallback_key_env`")
                        .hint("name the second service's key, or remove it");
                    desk.complain(
                        table.place_of("fallback_region"),
                        &table.path_of("fallback_region"),
                        complaint,
                    );
                }
                check_url(desk, table);
            }
            "webhook" | "alertmanager" => check_url(desk, table),
            _ => {}
        }
        let mut settings = settings(table);
        if let Some(pem) = trusted(desk, table, files) {
            settings.insert(TRUSTED_PEM.to_owned(), pem);
        }
        if let (Some(url), "pagerduty" | "alertmanager") = (pages(desk, router, table), courier) {
            settings.insert("pages".to_owned(), url);
        }
        let receiver = Receiver { courier: courier.to_owned(), settings };
        receivers.insert(name.clone(), receiver);
    }
    receivers
}

/// A receiver of Slack is a channel, of `[slack]` or of a workspace with its own token.
fn check_slack(desk: &mut Desk, router: &Table, table: &Table) {
    check_url(desk, table);
    match table.text("channel") {
        Some(channel) if channel.starts_with('#') => {}
        Some(channel) => {
            let complaint = Complaint::wanted("a channel", format!("\"{}\"", shown(channel)))
                .hint(format!("write \"#{channel}\""));
            desk.complain(table.place_of("channel"), &table.path_of("channel"), complaint);
        }
        None if table.is_sound() => {
            let complaint = Complaint::wanted("`channel`", "a receiver that is nowhere")
                .hint("write channel = \"#ops\"; a whole workspace is [slack]");
            desk.complain(&table.place, &table.path, complaint);
        }
        None => {}
    }
    if table.text("token_env").is_none() && router.table("slack").is_none() && table.is_sound() {
        let complaint = Complaint::wanted("`token_env`, or [slack]", "neither")
            .hint("write [slack] for all channels, or name this workspace's token here");
        desk.complain(&table.place, &table.path, complaint);
    }
}

/// The Slack workspace that channels and people are in.
pub(crate) fn slack(desk: &mut Desk, router: &Table) -> Option<Receiver> {
    let table = router.table("slack")?;
    check_url(desk, table);
    if table.text("mode") == Some("http") && table.text("signing_secret_env").is_none() && table.is_sound() {
        let complaint = Complaint::wanted("`signing_secret_env` for the mode \"http\"", "none")
            .hint("name the variable with the app's signing secret, or write mode = \"socket\"");
        desk.complain(table.place_of("mode"), &table.path_of("mode"), complaint);
    }
    Some(Receiver { courier: "slack".to_owned(), settings: settings(table) })
}

/// How mail is sent.
pub(crate) fn email(desk: &mut Desk, router: &Table, files: &dyn Files) -> Option<Receiver> {
    let table = router.table("email")?;
    check_server(desk, table);
    let mut settings = settings(table);
    if let Some(pem) = trusted(desk, table, files) {
        settings.insert(TRUSTED_PEM.to_owned(), pem);
    }
    Some(Receiver { courier: "email".to_owned(), settings })
}

/// The certificates that are trusted beside those of the system.
fn trusted(desk: &mut Desk, table: &Table, files: &dyn Files) -> Option<String> {
    let path = table.text("ca_file")?;
    let mut complain =
        |complaint| desk.complain(table.place_of("ca_file"), &table.path_of("ca_file"), complaint);
    if table.text("tls") == Some("none") {
        let complaint = Complaint::new("`ca_file` is of no use with tls = \"none\"");
        complain(complaint.hint("remove it, or write tls = \"starttls\""));
        return None;
    }
    let text = match files.read(path) {
        Ok(text) => text,
        Err(error) => {
            let found = format!("\"{}\": {error}", shown(path));
            complain(
                Complaint::wanted("a file that can be read", found)
                    .hint("its path starts at the folder of this configuration; the form is PEM, not DER"),
            );
            return None;
        }
    };
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Some(text);
    }
    let is_key = text.contains("PRIVATE KEY-----");
    let found = if is_key { "a private key" } else { "none" };
    complain(
        Complaint::wanted("certificates (PEM)", format!("{found} in \"{}\"", shown(path)))
            .hint("give the file that begins with -----BEGIN CERTIFICATE-----"),
    );
    None
}

/// Where readers reach Dice's own pages.
fn pages(desk: &mut Desk, router: &Table, table: &Table) -> Option<String> {
    let written = table.text("pages");
    if let Some(url) = written.filter(|url| !is_web(url)) {
        let complaint =
            Complaint::wanted("an address that begins with https://", format!("\"{}\"", shown(url)));
        desk.complain(table.place_of("pages"), &table.path_of("pages"), complaint);
    }
    let url = written.or_else(|| router.table("server")?.text("url"))?;
    Some(url.trim_end_matches('/').to_owned())
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// How notices leave.
pub(crate) fn dispatch(desk: &mut Desk, router: &Table, names: &Names) -> DispatchPolicy {
    let usual = DispatchPolicy::default();
    let Some(table) = router.table("dispatch") else { return usual };
    names.check_recipients(desk, table, "fallback", false);
    let fallback = table.texts("fallback");
    if fallback.iter().any(|name| name == "owner") {
        let complaint = Complaint::wanted("somebody who is always there", "\"owner\"")
            .hint("name a channel, a person or a receiver");
        desk.complain(table.place_of("fallback"), &table.path_of("fallback"), complaint);
    }
    DispatchPolicy {
        deadline_ms: table.duration("deadline"),
        email_deadline_ms: table.duration("email_deadline"),
        webhook_deadline_ms: table.duration("webhook_deadline"),
        ttl: table.table("ttl").map_or(usual.ttl, |ttl| LaneTtl {
            page_ms: ttl.duration("page"),
            immediate_ms: ttl.duration("immediate"),
            alert_ms: ttl.duration("alert"),
            digest_ms: ttl.duration("digest"),
        }),
        fallback_after_ms: table.duration("fallback_after"),
        fallback,
        park_ms: table.duration("park"),
    }
}

/// What of a log does not leave the machine.
pub(crate) fn masking(router: &Table) -> Masking {
    Masking { emails: router.table("masking").is_some_and(|table| table.flag("emails")) }
}

fn check_url(desk: &mut Desk, table: &Table) {
    if let Some(url) = table.text("url")
        && !is_web(url)
    {
        let complaint =
            Complaint::wanted("an address that begins with https://", format!("\"{}\"", shown(&public(url))));
        desk.complain(table.place_of("url"), &table.path_of("url"), complaint);
    }
}

fn check_server(desk: &mut Desk, table: &Table) {
    if let Some(from) = table.text("from")
        && !from.contains('@')
    {
        let complaint = Complaint::wanted("an e-mail address", format!("\"{}\"", shown(from)));
        desk.complain(table.place_of("from"), &table.path_of("from"), complaint);
    }
    if let Some(smtp) = table.text("smtp") {
        let port = smtp.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        let seen = public(smtp);
        let wanted = || Complaint::wanted("a server and its port", format!("\"{}\"", shown(&seen)));
        let complaint = match port {
            // It would be told wherever the server is.
            _ if smtp.contains('@') => Some(
                wanted().hint("name the user under `user` and the password's variable under `password_env`"),
            ),
            Some(Ok(1..)) => None,
            _ => Some(
                wanted().hint(format!("write \"{}:587\"", shown(smtp.split(':').next().unwrap_or_default()))),
            ),
        };
        if let Some(complaint) = complaint {
            desk.complain(table.place_of("smtp"), &table.path_of("smtp"), complaint);
        }
    }
}

/// The values of a table as text: lists with `,` between, durations in milliseconds.
fn settings(table: &Table) -> BTreeMap<String, String> {
    let text = |item: &Item| match &item.value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Duration(Some(duration_ms)) => Some(duration_ms.to_string()),
        Value::List(items) => Some(items.iter().filter_map(Item::text).collect::<Vec<_>>().join(",")),
        _ => None,
    };
    let items = table.items.iter().filter(|(key, _)| **key != "courier");
    items.filter_map(|(key, item)| Some(((*key).to_owned(), text(item)?))).collect()
}
