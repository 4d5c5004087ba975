//! The sections of rules.

use super::router::FINGERPRINT;
use super::{
    COUNT, DAY, FIELDS, FIGURE, GUARD, Key, Kind, Presence, RECIPIENTS, SECOND, SPAN, Section, TEXTS,
    Variants, WINDOW, key,
};

/// A file of `rules/`.
pub(crate) static RULES_FILE: Section =
    Section::of("Rules", &[key("rule", Kind::Tables(&RULE), "The rules, in any order")]);

pub(crate) static RULE: Section = Section {
    doc: "What to look for in the stream, and when that is worth an episode",
    keys: &[
        key("id", Kind::Name, "Stable: a rule with another id is another rule").required().like("\"pay-declines\""),
        key("enabled", Kind::Bool, "Whether it is used").or("true"),
        key("where", Kind::Condition, "Which events it looks at; all where it is not set")
            .or("\"\"")
            .like("'service == \"pay\" and message in owned_by(\"#payments\") and level >= error'"),
        key("key", FIELDS, "Fields whose values tell instances of the rule apart")
            .or("[]")
            .like("[\"service\", \"vars.merchant\"]"),
        key("on_missing_key", Kind::Word(&["empty", "skip"]), "Whether an event without a key field has an empty value there, or is not looked at")
            .or("\"empty\""),
        key("max_keys", Kind::Integer(1, 10_000_000), "Keys that are kept; past it the one without events for the longest time goes")
            .or("100000"),
        key("update_every", Kind::Duration(SECOND, DAY), "An open episode is told to have changed at most this often")
            .or("\"30s\""),
        key("max_open", WINDOW, "An episode that was open for this long is closed and its baseline starts over; rules with a baseline only")
            .or("\"24h\""),
        key("clear_for", SPAN, "How long the clear condition has to hold").or("\"0s\""),
        key("severity", Kind::Word(&["low", "medium", "high", "critical"]), "How much its episodes matter")
            .or("\"medium\""),
        key("labels", Kind::Map(&Kind::Scalar), "Labels of its episodes, beside those every episode has")
            .or("{}")
            .like("{ area = \"checkout\" }"),
        key("summary", Kind::Text, "One line about an episode, with {{count}}, {{key.NAME}}, {{window}}, {{label.NAME}} and {{figure.NAME}} filled in")
            .like("\"{{count}} declines for {{key.merchant}} in {{window}}\""),
        key("to", RECIPIENTS, "Where its episodes go without asking the routes").or("[]").like("[\"#payments\"]"),
        key("policy", Kind::Name, "The escalation policy in place of the severity's").like("\"office\""),
        key("fingerprint", Kind::Table(&FINGERPRINT), "What makes two messages of the rule the same").or("{}"),
        key("tests", Kind::Tables(&TEST), "What `dice rules test` tries; time is virtual"),
    ],
    variants: Some(Variants {
        key: "type",
        doc: "What it looks for",
        of: &[
            ("match", &MATCH),
            ("frequency", &FREQUENCY),
            ("spike", &SPIKE),
            ("flatline", &FLATLINE),
            ("change", &CHANGE),
            ("first-seen", &FIRST_SEEN),
            ("cardinality", &CARDINALITY),
            ("sequence", &SEQUENCE),
            ("missing", &MISSING),
            ("ratio", &RATIO),
            ("session", &SESSION),
            ("metric", &METRIC),
            ("composite", &COMPOSITE),
        ],
    }),
};

/// What nearly every type has: a window.
const fn within(doc: &'static str) -> Key {
    Key { name: "within", kind: WINDOW, presence: Presence::Required, doc, example: "\"5m\"" }
}

static MATCH: Section = Section::of(
    "Every event",
    &[key("quiet", SPAN, "A key stays open for this long after its last event; where it is not set, every event is an episode of its own")
        .like("\"10m\"")],
);

static FREQUENCY: Section = Section::of(
    "At least so many events in so long",
    &[
        key("count", COUNT, "How many").required().like("20"),
        within("In how long"),
        key("clear", COUNT, "Closed when fewer than this are left; half of `count` where it is not set")
            .like("5"),
    ],
);

