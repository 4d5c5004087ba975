//! The sections of `router.toml`.

use super::couriers::{DISPATCH, MAIL, MASKING, RECEIVER, WORKSPACE};
use super::rules::RULE;
use super::{
    COUNT, DAY, FIELDS, GUARD, HOUR, Kind, MATCHERS, MINUTE, RECIPIENTS, SECOND, SPAN, Section, TEXTS,
    Variants, key,
};

/// `router.toml`.
pub(crate) static ROUTER: Section = Section::of(
    "What the router reads, what it looks for, and who hears of it. Every key may be left out",
    &[
        key(
            "zone",
            Kind::Zone,
            "The time zone of teams and people who have none, and of lines that tell none",
        )
        .or("\"UTC\"")
        .like("\"Europe/Berlin\""),
        key("env", Kind::Text, "The environment of sources that set none: `production`, `staging`")
            .like("\"production\""),
        key("catalog", TEXTS, "Catalogs that lines are matched against. Paths start at this file's folder")
            .or("[]")
            .like("[\"catalog.jsonl\"]"),
        key(
            "state",
            Kind::Text,
            "The file that keeps the router's state. Its path starts at this file's folder",
        )
        .like("\"state.db\""),
        key("rules", TEXTS, "Files of rules, with `*` and `**`. Paths start at this file's folder")
            .or("[\"rules/*.toml\"]"),
        key("server", Kind::Table(&SERVER), "The API and the pages; there are none without it"),
        key("time", Kind::Table(&TIME), "When an event happened, and how long late ones are waited for")
            .or("{}"),
        key("source", Kind::Tables(&SOURCE), "Where lines come from; standard input where there is none"),
        key("rule", Kind::Tables(&RULE), "Rules may stand here as well as in files of their own"),
        key(
            "route",
            Kind::Tables(&ROUTE),
            "Where the episodes of rules go. The first route that matches takes it; what none takes goes to the owners of the message",
        ),
        key(
            "receivers",
            Kind::Named(&RECEIVER),
            "Destinations with a name: a paging service, a mailbox, a webhook",
        ),
        key(
            "slack",
            Kind::Table(&WORKSPACE),
            "The Slack workspace that channels and people are in. Without it, what is for them is printed where the router runs",
        ),
        key(
            "email",
            Kind::Table(&MAIL),
            "How people are written to whom nothing else reaches; the server of receivers that name none",
        ),
        key("dispatch", Kind::Table(&DISPATCH), "How notices leave").or("{}"),
        key("masking", Kind::Table(&MASKING), "What of a log does not leave the machine").or("{}"),
        key("lanes", Kind::Table(&LANES), "When notices of each sort are sent").or("{}"),
        key("inhibit", Kind::Tables(&INHIBIT), "What is not told while something else is open"),
        key(
            "policies",
            Kind::Named(&POLICY),
            "Who hears when nobody reacts. `low`, `medium`, `high` and `critical` are used for episodes of that severity and exist without being written",
        ),
        key("schedules", Kind::Named(&SCHEDULE), "Who is on call when"),
        key(
            "calendars",
            Kind::Named(&CALENDAR),
            "Working days, hours and holidays. `default` is everybody's who has no other",
        ),
        key(
            "intervals",
            Kind::Named(&INTERVAL),
            "Times that recur, for routes: nights, weekends. All lists that are there have to hold",
        ),
        key("people", Kind::Named(&PERSON), "People, by e-mail address or `@handle`"),
        key("teams", Kind::Named(&TEAM), "Teams, by `@org/team`"),
        key("digests", Kind::Table(&DIGESTS), "When people read what can wait").or("{}"),
        key(
            "storm",
            Kind::Table(&STORM),
            "Guards against too much at once. Nothing is dropped: what is over is told together",
        )
        .or("{}"),
        key("correlation", Kind::Table(&CORRELATION), "What belongs together across services").or("{}"),
        key("ownership", Kind::Table(&OWNERSHIP), "How \"not me\" is resolved").or("{}"),
    ],
);

