//! PagerDuty.

use std::sync::Barrier;

use dice_deliver::call::Proxy;
use dice_deliver::pagerduty::{PagerDuty, PagerDutySettings, dedup_key, events, incoming};
use dice_route::{Act, NoticeKind, Outcome};
use dice_testkit::fakes::http::{Fault, Faults, Reply, Server};
use dice_testkit::fakes::pagerduty::{PagerDuty as Fake, ROUTING_KEY, Status};

use super::{NASTY, closed_port, deliver, parcel, reply, word};

fn settings(url: String) -> PagerDutySettings {
    PagerDutySettings {
        routing_key: ROUTING_KEY.to_owned(),
        url,
        source: "dice".to_owned(),
        pages: Some("https://dice.example".to_owned()),
        proxy: Proxy::None,
    }
}

/// What becomes of a notice when its call goes so, and whether the incident is there.
#[track_caller]
fn check(fault: Option<Fault>, expected: &str, is_there: bool) {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).expect("the settings are right");
    let said = fault.clone();
    fault.into_iter().for_each(|fault| fake.faults.push(fault));
    let parcel = parcel(NoticeKind::Open, &[("e1", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), expected, "{said:?}");
    assert_eq!(fake.incidents().len(), usize::from(is_there), "{said:?}");
    // Whatever happened: the same again, and there is one incident of which somebody was told once.
    assert_eq!(deliver(&courier, &parcel), Outcome::Delivered("dice:e1".to_owned()), "{said:?}");
    let notified: Vec<u32> = fake.incidents().iter().map(|incident| incident.notified).collect();
    assert_eq!(notified, [1], "{said:?}");
}

#[test]
fn every_answer_has_its_outcome() {
    check(None, "delivered", true);
    for (status, retry_after, expected) in [
        (400, None, "refused"),
        (401, None, "denied"),
        (403, None, "denied"),
        (404, None, "refused"),
        (408, None, "later 30000"),
        (413, None, "refused"),
        (429, None, "limited 30000 Account"),
        (429, Some("7"), "limited 7000 Account"),
        (429, Some("Tue, 24 Mar 2026 10:02:00 GMT"), "limited 60000 Account"),
        (500, None, "ambiguous"),
        (502, None, "ambiguous"),
        (503, None, "ambiguous"),
        (503, Some("5"), "limited 5000 Account"),
        (302, None, "refused"),
    ] {
        check(Some(Fault::Answer(reply(status, retry_after))), expected, false);
    }
    let gone = r#"{"status":"invalid event","message":"m","errors":["Invalid routing key"]}"#;
    check(Some(Fault::Answer(Reply::new(400, gone))), "denied", false);
    check(Some(Fault::Lost), "ambiguous", false);
    check(Some(Fault::Unheard), "ambiguous", true);
    check(Some(Fault::After(reply(500, None))), "ambiguous", true);
    // The status says that it was taken, whatever of the rest arrives.
    check(Some(Fault::Halfway), "delivered", true);
}

#[test]
fn what_never_connects_comes_later() {
    let courier = PagerDuty::new(settings(format!("http://127.0.0.1:{}/v2/enqueue", closed_port()))).unwrap();
    let outcome = deliver(&courier, &parcel(NoticeKind::Open, &[("e1", "open")]));
    assert_eq!(word(&outcome), "later 30000");
    let Outcome::Later(_, why) = outcome else { unreachable!() };
    assert!(why.starts_with("cannot connect") && !why.contains("127.0.0.1"), "{why}");
}

#[test]
fn episodes_are_incidents_that_open_and_end() {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).unwrap();
    let tell = |kind, rows: &[(&str, &str)], expected: &[(&str, Status, u32)]| {
        assert_eq!(word(&deliver(&courier, &parcel(kind, rows))), "delivered");
        let incidents = fake.incidents();
        let said: Vec<(&str, Status, u32)> =
            incidents.iter().map(|known| (known.key.as_str(), known.status, known.triggers)).collect();
        assert_eq!(said, expected);
    };
    use Status::{Acknowledged, Resolved, Triggered};
    tell(NoticeKind::Open, &[("e1", "open")], &[("dice:e1", Triggered, 1)]);
    tell(NoticeKind::Acknowledged, &[("e1", "open")], &[("dice:e1", Acknowledged, 1)]);
    tell(
        NoticeKind::Update,
        &[("e1", "open"), ("e2", "open")],
        &[("dice:e1", Acknowledged, 2), ("dice:e2", Triggered, 1)],
    );
    tell(
        NoticeKind::Update,
        &[("e2", "open"), ("e1", "resolved")],
        &[("dice:e1", Resolved, 2), ("dice:e2", Triggered, 2)],
    );
    tell(NoticeKind::Resolved, &[("e2", "resolved")], &[("dice:e1", Resolved, 2), ("dice:e2", Resolved, 2)]);
    tell(
        NoticeKind::Storm,
        &[("e3", "open"), ("e4", "open")],
        &[("dice:e1", Resolved, 2), ("dice:e2", Resolved, 2), ("dice:group-1", Triggered, 1)],
    );
    assert_eq!(fake.counts().1, 0, "nothing was sent that does nothing there");
}