static SPIKE: Section = Section::of(
    "The rate, or a figure, differs from what it was. At least one of `up`, `down`, `delta` and `slope` says how",
    &[
        within("How long the current window is"),
        key("measure", Kind::Measure, "What is compared").or("\"count\"").like("\"p95(vars.took)\""),
        key("baseline", Kind::Word(&["previous", "same-time", "ewma", "median"]), "With what it is compared: the window before, the same time of earlier periods, a moving average, or the median and its deviations")
            .or("\"previous\""),
        key("reference", WINDOW, "previous: how long the window before is; as the current one where it is not set")
            .like("\"1h\""),
        key("period", WINDOW, "same-time: the period").or("\"7d\""),
        key("periods", Kind::Integer(1, 52), "same-time: how many of them").or("4"),
        key("alpha", Kind::Number(0.000_1, 1.0), "ewma: the weight of the newest bucket").or("0.1"),
        key("deviations", Kind::Number(0.0, 1_000.0), "median: so many deviations past the median are the baseline; with `up = 1` that is enough").or("5"),
        key("buckets", Kind::Integer(3, 10_000), "median: over how many buckets").or("48"),
        key("up", Kind::Number(1.0, f64::MAX), "So many times the baseline, or more").like("3"),
        key("min_reference", Kind::Number(0.0, f64::MAX), "up: the baseline counts as at least this; down: it has to be at least this")
            .or("1"),
        key("min_current", Kind::Number(0.0, f64::MAX), "up: the current window has to have at least this").or("1").like("20"),
        key("down", Kind::Number(1.0, f64::MAX), "The baseline is so many times the current window, or more").like("3"),
        key("delta", Kind::Number(0.0, f64::MAX), "Differs by this or more").like("100"),
        key("slope", Kind::Number(0.0, f64::MAX), "Grows by this a second, or more").like("5"),
        key("slope_buckets", Kind::Integer(1, 10_000), "slope: for how many buckets").or("3"),
        key("fire_new_at", Kind::Number(0.0, f64::MAX), "A key without history fires at this; never where it is not set")
            .like("50"),
    ],
);

static FLATLINE: Section = Section::of(
    "Too few events",
    &[
        within("In how long"),
        key("min", COUNT, "Fewer than this").or("1"),
        key("keys", Kind::List(&TEXTS), "Keys that are watched from the start, each with its values in the order of `key`; others are learned")
            .or("[]")
            .like("[\"billing\", \"pay\"]"),
        key("min_seen", Kind::Integer(1, 1_000), "A key is learned when this many windows within `learn` had events").or("3"),
        key("learn", WINDOW, "See `min_seen`").or("\"1d\""),
        key("forget_after", WINDOW, "A learned key is given up after this long; seven windows, at least a day, where it is not set")
            .like("\"7d\""),
    ],
);

static CHANGE: Section = Section::of(
    "A field has another value than before",
    &[
        key("field", Kind::Field, "Which field").required().like("\"vars.state\""),
        key("within", WINDOW, "The value before must not be older; for ever where it is not set")
            .like("\"1h\""),
        key("ignore", Kind::List(&TEXTS), "Changes from one value to another that do not count")
            .or("[]")
            .like("[[\"starting\", \"up\"]]"),
        key("with_missing", Kind::Bool, "Whether an event without the field counts as a value of its own")
            .or("false"),
        key("flap", Kind::Table(&GUARD), "So many changes in so long are one flapping episode")
            .like("{ count = 5, within = \"10m\" }"),
    ],
);

static FIRST_SEEN: Section = Section::of(
    "Something that was never seen before",
    &[
        key("new", TEXTS, "What has to be new: `message`, `message-in-version`, `unmatched`, or fields whose values are new together")
            .required()
            .like("[\"vars.country\"]"),
        key("horizon", WINDOW, "Forgotten after this long without it").or("\"30d\""),
        key("learn_for", SPAN, "Nothing fires for this long after the rule's first event; \"0s\" with a seed and \"1d\" without where it is not set")
            .like("\"1d\""),
        key("seed", Kind::List(&TEXTS), "What counts as seen from the start: values, or `catalog` for the messages of the catalog")
            .or("[]")
            .like("\"catalog\""),
        key("max_terms", Kind::Integer(1, 100_000_000), "How many are remembered").or("1000000"),
    ],
);

static CARDINALITY: Section = Section::of(
    "Too many or too few different values. One of `above` and `below` says which",
    &[
        key("field", Kind::Field, "Of which field").required().like("\"vars.user\""),
        within("In how long"),
        key("above", Kind::Integer(0, 1_000_000_000), "More than this").like("100"),
        key("below", COUNT, "Fewer than this").like("3"),
        key("clear", COUNT, "Closed when there are fewer than this, or with `below` this many; where it is not set, half of `above`, or `below` itself")
            .like("50"),
    ],
);

