//! Mail.

use std::collections::BTreeMap;

use dice_deliver::email::{Email, EmailSettings, Security, Unsubscribe, unsubscribed};
use dice_deliver::{Courier, Found};
use dice_route::{Destination, Lane, NoticeKind, Outcome};
use dice_testkit::fakes::smtp::{self, Fault, Mail, Smtp, Step};

use super::{NASTY, closed_port, deliver, parcel, word};

const LOGIN: (&str, &str) = ("dice", "geheim");

fn settings(server: &Smtp) -> EmailSettings {
    EmailSettings {
        host: "localhost".to_owned(),
        port: server.port(),
        security: Security::StartTls,
        login: Some((LOGIN.0.to_owned(), LOGIN.1.to_owned())),
        from: "Dice <dice@dice.example>".to_owned(),
        domain: "dice.example".to_owned(),
        trusted_pem: Some(server.certificate_pem.clone()),
        receivers: BTreeMap::from([(
            "ops".to_owned(),
            vec!["ann@example.org".to_owned(), "Bob B <bob@example.org>".to_owned()],
        )]),
        people: BTreeMap::from([("@ann".to_owned(), "ann@example.org".to_owned())]),
        unsubscribe: Some(Unsubscribe {
            url: "https://dice.example/leave".to_owned(),
            secret: "0123456789abcdef".to_owned(),
        }),
    }
}

fn server() -> Smtp {
    Smtp::start(smtp::Security::StartTls, Some(LOGIN))
}

/// What becomes of a mail when these things go wrong, and how many mails the server has then.
#[track_caller]
fn check(faults: &[(Step, Fault)], expected: &str, n_mails: usize) {
    let server = server();
    faults.iter().for_each(|(step, fault)| server.fail(*step, fault.clone()));
    let courier = Email::new(settings(&server)).expect("the settings are right");
    let outcome = deliver(&courier, &parcel(NoticeKind::Open, &[("e1", "open")]));
    assert_eq!(word(&outcome), expected, "{faults:?}: {outcome:?}");
    assert_eq!(server.mails().len(), n_mails, "{faults:?}");
    assert_eq!(server.broken(), Vec::<String>::new(), "{faults:?}");
}

#[test]
fn every_answer_has_its_outcome() {
    check(&[], "delivered", 1);
    let answer = |code: u16| Fault::Answer(code, "scripted".to_owned());
    for (step, code, expected) in [
        (Step::Connect, 421, "later 60000"),
        (Step::Connect, 554, "denied"),
        (Step::Ehlo, 421, "later 60000"),
        (Step::Ehlo, 550, "denied"),
        (Step::StartTls, 454, "later 60000"),
        (Step::Auth, 454, "later 60000"),
        (Step::Auth, 535, "denied"),
        (Step::Auth, 534, "denied"),
        (Step::Mail, 451, "later 60000"),
        (Step::Mail, 530, "denied"),
        (Step::Mail, 550, "refused"),
        (Step::Rcpt, 421, "later 60000"),
        (Step::Rcpt, 450, "deferred 60000"),
        (Step::Data, 451, "later 60000"),
        (Step::Data, 554, "refused"),
        (Step::Body, 421, "later 60000"),
        (Step::Body, 451, "deferred 60000"),
        (Step::Body, 552, "refused"),
    ] {
        check(&[(step, answer(code))], expected, 0);
    }
    for step in [Step::Connect, Step::Ehlo, Step::StartTls, Step::Auth, Step::Mail, Step::Rcpt, Step::Data] {
        check(&[(step, Fault::Lost)], "later 60000", 0);
    }
    check(&[(Step::Body, Fault::Lost)], "ambiguous", 0);
    check(&[(Step::Body, Fault::Unheard)], "ambiguous", 1);
    check(&[(Step::Rcpt, answer(550)), (Step::Rcpt, answer(550))], "refused", 0);
    check(&[(Step::Rcpt, answer(550))], "delivered", 1);
}

#[test]
fn nothing_is_said_before_nobody_can_read_along() {
    let server = server();
    server.hide_starttls();
    let courier = Email::new(settings(&server)).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "denied");
    // A certificate that nobody vouches for.
    let courier = Email::new(EmailSettings { trusted_pem: None, ..settings(&self::server()) }).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 60000");
    let open = |host: &str, is_remote_allowed| {
        let security = Security::Open { is_remote_allowed };
        Email::new(EmailSettings { host: host.to_owned(), security, ..settings(&server) }).is_ok()
    };
    assert_eq!([open("mail.example", false), open("10.0.0.1", false)], [false, false]);
    assert_eq!([open("mail.example", true), open("127.0.0.1", false), open("localhost", false)], [true; 3]);
}

