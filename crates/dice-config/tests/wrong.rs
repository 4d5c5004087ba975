//! What is said about configurations that are wrong: everything at once, each thing at its place.

use dice_config::{Given, Texts, load};

/// Files of rules that are wrong as well.
fn files() -> Texts {
    let known = "[[rule]]\nid='a'\ntype='match'\n[x]\n";
    let broken = "[[rule]\nid='a'\ntype='match'\n";
    let files = [("bad/a.toml", known), ("bad/b.toml", broken)];
    Texts(files.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
}

/// The problems of a text that begins behind the line end of its quotes.
#[track_caller]
fn check(text: &str, expected: &str) {
    let problems =
        load("r.toml", &text[1..], &files(), &Given::default()).expect_err("something is wrong with it");
    assert_eq!(problems.to_string(), expected.trim());
}

#[test]
fn zones_and_durations() {
    check(
        r##"
zone = "Berlin"
zone2 = 1
time.lateness = 5
time.max_age = "5"
time.max_skew = "5 parsecs"
time.idle_after = "-1s"
"##,
        r##"
r.toml:1:8: zone: wanted an IANA time zone such as "Europe/Berlin", found "Berlin"
r.toml:2:1: unknown key `zone2`; did you mean `zone`?
r.toml:3:17: time.lateness: wanted a duration such as "30s", "5m" or "1h30m", found 5; write "5s" for seconds
r.toml:4:16: time.max_age: wanted a duration such as "30s", "5m" or "1h30m", found "5"; write "5s" for seconds
r.toml:5:17: time.max_skew: wanted a duration such as "30s", "5m" or "1h30m", found "5 parsecs"
r.toml:6:19: time.idle_after: wanted a duration from 0s to 3653d, found "-1s"
"##,
    );
}

#[test]
fn toml_itself() {
    check(
        r##"
zone =
"##,
        r##"
r.toml:1:7: not TOML: string values must be quoted, expected literal string
"##,
    );
}

#[test]
fn sources() {
    check(
        r##"
[[source]]
kind = "flie"
name = "a b"
paths = []
[[source]]
kind = "file"
path = "x"
name = "x"
[[source]]
name = "x"
kind = "syslog"
listen = ":514"
limit = "5"
year = 12
"##,
        r##"
r.toml:2:8: source.a b.kind: wanted one of stdin, file, syslog, journald, http, found "flie"; did you mean "file"?
r.toml:3:8: source.a b.name: wanted a name in quotes, without blanks, found "a b"
r.toml:5:1: source.x: wanted `paths`, found no such key; write paths = ["/var/log/app/*.log"]
r.toml:7:1: source.x: unknown key `path`; did you mean `paths`?
r.toml:10:8: source.x.name: there is another source "x"; rename it or the one at r.toml:8
r.toml:12:10: source.x.listen: wanted an address such as "127.0.0.1:5514", found ":514"; write "0.0.0.0:514" to listen on every interface
r.toml:13:9: source.x.limit: wanted a size such as "64KiB" or "1MiB", found "5"
r.toml:14:8: source.x.year: wanted a whole number from 1970 to 9999, found 12
"##,
    );
}

#[test]
fn arrays_of_tables() {
    check(
        r##"
source = "x"
[rule]
id = "x"
"##,
        r##"
r.toml:1:10: source: wanted an array of tables: [[…]], found "x"
r.toml:2:1: rule: wanted an array of tables: [[…]], found a table; write [[rule]]
"##,
    );
}

#[test]
fn ids_types_and_thresholds() {
    check(
        r##"
[[rule]]
id = "a"
type = "frequncy"
count = 0
[[rule]]
type = "frequency"
id = "a"
count = 5
clear = 9
within = "5m"
[[rule]]
id = "a"
type = "match"
count = 5
where = 'service = "x"'
"##,
        r##"
r.toml:3:8: rule.a.type: wanted one of match, frequency, spike, flatline, change, first-seen, cardinality, sequence, missing, ratio, session, metric, composite, found "frequncy"; did you mean "frequency"?
r.toml:7:6: rule.a.id: there is another rule "a"; rename it or the one at r.toml:2
r.toml:9:9: rule.a.clear: wanted at most the count, 5, found 9; an episode that begins with less than `clear` would end at once
r.toml:12:6: rule.a.id: there is another rule "a"; rename it or the one at r.toml:2
r.toml:14:1: rule.a: unknown key `count`; it belongs to frequency
r.toml:15:18: rule.a.where: wanted a word, a text in quotes, a number or a comparison, found `=`; write `==`
"##,
    );
}

#[test]
fn what_rules_say_beside_their_type() {
    check(
        r##"
[[rule]]
id = "a"
type = "match"
where = '''
service = = "pay"
  and levl >= error
'''
key = ["service", "merchant", "service"]
to = ["payments", "@ann", "oncall:x", "channel", "#"]
labels = { rule = "x" }
summary = "{{counts}} {{key.host}} {{"
policy = "hgih"
severity = "hihg"
fingerprint.drop = ["host"]
"##,
        r##"
r.toml:5:9: rule.a.where: wanted a word, a text in quotes, a number or a comparison, found `=`; write `==`
r.toml:8:19: rule.a.key: wanted a field, found `merchant`; a value in the message is `vars.merchant`, a text stands in quotes
r.toml:8:31: rule.a.key: `service` is in the key twice; remove one
r.toml:9:7: rule.a.to: wanted a receiver, "#channel", "@handle", an e-mail address or "owner", found "payments"; write "#payments" for the channel, or [receivers.payments]
r.toml:9:27: rule.a.to: wanted a recipient of an episode, found "oncall:x"; who is on call is told by steps of a policy
r.toml:9:39: rule.a.to: wanted a recipient of an episode, found "channel"; `channel` is known to steps of policies only; name the channel with `#`
r.toml:9:50: rule.a.to: wanted "#channel", "@handle", "@org/team", an e-mail address, a receiver or "owner", found "#"
r.toml:10:19: rule.a.labels: every episode has the label `rule` already; choose another name
r.toml:11:11: rule.a.summary: wanted `}}` behind `{{`, found the end
r.toml:11:11: rule.a.summary: wanted something that can be filled in, found {{counts}}; there are count, window, key.service, key.service, label.rule and figure.NAME
r.toml:11:11: rule.a.summary: wanted something that can be filled in, found {{key.host}}; there are count, window, key.service, key.service, label.rule and figure.NAME
r.toml:12:10: rule.a.policy: wanted an escalation policy, found "hgih"; did you mean "high"?
r.toml:13:12: rule.a.severity: wanted "low", "medium", "high" or "critical", found "hihg"; did you mean "high"?
r.toml:14:21: rule.a.fingerprint.drop: wanted `env` or `level`, found `host`; nothing else is in it, unless `add` says so
"##,
    );
}

#[test]
fn spikes() {
    check(
        r##"
[[rule]]
id = "a"
type = "spike"
within = "5m"
alpha = 2
measure = "p101(vars.x)"
[[rule]]
id = "b"
type = "spike"
within = "5m"
alpha = 0.5
"##,
        r##"
r.toml:5:9: rule.a.alpha: wanted a number from 0.0001 to 1, found 2
r.toml:6:11: rule.a.measure: wanted "count", or sum, avg, min, max, p50 to p99 of a field such as "p95(vars.took)", found `p101(vars.x)`
r.toml:7:1: rule.b: wanted at least one of `up`, `down`, `delta` and `slope`, found none; write up = 3 for three times the baseline
r.toml:11:9: rule.b.alpha: `alpha` belongs to the baseline "ewma"; write baseline = "ewma", or remove it
"##,
    );
}

#[test]
fn bounds() {
    check(
        r##"
[[rule]]
id = "a"
type = "ratio"
of = 'matched'
within = "5m"
[[rule]]
id = "b"
type = "ratio"
of = 'matched'
within = "5m"
above = 0.5
clear = 0.6
[[rule]]
id = "c"
type = "metric"
measure = "count"
within = "0s"
above = 5
below = 3
"##,
        r##"
r.toml:1:1: rule.a: wanted `above` or `below`, found neither
r.toml:12:9: rule.b.clear: wanted at most 0.5, found 0.6; an episode would end as soon as it begins
r.toml:17:10: rule.c.within: wanted a duration from 1s to 366d, found "0s"
"##,
    );
}

#[test]
fn parts_of_rules() {
    check(
        r##"
[[rule]]
id = "a"
type = "sequence"
within = "5m"
steps = [{name = "x",where = "true"}]
[[rule]]
id = "b"
type = "flatline"
within = "5m"
keys = ["a"]
[[rule]]
id = "c"
type = "composite"
within = "5m"
at_least = 3
order = "("
conditions = [{name = "x",where = "true",count = 2,clear = 3},{name = "x",where = "true"}]
[[rule]]
id = "d"
type = "composite"
within = "5m"
at_least = 3
conditions = [{name = "x",where = "true",count = 2,clear = 3},{name = "x",where = "true"}]
"##,
        r##"
r.toml:5:9: rule.a.steps: wanted 2 to 62 steps, found 1
r.toml:10:9: rule.b.keys: wanted no values, as `key` has no field, found 1
r.toml:16:9: rule.c.order: wanted a regular expression, found unclosed group
r.toml:22:12: rule.d.at_least: wanted at most 2, the number of conditions, found 3
r.toml:23:60: rule.d.conditions.x.clear: wanted at most the count, 2, found 3; an episode that begins with less than `clear` would end at once
r.toml:23:71: rule.d.conditions.x.name: there is another condition "x"; rename it or the one at r.toml:23
"##,
    );
}

#[test]
fn first_seen_and_tests() {
    check(
        r##"
[[rule]]
id = "a"
type = "first-seen"
new = ["contry"]
[[rule]]
id = "b"
type = "first-seen"
new = ["vars.country"]
seed = [["a","b"]]
[[rule.tests]]
name = "x"
events = [{at = "1s",levle = "error"}]
expect = [{at = "1s"},{at = "2s",open = {key = {x = "y"}}}]
"##,
        r##"
r.toml:4:8: rule.a.new: wanted a field, or `message`, `message-in-version` or `unmatched` alone, found `contry`; a value in the message is `vars.contry`, a text stands in quotes
r.toml:9:9: rule.b.seed: wanted one value, for the field of `new`, found 2
r.toml:12:22: rule.b.tests.x.events[1]: unknown key `levle`; did you mean `level`?
r.toml:13:11: rule.b.tests.x.expect[1]: wanted one of `open`, `update` and `close`, found none
r.toml:13:53: rule.b.tests.x.expect[2].open.key: wanted a field of the rule's key, found `x`; the rule has no key
"##,
    );
}

#[test]
fn routes() {
    check(
        r##"
[[route]]
id = "a"
match = ['severity == "high"','sev',"rule = nix", "severity = hgih"]
to = "#x"
active_in = "nacht"
[[route]]
id = "a"
[[route]]
id = "b"
under = "c"
to = "#x"
[[route]]
id = "c"
under = "b"
to = "#x"
[[route]]
id = "d"
under = "e"
to = "#x"
"##,
        r##"
r.toml:3:10: route.a.match: wanted a label compared by =, !=, =~ or !~, such as 'severity = "high"', found `severity == "high"`; write `=`
r.toml:3:31: route.a.match: wanted a label compared by =, !=, =~ or !~, such as 'severity = "high"', found `sev`
r.toml:3:37: route.a.match: wanted a rule, found "nix"; there are no rules
r.toml:3:51: route.a.match: wanted a severity, found "hgih"; did you mean "high"?
r.toml:5:13: route.a.active_in: wanted an interval, found "nacht"; write [intervals.nacht]
r.toml:6:1: route.a: wanted `to`, found a route that leads nowhere; write to = ["owner"]
r.toml:7:6: route.a.id: there is another route "a"; rename it or the one at r.toml:2
r.toml:10:9: route.b.under: the route is below itself; remove `under`
r.toml:14:9: route.c.under: the route is below itself; remove `under`
r.toml:18:9: route.d.under: wanted the id of a route, found "e"
"##,
    );
}

#[test]
fn inhibitions_that_go_in_circles() {
    check(
        r##"
[[inhibit]]
id = "a"
source = "service=db"
target = "service=pay"
[[inhibit]]
id = "b"
source = "service=pay"
target = "service=~'db|x'"
"##,
        r##"
r.toml:8:10: inhibit.b.target: "a" and "b" may hide each other's sources; add a matcher to one of them so that no episode is a target of one and a source of the other
"##,
    );
}

#[test]
fn couriers() {
    check(
        r##"
[slack]
token_env = "T"
mode = "http"
url = "slack.com"
[email]
from = "dice"
smtp = "mail"
[receivers.a]
courier = "slack"
[receivers.b]
courier = "slack"
channel = "ops"
[receivers."c/d"]
courier = "webhook"
url = "https://h.example"
secret_env = ["A", "b c"]
[receivers.e]
courier = "pagerduty"
routing_key_env = "K"
fallback_region = "eu"
[receivers.f]
courier = "email"
to = "a@b.c"
smtp = "m:0"
[dispatch]
fallback = ["owner", "nobody"]
ttl.page = "1s"
"##,
        r##"
r.toml:3:8: slack.mode: wanted `signing_secret_env` for the mode "http", found none; name the variable with the app's signing secret, or write mode = "socket"
r.toml:4:7: slack.url: wanted an address that begins with https://, found "slack.com"
r.toml:6:8: email.from: wanted an e-mail address, found "dice"
r.toml:7:8: email.smtp: wanted a server and its port, found "mail"; write "mail:587"
r.toml:8:1: receivers.a: wanted `channel`, found a receiver that is nowhere; write channel = "#ops"; a whole workspace is [slack]
r.toml:12:11: receivers.b.channel: wanted a channel, found "ops"; write "#ops"
r.toml:13:1: receivers.c/d: wanted the name of a receiver, found "c/d"; it would be taken for something else: choose a plain word
r.toml:16:20: receivers.c/d.secret_env: wanted the name of an environment variable, found what cannot be one; write the variable's name; the secret itself has no place in a configuration
r.toml:20:19: receivers.e.fallback_region: `fallback_region` belongs to `fallback_key_env`; name the second service's key, or remove it
r.toml:24:8: receivers.f.smtp: wanted a server and its port, found "m:0"; write "m:587"
r.toml:26:12: dispatch.fallback: wanted somebody who is always there, found "owner"; name a channel, a person or a receiver
r.toml:26:22: dispatch.fallback: wanted a receiver, "#channel", "@handle", an e-mail address or "owner", found "nobody"; write "#nobody" for the channel, or [receivers.nobody]
r.toml:27:12: dispatch.ttl.page: wanted a duration from 1m to 30d, found "1s"
"##,
    );
    check(
        r##"
[receivers.a]
courier = "slack"
channel = "#a"
[receivers.b]
courier = "email"
to = "a@b.c"
"##,
        r##"
r.toml:1:1: receivers.a: wanted `token_env`, or [slack], found neither; write [slack] for all channels, or name this workspace's token here
r.toml:4:1: receivers.b: wanted `smtp`, or [email], found neither; write [email] for all mail, or what is missing here
"##,
    );
}

#[test]
fn no_problem_tells_a_secret() {
    check(
        r##"
[slack]
token_env = "xoxb-1234-geheim"
url = "ttps://me:geheim@slack.example/x"
[email]
from = "dice@x.example"
smtp = "me:geheim@mail.example:587"
[receivers.a]
courier = "webhook"
url = "me:geheim@hooks.example/T1/geheim"
[receivers.b]
courier = "terminal"
to = ["https://me:geheim@x.example"]
[server]
listen = "https://me:geheim@127.0.0.1:8080"
url = "me:geheim@dice.example"
"##,
        r##"
r.toml:2:13: slack.token_env: wanted the name of an environment variable, found what cannot be one; write the variable's name; the secret itself has no place in a configuration
r.toml:3:7: slack.url: wanted an address that begins with https://, found "ttps://…@slack.example/…"
r.toml:6:8: email.smtp: wanted a server and its port, found "…@mail.example:587"; name the user under `user` and the password's variable under `password_env`
r.toml:9:7: receivers.a.url: wanted an address that begins with https://, found "…@hooks.example/…"
r.toml:12:1: receivers.b: unknown key `to`; it belongs to email
r.toml:14:10: server.listen: wanted an address such as "127.0.0.1:5514", found "https://…@127.0.0.1:8080"
"##,
    );
}

#[test]
fn receivers_policies_and_schedules() {
    check(
        r##"
[receivers.x]
courier = "slack"
token = "xoxb"
[receivers."#a"]
courier = "webhook"
url = "example"
[policies.p]
steps = []
[policies.q]
steps = [{to = ["oncall:x","y"]}]
[schedules.s]
people = ["bob"]
from = "2026-11-23T09:00+01:00"
shift = "36h"
"##,
        r##"
r.toml:3:1: receivers.x: unknown key `token`; there are `channel`, `token_env`, `app_token_env`, `url`
r.toml:4:1: receivers.#a: wanted the name of a receiver, found "#a"; it would be taken for something else: choose a plain word
r.toml:6:7: receivers.#a.url: wanted an address that begins with https://, found "example"
r.toml:7:1: policies.p: wanted at least one step, found none; write [[policies.p.steps]]
r.toml:10:17: policies.q.steps[1].to: wanted a schedule, found "x"; write [schedules.x]
r.toml:10:28: policies.q.steps[1].to: wanted a receiver, "#channel", "@handle", an e-mail address or "owner", found "y"; write "#y" for the channel, or [receivers.y]
r.toml:12:11: schedules.s.people: wanted "@handle" or an e-mail address, found "bob"
r.toml:13:8: schedules.s.from: wanted a date and time such as "2026-11-23T09:00", found "2026-11-23T09:00+01:00"
r.toml:14:9: schedules.s.shift: wanted whole days or weeks, found "36h"; write shift = "1d" or "1w"
"##,
    );
}

#[test]
fn certificates_lifetimes_and_pages() {
    check(
        r##"
[email]
from = "dice@corp.example"
smtp = "mail.corp.example:587"
ca_file = "no.pem"
[receivers.a]
courier = "email"
to = ["a@corp.example"]
ca_file = "bad/a.toml"
[receivers.b]
courier = "email"
to = ["b@corp.example"]
tls = "none"
ca_file = "x.pem"
[receivers.am]
courier = "alertmanager"
url = "http://127.0.0.1:9093"
lifetime = "5s"
[receivers.pd]
courier = "pagerduty"
routing_key_env = "KEY"
pages = "dice.corp.example"
"##,
        r##"
r.toml:4:11: email.ca_file: wanted a file that can be read, found "no.pem": entity not found; its path starts at the folder of this configuration; the form is PEM, not DER
r.toml:8:11: receivers.a.ca_file: wanted certificates (PEM), found none in "bad/a.toml"; give the file that begins with -----BEGIN CERTIFICATE-----
r.toml:13:11: receivers.b.ca_file: `ca_file` is of no use with tls = "none"; remove it, or write tls = "starttls"
r.toml:17:12: receivers.am.lifetime: wanted a duration from 30s to 1d, found "5s"
r.toml:21:9: receivers.pd.pages: wanted an address that begins with https://, found "dice.corp.example"
"##,
    );
}

#[test]
fn calendars_people_and_teams() {
    check(
        r##"
[calendars.de]
workdays = "mo-fr"
hours = "9-5"
ics = "x.ics"
holidays = ["2026-13-01"]
[intervals.n]
times = "22:00-06:00"
weekdays = "mo"
[people.ann]
handle = "ann"
team = "@a/b"
calendar = "dee"
days_off = "2026-12-31..2026-12-01"
[people."a@b.c"]
handle = "@a"
[people."d@b.c"]
emails = "a@b.c"
[teams.x]
members = "@nobody"
channel = "x"
[digests]
at = "25:00"
channels.x = {}
"##,
        r##"
r.toml:2:12: calendars.de.workdays: wanted weekdays such as "mon-fri" or "sun,mon,wed-thu", found "mo-fr"
r.toml:3:9: calendars.de.hours: wanted hours such as "09:00-18:00", found "9-5"
r.toml:4:7: calendars.de.ics: wanted a file that can be read, found "x.ics": entity not found
r.toml:5:13: calendars.de.holidays: wanted a date such as "2026-12-25", with a name behind it if it has one, found "2026-13-01"
r.toml:7:9: intervals.n.times: wanted times such as `09:00-17:00`; a night is two of them, `22:00-24:00` and `00:00-06:00`, found "22:00-06:00"
r.toml:8:12: intervals.n.weekdays: wanted weekdays such as `monday:friday` or `saturday`, found "mo"
r.toml:9:1: people.ann: wanted an e-mail address or a handle with `@`, found "ann"
r.toml:10:10: people.ann.handle: wanted a handle with `@`, found "ann"; write "@ann"
r.toml:11:8: people.ann.team: wanted a team, found "@a/b"; write [teams."@a/b"]
r.toml:12:12: people.ann.calendar: wanted a calendar, found "dee"; did you mean "de"?
r.toml:13:12: people.ann.days_off: wanted a date such as "2026-12-24", or two such as "2026-12-24..2026-12-31", found "2026-12-31..2026-12-01"; the first date comes first
r.toml:16:1: people.d@b.c: a@b.c is "a@b.c" too; remove it from one of them
r.toml:18:1: teams.x: wanted a team such as "@org/team", found "x"
r.toml:19:11: teams.x.members: wanted a person, found "@nobody"; write [people."@nobody"]
r.toml:20:11: teams.x.channel: wanted a channel, found "x"; write "#x"
r.toml:22:6: digests.at: wanted a time of day such as "10:00", found "25:00"
r.toml:23:14: digests.channels.x: wanted a channel, found "x"; write [digests.channels."#x"]
"##,
    );
}

#[test]
fn files_lanes_and_guards() {
    check(
        r##"
rules = ["nothing.toml", "bad/*.toml"]
[lanes.immediate]
ladder = ["5s","1s"]
[storm]
channel = {count = 1}
[correlation]
co_burst = 1
[ownership]
triage = "x"
"##,
        r##"
r.toml:1:10: rules: there is no file "nothing.toml"
r.toml:3:10: lanes.immediate.ladder: wanted durations that grow, from "1s", found others; write ladder = ["10s", "30s", "1m", "5m", "15m"]
r.toml:5:11: storm.channel: wanted `within`, found no such key; write within = "10m"
r.toml:7:12: correlation.co_burst: wanted a whole number from 2 to 1000, found 1
r.toml:9:10: ownership.triage: wanted a receiver, "#channel", "@handle", an e-mail address or "owner", found "x"; write "#x" for the channel, or [receivers.x]
bad/a.toml:4:2: unknown key `x`; only `rule` may stand here
bad/b.toml:1:8: not TOML: unclosed array table, expected `]`
"##,
    );
}

#[test]
fn who_may_ask_what() {
    check(
        r##"
[server]
listen = "0.0.0.0:8600"
url = "dice.example"
keys = 1
"##,
        r##"
r.toml:2:10: server.listen: wanted a key, because other machines can reach this address, found none; write [[server.key]], or listen on 127.0.0.1
r.toml:3:7: server.url: wanted an address with https://, found "dice.example"
r.toml:4:1: server: unknown key `keys`; did you mean `key`?
"##,
    );
    check(
        r##"
[[server.key]]
name = "ci"
scopes = ["read", "write"]
token_env = "T"
[[server.key]]
name = "eyes"
scopes = []
token_env = "T"
[[source]]
name = "s"
kind = "syslog"
transport = "tcp"
listen = "127.0.0.1:8600"
"##,
        r##"
r.toml:1:3: server.listen: source s listens on 127.0.0.1:8600; choose another port
r.toml:3:19: server.key.ci.scopes: wanted "lines:write", "read", "act" or "configure", found "write"
r.toml:7:10: server.key.eyes.scopes: wanted at least one scope, found none; write scopes = ["read"], or remove the key
r.toml:8:13: server.key.eyes.token_env: another key has the same token; give each key a variable of its own, or one key all the scopes
"##,
    );
}