static SEQUENCE: Section = Section::of(
    "Events in an order",
    &[
        key("steps", Kind::Tables(&SEQUENCE_STEP), "The steps in order; none with mode gaps")
            .like("[{ name = \"start\", where = 'text =~ \"started\"' }, { name = \"end\", where = 'text =~ \"ended\"' }]"),
        key("not", Kind::Condition, "What must not come between").like("'text =~ \"retried\"'"),
        key("within", Kind::Duration(0, 366 * DAY), "From the first step to the last; has to be written but with mode gaps, where a missing number is waited for so long beyond the lateness, and no longer where it is not set")
            .like("\"5m\""),
        key("strict", Kind::Bool, "Whether nothing else of the key may come between").or("false"),
        key("skip", Kind::Word(&["past-last", "none", "to-next"]), "Which matches may share events: none, all, or those that begin at different events")
            .or("\"past-last\""),
        key("mode", Kind::Word(&["match", "validate", "gaps"]), "Fires on a whole match; on steps that are missing, doubled or out of order; or on numbers that are missing in `number`")
            .or("\"match\""),
        key("number", Kind::Field, "gaps: the field with the numbers").like("\"vars.seq\""),
        key("max_partial", Kind::Integer(1, 10_000), "Partial matches of a key").or("16"),
        key("collapse", Kind::Table(&GUARD), "So many in so long are one episode")
            .like("{ count = 10, within = \"5m\" }"),
    ],
);

static SEQUENCE_STEP: Section = Section::of(
    "A step of a sequence",
    &[
        key("name", Kind::Name, "What it is called").required().like("\"start\""),
        key("where", Kind::Condition, "Which events it means").required().like("'text =~ \"started\"'"),
    ],
);

static MISSING: Section = Section::of(
    "Something did not follow: `where` is what it has to follow",
    &[
        key("expect", Kind::Condition, "What is expected").required().like("'text =~ \"^settled\"'"),
        within("Within how long"),
        key("skew", SPAN, "It may be this much earlier: clocks of two hosts differ").or("\"2s\""),
        key(
            "pairing",
            Kind::Word(&["each", "first", "latest"]),
            "Several before it: each needs one of its own, the first counts, or the latest",
        )
        .or("\"each\""),
        key("ttl", WINDOW, "An episode ends after this long when it never came").or("\"24h\""),
        key("max_pending", Kind::Integer(1, 100_000_000), "How many are waited for").or("1000000"),
    ],
);

static RATIO: Section = Section::of(
    "A share of events. One of `above` and `below` says when it matters",
    &[
        key("of", Kind::Condition, "The part of the events of `where` that is counted")
            .required()
            .like("'level >= error'"),
        within("In how long"),
        key("min_events", COUNT, "At least this many events of `where`").or("20"),
        key("above", Kind::Share, "More than this share").like("\"5%\""),
        key("below", Kind::Share, "Less than this share").like("0.9"),
        key("clear", Kind::Share, "Closed when the share is less than this, or with `below` more; where it is not set, a fifth of the way back")
            .like("0.04"),
        key(
            "confidence",
            Kind::Number(0.5, 0.9999),
            "The bound of Wilson's interval at this confidence counts in place of the share itself",
        )
        .like("0.95"),
    ],
);

static SESSION: Section = Section::of(
    "Events of a key until a pause; fires at its end when all of the conditions that are set hold",
    &[
        key("gap", WINDOW, "The pause that ends it").required().like("\"10m\""),
        key("max_length", WINDOW, "The longest it may be").or("\"24h\""),
        key("more_than", Kind::Integer(0, 1_000_000_000), "More events than this").like("100"),
        key("fewer_than", COUNT, "Fewer events than this").like("3"),
        key("longer_than", SPAN, "Longer than this").like("\"1h\""),
        key("shorter_than", WINDOW, "Shorter than this").like("\"5s\""),
        key("has", Kind::Condition, "Such an event was in it").like("'level >= error'"),
        key("lacks", Kind::Condition, "No such event was in it").like("'text =~ \"committed\"'"),
        key("ended_without", Kind::Condition, "The last event was not such").like("'text =~ \"closed\"'"),
    ],
);

static METRIC: Section = Section::of(
    "A figure over the values of a field. One of `above` and `below` says when it matters",
    &[
        key("measure", Kind::Measure, "What is computed").required().like("\"p95(vars.took)\""),
        within("In how long"),
        key("above", FIGURE, "More than this").like("250"),
        key("below", FIGURE, "Less than this").like("1"),
        key("clear", FIGURE, "Closed when the figure is less than this, or with `below` more; where it is not set, a fifth of the way back")
            .like("200"),
        key("min_values", COUNT, "At least this many values").or("1"),
    ],
);

static COMPOSITE: Section = Section::of(
    "Several counts in one window",
    &[
        key("conditions", Kind::Tables(&COUNTED), "What is counted")
            .required()
            .like("[{ name = \"timeout\", where = 'text =~ \"timed out\"', count = 3 }]"),
        within("In how long"),
        key("at_least", COUNT, "How many of the conditions have to hold; all where it is not set").like("2"),
        key("order", Kind::Pattern, "The names of the conditions in the order of their first events, with blanks between them, have to match this")
            .like("\"^connect .*timeout\""),
    ],
);

