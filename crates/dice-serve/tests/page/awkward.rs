//! Everything that a log, a repository or a person can say to break a page.

use dice_serve::view::{
    Acked, Answerable, Delivery, Digest, Episode, Hearing, Host, Moment, Noisy, Noted, Override, Said,
    Silence, Snooze, Story, Veil,
};
use dice_serve::{Health, Time};
use serde_json::{Value, json};

use crate::shelf::Shown;

/// The time of everything here: 2026-11-20T15:53:20Z.
pub(crate) const NOW_MS: i64 = 1_795_190_000_000;
/// Rows of every list.
const MANY: usize = 10_000;

/// A text of each kind in turn.
fn evil(n: usize) -> String {
    match n % 8 {
        0 => format!("<script>alert({n})</script>"),
        1 => format!("\"'><img src=x onerror=alert({n})>"),
        2 => format!("{n} \u{1b}[31mred\u{7}\0\r\n<b>"),
        3 => format!("{n} \u{202e}gnirts \u{2066}x שלום עולם مرحبا"),
        4 => format!("{n}{}", "wordwithoutend".repeat(60)),
        5 => format!("{n} &lt;i&gt; &amp; {{{{ 7 * 7 }}}} {{% x %}} <!-- -->"),
        6 => format!("{n} 💥 e\u{301} \u{feff}\u{85}</title></textarea></a>"),
        _ => String::new(),
    }
}

/// An id that has to be escaped wherever it is part of a path.
fn id(n: usize) -> String {
    if n == 1 { "a/../b?c=#d&e \"<i>%41".to_owned() } else { format!("{n:032x}") }
}

fn owners(n: usize) -> Vec<Answerable> {
    let one = |name: String| Answerable { name, why: evil(n) };
    match n % 4 {
        0 => Vec::new(),
        1 => vec![one("#ops".to_owned()), one("#ops".to_owned())],
        2 => vec![one(format!("@ann\"><b>{}", n % 40)), one("@org/team".to_owned())],
        _ => vec![one(format!("{}@b.c", n % 200))],
    }
}

fn time(n: usize) -> Time {
    match n % 5 {
        0 => Time(i64::MAX),
        1 => Time(i64::MIN),
        _ => Time(NOW_MS - i64::try_from(n).unwrap_or(0) * 1_000),
    }
}

fn noisy(n: usize) -> Noisy {
    Noisy {
        message: id(n),
        title: evil(n),
        level: Some(evil(n + 1)).filter(|_| n.is_multiple_of(3)),
        owners: owners(n),
        place: Some(evil(n + 2)),
        url: Some(
            ["javascript:alert(1)", "https://ok.example/\"onclick=x", "https://ok.example/a?b=c&d#L1", ""]
                [n % 4]
                .to_owned(),
        ),
        count: if n == 3 { u64::MAX } else { n as u64 },
        hours: vec![u64::MAX, 0, n as u64],
        last: Some(time(n)),
        sample: Some(evil(n + 3)),
    }
}

fn delivery(n: usize) -> Delivery {
    Delivery {
        id: id(n),
        destination: evil(n),
        lane: evil(n + 1),
        kind: if n.is_multiple_of(2) { json!(evil(n)) } else { json!({ "a": [1] }) },
        state: ["held", "suppressed", "sent", "dead"][n % 4].to_owned(),
        created: time(n),
        due: time(n + 1),
        changed: time(n + 2),
        attempts: n as u64,
        why: Some(evil(n + 4)),
        reference: Some(evil(n)),
        because: evil(n + 5),
        title: evil(n + 6),
    }
}

fn noted(n: usize) -> Noted {
    let text = evil(n + 3);
    Noted { at: Time(NOW_MS), cause: evil(n), subject: id(n), by: evil(n + 2), count: 1, text }
}

fn veil(n: usize) -> Veil {
    let actor = Some(evil(n + 1)).filter(|_| n.is_multiple_of(2));
    let undo = Some(evil(n + 3));
    Veil { destination: evil(n), cause: evil(n + 1), by: evil(n + 2), actor, until: evil(n + 5), undo }
}

fn episode(n: usize) -> Episode {
    let each = if n < 50 { 8 } else { 0 };
    Episode {
        kind: "rule".to_owned(),
        id: id(n),
        state: "open".to_owned(),
        severity: evil(n),
        since: time(n),
        opened: Time(NOW_MS - i64::try_from(n).unwrap_or(0)),
        closed: Some(time(n)),
        close_reason: Some(evil(n + 1)),
        rule: Some(evil(n + 2)).filter(|_| n.is_multiple_of(2)),
        key: vec![evil(n + 3), evil(n + 4)],
        title: evil(n + 5),
        reason: evil(n + 6),
        count: n as u64,
        first: Some(time(n)),
        last: Some(time(n)),
        hosts: vec![Host { host: evil(n), count: 1 }, Host { host: evil(n + 1), count: 2 }],
        more_hosts: 3,
        versions: vec![evil(n), evil(n + 1)],
        sample: Some(evil(n)),
        place: Some(evil(n + 1)),
        messages: vec![id(n), id(1)],
        alert: Some(evil(n)),
        owners: owners(n),
        told: (0..each)
            .map(|m| Hearing {
                destination: evil(m),
                at: Some(time(m)).filter(|_| m.is_multiple_of(2)),
                notices: m as u64,
                next: Some(time(m)),
                waiting: Some(evil(m + 1)),
                why: Some(evil(m + 2)),
            })
            .collect(),
        acked: Some(Acked { by: evil(n), until: time(n) }).filter(|_| n.is_multiple_of(2)),
        hidden: (0..each).map(veil).collect(),
        cause: Some(id(1)),
        groups: vec![evil(n)],
    }
}