#[test]
fn all_ways_of_security_work() {
    for (theirs, ours, is_secured) in [
        (smtp::Security::StartTls, Security::StartTls, true),
        (smtp::Security::Tls, Security::Tls, true),
        (smtp::Security::Open, Security::Open { is_remote_allowed: false }, false),
    ] {
        let server = Smtp::start(theirs, Some(LOGIN));
        let courier = Email::new(EmailSettings { security: ours, ..settings(&server) }).unwrap();
        assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "delivered", "{ours:?}");
        let mail = &server.mails()[0];
        assert_eq!((mail.is_secured, mail.user.as_deref()), (is_secured, Some("dice")));
    }
    let server = server();
    let login = Some(("dice".to_owned(), "wrong".to_owned()));
    let courier = Email::new(EmailSettings { login, ..settings(&server) }).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "denied");
    let courier = Email::new(EmailSettings { login: None, ..settings(&server) }).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "denied");
    let courier = Email::new(EmailSettings { port: closed_port(), ..settings(&server) }).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 60000");
}

#[test]
fn a_recipient_who_has_to_wait_is_waited_for_a_few_times() {
    let server = server();
    server.refuse("bob@example.org", 450, "greylisted");
    let courier = Email::new(settings(&server)).unwrap();
    let mut parcel = parcel(NoticeKind::Open, &[]);
    assert_eq!(word(&deliver(&courier, &parcel)), "deferred 60000");
    assert_eq!(server.mails(), []);
    // As long as servers let newcomers wait; a page does not wait for that.
    for (lane, attempts, expected) in
        [(Lane::Digest, 8, "deferred 60000"), (Lane::Page, 3, "deferred 60000"), (Lane::Page, 4, "delivered")]
    {
        (parcel.intent.lane, parcel.intent.attempts) = (lane, attempts);
        assert_eq!(word(&deliver(&courier, &parcel)), expected, "{lane:?} {attempts}");
    }
    (parcel.intent.lane, parcel.intent.attempts) = (Lane::Alert, 9);
    let Outcome::Delivered(reference) = deliver(&courier, &parcel) else { panic!("not delivered") };
    assert_eq!(server.mails()[1].to, ["ann@example.org"]);
    assert!(reference.lines().nth(1).is_some_and(|line| line.contains("bob@example.org")), "{reference}");
}

#[test]
fn destinations_have_addresses_or_are_refused() {
    for (destination, expected) in [
        (Destination::Person("@ann".to_owned()), Some(vec!["ann@example.org"])),
        (Destination::Person("eve@example.org".to_owned()), Some(vec!["eve@example.org"])),
        (Destination::Receiver("ops".to_owned()), Some(vec!["ann@example.org", "bob@example.org"])),
        (Destination::Person("@eve".to_owned()), None),
        (Destination::Person("a@b.c\r\nRCPT TO:<x@y.z>".to_owned()), None),
        (Destination::Receiver("other".to_owned()), None),
        (Destination::Channel("#ops".to_owned()), None),
        (Destination::Team("@org/team".to_owned()), None),
    ] {
        let server = server();
        let courier = Email::new(settings(&server)).unwrap();
        let mut parcel = parcel(NoticeKind::Open, &[]);
        parcel.intent.destination = destination.clone();
        let outcome = word(&deliver(&courier, &parcel));
        assert_eq!(outcome == "delivered", expected.is_some(), "{destination:?}: {outcome}");
        assert_eq!(outcome == "refused", expected.is_none(), "{destination:?}: {outcome}");
        let to = server.mails().first().map(|mail| mail.to.clone());
        assert_eq!(to, expected.map(|to| to.into_iter().map(str::to_owned).collect()), "{destination:?}");
    }
}

/// The mail that tells the parcel.
fn mail(change: impl Fn(&mut dice_deliver::Parcel)) -> Mail {
    let server = server();
    let mut parcel = parcel(NoticeKind::Open, &[("e1", "open")]);
    change(&mut parcel);
    assert_eq!(
        word(&deliver(&Email::new(settings(&server)).expect("the settings are right"), &parcel)),
        "delivered"
    );
    assert_eq!(server.broken(), Vec::<String>::new());
    server.mails().remove(0)
}