/// What the API manages.
pub(crate) static MANAGED_DOCUMENT: Section = Section::of(
    "Rules and routes that the API manages; routes of files are asked after these",
    &[key("rule", Kind::Tables(&RULE), "Rules"), key("route", Kind::Tables(&ROUTE), "Routes")],
);

static SERVER: Section = Section::of(
    "The API and the pages. Without a key, programs of this machine may do everything, and no others anything",
    &[
        key("listen", Kind::Address, "The address to listen on; `--listen` of `dice serve` goes before it")
            .or("\"127.0.0.1:8600\""),
        key("url", Kind::Text, "What other machines call it; links in notices begin with it")
            .like("\"https://dice.corp.example\""),
        key("hosts", TEXTS, "Names by which it may be asked where there is no key, beside `localhost`")
            .or("[]")
            .like("[\"dice.corp.example\"]"),
        key("key", Kind::Tables(&SERVER_KEY), "Who may ask what"),
        key("body_limit", Kind::Size(1 << 10, 64 << 20), "Bytes of a request with lines").or("\"8MiB\""),
        key("form_limit", Kind::Size(1 << 10, 64 << 20), "Bytes of any other request").or("\"1MiB\""),
        key("requests", Kind::Integer(1, 10_000), "Requests that wait for their commit at once").or("16"),
        key("connections", Kind::Integer(1, 100_000), "Connections at once; further ones wait").or("256"),
        key("per_minute", COUNT, "Requests that a token, or a peer without one, may make in a minute")
            .or("1200"),
        key("burst", COUNT, "How many of these may come at once").or("200"),
    ],
);

static SERVER_KEY: Section = Section::of(
    "A token that callers show as `Authorization: Bearer …`",
    &[
        key("name", Kind::Name, "Who has it: what it does is done by `api:NAME`").required().like("\"ci\""),
        key(
            "scopes",
            Kind::List(&Kind::Word(&["lines:write", "read", "act", "configure"])),
            "What it allows: sending lines and alerts; looking; acting as the buttons do, and looking; changing rules and routes, and all of that",
        )
        .required()
        .like("[\"read\"]"),
        key("token_env", Kind::Name, "The environment variable with the token").required().like("\"DICE_CI_TOKEN\""),
    ],
);

static TIME: Section = Section::of(
    "When an event happened, and how long late ones are waited for",
    &[
        key(
            "max_skew",
            SPAN,
            "A line's time may lie this far ahead of its reading; past that, the reading counts",
        )
        .or("\"5m\""),
        key(
            "max_age",
            SPAN,
            "A line older than this is told in digests, never at once, and no rule looks at it",
        )
        .or("\"24h\""),
        key(
            "lateness",
            SPAN,
            "How much later than its neighbours a line may arrive, where the source sets nothing",
        )
        .or("\"30s\""),
        key(
            "idle_after",
            SPAN,
            "A source that is read to its end and silent for this long no longer holds time up",
        )
        .or("\"60s\""),
        key(
            "stall_after",
            SPAN,
            "A required source that cannot be read for this long is a reason to tell somebody",
        )
        .or("\"2m\""),
    ],
);

