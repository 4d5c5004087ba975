//! An afternoon of a shop with five teams.

use dice_serve::view::{
    Acked, Answerable, Delivery, Digest, Episode, Hearing, Host, Moment, Noisy, Noted, Override, Said,
    Silence, Snooze, Story, Veil,
};
use dice_serve::{Health, Time};
use serde_json::{Value, json};

use crate::shelf::Shown;

/// The time of everything here: 2026-11-20T15:53:20Z.
pub(crate) const NOW_MS: i64 = 1_795_190_000_000;
const MINUTE_MS: i64 = 60_000;

fn ago(minutes: i64) -> Time {
    Time(NOW_MS - minutes * MINUTE_MS)
}

fn name(n: u64) -> String {
    dice_route::name(&[b"demo", &n.to_be_bytes()]).to_string()
}

fn owner(name: &str, why: &str) -> Answerable {
    Answerable { name: name.to_owned(), why: why.to_owned() }
}

/// What is printed: template, level, owner, why, place, a count an hour, one of the lines.
const MESSAGES: [(&str, &str, &str, &str, &str, u64, &str); 14] = [
    (
        "relay <*> refused: <*>",
        "error",
        "#mail",
        "annotation",
        "src/relay.c:212",
        410,
        "Nov 20 15:52:58 mail-7 postd[812]: relay mx2.example refused: 451 4.7.1 greylisted",
    ),
    (
        "queue has <*> letters, more than <*>",
        "warning",
        "#mail",
        "annotation",
        "src/queue.c:88",
        96,
        "Nov 20 15:51:11 mail-7 postd[812]: queue has 10411 letters, more than 10000",
    ),
    ("cannot resolve <*>", "warning", "#mail", "owners", "src/dns.c:40", 31, "cannot resolve mx9.example"),
    (
        "payment <*> declined by <*> after <*> ms",
        "warning",
        "@bela",
        "author",
        "pay/src/charge.rs:147",
        188,
        "payment 8f11c2 declined by acquirer-2 after 1840 ms",
    ),
    (
        "retry <*> of <*> for payment <*>",
        "info",
        "@bela",
        "author",
        "pay/src/charge.rs:171",
        175,
        "retry 2 of 5 for payment 8f11c2",
    ),
    (
        "webhook signature of <*> is not right",
        "error",
        "@bela",
        "author",
        "pay/src/hook.rs:59",
        3,
        "webhook signature of acquirer-2 is not right",
    ),
    (
        "search took <*> ms for <*> words",
        "warning",
        "@org/search",
        "codeowners",
        "search/src/lib.rs:310",
        140,
        "search took 2204 ms for 3 words",
    ),
    (
        "shard <*> has no replica",
        "critical",
        "@org/search",
        "codeowners",
        "search/src/shard.rs:77",
        2,
        "shard 12 has no replica",
    ),
    (
        "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down the server.",
        "notice",
        "#ops",
        "annotation",
        "src/aof.c:1113",
        52,
        "812:M 20 Nov 2026 15:49:02.113 * Asynchronous AOF fsync is taking too long (disk is busy?).",
    ),
    (
        "disk <*> is <*>% full",
        "error",
        "#ops",
        "annotation",
        "agent/src/disk.c:31",
        12,
        "disk /var is 97% full",
    ),
    (
        "certificate of <*> ends in <*> days",
        "warning",
        "#ops",
        "override",
        "agent/src/tls.c:90",
        4,
        "certificate of shop.example ends in 6 days",
    ),
    (
        "template <*> has no block <*>",
        "debug",
        "cleo@shop.example",
        "author",
        "web/src/render.rs:22",
        61,
        "template cart.html has no block footer",
    ),
    (
        "slow query: <*>",
        "warning",
        "cleo@shop.example",
        "author",
        "web/src/db.rs:140",
        9,
        "slow query: SELECT 1",
    ),
    (
        "unexpected reply: <*>",
        "warning",
        "",
        "",
        "vendor/lib/reply.c:7",
        5,
        "unexpected reply: \u{1b}[31m<b>no</b>",
    ),
];

