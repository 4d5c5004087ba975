//! Notices leave: the real program against services that speak the real protocols on this machine.

mod kills;
mod path;

use dice_testkit::fakes::alertmanager::Alertmanager;
use dice_testkit::fakes::http;
use dice_testkit::fakes::pagerduty::{self, PagerDuty, Status};
use dice_testkit::fakes::slack::{FakeSlack, Fault, Message};
use dice_testkit::fakes::smtp::{Security, Smtp};
use dice_testkit::fakes::webhook::{self, Receiver};
use serde_json::{Value, json};

use crate::program::command;
use crate::site::{Site, line, time};

const RELAY: &str = "relay mx2.petrel.example:2525 does not answer: Connection refused";

/// What a router is told of a workspace.
fn slack(fake: &FakeSlack, more: &str) -> String {
    let base = fake.base();
    format!(
        r##"
time = {{ lateness = "1s" }}
lanes = {{ alert = {{ group_wait = "0s", group_interval = "1s" }}, immediate = {{ ladder = ["1s"] }} }}
slack = {{ token_env = "SLACK_TOKEN", app_token_env = "SLACK_APP_TOKEN", url = "{base}" }}
dispatch = {{ deadline = "1s" }}
{more}
[people."ada@petrel.example"]
handle = "@ada"
"##
    )
}

const SECRETS: [(&str, &str); 6] = [
    ("SLACK_TOKEN", FakeSlack::BOT_TOKEN),
    ("SLACK_APP_TOKEN", FakeSlack::APP_TOKEN),
    ("SLACK_SIGNING_SECRET", FakeSlack::SIGNING_SECRET),
    ("PAGERDUTY_KEY", pagerduty::ROUTING_KEY),
    ("HOOK_SECRET", webhook::SECRET),
    ("SMTP_PASSWORD", "hush"),
];

/// Presses a button until Slack hears that it has been taken.
#[track_caller]
fn press(fake: &FakeSlack, user: &str, label: &str) {
    assert!(fake.wait_until(|fake| fake.connections() > 0), "nobody listens");
    let payload = fake.press(user, &first(fake), None, label);
    let envelope = fake.tell("interactive", &payload);
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)), "{label} was not acknowledged");
}

fn first(fake: &FakeSlack) -> Message {
    fake.messages().swap_remove(0)
}

fn shows(fake: &FakeSlack, words: &str) -> bool {
    fake.messages().iter().any(|message| format!("{} {}", message.text, message.blocks).contains(words))
}

/// Messages in which these words stand, beside those that tell an end.
fn shown(fake: &FakeSlack, words: &str) -> usize {
    fake.messages().iter().filter(|message| message.text.contains(words)).count()
}

#[track_caller]
fn sees(fake: &FakeSlack, words: &str) {
    let is_there = fake.wait_until(|fake| shows(fake, words));
    assert!(is_there, "{words:?} is not in {:#?}; refused: {:?}", fake.messages(), fake.refusals());
}

#[test]
fn an_annotated_line_reaches_its_channel_and_buttons_do_what_they_say() {
    let fake = FakeSlack::start();
    fake.add_channel("#mail-ops");
    let ada = fake.add_person("ada@petrel.example");
    let site = Site::new(&slack(&fake, ""));
    let mut running = site.start_with(&SECRETS);
    running.read(&line(0, "web-1", RELAY));
    sees(&fake, RELAY);
    sees(&fake, "annotated");
    let told = first(&fake).ts;
    running.read(&(line(0, "web-1", RELAY) + &line(0, "web-2", RELAY)));
    sees(&fake, "*3×*");
    assert_eq!((fake.messages().len(), first(&fake).ts), (1, told), "the count is told in place");
    press(&fake, &ada, "Acknowledge");
    sees(&fake, "Undo");
    let episodes = format!("{:?}", site.objects(&["episodes"]));
    assert!(episodes.contains("@ada"), "{episodes}");
    press(&fake, &ada, "for 4 hours");
    sees(&fake, "Snoozed by");
    press(&fake, &ada, "Not me");
    assert!(fake.wait_until(|fake| !fake.views().is_empty()), "nobody was asked");
    let values =
        json!({"reason": {"dice.reason": {"type": "plain_text_input", "value": "the relays moved"}}});
    let envelope = fake.tell("interactive", &fake.submit(&ada, &values));
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)));
    let why = site.ask(&["why", RELAY]).done();
    assert!(why.contains("the relays moved") && why.contains("@ada"), "{why}");
    assert_eq!(fake.refusals(), [""; 0]);
    running.end();
}

