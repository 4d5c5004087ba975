//! The pages over loopback, in front of data that nobody would want to show.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

#[path = "page/awkward.rs"]
mod awkward;
#[path = "page/shelf.rs"]
mod shelf;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use awkward::NOW_MS;
use dice_serve::view::{Episode, Story};
use dice_serve::{Allowance, Health, Key, Request, Scope, Server, Settings, Token, serve_api};
use shelf::{Shelf, Shown};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that a page has at most, however much there is to show.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// A server before a shelf.
struct Dice {
    server: Server,
    shelf: Arc<Shelf>,
    _lines: Receiver<Request>,
}

/// An answer: status, headers in lower case, body.
struct Answered {
    status: u16,
    head: String,
    body: String,
}

fn start(keys: Vec<Key>, shown: Shown) -> Dice {
    let shelf = Arc::new(Shelf::new(NOW_MS, shown));
    let (out, lines) = sync_channel(1);
    let allowance = Allowance { burst: 1_000_000, per_minute: 1 };
    let settings = Settings { allowance, keys, ..Settings::new(0, vec!["app".to_owned()]) };
    Dice { server: serve_api(settings, out, shelf.clone()).unwrap(), shelf, _lines: lines }
}

/// One episode that is open.
fn little() -> Shown {
    let episode = Episode {
        id: "e1".to_owned(),
        state: "open".to_owned(),
        title: "it is on fire".to_owned(),
        ..Episode::default()
    };
    let health = Health { is_writable: true, ..Health::default() };
    Shown { stories: vec![Story { episode, ..Story::default() }], health, ..Shown::default() }
}

