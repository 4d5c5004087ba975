//! What each answer of the other side means for a delivery, asked of services that fail as they are told to.

mod alertmanager;
mod email;
#[path = "../shared/outcome.rs"]
mod outcome;
mod pagerduty;
mod webhook;

use dice_deliver::{Courier, Parcel};
use dice_route::{
    Destination, Evidence, Intent, Lane, Notice, NoticeKind, NoticeRow, Outcome, Passage, Severity, State,
};

use self::outcome::word;

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

/// What may not be told anywhere is in all addresses; what is said instead.
#[test]
fn no_error_tells_who_logs_in_where() {
    use dice_deliver::alertmanager::{Alertmanager, AlertmanagerSettings, Login};
    use dice_deliver::call::Proxy;
    use dice_deliver::email::{Email, EmailSettings, Security, Unsubscribe};
    use dice_deliver::pagerduty::{PagerDuty, PagerDutySettings};
    use dice_deliver::slack::{Settings, Slack, Token};
    use dice_deliver::webhook::{Webhook, WebhookSettings};

    let alertmanager = |url: &str, proxy: Proxy| {
        let settings = AlertmanagerSettings {
            url: url.to_owned(),
            login: Login::None,
            labels: Vec::new(),
            lifetime_ms: AlertmanagerSettings::LIFETIME_MS,
            pages: None,
            proxy,
        };
        Alertmanager::new(settings).map(|courier| deliver(&courier, &parcel(NoticeKind::Open, &[])))
    };
    let pagerduty = |url: &str| {
        let (routing_key, source, url) = ("k".to_owned(), "dice".to_owned(), url.to_owned());
        let settings = PagerDutySettings { routing_key, url, source, pages: None, proxy: Proxy::None };
        PagerDuty::new(settings).map(|courier| deliver(&courier, &parcel(NoticeKind::Open, &[])))
    };
    let webhook = |url: &str| {
        let (secrets, headers) = (Vec::new(), Vec::new());
        let settings = WebhookSettings { url: url.to_owned(), secrets, headers, is_private_allowed: true };
        Webhook::new(settings).map(|courier| deliver(&courier, &parcel(NoticeKind::Open, &[])))
    };
    let slack = |base: &str| {
        let settings = Settings {
            base: base.to_owned(),
            bot_token: Token::new("xoxb-geheim"),
            app_token: None,
            seal: None,
            is_proxied: false,
        };
        Slack::new(settings).map(|courier| deliver(&courier, &parcel(NoticeKind::Open, &[])))
    };
    let email = |host: &str, leave: &str| {
        let settings = EmailSettings {
            host: host.to_owned(),
            port: closed_port(),
            security: Security::Open { is_remote_allowed: true },
            login: None,
            from: "dice@dice.example".to_owned(),
            domain: "dice.example".to_owned(),
            trusted_pem: None,
            receivers: [("ops".to_owned(), vec!["ann@example.org".to_owned()])].into(),
            people: Default::default(),
            unsubscribe: Some(Unsubscribe { url: leave.to_owned(), secret: "0123456789abcdef".to_owned() }),
        };
        Email::new(settings).map(|courier| deliver(&courier, &parcel(NoticeKind::Open, &[])))
    };
    let closed = format!("http://me:geheim@127.0.0.1:{}/geheim", closed_port());
    for url in
        ["http://me:geheim@x:y/geheim", "me:geheim@x/geheim", "http:/\t/me:ge/heim geheim@x:y", &closed]
    {
        let said = [
            alertmanager(url, Proxy::None),
            alertmanager("http://am.invalid", Proxy::Url(url.to_owned())),
            pagerduty(url),
            webhook(url),
            slack(url),
            email(url, "https://dice.example"),
            email("localhost", url),
            email("localhost", "https://me:geheim@dice.example/?geheim"),
        ];
        for said in said {
            let said = format!("{said:?}");
            assert!(!said.contains("geheim") && !said.contains("heim"), "{url}: {said}");
        }
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