#[test]
fn buttons_that_do_nothing_are_told_until_they_do() {
    let fake = FakeSlack::start();
    fake.add_channel("#triage");
    let site = Site::new(&slack(&fake, "ownership = { triage = \"#triage\" }"));
    let mistaken = SECRETS.map(|(name, value)| match name {
        "SLACK_APP_TOKEN" => (name, "xapp-mistaken"),
        _ => (name, value),
    });
    let running = site.start_with(&mistaken);
    sees(&fake, "what people press in slack does not reach Dice");
    running.kill();
    let running = site.start_with(&SECRETS);
    sees(&fake, "over after");
    assert_eq!(shown(&fake, "what people press"), 1, "{:#?}", fake.messages());
    running.kill();
}

#[test]
fn buttons_come_back_over_signed_requests_as_well() {
    let fake = FakeSlack::start();
    fake.add_channel("#mail-ops");
    let ada = fake.add_person("ada@petrel.example");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\n[[source]]\nname = \"mail\"\nkind = \"file\"\npaths = [\"mail.log\"]\n"
    );
    let signed = "mode = \"http\", signing_secret_env = \"SLACK_SIGNING_SECRET\"";
    let site = Site::new(&slack(&fake, &more).replace("app_token_env = \"SLACK_APP_TOKEN\"", signed));
    site.write("mail.log", &line(0, "web-1", RELAY));
    let running = site.start_on(&[], &SECRETS);
    sees(&fake, RELAY);
    let payload = fake.press(&ada, &first(&fake), None, "Acknowledge");
    let (headers, body) = fake.signed(&payload);
    let status = |change: &dyn Fn(&str) -> String| {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), change(value))).collect();
        http::post(([127, 0, 0, 1], port).into(), "/slack/actions", &headers, body.as_bytes()).unwrap()
    };
    assert_eq!(status(&|value| value.replace("v0=", "v0=0")), 401, "another signature");
    assert_eq!(site.objects(&["episodes"])[0]["acked"], Value::Null);
    assert_eq!(status(&str::to_owned), 200);
    sees(&fake, "Undo");
    let episodes = format!("{:?}", site.objects(&["episodes"]));
    assert!(episodes.contains("@ada"), "{episodes}");
    assert_eq!(status(&str::to_owned), 409, "the same request again");
    running.kill();
}

#[test]
fn a_digest_waits_until_its_reader_is_there() {
    let fake = FakeSlack::start();
    let bela = fake.add_person("bela@petrel.example");
    fake.person(&bela, |person| person.is_active = false);
    // The repository is indexed before the hour is chosen.
    let site = Site::new("");
    let more = format!(
        r#"
digests = {{ at = "{}" }}
[calendars.default]
workdays = "mon-sun"
hours = "00:00-23:59"
[people."bela@petrel.example"]
emails = ["bela@home.example"]
"#,
        &time(75_000)[11..16]
    );
    let head = "state = \"state.db\"\ncatalog = [\".dice/catalog.jsonl\"]\n";
    site.write("router.toml", &format!("{head}{}", slack(&fake, &more)));
    let mut running = site.start_with(&SECRETS);
    running.read(&line(0, "web-1", "deliver_letter: all 2 relays are down"));
    let is_held = |_: &FakeSlack| {
        let digests = site.objects(&["digest"]);
        digests.iter().any(|digest| digest["is_held"] == true && digest["why"] == "away")
    };
    let was_asked = |fake: &FakeSlack| !fake.calls("users.getPresence").is_empty();
    assert!(fake.wait_until(was_asked) || fake.wait_until(was_asked), "nobody asked whether bela is there");
    assert!(fake.wait_until(is_held), "{:?}", site.objects(&["digest"]));
    assert_eq!(fake.messages(), []);
    running.kill();
    fake.person(&bela, |person| person.is_active = true);
    let running = site.start_with(&SECRETS);
    sees(&fake, "relays are down");
    assert_eq!(fake.messages().len(), 1);
    running.end();
}