#[test]
fn a_mail_is_the_same_in_every_attempt() {
    let first = mail(|_| {});
    assert_eq!(first, mail(|parcel| (parcel.now_ms, parcel.intent.attempts) = (super::NOW_MS + 60_000, 2)));
    assert_eq!(first.header("Message-ID").unwrap(), "<0123456789abcdef0123456789abcdef@dice.example>");
    assert_eq!(first.header("X-Dice-Intent").unwrap(), "0123456789abcdef0123456789abcdef");
    assert_eq!(first.header("Auto-Submitted").unwrap(), "auto-generated");
    assert_eq!(first.header("Date").unwrap(), "Tue, 24 Mar 2026 10:00:59 +0000");
    assert_eq!(
        (first.header("Precedence"), first.header("List-Unsubscribe"), first.header("Bcc")),
        (None, None, None)
    );
}

#[test]
fn any_moment_has_a_date() {
    for (created_ms, expected) in
        [(i64::MIN, "Thu, 01 Jan 1970 00:00:00 +0000"), (i64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000")]
    {
        assert_eq!(mail(|parcel| parcel.intent.created_ms = created_ms).header("Date").unwrap(), expected);
    }
}

#[test]
fn log_text_writes_no_header_and_no_markup() {
    let mail = mail(|parcel| {
        parcel.intent.id = NASTY.to_owned();
        parcel.intent.subject = NASTY.to_owned();
        parcel.intent.follows = Some(NASTY.to_owned());
    });
    for name in mail.names() {
        assert!(
            [
                "From",
                "To",
                "Date",
                "Subject",
                "Message-ID",
                "X-Dice-Intent",
                "Auto-Submitted",
                "MIME-Version",
                "X-Auto-Response-Suppress",
                "References",
                "In-Reply-To",
                "Content-Type",
            ]
            .contains(&name),
            "{name}"
        );
    }
    assert!(!mail.text.contains("<b>full</b> &amp;") && !mail.text.contains("\u{1b}"));
    assert!(mail.text.contains("&lt;b&gt;full&lt;/b&gt;"), "{}", mail.text);
}

#[test]
fn what_follows_is_found_beside_what_it_follows() {
    let first = mail(|_| {});
    let next = mail(|parcel| {
        parcel.intent.id = "fedcba9876543210fedcba9876543210".to_owned();
        parcel.intent.kind = NoticeKind::Resolved;
        parcel.intent.follows = Some("0123456789abcdef0123456789abcdef".to_owned());
        parcel.intent.notice.title = "1 over".to_owned();
        parcel.first =
            Some("<0123456789abcdef0123456789abcdef@dice.example> [dice] the disk\nbob: 550".to_owned());
    });
    let root = first.header("References").unwrap();
    assert_eq!(next.header("References").unwrap(), format!("{root} {}", first.header("Message-ID").unwrap()));
    assert_eq!(next.header("In-Reply-To"), first.header("Message-ID"));
    assert_eq!(next.header("Subject").unwrap(), "Re: [dice] the disk");
}

#[test]
fn readers_of_digests_can_leave_by_one_click() {
    let mail = mail(|parcel| {
        (parcel.intent.kind, parcel.intent.lane) = (NoticeKind::Digest, Lane::Digest);
        parcel.intent.destination = Destination::Person("@ann".to_owned());
    });
    assert_eq!(mail.header("Precedence").unwrap(), "bulk");
    assert_eq!(mail.header("List-Id").unwrap(), "<digest.dice.example>");
    assert_eq!(mail.header("List-Unsubscribe-Post").unwrap(), "List-Unsubscribe=One-Click");
    let url = mail.header("List-Unsubscribe").unwrap();
    let token = url.strip_prefix("<https://dice.example/leave/").and_then(|rest| rest.strip_suffix('>'));
    assert_eq!(unsubscribed("0123456789abcdef", token.unwrap()).as_deref(), Some("ann@example.org"));
}

#[test]
fn nobody_can_look_whether_a_mail_arrived() {
    let server = server();
    let courier = Email::new(settings(&server)).unwrap();
    let parcel = parcel(NoticeKind::Open, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(matches!(runtime.block_on(courier.find(&parcel)), Found::Unknowable(_)));
}