static SOURCE: Section = Section {
    doc: "Where lines come from",
    keys: &[
        key("name", Kind::Name, "What it is called; rules ask for it as `source`").required().like("\"app\""),
        key("format", Kind::Text, "The header format of its lines; `auto` finds out").or("\"auto\""),
        key("zone", Kind::Zone, "The time zone of lines that tell none; the router's where it is not set")
            .like("\"Europe/Berlin\""),
        key(
            "year",
            Kind::Integer(1970, 9999),
            "The year of lines that tell none; the current one where it is not set",
        )
        .like("2026"),
        key(
            "lateness",
            SPAN,
            "How much later than its neighbours a line may arrive; `time.lateness` where it is not set",
        )
        .like("\"5s\""),
        key("service", Kind::Text, "The service of lines that tell none").like("\"pay\""),
        key("host", Kind::Text, "The host of lines that tell none").like("\"web-3\""),
        key("env", Kind::Text, "The environment of lines that tell none").like("\"production\""),
        key("version", Kind::Text, "The release of lines that tell none").like("\"1.42\""),
        key("required", Kind::Bool, "Whether it is a reason to tell somebody when it cannot be read")
            .or("false"),
        key("limit", Kind::Size(64, 64 << 20), "Bytes of a line that are kept").or("\"1MiB\""),
    ],
    variants: Some(Variants {
        key: "kind",
        doc: "Where its lines come from",
        of: &[
            ("stdin", &STDIN),
            ("file", &FILE),
            ("syslog", &SYSLOG),
            ("journald", &JOURNALD),
            ("http", &HTTP),
        ],
    }),
};

static STDIN: Section = Section::of("Standard input, until its end", &[]);

static FILE: Section = Section::of(
    "Files, with those they are rotated to",
    &[
        key(
            "paths",
            TEXTS,
            "Paths, with `*`, `?`, `[a-z]` and `**`. They start at the folder of `router.toml`",
        )
        .required()
        .like("[\"/var/log/app/*.log\"]"),
        key("from", Kind::Word(&["start", "end"]), "Where reading begins the first time").or("\"start\""),
        key("follow", Kind::Bool, "Whether to wait for more at the end of a file").or("true"),
        key("poll", Kind::Duration(10, HOUR), "How often files are looked at, whatever the system tells")
            .or("\"1s\""),
    ],
);

static SYSLOG: Section = Section::of(
    "What syslog senders send here",
    &[
        key("listen", Kind::Address, "The address to listen on").required().like("\"127.0.0.1:5514\""),
        key("transport", Kind::Word(&["udp", "tcp"]), "How messages travel").or("\"udp\""),
    ],
);

static JOURNALD: Section = Section::of(
    "The systemd journal",
    &[key("units", TEXTS, "Units that are read; all where there are none")
        .or("[]")
        .like("[\"nginx.service\"]")],
);

static HTTP: Section = Section::of(
    "Lines, plain or as JSON, that are posted here",
    &[
        key("listen", Kind::Address, "The address to listen on").required().like("\"127.0.0.1:8514\""),
        key("token_env", Kind::Name, "The environment variable with the token that senders have to show")
            .like("\"DICE_TOKEN\""),
    ],
);

pub(crate) static ROUTE: Section = Section::of(
    "Where episodes with certain labels go. What a route below another does not set, it has from that one",
    &[
        key("id", Kind::Name, "Names its groups: a route that is edited keeps them")
            .required()
            .like("\"payments\""),
        key("under", Kind::Name, "The route that this one is below; the same as standing in its `routes`")
            .like("\"payments\""),
        key("match", MATCHERS, "All of these have to hold; a route without any takes everything")
            .or("[]")
            .like("['service = \"pay\"', 'severity =~ \"high|critical\"']"),
        key("to", RECIPIENTS, "Where to").or("[]").like("[\"#payments\", \"owner\"]"),
        key(
            "group_by",
            TEXTS,
            "Episodes with equal labels of these names are told together; `...` is every label",
        )
        .like("[\"rule\", \"service\"]"),
        key(
            "lane",
            Kind::Word(&["alert", "page", "digest"]),
            "How urgent the way is; where it is not set, severity high and critical page and others alert",
        )
        .like("\"alert\""),
        key("group_wait", SPAN, "How long a new group waits for others").like("\"30s\""),
        key("group_interval", Kind::Duration(SECOND, 366 * DAY), "How often a group that changes is told")
            .like("\"5m\""),
        key("repeat_interval", Kind::DurationOrNever, "How often a group that does not change is told")
            .like("\"4h\""),
        key("policy", Kind::Name, "The escalation policy in place of the severity's").like("\"office\""),
        key("send_resolved", Kind::Bool, "Whether the end of an episode is told; true where it is not set")
            .like("true"),
        key("continue", Kind::Bool, "Whether later routes are asked too").or("false"),
        key("active_in", TEXTS, "Intervals outside of which its notices are held")
            .or("[]")
            .like("[\"office\"]"),
        key("muted_in", TEXTS, "Intervals in which its notices are held").or("[]").like("[\"nights\"]"),
        key("routes", Kind::Tables(&ROUTE), "Routes below: the first that matches takes it"),
    ],
);