#[test]
fn whatever_happens_to_the_answer_there_is_one_message() {
    let fake = FakeSlack::start();
    fake.add_channel("#mail-ops");
    fake.add_channel("#disks");
    let site = Site::new(&slack(&fake, ""));
    let faults =
        [Fault::Limited(1), Fault::StatusAfter(500), Fault::LoseAnswer, Fault::Reset, Fault::HangAfter];
    for fault in faults {
        fake.fail("chat.postMessage", fault);
    }
    let mut running = site.start_with(&SECRETS);
    for n in 0..3 {
        running.read(&line(0, "web-1", &RELAY.replace("mx2", &format!("mx{n}"))));
        running.read(&line(0, "web-1", &format!("disk /srv/{n} is 9{n}% full")));
    }
    running.read(&line(0, "web-1", "queue is long: 70 letters wait, limit is 60"));
    let all_sent = |_: &FakeSlack| unfinished(&site).is_empty() && sent(&site) >= 3;
    assert!(fake.wait_until(all_sent) || fake.wait_until(all_sent), "{:?}", unfinished(&site));
    let by_intent = fake.by_intent();
    assert!(by_intent.len() >= 3 && by_intent.values().all(|n| *n == 1), "{by_intent:?}");
    running.end();
}

/// Rows of the outbox, by what they say.
fn rows(site: &Site) -> Vec<Value> {
    let Ok(store) = dice_store::Store::open_to_read(&site.path().join("state.db")) else { return Vec::new() };
    let mut rows = Vec::new();
    let each = |row: dice_store::Entry| rows.push(serde_json::from_str(&row.body).unwrap());
    store.entries(dice_route::book::Table::Outbox, each).unwrap();
    rows
}

fn unfinished(site: &Site) -> Vec<Value> {
    let is_open =
        |row: &Value| ["pending", "sending", "retry", "ambiguous"].contains(&row["state"].as_str().unwrap());
    rows(site).into_iter().filter(is_open).collect()
}

fn sent(site: &Site) -> usize {
    rows(site).iter().filter(|row| row["state"] == "sent").count()
}