/// A count for each of 24 hours: days have waves, and something happened lately.
fn hours(each: u64, n: u64) -> Vec<u64> {
    (0..24_u64)
        .map(|hour| {
            let wave = [3, 2, 2, 1, 1, 2, 4, 6, 9, 10, 10, 9, 8, 9, 10, 10, 9, 8, 7, 6, 5, 5, 4, 4];
            let lately = if hour > 20 && n.is_multiple_of(3) { 3 } else { 1 };
            each * wave[(hour as usize + n as usize) % 24] * lately / 10
        })
        .collect()
}

fn noisy() -> Vec<Noisy> {
    let all = (0_u64..).zip(MESSAGES).map(|(n, (title, level, whose, why, place, each, sample))| {
        let hours = hours(each, n);
        Noisy {
            message: name(n),
            title: title.to_owned(),
            level: Some(level.to_owned()),
            owners: if whose.is_empty() { Vec::new() } else { vec![owner(whose, why)] },
            place: Some(place.to_owned()),
            url: Some(format!("https://git.shop.example/{}", place.replace(':', "#L"))),
            count: hours.iter().sum(),
            hours,
            last: Some(ago(i64::try_from(n * n % 50).unwrap_or(0))),
            sample: Some(sample.to_owned()),
        }
    });
    all.collect()
}

fn hearing(destination: &str, at: Option<Time>, notices: u64, waiting: Option<&str>, why: &str) -> Hearing {
    Hearing {
        destination: destination.to_owned(),
        at,
        notices,
        next: at.is_none().then(|| ago(-12)),
        waiting: waiting.map(str::to_owned),
        why: Some(why.to_owned()).filter(|why| !why.is_empty()),
    }
}

fn episodes() -> Vec<Episode> {
    let host = |host: &str, count| Host { host: host.to_owned(), count };
    vec![
        Episode {
            kind: "rule".to_owned(),
            id: name(100),
            state: "open".to_owned(),
            severity: "high".to_owned(),
            since: ago(47),
            opened: ago(46),
            rule: Some("relay-unreachable".to_owned()),
            key: vec!["mail-7".to_owned()],
            title: "mail-7 reaches no relay".to_owned(),
            reason: "more than 20 times in 5 minutes".to_owned(),
            count: 4_812,
            first: Some(ago(52)),
            last: Some(ago(0)),
            hosts: vec![host("mail-7", 4_790), host("mail-2", 22)],
            versions: vec!["v1.42.0".to_owned()],
            sample: Some(MESSAGES[0].6.to_owned()),
            place: Some(MESSAGES[0].4.to_owned()),
            messages: vec![name(0), name(2)],
            owners: vec![owner("#mail", "annotation")],
            told: vec![
                hearing("#mail", Some(ago(46)), 3, None, ""),
                hearing("pager-mail", Some(ago(36)), 1, None, "escalated: not acknowledged for 10 minutes"),
                hearing("@dora", None, 0, Some("held"), "she has a day off until Monday 09:00"),
            ],
            hidden: vec![Veil {
                destination: "#status".to_owned(),
                cause: "silenced".to_owned(),
                by: name(301),
                actor: Some("@ann".to_owned()),
                until: "until 18:00 UTC".to_owned(),
                undo: Some(format!("dice silence --end {}", &name(301)[..8])),
            }],
            ..Episode::default()
        },
        Episode {
            kind: "rule".to_owned(),
            id: name(101),
            state: "open".to_owned(),
            severity: "medium".to_owned(),
            since: ago(78),
            opened: ago(78),
            rule: Some("declined-spike".to_owned()),
            key: vec!["acquirer-2".to_owned()],
            title: "Payments declined by acquirer-2: 4 times as many as usual".to_owned(),
            reason: "184 in 10 minutes, 46 in the 10 minutes before".to_owned(),
            count: 311,
            last: Some(ago(1)),
            owners: vec![owner("@bela", "author")],
            acked: Some(Acked { by: "@bela".to_owned(), until: ago(-42) }),
            told: vec![hearing("@bela", Some(ago(78)), 2, None, "")],
            ..Episode::default()
        },
        Episode {
            kind: "immediate".to_owned(),
            id: name(102),
            state: "open".to_owned(),
            severity: "critical".to_owned(),
            since: ago(66),
            opened: ago(66),
            title: "shard <*> has no replica".to_owned(),
            reason: "critical, told to the owner at once".to_owned(),
            count: 2,
            owners: vec![owner("@org/search", "codeowners"), owner("#search", "annotation")],
            ..Episode::default()
        },
        Episode {
            kind: "rule".to_owned(),
            id: name(103),
            state: "closed".to_owned(),
            severity: "low".to_owned(),
            since: ago(400),
            opened: ago(399),
            closed: Some(ago(340)),
            close_reason: Some("quiet for 30 minutes".to_owned()),
            rule: Some("disk-full".to_owned()),
            key: vec!["web-3".to_owned(), "/var".to_owned()],
            title: "Disk /var on web-3 is full".to_owned(),
            count: 61,
            owners: vec![owner("#ops", "annotation")],
            ..Episode::default()
        },
    ]
}

