//! Alerts as they come in: from Prometheus and the like, who take Dice for an Alertmanager, and from an
//! Alertmanager, whose webhook Dice is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// How long an alert lives that says nothing of its end, milliseconds.
pub const DEFAULT_RESOLVE_MS: i64 = 300_000;

/// Alerts of one call; more are not looked at.
const MAX_ALERTS: usize = 10_000;
/// Labels of an alert, and annotations.
const MAX_PAIRS: usize = 128;
/// Bytes of a name or a value.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is: the same labels are the same alert. None has an empty value.
    pub labels: BTreeMap<String, String>,
    /// What is known of it.
    pub annotations: BTreeMap<String, String>,
    /// When it began, milliseconds since 1970.
    pub starts_ms: i64,
    /// When it ended, or ends unless it is told again, milliseconds since 1970.
    pub ends_ms: i64,
    /// Whether it had ended when it came in.
    pub is_resolved: bool,
    /// Where to read more.
    pub generator_url: Option<String>,
    /// Names the labels for ever: 32 hexadecimal digits.
    pub fingerprint: String,
}

/// What a call brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alerts {
    /// Those that are valid: they count even where others are not.
    pub alerts: Vec<Alert>,
    /// Those that are not, by their place from 0, and why. Where there are any, the call is to be answered
    /// with 400 and these words.
    pub invalid: Vec<(usize, String)>,
}

/// What `POST /api/v2/alerts` brings. An alert without an end lives until `resolve_ms` from now.
///
/// # Errors
///
/// When the body is no list: nothing of it counts, and the call is to be answered with 400.
pub fn alerts(body: &[u8], now_ms: i64, resolve_ms: i64) -> Result<Alerts, String> {
    let list: Vec<Value> =
        serde_json::from_slice(body).map_err(|err| format!("the body is no list of alerts: {err}"))?;
    Ok(collect(list, now_ms, resolve_ms, None))
}

/// What an Alertmanager sends to a webhook, version 4.
///
/// # Errors
///
/// When the body is no such call: it is to be answered with 400.
pub fn webhook(body: &[u8], now_ms: i64, resolve_ms: i64) -> Result<Alerts, String> {
    let call: Call =
        serde_json::from_slice(body).map_err(|err| format!("the body is no webhook call: {err}"))?;
    if call.version != "4" {
        return Err(format!("the webhook has version {:?}, wanted 4", call.version));
    }
    Ok(collect(call.alerts, now_ms, resolve_ms, Some(&call.status)))
}

#[derive(Deserialize)]
struct Call {
    version: String,
    #[serde(default)]
    status: String,
    alerts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    #[serde(default)]
    status: Option<String>,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

fn collect(list: Vec<Value>, now_ms: i64, resolve_ms: i64, status: Option<&str>) -> Alerts {
    let mut found = Alerts::default();
    for (at, value) in list.into_iter().enumerate() {
        if at >= MAX_ALERTS {
            found.invalid.push((at, format!("a call has at most {MAX_ALERTS} alerts")));
            break;
        }
        match alert(value, now_ms, resolve_ms, status) {
            Ok(alert) => found.alerts.push(alert),
            Err(why) => found.invalid.push((at, why)),
        }
    }
    found
}

fn alert(value: Value, now_ms: i64, resolve_ms: i64, status: Option<&str>) -> Result<Alert, String> {
    let given: Given = serde_json::from_value(value).map_err(|err| err.to_string())?;
    let labels = pairs(given.labels, "label")?;
    if labels.is_empty() {
        return Err("an alert has at least one label".to_owned());
    }
    let annotations = pairs(given.annotations.unwrap_or_default(), "annotation")?;
    let starts = moment(given.starts_at.as_deref(), "startsAt")?;
    let ends = moment(given.ends_at.as_deref(), "endsAt")?;
    let starts_ms = starts.or(ends.map(|ends_ms| ends_ms.min(now_ms))).unwrap_or(now_ms);
    if ends.is_some_and(|ends_ms| ends_ms < starts_ms) {
        return Err("endsAt is before startsAt".to_owned());
    }
    // A webhook says whether it is over; there the end of what fires is not known.
    let status = given.status.as_deref().or(status);
    let is_resolved = match status {
        Some("resolved") => true,
        Some("firing") => false,
        _ => ends.is_some_and(|ends_ms| ends_ms <= now_ms),
    };
    let ends_ms = match (ends, is_resolved) {
        (Some(ends_ms), _) => ends_ms,
        (None, true) => now_ms,
        (None, false) => now_ms.saturating_add(resolve_ms),
    };
    let parts: Vec<&[u8]> =
        labels.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
    let fingerprint = dice_route::name(&parts).to_string();
    let generator_url = given.generator_url.filter(|url| !url.is_empty());
    Ok(Alert { labels, annotations, starts_ms, ends_ms, is_resolved, generator_url, fingerprint })
}

/// The pairs without those that have no value: an empty label is no label.
fn pairs(given: BTreeMap<String, String>, what: &str) -> Result<BTreeMap<String, String>, String> {
    if given.len() > MAX_PAIRS {
        return Err(format!("{} {what}s, at most {MAX_PAIRS}", given.len()));
    }
    let mut pairs = BTreeMap::new();
    for (name, value) in given {
        if name.len() > MAX_TEXT_BYTES || value.len() > MAX_TEXT_BYTES {
            return Err(format!("a {what} has at most {MAX_TEXT_BYTES} bytes"));
        }
        let mut bytes = name.bytes();
        let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !starts || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("{:?} cannot name a {what}", crate::wording::one_line(&name, 100)));
        }
        if !value.is_empty() {
            pairs.insert(name, value);
        }
    }
    Ok(pairs)
}

