//! Webhooks.

use dice_deliver::webhook::{Secret, Webhook, WebhookBody, WebhookSettings};
use dice_route::{NoticeKind, Outcome};
use dice_testkit::fakes::http::Fault;
use dice_testkit::fakes::smtp::{Security, Smtp};
use dice_testkit::fakes::webhook::{Receiver, SECRET};

use super::{NOW_MS, closed_port, deliver, parcel, reply, word};

fn settings(url: &str) -> WebhookSettings {
    WebhookSettings {
        url: url.to_owned(),
        secrets: vec![Secret::new(SECRET).expect("it is a secret")],
        headers: Vec::new(),
        is_private_allowed: true,
    }
}

/// What becomes of a notice when its call goes so, and whether the receiver took it.
#[track_caller]
fn check(fault: Option<Fault>, expected: &str, is_taken: bool) {
    let fake = Receiver::start(NOW_MS);
    let courier = Webhook::new(settings(&fake.url())).expect("the settings are right");
    let said = fault.clone();
    fault.into_iter().for_each(|fault| fake.faults.push(fault));
    let mut parcel = parcel(NoticeKind::Open, &[("e1", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), expected, "{said:?}");
    assert_eq!(fake.taken().len(), usize::from(is_taken), "{said:?}");
    // Whatever happened: the same again, later, and the receiver has it once.
    parcel.now_ms += 60_000;
    assert_eq!(deliver(&courier, &parcel), Outcome::Delivered(parcel.intent.id.clone()), "{said:?}");
    assert_eq!((fake.taken().len(), fake.repeated()), (1, u32::from(is_taken)), "{said:?}");
    assert_eq!(fake.refused(), Vec::<String>::new(), "{said:?}");
}

#[test]
fn every_answer_has_its_outcome() {
    check(None, "delivered", true);
    for (status, retry_after, expected) in [
        (301, None, "refused"),
        (307, None, "refused"),
        (400, None, "refused"),
        (401, None, "denied"),
        (403, None, "denied"),
        (404, None, "later 30000"),
        (408, None, "later 30000"),
        (409, None, "deferred 30000"),
        (423, None, "deferred 30000"),
        (425, None, "deferred 30000"),
        (410, None, "refused"),
        (413, None, "refused"),
        (422, None, "refused"),
        (429, None, "limited 30000 Account"),
        (429, Some("120"), "limited 120000 Account"),
        (500, None, "ambiguous"),
        (502, None, "ambiguous"),
        (503, Some("5"), "limited 5000 Account"),
        (504, None, "ambiguous"),
    ] {
        check(Some(Fault::Answer(reply(status, retry_after))), expected, false);
    }
    for status in [200, 201, 202, 204] {
        check(Some(Fault::After(reply(status, None))), "delivered", true);
    }
    check(Some(Fault::Lost), "ambiguous", false);
    check(Some(Fault::Unheard), "ambiguous", true);
    check(Some(Fault::After(reply(500, None))), "ambiguous", true);
    check(Some(Fault::Halfway), "delivered", true);
}

#[test]
fn a_receiver_that_is_gone_is_told() {
    let fake = Receiver::start(NOW_MS);
    fake.faults.push(Fault::Answer(reply(410, None)));
    let outcome = deliver(&Webhook::new(settings(&fake.url())).unwrap(), &parcel(NoticeKind::Open, &[]));
    assert!(matches!(&outcome, Outcome::Refused(why) if why.starts_with("gone")), "{outcome:?}");
}

#[test]
fn what_never_connects_comes_later() {
    let courier = Webhook::new(settings(&format!("http://127.0.0.1:{}/x", closed_port()))).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 30000");
    // Somebody is there, with a certificate that nobody vouches for.
    let stranger = Smtp::start(Security::Tls, None);
    let courier = Webhook::new(settings(&format!("https://localhost:{}/x", stranger.port()))).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 30000");
    let courier = Webhook::new(settings("http://nowhere.invalid/x")).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 30000");
}

#[test]
fn secrets_can_be_changed_one_side_after_the_other() {
    let other = || Secret::new("another one").unwrap();
    for (secrets, expected) in [
        (vec![other(), Secret::new(SECRET).unwrap()], "delivered"),
        (vec![Secret::new(SECRET).unwrap(), other()], "delivered"),
        (vec![other()], "refused"),
        (Vec::new(), "refused"),
    ] {
        let fake = Receiver::start(NOW_MS);
        let courier = Webhook::new(WebhookSettings { secrets, ..settings(&fake.url()) }).unwrap();
        assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[("e1", "open")]))), expected);
    }
}

#[test]
fn no_call_leads_into_a_network_that_is_not_allowed() {
    for url in [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://169.254.169.254/latest/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "x",
    ] {
        assert!(
            Webhook::new(WebhookSettings { is_private_allowed: false, ..settings(url) }).is_err(),
            "{url}"
        );
    }
    assert!(
        Webhook::new(settings("http://169.254.169.254/latest/")).is_err(),
        "never, though private is allowed"
    );
    // A name is looked up when it is called, and what it means then is what counts.
    let fake = Receiver::start(NOW_MS);
    let url = format!("https://localhost:{}/hook", fake.port());
    let courier = Webhook::new(WebhookSettings { is_private_allowed: false, ..settings(&url) }).unwrap();
    let outcome = deliver(&courier, &parcel(NoticeKind::Open, &[]));
    let Outcome::Refused(why) = outcome else { panic!("{outcome:?}") };
    assert_eq!(why, "localhost leads into a network that is not allowed");
    assert_eq!(fake.requests(), []);
    // The same name where that is allowed.
    let courier = Webhook::new(settings(&url.replace("https", "http"))).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "delivered");
}

#[test]
fn redirects_are_not_followed() {
    let (fake, elsewhere) = (Receiver::start(NOW_MS), Receiver::start(NOW_MS));
    let mut reply = reply(307, None);
    reply.headers.push(("Location".to_owned(), elsewhere.url()));
    fake.faults.push(Fault::Answer(reply));
    let courier = Webhook::new(settings(&fake.url())).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "refused");
    assert_eq!(elsewhere.requests(), []);
}

#[test]
fn the_body_says_what_the_notice_says() {
    let fake = Receiver::start(NOW_MS);
    let headers = vec![("x-door".to_owned(), "open".to_owned())];
    let courier = Webhook::new(WebhookSettings { headers, ..settings(&fake.url()) }).unwrap();
    let parcel = parcel(NoticeKind::SelfAlert, &[("e1", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), "delivered");
    let request = &fake.requests()[0];
    assert_eq!(request.header("x-door"), Some("open"));
    assert_eq!(request.header("webhook-id"), Some(parcel.intent.id.as_str()));
    assert_eq!(request.header("webhook-timestamp"), Some("1774346460"));
    let body: WebhookBody = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, WebhookBody::of(&parcel));
    assert_eq!((body.kind.as_str(), body.rows[0].sample.as_deref()), ("dice.self-alert", Some(super::NASTY)));
    assert_eq!(body.timestamp, "2026-03-24T10:00:59.000Z");
}