fn deliveries() -> Vec<Delivery> {
    let one =
        |n: u64, destination: &str, lane: &str, state: &str, title: &str, why: &str, minutes: i64| Delivery {
            id: name(200 + n),
            destination: destination.to_owned(),
            lane: lane.to_owned(),
            kind: json!(if lane == "digest" { "digest" } else { "open" }),
            state: state.to_owned(),
            created: ago(minutes),
            due: match (state, lane) {
                ("held", "digest") => ago(-97),
                ("held", _) => ago(-60 * 64 - 7),
                _ => ago(minutes),
            },
            changed: ago(minutes - 1),
            attempts: if state == "dead" { 14 } else { u64::from(state == "sent") },
            why: Some(why.to_owned()).filter(|why| !why.is_empty()),
            because: format!("{destination} answers for it"),
            title: title.to_owned(),
            ..Delivery::default()
        };
    vec![
        one(0, "#mail", "alert", "sent", "mail-7 reaches no relay", "", 46),
        one(
            1,
            "@dora",
            "alert",
            "held",
            "mail-7 reaches no relay",
            "she has a day off until Monday 09:00 Europe/Berlin",
            45,
        ),
        one(
            2,
            "#status",
            "alert",
            "suppressed",
            "mail-7 reaches no relay",
            "silenced by @ann: planned move of the relays, until 18:00 UTC",
            44,
        ),
        one(
            3,
            "@bela",
            "digest",
            "held",
            "Digest for Friday, 20 November 2026",
            "he is away since 14:10 UTC; told when he is back, at 17:30 in any case",
            30,
        ),
        one(
            4,
            "ops-webhook",
            "alert",
            "dead",
            "Disk /var on web-3 is full",
            "the other side said 410 Gone 14 times in 36 hours",
            380,
        ),
        one(
            5,
            "#search",
            "immediate",
            "retry",
            "shard <*> has no replica",
            "Slack said: ratelimited, come back in 30 s",
            5,
        ),
        one(
            6,
            "#mail",
            "alert",
            "suppressed",
            "mail-2 reaches no relay",
            "inhibited by: mail-7 reaches no relay",
            40,
        ),
    ]
}

fn records() -> Vec<Noted> {
    let one = |minutes: i64, cause: &str, subject: u64, by: &str, count, text: &str| Noted {
        at: ago(minutes),
        cause: cause.to_owned(),
        subject: name(subject),
        by: by.to_owned(),
        count,
        text: text.to_owned(),
    };
    vec![
        one(3, "snoozed", 11, "cleo@shop.example", 61, "61 occurrences were not told to cleo@shop.example"),
        one(12, "acked", 101, "@bela", 1, "@bela is on it for an hour"),
        one(40, "inhibited", 0, "relay-unreachable", 1, "mail-2 was not told: mail-7 is the probable cause"),
        one(44, "silenced", 100, "@ann", 1, "#status was not told because of a silence"),
        one(45, "held", 100, "day off", 1, "held for @dora until Monday 09:00 Europe/Berlin"),
        one(
            90,
            "coalesced",
            4,
            "storm",
            14,
            "14 notices for @bela were told together: more than 6 in 10 minutes",
        ),
        one(130, "late", 8, "watermark", 7, "7 lines of cache-2 arrived after their window was decided"),
    ]
}