impl Dice {
    fn send(&self, head: &str, headers: &[&str], body: &str) -> Answered {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        text.push_str("Host: localhost\r\n");
        headers.iter().for_each(|header| text.push_str(&format!("{header}\r\n")));
        text.push_str("\r\n");
        text.push_str(body);
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{head}: {answer:?}"));
        Answered { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answered {
        self.send(&format!("GET {path}"), &[], "")
    }

    fn post(&self, path: &str, headers: &[&str], fields: &[(String, String)]) -> Answered {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mut headers = headers.to_vec();
        headers.push("Content-Type: application/x-www-form-urlencoded");
        self.send(&format!("POST {path}"), &headers, &body.join("&"))
    }
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// An attribute as the browser reads it.
fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    for (name, letter) in [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&lt;", "<")] {
        plain = plain.replace(name, letter);
    }
    plain.replace("&gt;", ">").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&")
}

/// A tag of a page: its name, `/` before it where it ends something, and its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// All tags. Every `<` begins one, and every value stands in quotes.
#[track_caller]
fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page.strip_prefix("<!doctype html>").expect("a page says that it is one");
    while let Some((_, from)) = rest.split_once('<') {
        let end = from.find(|letter: char| letter.is_whitespace() || letter == '>').unwrap();
        let name = from[..end].trim_end_matches('/').to_owned();
        assert!(
            name.trim_start_matches('/').chars().all(|letter| letter.is_ascii_alphanumeric())
                && !name.is_empty(),
            "a tag is called {name:?}"
        );
        let mut attributes = Vec::new();
        let mut inner = from[end..].trim_start();
        while !inner.starts_with(['>', '/']) {
            let end = inner.find(|letter: char| letter.is_whitespace() || "=>/".contains(letter)).unwrap();
            let (key, after) = inner.split_at(end);
            inner = after.trim_start();
            let mut value = "";
            if let Some(quoted) = inner.strip_prefix("=\"") {
                let (found, after) = quoted.split_once('"').unwrap();
                (value, inner) = (found, after.trim_start());
            }
            assert!(!key.starts_with("on") && key != "style", "{name} has {key}");
            attributes.push((key.to_owned(), unescaped(value)));
        }
        rest = inner.split_once('>').unwrap().1;
        tags.push(Tag { name, attributes });
    }
    tags
}

/// Checks that a page is one, whatever is shown on it, and gives its tags.
#[track_caller]
fn check(path: &str, answered: &Answered, status: u16) -> Vec<Tag> {
    let Answered { body, .. } = answered;
    assert_eq!(answered.status, status, "{path}: {body}");
    assert_eq!(answered.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    let policy = answered.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"));
    assert_eq!(answered.header("cache-control"), Some("no-store"), "{path}");
    assert!(body.len() < MAX_PAGE_BYTES, "{path} has {} bytes", body.len());
    let obeyed = |letter: char| {
        (letter.is_control() && !"\n\t".contains(letter)) || ('\u{202a}'..='\u{202e}').contains(&letter)
    };
    assert_eq!(body.chars().find(|letter| obeyed(*letter)), None, "{path}");
    let tags = tags(body);
    let mut open: Vec<&str> = Vec::new();
    for tag in &tags {
        match tag.name.as_str() {
            "meta" | "link" | "img" | "input" | "br" => {}
            "path" => {}
            name => match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{path}"),
                None => open.push(name),
            },
        }
        assert!(
            !["script", "b/", "i", "iframe", "object"].contains(&tag.name.as_str()),
            "{path}: {}",
            tag.name
        );
        assert!(tag.name != "img" || tag.attribute("src") == Some("/favicon.svg"), "{path}");
        if let Some(to) = tag.attribute("href") {
            let is_ours = to.starts_with('/') && !to.starts_with("//") || to == "#main" || to.is_empty();
            assert!(is_ours || to.starts_with("https://ok.example/"), "{path} leads to {to}");
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{path}");
    for needed in ["main", "h1", "title", "nav", "footer"] {
        assert_eq!(tags.iter().filter(|tag| tag.name == needed).count().min(1), 1, "{path} has no {needed}");
    }
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: {ids:?}");
    let heads = tags.iter().filter(|tag| tag.name == "th");
    assert!(heads.clone().all(|head| head.attribute("scope") == Some("col")), "{path}");
    tags
}

/// Where a page leads to within Dice.
fn links(tags: &[Tag]) -> BTreeSet<String> {
    let links = tags.iter().filter(|tag| tag.name == "a").filter_map(|tag| tag.attribute("href"));
    links.filter(|to| to.starts_with('/')).map(|to| to.split('#').next().unwrap().to_owned()).collect()
}

/// The forms that change something: the fields that are filled in already, and the first choice of the others.
fn forms(tags: &[Tag]) -> Vec<Vec<(String, String)>> {
    let mut forms: Vec<Vec<(String, String)>> = Vec::new();
    let mut chosen = None;
    let mut is_post = false;
    for tag in tags {
        let name = tag.attribute("name").unwrap_or_default().to_owned();
        match tag.name.as_str() {
            "form" => {
                is_post = tag.attribute("action") == Some("/do");
                assert!(!is_post || tag.attribute("method") == Some("post"));
                if is_post {
                    forms.push(Vec::new());
                }
            }
            "input" if is_post => {
                let value = tag.attribute("value").unwrap_or("x").to_owned();
                forms.last_mut().unwrap().push((name, value));
            }
            "select" if is_post => chosen = Some(name),
            "option" if is_post => {
                if let Some(name) = chosen.take() {
                    let value = tag.attribute("value").unwrap_or("everyone").to_owned();
                    forms.last_mut().unwrap().push((name, value));
                }
            }
            "/form" => is_post = false,
            _ => {}
        }
    }
    forms
}

#[test]
fn whatever_is_shown_is_shown_and_not_obeyed() {
    let dice = start(Vec::new(), awkward::shown());
    let mut seen = BTreeSet::new();
    for path in [
        "/",
        "/?hours=168&page=3",
        "/?hours=7&page=99999",
        "/messages",
        "/messages?owner=%23ops",
        "/messages?owner=nobody&hours=72",
        "/messages?owner=%22%3E%3Cscript%3E",
        "/episodes",
        "/episodes?all=true",
        "/held",
        "/held?state=sent",
        "/held?state=%3Cscript%3E",
        "/records",
        "/hidden",
        "/digests",
        "/who",
        "/who?line=%3Cscript%3Ealert(1)%3C/script%3E%0A%22%00",
        "/why?line=%22%3E%3Cscript%3E%1b",
        "/why?id=odd",
    ] {
        let answered = dice.get(path);
        seen.extend(links(&check(path, &answered, 200)));
    }
    assert!(seen.len() > 300, "{}", seen.len());
    // Every page that is led to is there; of each sort a few are followed.
    let mut sorts: Vec<(String, usize)> = Vec::new();
    for path in &seen {
        let sort = path.split(['?', '=']).next().unwrap();
        let sort =
            if path.contains("cursor") { "cursor".to_owned() } else { sort[..sort.len().min(5)].to_owned() };
        match sorts.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, n)) if *n >= 12 => continue,
            Some((_, n)) => *n += 1,
            None => sorts.push((sort, 1)),
        }
        check(path, &dice.get(path), 200);
    }
    for (path, status) in [
        ("/episodes/none", 404),
        ("/episodes/%00", 400),
        ("/digests/%3Cscript%3E", 404),
        ("/why", 400),
        ("/?hours=%3Cscript%3E", 400),
        ("/?hours=1&hours=2", 400),
        ("/episodes?cursor=x", 400),
        ("/episodes?all=perhaps", 400),
        ("/messages?cursor=%FF", 400),
        ("/hidden?snoozes=1&snoozes=2", 400),
        ("/login?next=a&next=b", 400),
        ("/unsubscribe/%3C", 404),
    ] {
        check(path, &dice.get(path), status);
    }
    for head in ["POST /episodes", "DELETE /", "PUT /nowhere"] {
        let answered = dice.send(head, &["Accept: text/html"], "");
        check(head, &answered, if head.contains("nowhere") { 404 } else { 405 });
    }
    // What programs ask is answered to programs.
    for (head, status) in [("GET /api/v1/none", 404), ("PUT /api/v1/episodes", 405), ("GET /v1/lines", 405)] {
        let answered = dice.send(head, &["Accept: text/html"], "");
        assert_eq!((answered.status, answered.header("content-type")), (status, Some("application/json")));
    }
    let nowhere = dice.send("GET /%3Cscript%3E", &["Accept: text/html,*/*"], "");
    check("nowhere", &nowhere, 404);
}