static LANES: Section = Section::of(
    "When notices of each sort are sent",
    &[
        key("alert", Kind::Table(&ALERT), "Episodes of rules").or("{}"),
        key("page", Kind::Table(&PAGE), "Somebody is woken").or("{}"),
        key("immediate", Kind::Table(&IMMEDIATE), "Annotated messages").or("{}"),
    ],
);

static ALERT: Section = Section::of(
    "Episodes of rules",
    &[
        key("group_wait", SPAN, "How long a new group waits for others").or("\"30s\""),
        key("group_interval", Kind::Duration(SECOND, 366 * DAY), "How often a group that changes is told")
            .or("\"5m\""),
        key("repeat_interval", Kind::DurationOrNever, "How often a group that does not change is told")
            .or("\"4h\""),
    ],
);

static PAGE: Section = Section::of(
    "Somebody is woken",
    &[
        key("group_wait", SPAN, "How long a new group waits for others").or("\"0s\""),
        key("group_interval", Kind::Duration(SECOND, 366 * DAY), "How often a group that changes is told")
            .or("\"1m\""),
        key("repeat_interval", Kind::DurationOrNever, "How often a group that does not change is told")
            .or("\"never\""),
    ],
);

static IMMEDIATE: Section = Section::of(
    "Annotated messages: the first is told at once, then the same notice is changed",
    &[
        key("ladder", Kind::List(&SPAN), "After these times the notice is changed; the last of them repeats")
            .or("[\"10s\", \"30s\", \"1m\", \"5m\", \"15m\"]"),
        key("quiet", SPAN, "A message without further ones for this long is over").or("\"1h\""),
        key("repeat", SPAN, "One that is still open is told again after this long").or("\"24h\""),
    ],
);

static INHIBIT: Section = Section::of(
    "While an episode that `source` matches is open, those that `target` matches are not told",
    &[
        key("id", Kind::Name, "What it is called").required().like("\"database\""),
        key("source", MATCHERS, "What hides")
            .required()
            .like("['service = \"db\"', 'severity = \"critical\"']"),
        key("target", MATCHERS, "What is hidden").required().like("['severity =~ \"low|medium\"']"),
        key("equal", TEXTS, "Labels that have to be equal").or("[]").like("[\"env\"]"),
        key("missing_equal", Kind::Bool, "Whether two labels that are both missing are equal").or("false"),
        key("linger", SPAN, "How long after its end the source still hides").or("\"2m\""),
    ],
);

static POLICY: Section = Section::of(
    "Who hears when nobody reacts",
    &[
        key("steps", Kind::Tables(&STEP), "Whom, one after the other")
            .required()
            .like("[{ to = [\"channel\"] }, { after = \"10m\", to = [\"owner\"] }]"),
        key("repeat", Kind::Integer(0, 5), "How often all steps are gone through again").or("0"),
        key("ack_timeout", Kind::Duration(MINUTE, 366 * DAY), "How long an acknowledgement lasts")
            .or("\"30m\""),
        key("resolve_quietly", Kind::Bool, "Whether the end is told by changing the notice only").or("false"),
    ],
);