#[test]
fn a_limit_in_the_middle_is_told_and_nothing_is_told_twice() {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).unwrap();
    let parcel = parcel(NoticeKind::Open, &[("e1", "open"), ("e2", "open"), ("e3", "open")]);
    fake.limit(Some(2));
    assert_eq!(word(&deliver(&courier, &parcel)), "limited 30000 Account");
    fake.limit(None);
    assert_eq!(word(&deliver(&courier, &parcel)), "delivered");
    let notified: Vec<u32> = fake.incidents().iter().map(|incident| incident.notified).collect();
    assert_eq!(notified, [1, 1, 1]);
}

#[test]
fn events_do_not_wait_for_each_other() {
    // Nothing is answered before both are there.
    let both = Barrier::new(2);
    let server = Server::start(Faults::default(), move |_| {
        both.wait();
        Reply::new(202, "{}")
    });
    let courier = PagerDuty::new(settings(server.url("/v2/enqueue"))).unwrap();
    let parcel = parcel(NoticeKind::Open, &[("e1", "open"), ("e2", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), "delivered");
}

#[test]
fn what_may_still_arrive_says_more_than_what_will_not() {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).unwrap();
    fake.faults.push(Fault::Answer(reply(429, None)));
    fake.faults.push(Fault::Unheard);
    let parcel = parcel(NoticeKind::Open, &[("e1", "open"), ("e2", "open"), ("e3", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), "ambiguous");
}

#[test]
fn any_text_makes_an_event_that_is_taken() {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).unwrap();
    for text in ["", "\r\n", NASTY, &"ß".repeat(5_000), &"x".repeat(1 << 20), &NASTY.repeat(1_000)] {
        let mut parcel = parcel(NoticeKind::Open, &[("e1", "open"); 20]);
        let notice = &mut parcel.intent.notice;
        (notice.title, notice.because) = (text.to_owned(), text.to_owned());
        notice.notes = vec![text.to_owned(); 50];
        notice.labels = vec![(text.to_owned(), text.to_owned()); 50];
        for row in &mut notice.rows {
            (row.title, row.url) = (text.to_owned(), Some(text.to_owned()));
            row.evidence.sample = Some(text.into());
            row.evidence.hosts = vec![(text.into(), 1); 8];
        }
        assert_eq!(word(&deliver(&courier, &parcel)), "delivered");
    }
}

#[test]
fn keys_are_short_and_plain() {
    assert_eq!(dedup_key("abc"), "dice:abc");
    for subject in ["x".repeat(251), "ä".to_owned(), "a b".to_owned(), "a\nb".to_owned()] {
        let key = dedup_key(&subject);
        assert!(key.len() == 37 && key.is_ascii() && key.starts_with("dice:"), "{key}");
        assert_eq!(key, dedup_key(&subject));
    }
}

#[test]
fn the_reader_learns_what_is_known() {
    let [event] = &events(&settings(String::new()), &parcel(NoticeKind::Open, &[("e1", "open")]))[..] else {
        panic!("one event")
    };
    let payload = event.payload.as_ref().unwrap();
    assert!(payload.summary.starts_with("the disk is full: disk <b>full</b> & "), "{}", payload.summary);
    assert_eq!((payload.source.as_str(), payload.severity.as_str()), ("web-1", "error"));
    assert_eq!(payload.timestamp, "2026-03-24T10:00:00.000Z");
    assert_eq!(payload.custom_details["place"], "src/disk.c:12");
    assert_eq!(payload.custom_details["because"], "#ops, annotated");
    assert_eq!(event.links[0].href, "https://git.example/disk.c#L12");
}

#[test]
fn what_people_do_there_comes_back() {
    let fake = Fake::start();
    let courier = PagerDuty::new(settings(fake.url())).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[("e1", "open")]))), "delivered");
    let call = fake.act("dice:e1", "acknowledged", "Ann", &["old", "new"]);
    for secret in ["old", "new"] {
        let said = incoming(&[secret], &call.signatures, &call.body, super::NOW_MS).unwrap().unwrap();
        let command = said.command().unwrap();
        assert_eq!(command.act, Act::Ack { episode: "e1".to_owned() });
        assert_eq!((command.actor.as_str(), command.at_ms), ("Ann", super::NOW_MS));
    }
    assert!(incoming(&["other"], &call.signatures, &call.body, super::NOW_MS).is_err());
}