fn digest() -> Digest {
    let row = |n: usize, state: &str, count: u64, before: u64, hosts: &[(&str, u64)]| {
        let (title, _, whose, why, place, _, sample) = MESSAGES[n];
        json!({
            "episode": null, "message": name(n as u64), "alert": null, "title": title, "state": state,
            "severity": "medium",
            "evidence": {
                "count": count, "late": 0, "seen_ms": [NOW_MS - 30_000_000, NOW_MS - 90_000],
                "hosts": hosts, "more_hosts": 0, "services": [], "versions": [], "env": null, "traces": [],
                "messages": [], "sample": sample, "place": place, "figures": []
            },
            "owner": format!("{whose}, {why}"),
            "url": format!("https://git.shop.example/{}", place.replace(':', "#L")),
            "before": before, "days": []
        })
    };
    let notice = json!({
        "title": "Digest for Friday, 20 November 2026",
        "because": "You wrote these statements, says git, and nobody else is named",
        "severity": "medium",
        "rows": [
            row(3, "rising", 1_240, 610, &[("pay-1", 700), ("pay-2", 540)]),
            row(4, "steady", 1_101, 1_090, &[("pay-1", 600), ("pay-2", 501)]),
            row(5, "new", 21, 0, &[("pay-2", 21)]),
        ],
        "more_rows": 2,
        "notes": [
            "61 occurrences of 1 message were snoozed by you and are not here.",
            "Next digest: Monday, 23 November, when you are back."
        ],
        "labels": []
    });
    Digest {
        reader: "@bela".to_owned(),
        digest: Some(name(400)),
        state: "gathering".to_owned(),
        zone: "Europe/Budapest".to_owned(),
        due: Some(ago(-97)),
        due_local: Some("18:30".to_owned()),
        is_held: true,
        why: "he is away; told when he is back".to_owned(),
        latest: Some(ago(-97)),
        messages: 5,
        occurrences: 2_402,
        notice: Some(notice),
    }
}

fn digests() -> Vec<Digest> {
    let other = |reader: &str, zone: &str, local: &str, minutes, messages, occurrences| Digest {
        reader: reader.to_owned(),
        zone: zone.to_owned(),
        due: Some(ago(minutes)),
        due_local: Some(local.to_owned()),
        why: "the time they chose".to_owned(),
        messages,
        occurrences,
        ..Digest::default()
    };
    vec![
        digest(),
        other("@org/search", "Europe/Berlin", "17:00", -7, 2, 1_410),
        other("cleo@shop.example", "America/New_York", "Mon 09:30", -3_900, 12, 20_481),
    ]
}

fn dossier() -> Value {
    let (title, level, whose, why, place, _, sample) = MESSAGES[0];
    json!({
        "what": "message", "id": name(0),
        "statements": [{
            "message": name(0), "is_known": true, "repo": "postd", "place": place, "level": level,
            "template": title, "author": "Ann Alder <ann@shop.example>", "revision": "4be1c02",
            "url": "https://git.shop.example/postd/src/relay.c#L212", "is_outdated": false,
            "owners": [{"kind": "channel", "name": whose, "why": why, "decision": "now"},
                       {"kind": "person", "name": "@ann", "why": "author", "decision": "digest"}],
            "decision": "now", "reason": "annotated with #mail", "said": null
        }],
        "occurrences": [{
            "alert": name(50), "count": 9_840, "late": 2, "first": ago(60 * 24 * 9), "last": ago(0),
            "hosts": [{"host": "mail-7", "count": 9_700}, {"host": "mail-2", "count": 140}], "more_hosts": 0,
            "sample": sample
        }],
        "episodes": [episodes()[0]],
        "hidden": [], "notices": [deliveries()[0], deliveries()[2]], "records": [records()[3]]
    })
}