#[test]
fn lists_go_on_to_their_end() {
    let mut shown = awkward::shown();
    shown.records.truncate(501);
    let dice = start(Vec::new(), shown);
    let mut path = "/records".to_owned();
    let mut parts = 0;
    loop {
        let tags = check(&path, &dice.get(&path), 200);
        parts += 1;
        let next = tags.iter().find(|tag| tag.name == "a" && tag.attribute("rel") == Some("next"));
        match next {
            Some(next) => next.attribute("href").unwrap().clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(parts, 11);
}

#[test]
fn where_there_is_nothing_the_page_says_what_to_do() {
    let dice = start(Vec::new(), Shown::default());
    for (path, part) in [
        ("/", "No message came in this time"),
        ("/messages", "Ask for a longer time"),
        ("/episodes", "Look at what ended"),
        ("/held", "Everything that was to be told went out"),
        ("/records", "Nothing was held"),
        ("/hidden", "Nothing is snoozed"),
        ("/digests", "Nothing waits"),
        ("/who?line=x", "No statement is known"),
    ] {
        let answered = dice.get(path);
        check(path, &answered, 200);
        assert!(answered.body.contains(part), "{path}: {}", answered.body);
    }
}

#[test]
fn every_button_does_what_it_says_and_can_be_taken_back() {
    let dice = start(Vec::new(), little());
    let page = check("/episodes/e1", &dice.get("/episodes/e1"), 200);
    let ack = &forms(&page)[0];
    let told = |answered: &Answered| {
        let back = answered.header("location").unwrap_or_else(|| panic!("{}", answered.body)).to_owned();
        assert_eq!(answered.status, 303);
        assert!(back.starts_with("/episodes/e1?said="), "{back}");
        dice.get(&back)
    };
    let acked = told(&dice.post("/do", &["Origin: http://localhost"], ack));
    assert!(acked.body.contains("You are on it for an hour.") && acked.body.contains(">Undo</button>"));
    // Shown to whoever did it, and not made by a link.
    assert!(!dice.get("/episodes/e1?said=You+won").body.contains("role=\"status\""));
    let undo = &forms(&check("acked", &acked, 200))[0];
    let unacked = told(&dice.post("/do", &[], undo));
    assert!(unacked.body.contains("Nobody is on it now."));
    let done = std::mem::take(&mut dice.shelf.shown().done);
    let expected =
        [r#"api:local {"act":"ack","episode":"e1"}"#, r#"api:local {"act":"unack","episode":"e1"}"#];
    assert_eq!(done, expected);
    let again = dice.post("/do", &[], &forms(&page)[1]);
    assert!(told(&again).body.contains("It is over."));
    let refused = dice.post("/do", &[], ack);
    check("refused", &refused, 409);
}

#[test]
fn the_buttons_of_awkward_things_work_too() {
    let dice = start(Vec::new(), awkward::shown());
    let odd = "/episodes/a%2F..%2Fb%3Fc%3D%23d%26e%20%22%3Ci%3E%2541";
    for (path, least) in [(odd, 3), ("/hidden", 150), ("/why?id=odd1", 20)] {
        let forms = forms(&check(path, &dice.get(path), 200));
        assert!(forms.len() >= least, "{path} has {} forms", forms.len());
        for form in forms.iter().take(12) {
            let answered = dice.post("/do", &[], form);
            // Whose name is none is not somebody whom something can be hidden from.
            assert!([303, 422].contains(&answered.status), "{form:?}: {}", answered.body);
            if let Some(back) = answered.header("location") {
                check(back, &dice.get(back), 200);
            }
        }
    }
    let done = dice.shelf.shown().done.join("\n");
    for act in ["ack", "snooze", "unsnooze", "not-me", "unassign"] {
        assert!(done.contains(&format!(r#"{{"act":"{act}""#)), "{act} is not in {done}");
    }
    assert!(done.contains(r#""episode":"a/../b?c=#d&e \"<i>%41""#), "{done}");
}

#[test]
fn a_silence_is_tried_and_made_by_its_form() {
    let dice = start(Vec::new(), little());
    let shown = |path: &str| {
        let answered = dice.get(path);
        let forms = forms(&check(path, &answered, 200));
        let is_it = |form: &&Vec<(String, String)>| form.contains(&("act".to_owned(), "silence".to_owned()));
        (answered.body, forms.iter().find(is_it).unwrap().clone())
    };
    let (_, form) = shown("/hidden");
    // The first page says that something is open, and leads there.
    let first = dice.get("/");
    let open = links(&check("/", &first, 200)).contains("/episodes");
    assert!(open && first.body.contains("Open now") && first.body.contains(">1 other<"), "{}", first.body);
    let with = |form: &[(String, String)], fields: &[(&str, &str)]| {
        let mut form = form.to_vec();
        form.retain(|(known, _)| !fields.iter().any(|(name, _)| name == known));
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    };
    let what = ("what", "service=\"a&b\"\r\nhost=~<web>.*");
    let filled = with(&form, &[what, ("reason", "a \"new\" relay"), ("length", "4h")]);
    let tried = dice.post("/do", &[], &with(&filled, &[("trial", "yes")]));
    let back = tried.header("location").unwrap();
    let (body, again) = shown(back);
    for part in [
        "Only tried: nothing is silenced yet. 1 thing would be hidden.",
        "goes on now: ",
        "in the last 7 days: went on",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    // The form stands as it was filled in.
    assert!(
        body.contains(r#"<option value="4h" selected>"#) && body.contains("<details id=\"silence\" open>")
    );
    assert!(again.contains(&("reason".to_owned(), "a \"new\" relay".to_owned())));
    assert!(unescaped(&body).contains("service=\"a&b\"\nhost=~<web>.*</textarea>"), "{body}");
    assert_eq!(dice.shelf.shown().done.len(), 1);
    // Pressed twice it has one name, and no trial has it.
    let made = dice.post("/do", &[], &filled);
    assert!(made.header("location").unwrap().starts_with("/hidden?said="));
    let made = dice.get(made.header("location").unwrap());
    let undo = &forms(&check("made", &made, 200))[0];
    assert!(
        made.body.contains("1 thing is hidden.")
            && undo.contains(&("act".to_owned(), "unsilence".to_owned()))
    );
    assert!(undo.contains(&("subject".to_owned(), "5117".to_owned())));
    let done = dice.shelf.shown().done.join("\n");
    let matchers = r#""matchers":[{"label":"service","op":"=","value":"a&b"},{"label":"host","op":"=~","value":"<web>.*"}]"#;
    assert_eq!(done.matches(matchers).count(), 2, "{done}");
    assert!(done.contains(r#""preview":true"#) && done.contains(r#""preview":false"#), "{done}");
    for (field, value) in [("what", ""), ("what", "web"), ("reason", " "), ("length", "9h")] {
        check(field, &dice.post("/do", &[], &with(&filled, &[(field, value)])), 422);
    }
}

#[test]
fn forms_of_other_pages_do_nothing() {
    let dice = start(Vec::new(), little());
    let form = forms(&check("/episodes/e1", &dice.get("/episodes/e1"), 200)).remove(0);
    let with = |name: &str, value: &str| {
        let mut form = form.clone();
        form.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| value.clone_into(old));
        form
    };
    for (headers, form, status) in [
        (&["Origin: http://evil.example"][..], form.clone(), 403),
        (&["Origin: null"], form.clone(), 403),
        (&["Sec-Fetch-Site: cross-site"], form.clone(), 403),
        (&["Sec-Fetch-Site: same-site"], form.clone(), 403),
        (&[], with("seal", ""), 403),
        (&[], with("seal", "0123456789abcdef0123456789abcdef"), 403),
        (&[], Vec::new(), 403),
        (&[], with("act", "explode"), 422),
    ] {
        check("refused", &dice.post("/do", headers, &form), status);
    }
    let json = dice.send("POST /do", &["Content-Type: application/json"], "{}");
    assert_eq!(json.status, 415);
    assert_eq!(dice.shelf.shown().done, Vec::<String>::new());
    // Back is a page of ours, whatever the form says.
    let away = dice.post("/do", &[], &with("back", "//evil.example/"));
    assert!(away.header("location").unwrap().starts_with("/?said="));
}

#[test]
fn a_browser_logs_in_and_out() {
    let key = |name: &str, scope| Key {
        name: name.to_owned(),
        token: Token::new(format!("{name}-secret")),
        scopes: vec![scope],
    };
    let dice =
        start(vec![key("eyes", Scope::Read), key("hands", Scope::Act), key("app", Scope::Lines)], little());
    let first = dice.get("/episodes?all=true");
    assert_eq!((first.status, first.header("location")), (303, Some("/login?next=%2Fepisodes%3Fall%3Dtrue")));
    let page = dice.get(first.header("location").unwrap());
    check("/login", &page, 200);
    assert!(page.body.contains(r#"name="next" value="/episodes?all=true""#), "{}", page.body);
    let log_in = |token: &str, headers: &[&str]| {
        let fields = [("token", token), ("next", "/episodes")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        dice.post("/login", headers, &fields)
    };
    check("wrong", &log_in("hands-secre", &[]), 401);
    check("foreign", &log_in("hands-secret", &["Origin: http://evil.example"]), 403);
    let secure = log_in("hands-secret", &["Origin: https://localhost"]);
    assert!(secure.header("set-cookie").unwrap().ends_with("; HttpOnly; SameSite=Strict; Secure"));
    let session = |token: &str| {
        let answered = log_in(token, &["Origin: http://localhost"]);
        assert_eq!((answered.status, answered.header("location")), (303, Some("/episodes")));
        let cookie = answered.header("set-cookie").unwrap().to_owned();
        assert!(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains("secret"), "{cookie}");
        format!("Cookie: theme=dark; {}", cookie.split(';').next().unwrap())
    };
    let (hands, eyes, app) = (session("hands-secret"), session("eyes-secret"), session("app-secret"));
    let get = |path: &str, headers: &[&str]| dice.send(&format!("GET {path}"), headers, "");
    // The cookie opens pages, not the API.
    assert_eq!(get("/api/v1/episodes", &[&hands]).status, 401);
    check("lines only", &get("/episodes", &[&app]), 403);
    let looked = get("/episodes/e1", &[&eyes]);
    assert_eq!(forms(&check("eyes", &looked, 200)).len(), 0);
    assert!(looked.body.contains("who may look and not act"));
    let acts = forms(&check("hands", &get("/episodes/e1", &[&hands]), 200));
    // Somebody else's seal does not open it, nor does one's own without the right.
    check("other's", &dice.post("/do", &[&eyes], &acts[0]), 403);
    check("nobody's", &dice.post("/do", &[], &acts[0]), 401);
    assert_eq!(dice.shelf.shown().done, Vec::<String>::new());
    assert_eq!(dice.post("/do", &[&hands], &acts[0]).status, 303);
    assert_eq!(dice.shelf.shown().done, [r#"api:hands {"act":"ack","episode":"e1"}"#]);
    // A program may show its token instead.
    assert_eq!(get("/episodes", &["Authorization: Bearer eyes-secret"]).status, 200);
    // A link on another site is followed in two steps, and the first shows nothing.
    let step = get("/episodes", &["Sec-Fetch-Site: cross-site"]);
    assert!(
        step.status == 200 && step.body.contains("http-equiv=\"refresh\"") && !step.body.contains("fire")
    );
    let seal: Vec<_> = acts[0].iter().filter(|(name, _)| name == "seal").cloned().collect();
    check("no seal", &dice.post("/logout", &[&hands], &[]), 403);
    let out = dice.post("/logout", &[&hands], &seal);
    assert!(out.status == 303 && out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(get("/episodes", &[&hands]).status, 303);
    assert_eq!(get("/episodes", &[&eyes]).status, 200);
}

#[test]
fn the_style_is_kept_and_is_the_one_that_pages_name() {
    let dice = start(Vec::new(), little());
    let tags = check("/", &dice.get("/"), 200);
    let linked: Vec<&Tag> = tags.iter().filter(|tag| tag.name == "link").collect();
    for (tag, kind, kept) in [
        (linked[0], "image/svg+xml", "public, max-age=604800"),
        (linked[1], "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
    ] {
        let asset = dice.get(tag.attribute("href").unwrap());
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)));
        assert_eq!(asset.header("cache-control"), Some(kept));
    }
    assert_eq!(dice.get("/assets/older/page.css").header("cache-control"), Some("no-cache"));
    assert_eq!(dice.get("/favicon.ico").status, 200);
}