#[test]
fn a_page_wakes_and_ends_and_everybody_else_hears() {
    let pager = PagerDuty::start();
    let fake = FakeSlack::start();
    let (smtp, alertmanager) = (Smtp::start(Security::StartTls, None), Alertmanager::start());
    let hook = Receiver::start(fake.now_ms());
    let config = format!(
        r##"
time = {{ lateness = "1s", idle_after = "1s" }}
lanes = {{ page = {{ group_wait = "0s", group_interval = "1s" }} }}
email = {{ from = "Dice <dice@petrel.example>", smtp = "localhost:{}", ca_file = "ca.pem" }}
server = {{ listen = "127.0.0.1:0", url = "https://dice.petrel.example/" }}
receivers.pager = {{ courier = "pagerduty", routing_key_env = "PAGERDUTY_KEY", url = "{}" }}
receivers.post = {{ courier = "email", to = ["ops@petrel.example"] }}
receivers.hook = {{ courier = "webhook", url = "{}", secret_env = ["HOOK_SECRET"], allow_private = true }}
receivers.am = {{ courier = "alertmanager", url = "{}", lifetime = "1h" }}

[[rule]]
id = "relays-down"
type = "frequency"
where = 'text =~ "does not answer"'
key = ["host"]
count = 3
within = "2s"
severity = "critical"

[[route]]
id = "all"
to = ["pager", "post", "hook", "am"]
group_by = ["host"]
"##,
        smtp.port(),
        pager.url(),
        hook.url(),
        alertmanager.url()
    );
    let site = Site::new(&config);
    site.write("ca.pem", &smtp.certificate_pem);
    let mut running = site.start_with(&SECRETS);
    let token = "password=hunter2secret";
    for _ in 0..3 {
        running.read(&line(0, "web-1", &format!("{RELAY} {token}")));
    }
    let is_told = |_: &FakeSlack| {
        pager.incidents().len() == 1
            && !smtp.mails().is_empty()
            && !hook.taken().is_empty()
            && !alertmanager.alerts().is_empty()
    };
    assert!(fake.wait_until(is_told), "{:?} {:?} {:?}", pager.incidents(), hook.refused(), rows(&site));
    let page =
        |link: Option<&str>| link.unwrap_or_default().starts_with("https://dice.petrel.example/episodes/");
    let alert = &alertmanager.alerts()[0];
    assert!(page(alert.generator_url.as_deref()), "{alert:?}");
    let lives = |at: &str| at.parse::<jiff::Timestamp>().unwrap();
    assert!(lives(&alert.ends_at) > lives(&time(3_000_000)), "{alert:?}");
    let event = &pager.incidents()[0].event;
    assert!(page(event["client_url"].as_str()), "{event}");
    let hook_text = format!("{:?}", hook.taken());
    assert!(!hook_text.contains("hunter2secret") && !smtp.mails()[0].text.contains("hunter2secret"));
    let is_over = |_: &FakeSlack| pager.incidents()[0].status == Status::Resolved;
    assert!(
        fake.wait_until(|fake| {
            running.read(&line(0, "web-2", "disk /srv/mail is 93% full"));
            is_over(fake)
        }),
        "{:?} {:?}",
        pager.incidents(),
        rows(&site)
    );
    assert_eq!(pager.incidents().iter().map(|incident| incident.notified).sum::<u32>(), 1);
    assert_eq!((hook.refused(), smtp.broken()), (vec![], vec![]));
    running.end();
}

#[track_caller]
fn check(arguments: &[&str], config: &str, secrets: &[(&str, &str)], code: i32, words: &[&str]) {
    let site = Site::new(config);
    let output = command(site.path(), arguments).envs(secrets.iter().copied()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in words {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let fake = FakeSlack::start();
    let config = slack(&fake, "");
    let route = ["route", "--config", "router.toml", "router.toml"];
    check(&route, &config, &[], 2, &["[slack]", "$SLACK_TOKEN", "export SLACK_TOKEN"]);
    let pager = "receivers.night = { courier = \"pagerduty\", routing_key_env = \"NIGHT_KEY\" }\n";
    check(&route, pager, &[], 2, &["[receivers.night]", "$NIGHT_KEY"]);
}

#[test]
fn the_doctor_says_what_would_fail() {
    let fake = FakeSlack::start();
    fake.add_channel("#mail-ops");
    fake.add_person("ada@petrel.example");
    let doctor = ["slack", "doctor"];
    let config = slack(&fake, "");
    check(&doctor, &config, &SECRETS, 1, &["ok    bot token", "fail  #disks", "ok    #mail-ops"]);
    check(&doctor, &config, &[], 1, &["$SLACK_TOKEN"]);
    fake.add_channel("#disks");
    check(&doctor, &config, &SECRETS, 0, &["ok    #disks", "ok    app token", "ok    ada@petrel.example"]);
    check(&["slack", "doctor", "--format", "json"], &config, &SECRETS, 0, &[r##""what":"#disks""##]);
    check(&doctor, "", &[], 2, &["[slack]", "dice slack manifest"]);
    check(&["slack", "manifest"], "", &[], 0, &["\"socket_mode_enabled\": true", "chat:write"]);
}
