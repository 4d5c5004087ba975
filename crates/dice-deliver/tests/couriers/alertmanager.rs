//! Alertmanager.

use dice_deliver::alertmanager::{Alertmanager, AlertmanagerSettings, Login, alerts, posted, told_again_at};
use dice_deliver::call::Proxy;
use dice_route::NoticeKind;
use dice_testkit::fakes::alertmanager::Alertmanager as Fake;
use dice_testkit::fakes::http::Fault;

use super::{NOW_MS, closed_port, deliver, parcel, reply, word};

fn settings(url: String) -> AlertmanagerSettings {
    AlertmanagerSettings {
        url,
        login: Login::Bearer("t".to_owned()),
        labels: vec![("cluster".to_owned(), "eu".to_owned())],
        lifetime_ms: AlertmanagerSettings::LIFETIME_MS,
        pages: Some("https://dice.example".to_owned()),
        proxy: Proxy::None,
    }
}

/// What becomes of a notice when its call goes so, and whether the alert is there.
#[track_caller]
fn check(fault: Option<Fault>, expected: &str, is_there: bool) {
    let fake = Fake::start();
    let courier = Alertmanager::new(settings(fake.url())).expect("the settings are right");
    let said = fault.clone();
    fault.into_iter().for_each(|fault| fake.faults.push(fault));
    let parcel = parcel(NoticeKind::Open, &[("e1", "open")]);
    assert_eq!(word(&deliver(&courier, &parcel)), expected, "{said:?}");
    assert_eq!(fake.alerts().len(), usize::from(is_there), "{said:?}");
    assert_eq!(word(&deliver(&courier, &parcel)), "delivered", "{said:?}");
    assert_eq!(fake.alerts().len(), 1, "{said:?}");
}

#[test]
fn every_answer_has_its_outcome() {
    check(None, "delivered", true);
    for (status, retry_after, expected) in [
        (400, None, "refused"),
        (401, None, "denied"),
        (404, None, "later 30000"),
        (429, Some("2"), "limited 2000 Account"),
        (500, None, "ambiguous"),
        (503, None, "ambiguous"),
        (503, Some("5"), "limited 5000 Account"),
    ] {
        check(Some(Fault::Answer(reply(status, retry_after))), expected, false);
    }
    check(Some(Fault::Lost), "ambiguous", false);
    check(Some(Fault::Unheard), "ambiguous", true);
    let courier = Alertmanager::new(settings(format!("http://127.0.0.1:{}", closed_port()))).unwrap();
    assert_eq!(word(&deliver(&courier, &parcel(NoticeKind::Open, &[]))), "later 30000");
}

#[test]
fn an_episode_is_one_alert_from_its_beginning_to_its_end() {
    let fake = Fake::start();
    let courier = Alertmanager::new(settings(fake.url())).unwrap();
    for (kind, state, ends_at) in [
        (NoticeKind::Open, "open", "2026-03-24T10:06:00.000Z"),
        (NoticeKind::Reminder, "open", "2026-03-24T10:06:00.000Z"),
        (NoticeKind::Resolved, "resolved", "2026-03-24T10:01:00.000Z"),
    ] {
        assert_eq!(word(&deliver(&courier, &parcel(kind, &[("e1", state)]))), "delivered");
        let [alert] = &fake.alerts()[..] else { panic!("one alert") };
        assert_eq!((alert.starts_at.as_str(), alert.ends_at.as_str()), ("2026-03-24T10:00:00.000Z", ends_at));
    }
    let alert = &fake.alerts()[0];
    let mut labels = alert.labels.clone();
    assert!(labels.remove("a_b").is_some_and(|value| value.starts_with("disk <b>full</b>")));
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels.join(" "), "alertname=Dice cluster=eu dice_episode=e1 service=shop severity=high");
    assert_eq!(alert.annotations["place"], "src/disk.c:12");
    assert_eq!(fake.logins()[0].as_deref(), Some("Bearer t"));
}

#[test]
fn what_is_open_is_told_again() {
    let settings = settings("http://x".to_owned());
    let again = |kind, rows: &[(&str, &str)]| told_again_at(&settings, &parcel(kind, rows).intent, 1_000);
    assert_eq!(again(NoticeKind::Open, &[("e1", "open")]), Some(101_000));
    assert_eq!(again(NoticeKind::Update, &[("e1", "open"), ("e2", "resolved")]), Some(101_000));
    assert_eq!(again(NoticeKind::Update, &[("e1", "resolved"), ("e2", "seen")]), None);
    assert_eq!(again(NoticeKind::Resolved, &[("e1", "open")]), None);
    assert_eq!(again(NoticeKind::SelfAlert, &[]), Some(101_000));
    assert_eq!(again(NoticeKind::Digest, &[]), None);
}

/// What Dice sends as a client it takes as a server.
#[test]
fn both_sides_agree() {
    let parcel = parcel(NoticeKind::Update, &[("e1", "open"), ("e2", "resolved")]);
    let body = serde_json::to_vec(&posted(&settings("http://x".to_owned()), &parcel.intent, NOW_MS)).unwrap();
    let found = alerts(&body, NOW_MS, 300_000).unwrap();
    assert_eq!(found.invalid, []);
    let states: Vec<(&str, bool)> =
        found.alerts.iter().map(|alert| (alert.labels["dice_episode"].as_str(), alert.is_resolved)).collect();
    assert_eq!(states, [("e1", false), ("e2", true)]);
}