/// A moment by RFC 3339. Year 1 is how programs in Go write that there is none.
fn moment(text: Option<&str>, what: &str) -> Result<Option<i64>, String> {
    match text {
        None | Some("") => Ok(None),
        Some(text) if text.starts_with("0001-01-01T") => Ok(None),
        Some(text) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(at.as_millisecond())),
            Err(_) => Err(format!("{what} is no time: {}", crate::wording::one_line(text, 100))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Alerts, alerts, webhook};

    const NOW_MS: i64 = 10_000;

    /// Each alert in a line: fields, times, state; the invalid ones behind.
    #[track_caller]
    fn check(found: &Alerts, expected: &str) {
        let mut said = String::new();
        for alert in &found.alerts {
            let labels: Vec<String> =
                alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let state = if alert.is_resolved { "over" } else { "open" };
            said += &format!("{} {}..{} {state}; ", labels.join(","), alert.starts_ms, alert.ends_ms);
        }
        for (at, why) in &found.invalid {
            said += &format!("{at}: {why}; ");
        }
        assert_eq!(said.trim_end_matches("; "), expected);
    }

    #[track_caller]
    fn posted(body: &str, expected: &str) {
        check(&alerts(body.as_bytes(), NOW_MS, 300_000).unwrap(), expected);
    }

    #[test]
    fn alerts_have_a_beginning_and_an_end() {
        posted(r#"[{"labels":{"a":"x"}}]"#, "a=x 10000..310000 open");
        posted(
            r#"[{"labels":{"a":"x","b":""},"startsAt":"1970-01-01T00:00:05Z","endsAt":"0001-01-01T00:00:00Z"}]"#,
            "a=x 5000..310000 open",
        );
        posted(
            r#"[{"labels":{"a":"x"},"startsAt":"1970-01-01T00:00:05Z","endsAt":"1970-01-01T00:00:09.5Z"}]"#,
            "a=x 5000..9500 over",
        );
        posted(r#"[{"labels":{"a":"x"},"endsAt":"1970-01-01T00:00:09Z"}]"#, "a=x 9000..9000 over");
        posted(
            r#"[{"labels":{"a":"x"},"startsAt":"1970-01-01T01:00:05+01:00","endsAt":"1970-01-01T00:00:20Z"}]"#,
            "a=x 5000..20000 open",
        );
        posted("[]", "");
    }

    #[test]
    fn valid_alerts_count_beside_invalid_ones() {
        posted(
            r#"[{"labels":{"a":"x"}},{"labels":{}},{"labels":{"1a":"x"}},{"labels":{"a":1}},
               {"labels":{"b":"y"},"startsAt":"soon"},7,
               {"labels":{"b":"y"},"startsAt":"1970-01-01T00:00:05Z","endsAt":"1970-01-01T00:00:04Z"},
               {"labels":{"b":"y"}}]"#,
            "a=x 10000..310000 open; b=y 10000..310000 open; 1: an alert has at least one label; \
             2: \"1a\" cannot name a label; 3: invalid type: integer `1`, expected a string; \
             4: startsAt is no time: soon; 5: invalid type: integer `7`, expected struct Given; \
             6: endsAt is before startsAt",
        );
        assert!(alerts(b"{}", NOW_MS, 1).is_err());
        assert!(alerts(b"\xFF", NOW_MS, 1).is_err());
    }

    #[test]
    fn a_webhook_says_what_is_over() {
        let body = r#"{"version":"4","groupKey":"{}:{}","truncatedAlerts":0,"status":"firing","receiver":"dice",
            "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","alerts":[
            {"status":"firing","labels":{"a":"x"},"annotations":{"summary":"s"},"startsAt":"1970-01-01T00:00:05Z",
             "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p","fingerprint":"f"},
            {"status":"resolved","labels":{"a":"y"},"annotations":{},"startsAt":"1970-01-01T00:00:05Z",
             "endsAt":"1970-01-01T00:00:30Z","generatorURL":"","fingerprint":"g"}]}"#;
        check(
            &webhook(body.as_bytes(), NOW_MS, 300_000).unwrap(),
            "a=x 5000..310000 open; a=y 5000..30000 over",
        );
        assert!(webhook(body.replace("\"4\"", "\"3\"").as_bytes(), NOW_MS, 1).is_err());
        assert!(webhook(b"[]", NOW_MS, 1).is_err());
    }

    #[test]
    fn the_same_labels_are_the_same_alert() {
        let one =
            alerts(br#"[{"labels":{"a":"x","b":"y"}},{"labels":{"b":"y","a":"x","c":""}}]"#, 0, 1).unwrap();
        let other = alerts(br#"[{"labels":{"a":"xb","b":"y"}}]"#, 0, 1).unwrap();
        assert_eq!(one.alerts[0].fingerprint, one.alerts[1].fingerprint);
        assert_ne!(one.alerts[0].fingerprint, other.alerts[0].fingerprint);
    }
}