static COUNTED: Section = Section::of(
    "One condition of a composite",
    &[
        key("name", Kind::Name, "What it is called").required().like("\"timeout\""),
        key("where", Kind::Condition, "Which events it counts").required().like("'text =~ \"timed out\"'"),
        key("count", COUNT, "How many are needed").or("1"),
        key(
            "clear",
            COUNT,
            "The episode closes when fewer than this are left; half of `count` where it is not set",
        )
        .like("1"),
    ],
);

static TEST: Section = Section::of(
    "Events, and what the rule says to them",
    &[
        key("name", Kind::Text, "What it shows").required().like("\"fires on the 20th, once\""),
        key("events", Kind::Tables(&TEST_EVENT), "What happens")
            .required()
            .like("[{ at = \"0s\", repeat = 25, every = \"10s\", service = \"pay\", level = \"error\" }]"),
        key("expect", Kind::Tables(&EXPECTED), "What the rule says to it")
            .or("[]")
            .like("[{ at = \"190s\", open = { key = { merchant = \"m1\" } } }]"),
        key("expect_no_more", Kind::Bool, "Whether another beginning or end of an episode fails the test. It ends with the last event, or the last thing that is expected").or("true"),
    ],
);

static TEST_EVENT: Section = Section::of(
    "An event, or several that are alike",
    &[
        key("at", SPAN, "When, after the start of the test").or("\"0s\""),
        key("repeat", Kind::Integer(1, 1_000_000), "How many").or("1"),
        key("every", Kind::Duration(0, 31 * DAY), "How long between them").or("\"0s\"").like("\"10s\""),
        key("late", Kind::Duration(0, 31 * DAY), "How much later than its time it arrives")
            .or("\"0s\"")
            .like("\"45s\""),
        key("source", Kind::Text, "The name of its source").or("\"test\""),
        key("service", Kind::Text, "The program").like("\"pay\""),
        key("host", Kind::Text, "The machine").like("\"web-3\""),
        key("env", Kind::Text, "The environment").like("\"production\""),
        key("version", Kind::Text, "The release").like("\"1.42\""),
        key("trace", Kind::Text, "The request").like("\"4bf92f35\""),
        key(
            "level",
            Kind::Word(&["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            "The level",
        )
        .like("\"error\""),
        key("text", Kind::Text, "The message as printed").or("\"\"").like("\"payment declined\""),
        key(
            "template",
            Kind::Text,
            "The statement's text with `<*>` for what varies; the text where it is not set",
        )
        .like("\"payment <*>\""),
        key("message", Kind::Text, "The message's id; made of the template where it is not set")
            .like("\"000102030405060708090a0b0c0d0e0f\""),
        key("matched", Kind::Bool, "Whether a statement is known").or("true"),
        key("kind", Kind::Word(&["log", "stderr", "stdout", "fatal", "assert"]), "What sort of statement")
            .or("\"log\""),
        key("repo", Kind::Text, "The repository").or("\"test\""),
        key("file", Kind::Text, "The statement's file").like("\"src/pay.c\""),
        key("line", COUNT, "The statement's line").or("1"),
        key("function", Kind::Text, "The function around the statement").like("\"charge\""),
        key("target", Kind::Text, "The logger's target").like("\"pay::charge\""),
        key("owner", TEXTS, "Who answers for it").or("[]").like("[\"#payments\"]"),
        key("annotation", TEXTS, "Owners named in the comment behind the statement")
            .or("[]")
            .like("[\"#payments\"]"),
        key("author", Kind::Text, "Who wrote the line").like("\"ann@corp.example\""),
        key(
            "vars",
            Kind::Map(&Kind::Scalar),
            "Values in the message, by name; numbers and true or false may stand without quotes",
        )
        .or("{}")
        .like("{ merchant = \"m1\" }"),
        key("fields", Kind::Map(&Kind::Scalar), "Structured fields, by name").or("{}").like("{ code = 42 }"),
    ],
);

static EXPECTED: Section = Section::of(
    "What the rule says. One of `open`, `update` and `close`",
    &[
        key("at", SPAN, "When, after the start of the test").required().like("\"190s\""),
        key("open", Kind::Table(&EPISODE), "An episode opens").like("{ key = { merchant = \"m1\" } }"),
        key("update", Kind::Table(&EPISODE), "An episode goes on").like("{}"),
        key("close", Kind::Table(&EPISODE), "An episode ends").like("{ reason = \"cleared\" }"),
    ],
);

static EPISODE: Section = Section::of(
    "Which episode",
    &[
        key(
            "key",
            Kind::Map(&Kind::Scalar),
            "Values of the rule's key by the names of its fields; `merchant` does for `vars.merchant`",
        )
        .or("{}")
        .like("{ merchant = \"m1\" }"),
        key(
            "reason",
            Kind::Word(&["cleared", "instant", "arrived-late", "rebaselined", "forgotten", "evicted"]),
            "close: why it ended",
        )
        .like("\"cleared\""),
    ],
);