static STEP: Section = Section::of(
    "A step of a policy. It is passed over unless all its conditions hold",
    &[
        key("after", SPAN, "How long after the step before, or after the opening")
            .or("\"0s\"")
            .like("\"10m\""),
        key("to", RECIPIENTS, "Whom: also `channel`, where the episode is told, and `oncall:SCHEDULE`")
            .required()
            .like("[\"channel\", \"oncall:backend\"]"),
        key("severity", Kind::Word(&["low", "medium", "high", "critical"]), "Only from this severity on")
            .like("\"high\""),
        key(
            "working_hours",
            Kind::Bool,
            "Only in working hours of the default calendar, or only outside of them",
        )
        .like("true"),
        key("occurrences", Kind::Table(&GUARD), "Only when there were so many in so long")
            .like("{ count = 100, within = \"10m\" }"),
        key("remind", Kind::Duration(MINUTE, 366 * DAY), "How often it is told again until the next step")
            .like("\"15m\""),
    ],
);

static SCHEDULE: Section = Section::of(
    "Who is on call when",
    &[
        key("people", Kind::List(&Kind::Person), "Who takes turns, in order")
            .required()
            .like("[\"ann@corp.example\", \"bob@corp.example\"]"),
        key("shift", Kind::Duration(DAY, 366 * DAY), "How long a turn is: whole days or weeks").or("\"1w\""),
        key("from", Kind::DateTime, "When the first one of the list had their first turn")
            .required()
            .like("\"2026-11-23T09:00\""),
        key("zone", Kind::Zone, "The time zone of its times; the router's where it is not set")
            .like("\"Europe/Berlin\""),
    ],
);

static CALENDAR: Section = Section::of(
    "Working days, hours and holidays",
    &[
        key("workdays", Kind::Week, "The weekdays that are worked").or("\"mon-fri\""),
        key("hours", Kind::Hours, "The hours that are worked").or("\"09:00-18:00\""),
        key("ics", TEXTS, "iCalendar files of holidays. Paths start at the folder of `router.toml`")
            .or("[]")
            .like("[\"holidays.ics\"]"),
        key("holidays", Kind::List(&Kind::Holiday), "Further holidays")
            .or("[]")
            .like("[\"2026-12-25 Christmas\"]"),
    ],
);

static INTERVAL: Section = Section::of(
    "Times that recur. All lists that are there have to hold",
    &[
        key("times", TEXTS, "Times of day").or("[]").like("[\"22:00-24:00\", \"00:00-06:00\"]"),
        key("weekdays", TEXTS, "Days of the week").or("[]").like("[\"monday:friday\"]"),
        key("days_of_month", TEXTS, "Days of the month; -1 is the last").or("[]").like("[\"1:7\", \"-1\"]"),
        key("months", TEXTS, "Months").or("[]").like("[\"december\"]"),
        key("years", TEXTS, "Years").or("[]").like("[\"2026:2028\"]"),
        key("zone", Kind::Zone, "Where the times are local; the router's zone where it is not set")
            .like("\"Europe/Berlin\""),
    ],
);

static PERSON: Section = Section::of(
    "A person",
    &[
        key("handle", Kind::Text, "The handle, with `@`").like("\"@ann\""),
        key("emails", TEXTS, "Further e-mail addresses, such as those of commits")
            .or("[]")
            .like("[\"ann@home.example\"]"),
        key("zone", Kind::Zone, "Where the person is; the team's or the router's zone where it is not set")
            .like("\"Europe/Berlin\""),
        key("calendar", Kind::Name, "The calendar; the team's, else `default`, where it is not set")
            .like("\"default\""),
        key("days_off", Kind::List(&Kind::Days), "Days off").or("[]").like("[\"2026-12-28..2026-12-30\"]"),
        key("team", Kind::Text, "The team").like("\"@corp/payments\""),
        key("admin", Kind::Bool, "Whether the person may hide things for everyone").or("false"),
        key("left_to", Kind::Recipient, "Who takes over what a person owns who has left")
            .like("\"#payments\""),
        key("digest_at", Kind::Time, "When the person reads the digest").like("\"09:30\""),
    ],
);