fn story(n: usize) -> Story {
    // The first have everything, the others are there to be many.
    let many = if n < 3 { 1_000 } else { 0 };
    Story {
        episode: episode(n),
        timeline: (0..many)
            .map(|m| Moment { at: time(m), is_next: m.is_multiple_of(2), text: evil(m) })
            .collect(),
        notices: (0..many).map(delivery).collect(),
        records: (0..many).map(noted).collect(),
    }
}

fn digest(n: usize) -> Digest {
    let row = |m: usize| {
        json!({
            "episode": id(m), "message": if m.is_multiple_of(2) { Some(id(m)) } else { None }, "alert": evil(m),
            "title": evil(m), "state": evil(m + 1), "severity": "critical",
            "evidence": {
                "count": m, "late": 0, "seen_ms": [0, i64::MAX], "hosts": [[evil(m), 1], [evil(m + 1), 2]],
                "more_hosts": 7, "services": [], "versions": [], "env": null, "traces": [], "messages": [],
                "sample": evil(m + 2), "place": evil(m + 3), "figures": []
            },
            "owner": evil(m + 4), "url": "javascript:alert(1)", "before": 1, "days": [[evil(m + 5), 1]]
        })
    };
    let rows: Vec<Value> = (0..20).map(row).collect();
    let notice = json!({
        "title": evil(0), "because": evil(1), "severity": "low", "rows": rows, "more_rows": 5,
        "notes": (0..8).map(evil).collect::<Vec<_>>(), "labels": []
    });
    Digest {
        reader: if n < 8 {
            format!("{}#{n}", evil(n)).replace(char::is_control, "")
        } else {
            format!("@r{n}")
        },
        state: evil(n),
        zone: evil(n + 1),
        due: Some(time(n)),
        due_local: Some(evil(n + 2)),
        is_held: true,
        why: evil(n + 3),
        latest: Some(time(n)),
        messages: n as u64,
        occurrences: u64::MAX,
        notice: match n % 3 {
            0 => Some(notice),
            1 => Some(json!({ "what": "is this?" })),
            _ => None,
        },
        ..Digest::default()
    }
}

fn dossier() -> Value {
    let statement = |n: usize| {
        json!({
            "message": id(n), "repo": evil(n), "place": evil(n + 1), "level": evil(n + 2), "template": evil(n),
            "author": evil(n + 3), "url": "javascript:alert(1)", "is_outdated": true, "owners": owners(n),
            "reason": evil(n + 4), "said": {}
        })
    };
    json!({
        "what": "message", "id": id(1), "statements": (0..8).map(statement).collect::<Vec<_>>(),
        "occurrences": (0..8).map(|n| json!({
            "alert": evil(n), "count": n, "first": time(2), "last": time(3), "hosts": [], "more_hosts": 1,
            "sample": evil(n)
        })).collect::<Vec<_>>(),
        "episodes": (0..8).map(episode).collect::<Vec<_>>(), "hidden": (0..8).map(veil).collect::<Vec<_>>(),
        "notice": delivery(1), "notices": (0..8).map(delivery).collect::<Vec<_>>(),
        "records": (0..8).map(noted).collect::<Vec<_>>(), "digests": "something else"
    })
}

fn answer(n: usize) -> Value {
    json!({
        "matched": !n.is_multiple_of(3), "repo": evil(n), "file": evil(n + 1), "source_line": 7, "level": evil(n),
        "template": evil(n + 2), "reason": evil(n + 3), "summary": evil(n + 4), "url": "javascript:alert(1)",
        "author": {"name": evil(n), "email": evil(n + 1)},
        "owners": [{"name": evil(n), "why": evil(n + 1), "decision": evil(n + 2)}, 7],
        "statements": [{"file": evil(n + 5), "source_line": 1}], "weak": [null, {"file": evil(n)}]
    })
}

/// All of it.
pub(crate) fn shown() -> Shown {
    Shown {
        noisy: (0..MANY).map(noisy).collect(),
        stories: (0..MANY).map(story).collect(),
        deliveries: (0..MANY).map(delivery).collect(),
        records: (0..MANY).map(noted).collect(),
        snoozes: (0..MANY)
            .map(|n| Snooze {
                id: id(n),
                scope: evil(n),
                subject: id(n),
                title: evil(n + 1),
                whom: evil(n + 2),
                until: evil(n + 3),
                until_time: Some(time(n)),
                by: evil(n + 4),
                reason: Some(evil(n + 5)),
                since: time(n),
                ..Snooze::default()
            })
            .collect(),
        silences: (0..MANY)
            .map(|n| Silence {
                id: id(n),
                state: evil(n),
                matchers: vec![evil(n + 1), evil(n + 2)],
                starts: time(n),
                ends: time(n + 1),
                by: evil(n + 3),
                comment: evil(n + 4),
                receiver: Some(evil(n + 5)),
                ..Silence::default()
            })
            .collect(),
        overrides: (0..MANY)
            .map(|n| Override {
                message: id(n),
                title: evil(n),
                owners: vec![evil(n + 1)],
                declined: vec![evil(n + 2)],
                steps: vec![Said {
                    at: time(n),
                    by: evil(n),
                    because: evil(n + 1),
                    reason: Some(evil(n + 2)),
                    owners: None,
                }],
            })
            .collect(),
        digests: (0..MANY).map(digest).collect(),
        who: (0..100).map(|n| (String::new(), answer(n))).collect(),
        why: vec![("odd".to_owned(), json!({ "new": evil(0) })), ("*".to_owned(), dossier())],
        health: Health { closed_sources: (0..8).map(evil).collect(), is_late: true, ..Health::default() },
        done: Vec::new(),
        ended: Vec::new(),
    }
}
