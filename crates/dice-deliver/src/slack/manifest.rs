//! The app that has to be made in Slack.

use serde_json::{Value, json};

use super::courier::EVENT_TYPE;

/// What the bot's token has to be allowed, and for what.
pub const SCOPES: &[(&str, &str)] = &[
    ("channels:history", "find a notice in a public channel whose answer was lost"),
    ("channels:read", "find public channels by their names"),
    ("chat:write", "tell notices"),
    ("dnd:read", "wait while somebody does not want to be disturbed"),
    ("groups:history", "find a notice in a private channel whose answer was lost"),
    ("groups:read", "find private channels by their names"),
    ("im:history", "find a notice to a person whose answer was lost"),
    ("im:write", "write to people"),
    ("metadata.message:read", "hear at once that a notice has arrived"),
    ("users:read", "see whether people are there, and their time zones"),
    ("users:read.email", "find people by their e-mail addresses"),
];

/// The manifest of the app called `name`. Clicks come over a connection that Dice opens; where Dice listens at
/// an address that Slack can reach, they are sent to `request_url` instead.
///
/// Source: the app manifest reference of docs.slack.dev.
pub fn manifest(name: &str, request_url: Option<&str>) -> Value {
    let scopes: Vec<&str> = SCOPES.iter().map(|(scope, _)| *scope).collect();
    let mut interactivity = json!({"is_enabled": true});
    let mut events = json!({
        "bot_events": ["message_metadata_posted"],
        "metadata_subscriptions": [{"app_id": "*", "event_type": EVENT_TYPE}],
    });
    if let Some(url) = request_url {
        interactivity["request_url"] = json!(url);
        events["request_url"] = json!(url);
    }
    json!({
        "display_information": {
            "name": name,
            "description": "Tells who owns a log line that it was printed",
            "background_color": "#1d2433",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": false, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true,
            },
            "bot_user": {"display_name": name, "always_online": true},
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": request_url.is_none(),
            "token_rotation_enabled": false,
        },
    })
}