static TEAM: Section = Section::of(
    "A team",
    &[
        key("members", Kind::List(&Kind::Person), "Who").or("[]").like("[\"ann@corp.example\"]"),
        key("channel", Kind::Text, "Where the team reads").like("\"#payments\""),
        key("zone", Kind::Zone, "Where the team is").like("\"Europe/Berlin\""),
        key("calendar", Kind::Name, "When the team works").like("\"default\""),
    ],
);

static DIGESTS: Section = Section::of(
    "When people read what can wait",
    &[
        key("name", Kind::Name, "What the time is called").or("\"daily\""),
        key("at", Kind::Time, "The time of day, by the reader's clock; on working days only").or("\"10:00\""),
        key("wait_for_presence", Kind::Bool, "Whether a digest waits until its reader is there").or("true"),
        key("max_hold_days", Kind::Integer(0, 30), "After so many working days it is told anyway").or("1"),
        key(
            "unknown_grace",
            SPAN,
            "When nothing is known of a reader's presence, it is told this long after its time",
        )
        .or("\"2h\""),
        key(
            "team_fallback_days",
            Kind::Integer(0, 365),
            "After so many working days without delivery the team's channel hears; 0 is never",
        )
        .or("3"),
        key("max_rows", Kind::Integer(1, 200), "Rows that are told in full").or("45"),
        key("channels", Kind::Named(&CHANNEL), "Channels that get a digest in place of single notices"),
    ],
);

static CHANNEL: Section = Section::of(
    "A channel's digest",
    &[
        key("name", Kind::Name, "What the time is called").or("\"daily\""),
        key("at", Kind::Time, "The time of day").or("\"10:00\""),
        key("zone", Kind::Zone, "The channel's clock; the router's zone where it is not set")
            .like("\"Europe/Berlin\""),
    ],
);

static STORM: Section = Section::of(
    "Guards against too much at once",
    &[
        key("channel", Kind::Table(&GUARD), "New notices for a channel")
            .or("{ count = 20, within = \"10m\" }"),
        key("person", Kind::Table(&GUARD), "New notices for a person").or("{ count = 5, within = \"1h\" }"),
        key("page", Kind::Table(&GUARD), "New pages altogether; past it there is one mass incident")
            .or("{ count = 30, within = \"5m\" }"),
        key("new_messages", COUNT, "New messages a minute that make a storm, at least").or("30"),
        key("summary_every", Kind::Duration(MINUTE, DAY), "How often teams hear in a storm").or("\"5m\""),
        key("noisy_rule", COUNT, "Episodes of one rule in an hour that mark it as noisy").or("60"),
    ],
);

static CORRELATION: Section = Section::of(
    "What belongs together across services",
    &[
        key(
            "window",
            SPAN,
            "Episodes that open this close to each other may belong together; \"0s\" is never",
        )
        .or("\"2m\""),
        key("depends_on", Kind::Map(&TEXTS), "Which services a service needs")
            .or("{}")
            .like("{ shop = [\"pay\", \"db\"], pay = [\"db\"] }"),
        key("co_burst", Kind::Integer(2, 1_000), "So many services at once belong together even so").or("3"),
    ],
);

static OWNERSHIP: Section = Section::of(
    "How \"not me\" is resolved",
    &[
        key("triage", Kind::Recipient, "Where messages go that several people declined").like("\"#triage\""),
        key("max_rejections", Kind::Integer(1, 100), "So many people's \"not me\" send a message to triage")
            .or("3"),
        key("undo_for", SPAN, "How long \"not me\" can be undone").or("\"24h\""),
    ],
);

/// Fields that the deduplication key of messages has or has not.
pub(crate) static FINGERPRINT: Section = Section::of(
    "What makes two messages of the rule the same",
    &[
        key("add", FIELDS, "Fields that are added").or("[]").like("[\"vars.code\"]"),
        key("drop", FIELDS, "Fields that are left out: `env`, `level`").or("[]").like("[\"env\"]"),
    ],
);
