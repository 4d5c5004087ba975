//! What would fail, before it fails.

use dice_route::Outcome;
use serde_json::json;

use super::Slack;
use super::client::{Body, Failure};
use super::manifest::SCOPES;

/// What is to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Channels, with `#`.
    pub channels: Vec<String>,
    /// People, by handle or e-mail address.
    pub people: Vec<String>,
}

/// What was looked at, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `bot token`, `#ops`.
    pub what: String,
    /// Whether it is as it should be.
    pub is_ok: bool,
    /// How it is.
    pub found: String,
    /// What to do about it; empty where it is as it should be.
    pub next: String,
}

impl Finding {
    fn good(what: &str, found: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), is_ok: true, found: found.into(), next: String::new() }
    }

    fn bad(what: &str, found: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), is_ok: false, found: found.into(), next: next.into() }
    }

    fn failed(what: &str, failure: &Failure) -> Finding {
        Finding::told(what, &failure.of_reading("asked Slack"))
    }

    /// A refusal says what to do in its own words.
    fn told(what: &str, outcome: &Outcome) -> Finding {
        match outcome {
            Outcome::Denied(why) | Outcome::Refused(why) => match why.rsplit_once(": ") {
                Some((found, next)) => Finding::bad(what, found, next),
                None => Finding::bad(what, why, "look at the setting"),
            },
            Outcome::Later(_, why)
            | Outcome::Deferred(_, why)
            | Outcome::Limited(_, _, why)
            | Outcome::Ambiguous(why) => {
                Finding::bad(what, why, "look at the network, and try again in a minute")
            }
            other => Finding::bad(what, format!("{other:?}"), "try again"),
        }
    }
}

impl Slack {
    /// Looks at the token, its scopes, channels, people and the app token; changes nothing. Findings come in
    /// that order; when the token is not taken, nothing else is looked at.
    pub async fn doctor(&self, wanted: &Wanted, now_ms: i64) -> Vec<Finding> {
        let mut findings = Vec::new();
        let kind = self.settings.bot_token.kind();
        let reply = self.read("auth.test", &[]).await;
        let scopes = match reply {
            Err(failure) => {
                let mut finding = Finding::failed("bot token", &failure);
                if !kind.starts_with("xoxb") && matches!(failure, Failure::Code { .. }) {
                    finding.next = "give Dice the bot's token, which begins with xoxb-".to_owned();
                }
                findings.push(finding);
                findings.extend(self.app_token().await);
                return findings;
            }
            Ok(reply) => {
                let found = format!("{} in {}", reply.text("/user"), reply.text("/team"));
                findings.push(match kind {
                    "xoxb" => Finding::good("bot token", found),
                    _ => {
                        Finding::bad("bot token", found, "give Dice the bot's token, which begins with xoxb-")
                    }
                });
                reply.scopes
            }
        };
        match scopes {
            None => findings.push(Finding::bad("scopes", "Slack does not name them", "compare them by hand")),
            Some(scopes) => {
                let missing: Vec<_> =
                    SCOPES.iter().filter(|(scope, _)| !scopes.iter().any(|known| known == scope)).collect();
                for (scope, why) in &missing {
                    let next = format!("add it and install the app anew; without it Dice cannot {why}");
                    findings.push(Finding::bad(&format!("scope {scope}"), "missing", next));
                }
                if missing.is_empty() {
                    findings.push(Finding::good("scopes", "all that are needed"));
                }
            }
        }
        for name in &wanted.channels {
            findings.push(self.look_at_channel(name, now_ms).await);
        }
        for name in &wanted.people {
            findings.push(match self.person(name, now_ms).await {
                Ok(id) => Finding::good(name, format!("is {id}")),
                Err(outcome) => Finding::told(name, &outcome),
            });
        }
        findings.extend(self.app_token().await);
        findings
    }

    async fn look_at_channel(&self, name: &str, now_ms: i64) -> Finding {
        let id = match self.channel(name, now_ms).await {
            Ok(id) => id,
            Err(outcome) => return Finding::told(name, &outcome),
        };
        let reply = match self.read("conversations.info", &[("channel", &id)]).await {
            Ok(reply) => reply,
            Err(failure) => return Finding::failed(name, &failure),
        };
        let channel = &reply.value["channel"];
        let today = format!("#{}", reply.text("/channel/name"));
        if channel["is_archived"] == true {
            Finding::bad(name, format!("{id} is archived"), "unarchive it, or name another channel")
        } else if channel["is_member"] != true {
            Finding::bad(
                name,
                format!("{id} has no bot of ours in it"),
                format!("write /invite @dice in {today}"),
            )
        } else if today != name && !name.ends_with(&id) {
            Finding::bad(
                name,
                format!("{id} is called {today} now"),
                "notices still arrive there; correct the name in the configuration",
            )
        } else {
            Finding::good(name, format!("is {id}"))
        }
    }

    async fn app_token(&self) -> Vec<Finding> {
        let Some(token) = &self.settings.app_token else { return Vec::new() };
        let what = "app token";
        if token.kind() != "xapp" {
            let found = "it does not begin with xapp-";
            return vec![Finding::bad(
                what,
                found,
                "make an app-level token with the scope connections:write",
            )];
        }
        let empty = json!({});
        vec![match self.client.call("apps.connections.open", token, Body::Json(&empty)).await {
            Ok(_) => Finding::good(what, "opens connections"),
            Err(failure) if failure.is_scope() || failure.is("not_allowed_token_type") => Finding::bad(
                what,
                failure.to_string(),
                "make an app-level token with the scope connections:write",
            ),
            Err(failure) => Finding::failed(what, &failure),
        }]
    }
}
