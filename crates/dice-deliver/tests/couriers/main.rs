//! What each answer of the other side means for a delivery, asked of services that fail as they are told to.

mod alertmanager;
mod email;
mod pagerduty;
mod webhook;

use dice_deliver::{Courier, Parcel};
use dice_route::{
    Destination, Evidence, Intent, Lane, Notice, NoticeKind, NoticeRow, Outcome, Passage, Severity, State,
};

/// The clock of all of these tests: 2026-03-24T10:01:00Z.
const NOW_MS: i64 = 1_774_346_460_000;

/// What a log may hold, where a text is free.
const NASTY: &str =
    "disk <b>full</b> & \"gone\" 'x'\r\nBcc: eve@evil.example\r\n.\r\n\u{1b}[31m\u{202e}ß %s {{x}}";

/// The first attempt to tell a notice about these episodes and their states.
fn parcel(kind: NoticeKind, rows: &[(&str, &str)]) -> Parcel {
    let row = |(episode, state): &(&str, &str)| NoticeRow {
        episode: Some((*episode).to_owned()),
        title: format!("{episode}: {NASTY}"),
        state: (*state).to_owned(),
        severity: Severity::High,
        evidence: Evidence {
            count: 20,
            seen_ms: Some((NOW_MS - 60_000, NOW_MS)),
            hosts: vec![("web-1".into(), 20)],
            services: vec!["shop".into()],
            sample: Some(NASTY.into()),
            place: Some("src/disk.c:12".into()),
            ..Evidence::default()
        },
        owner: Some("#ops, annotated".to_owned()),
        url: Some("https://git.example/disk.c#L12".to_owned()),
        ..NoticeRow::default()
    };
    Parcel {
        intent: Intent {
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            destination: Destination::Receiver("ops".to_owned()),
            lane: Lane::Alert,
            kind,
            subject: "group-1".to_owned(),
            revision: 0,
            follows: None,
            state: State::Sending,
            due_ms: NOW_MS,
            created_ms: NOW_MS - 1_000,
            attempts: 1,
            changed_ms: NOW_MS,
            why: None,
            reference: None,
            passage: Passage::default(),
            notice: Notice {
                title: format!("the disk is full: {NASTY}"),
                because: "#ops, annotated".to_owned(),
                severity: Severity::High,
                rows: rows.iter().map(row).collect(),
                notes: vec![NASTY.to_owned()],
                labels: vec![("service".to_owned(), "shop".to_owned()), ("a.b".to_owned(), NASTY.to_owned())],
                ..Notice::default()
            },
        },
        first: None,
        now_ms: NOW_MS,
        unsure_since_ms: None,
        is_possible_repeat: false,
    }
}

/// Tries once.
fn deliver(courier: &dyn Courier, parcel: &Parcel) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(courier.deliver(parcel))
}

/// The outcome in one word, with its wait and its reach.
fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sending => "sending".to_owned(),
        Outcome::Delivered(_) => "delivered".to_owned(),
        Outcome::Later(wait_ms, _) => format!("later {wait_ms}"),
        Outcome::Deferred(wait_ms, _) => format!("deferred {wait_ms}"),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::Limited(wait_ms, reach, _) => format!("limited {wait_ms} {reach:?}"),
        Outcome::Denied(_) => "denied".to_owned(),
        Outcome::Ambiguous(_) => "ambiguous".to_owned(),
        Outcome::Absent(_) => "absent".to_owned(),
        other => format!("no end of a call: {other:?}"),
    }
}

/// What the other side answers, with a header where it has one.
fn reply(status: u16, retry_after: Option<&str>) -> dice_testkit::fakes::http::Reply {
    let mut reply = dice_testkit::fakes::http::Reply::new(status, "{\"message\":\"scripted\"}");
    reply.headers.extend(retry_after.map(|text| ("Retry-After".to_owned(), text.to_owned())));
    reply
}

/// A port of this machine where nobody listens.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|held| held.local_addr())
        .expect("there is a free port")
        .port()
}