fn answer() -> Value {
    let (title, level, whose, why, _, _, _) = MESSAGES[0];
    json!({
        "matched": true, "strength": "strong", "fingerprint": name(0), "repo": "postd",
        "file": "src/relay.c", "source_line": 212, "level": level, "template": title,
        "values": ["mx2.example", "451 4.7.1 greylisted"],
        "statements": [{"file": "src/relay.c", "source_line": 212}, {"file": "src/relay_old.c", "source_line": 190}],
        "owners": [{"kind": "channel", "name": whose, "why": why, "decision": "now"}],
        "reason": "annotated with #mail",
        "author": {"name": "Ann Alder", "email": "ann@shop.example"},
        "summary": "relay: say what the other side answered",
        "url": "https://git.shop.example/postd/src/relay.c#L212"
    })
}

/// A router that is well.
pub(crate) fn health() -> Health {
    Health { is_writable: true, commit_age_ms: Some(40), ..Health::default() }
}

/// All of it.
pub(crate) fn shown() -> Shown {
    let mut stories: Vec<Story> =
        episodes().into_iter().map(|episode| Story { episode, ..Story::default() }).collect();
    let moment =
        |minutes: i64, text: &str| Moment { at: ago(minutes), is_next: minutes < 0, text: text.to_owned() };
    stories[0].timeline = vec![
        moment(47, "began: more than 20 times in 5 minutes"),
        moment(46, "told #mail"),
        moment(45, "held for @dora: she has a day off until Monday 09:00"),
        moment(44, "not told to #status: silenced by @ann"),
        moment(36, "escalated to pager-mail: not acknowledged for 10 minutes"),
        moment(20, "#mail was told again: it goes on, 2,900 times by then"),
        moment(-4, "#mail is told again unless somebody is on it"),
        moment(-19, "escalates to @ann, who is on call"),
    ];
    stories[0].notices = vec![deliveries()[0].clone(), deliveries()[1].clone(), deliveries()[2].clone()];
    stories[0].records = vec![records()[3].clone(), records()[4].clone()];
    stories[1].timeline = vec![moment(78, "began"), moment(12, "@bela is on it for an hour")];
    Shown {
        noisy: noisy(),
        stories,
        deliveries: deliveries(),
        records: records(),
        snoozes: vec![
            Snooze {
                id: name(300),
                scope: "message".to_owned(),
                subject: name(11),
                title: MESSAGES[11].0.to_owned(),
                whom: "cleo@shop.example".to_owned(),
                until: "until the next release".to_owned(),
                by: "cleo@shop.example".to_owned(),
                reason: Some("fixed on main".to_owned()),
                since: ago(300),
                hidden: 1_204,
                last: Some(ago(3)),
                ..Snooze::default()
            },
            Snooze {
                id: name(302),
                scope: "rule".to_owned(),
                subject: "slow-search".to_owned(),
                title: "the rule slow-search".to_owned(),
                whom: "everyone".to_owned(),
                until: "until tomorrow".to_owned(),
                until_time: Some(ago(-60 * 17)),
                by: "@dora".to_owned(),
                since: ago(20),
                hidden: 9,
                ..Snooze::default()
            },
        ],
        silences: vec![Silence {
            id: name(301),
            version: 1,
            state: "active".to_owned(),
            matchers: vec!["service=\"postd\"".to_owned(), "receiver=~\"#status.*\"".to_owned()],
            starts: ago(120),
            ends: ago(-127),
            by: "@ann".to_owned(),
            comment: "planned move of the relays".to_owned(),
            receiver: Some("#status".to_owned()),
            hidden: 2,
            ..Silence::default()
        }],
        overrides: vec![Override {
            message: name(10),
            title: MESSAGES[10].0.to_owned(),
            owners: vec!["#ops".to_owned()],
            declined: vec!["@bela".to_owned()],
            steps: vec![Said {
                at: ago(2_000),
                by: "@bela".to_owned(),
                because: "@bela does not answer for it, #ops should".to_owned(),
                reason: Some("I only moved the file".to_owned()),
                owners: Some(vec!["#ops".to_owned()]),
            }],
        }],
        digests: digests(),
        who: vec![("relay".to_owned(), answer())],
        why: vec![(String::new(), dossier()), (name(0), dossier())],
        health: health(),
        done: Vec::new(),
        ended: Vec::new(),
    }
}
