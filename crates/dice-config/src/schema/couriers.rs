//! The sections of `router.toml` about how notices leave.

use super::{Kind, MINUTE, RECIPIENTS, SECOND, SPAN, Section, TEXTS, Variants, key};

/// Names of environment variables.
const NAMES: Kind = Kind::List(&Kind::Name);

pub(super) static WORKSPACE: Section = Section::of(
    "A Slack workspace. Secrets are named here and never written",
    &[
        key("token_env", Kind::Name, "The environment variable with the bot's token, `xoxb-…`")
            .required()
            .like("\"SLACK_TOKEN\""),
        key(
            "mode",
            Kind::Word(&["socket", "http"]),
            "How what people press comes back: over a connection that Dice opens, or to its own address",
        )
        .or("\"socket\""),
        key(
            "app_token_env",
            Kind::Name,
            "The environment variable with the app's token, `xapp-…`, for the mode `socket`; without it there \
             are no buttons",
        )
        .like("\"SLACK_APP_TOKEN\""),
        key(
            "signing_secret_env",
            Kind::Name,
            "The environment variable with the secret that Slack signs with, for the mode `http`",
        )
        .like("\"SLACK_SIGNING_SECRET\""),
        key("url", Kind::Text, "The address of the API").or("\"https://slack.com/api\""),
    ],
);

pub(super) static MAIL: Section = Section::of(
    "How mail is sent. Secrets are named here and never written",
    &[
        key("from", Kind::Text, "The sender").required().like("\"dice@corp.example\""),
        key("smtp", Kind::Text, "The server and its port").required().like("\"mail.corp.example:587\""),
        key(
            "tls",
            Kind::Word(&["starttls", "tls", "none"]),
            "How the connection is made safe; `none` is for a server on this machine",
        )
        .or("\"starttls\""),
        key(
            "ca_file",
            Kind::Text,
            "A file with certificates (PEM) that are trusted beside those of the system: the server's own, or \
             those of who signed it. Its path starts at the folder of this file",
        )
        .like("\"corp-ca.pem\""),
        key("user", Kind::Text, "The name to log in with").like("\"dice\""),
        key("password_env", Kind::Name, "The environment variable with the password")
            .like("\"SMTP_PASSWORD\""),
        key(
            "unsubscribe",
            Kind::Text,
            "Where readers reach `/unsubscribe` of this router, with https: digests get a link by which one click ends them",
        )
        .like("\"https://dice.corp.example/unsubscribe\""),
        key(
            "unsubscribe_secret_env",
            Kind::Name,
            "The environment variable with the secret that those links are signed with, 16 bytes or more",
        )
        .like("\"UNSUBSCRIBE_SECRET\""),
    ],
);

pub(super) static RECEIVER: Section = Section {
    doc: "A destination with a name. Secrets are named here and never written",
    keys: &[],
    variants: Some(Variants {
        key: "courier",
        doc: "How it is reached",
        of: &[
            ("terminal", &TERMINAL),
            ("slack", &SLACK),
            ("pagerduty", &PAGERDUTY),
            ("email", &EMAIL),
            ("webhook", &WEBHOOK),
            ("alertmanager", &ALERTMANAGER),
        ],
    }),
};

static TERMINAL: Section = Section::of("Printed where the router runs", &[]);

static SLACK: Section = Section::of(
    "A channel; of another Slack workspace where it has a token of its own. What is not set is as in `slack`",
    &[
        key("channel", Kind::Text, "The channel that this receiver means").like("\"#ops\""),
        key("token_env", Kind::Name, "The environment variable with the bot's token").like("\"SLACK_TOKEN\""),
        key("app_token_env", Kind::Name, "The environment variable with the app's token, for buttons")
            .like("\"SLACK_APP_TOKEN\""),
        key("url", Kind::Text, "The address of the API").like("\"https://slack.com/api\""),
    ],
);

static PAGERDUTY: Section = Section::of(
    "A PagerDuty service",
    &[
        key("routing_key_env", Kind::Name, "The environment variable with the integration's key")
            .required()
            .like("\"PAGERDUTY_KEY\""),
        key("region", Kind::Word(&["us", "eu"]), "Where the service is").or("\"us\""),
        key("url", Kind::Text, "The address of the events API, where it is not the region's")
            .like("\"https://events.eu.pagerduty.com/v2/enqueue\""),
        key(
            "fallback_key_env",
            Kind::Name,
            "The environment variable with the key of a second service, for pages that this one does not take \
             in time",
        )
        .like("\"PAGERDUTY_KEY_2\""),
        key("fallback_region", Kind::Word(&["us", "eu"]), "Where the second service is; as the first where it is not set")
            .like("\"eu\""),
        key(
            "webhook_secret_env",
            NAMES,
            "The environment variables with the secrets that PagerDuty signs with what happens there, the \
             newest first",
        )
        .like("[\"PAGERDUTY_WEBHOOK_SECRET\"]"),
        key("pages", Kind::Text, PAGES).like("\"https://dice.corp.example\""),
    ],
);

/// What alerts elsewhere link to.
const PAGES: &str =
    "Where readers reach Dice's own pages, which alerts link to; `server.url` where it is not set";

static EMAIL: Section = Section::of(
    "A mailbox. What is not set is as in `email`",
    &[
        key("to", TEXTS, "Addresses").required().like("[\"ops@corp.example\"]"),
        key("from", Kind::Text, "The sender").like("\"dice@corp.example\""),
        key("smtp", Kind::Text, "The server and its port").like("\"mail.corp.example:587\""),
        key("tls", Kind::Word(&["starttls", "tls", "none"]), "How the connection is made safe")
            .like("\"tls\""),
        key("ca_file", Kind::Text, "A file with certificates (PEM) that are trusted as well")
            .like("\"corp-ca.pem\""),
        key("user", Kind::Text, "The name to log in with").like("\"dice\""),
        key("password_env", Kind::Name, "The environment variable with the password")
            .like("\"SMTP_PASSWORD\""),
    ],
);

static WEBHOOK: Section = Section::of(
    "An address that notices are posted to",
    &[
        key("url", Kind::Text, "The address").required().like("\"https://hooks.corp.example/dice\""),
        key(
            "secret_env",
            NAMES,
            "The environment variables with the keys that posts are signed with; while a key is replaced, the \
             new one and the old",
        )
        .like("[\"HOOK_SECRET\", \"HOOK_SECRET_OLD\"]"),
        key("allow_private", Kind::Bool, "Whether the address may be one of a private network").or("false"),
    ],
);

static ALERTMANAGER: Section = Section::of(
    "An Alertmanager",
    &[
        key("url", Kind::Text, "Its address").required().like("\"http://127.0.0.1:9093\""),
        key("user", Kind::Text, "The name to log in with").like("\"dice\""),
        key("password_env", Kind::Name, "The environment variable with the password")
            .like("\"ALERTMANAGER_PASSWORD\""),
        key("token_env", Kind::Name, "The environment variable with a bearer token")
            .like("\"ALERTMANAGER_TOKEN\""),
        key(
            "lifetime",
            Kind::Duration(30 * SECOND, super::DAY),
            "An alert there ends after this long unless it is posted again, which is done three times as often \
             as long as it is open",
        )
        .or("\"5m\""),
        key("pages", Kind::Text, PAGES).like("\"https://dice.corp.example\""),
    ],
);

pub(super) static DISPATCH: Section = Section::of(
    "How notices leave",
    &[
        key("deadline", DEADLINE, "How long a call to Slack or PagerDuty may take").or("\"8s\""),
        key("email_deadline", DEADLINE, "How long the delivery of a mail may take").or("\"30s\""),
        key("webhook_deadline", DEADLINE, "How long a call to a webhook or an Alertmanager may take")
            .or("\"15s\""),
        key(
            "ttl",
            Kind::Table(&TTL),
            "A notice that cannot be delivered for this long is given up, and somebody is told",
        )
        .or("{}"),
        key("fallback_after", Kind::Duration(SECOND, 60 * MINUTE), "A page that nobody took for this long is told otherwise as well")
            .or("\"60s\""),
        key(
            "fallback",
            RECIPIENTS,
            "Whom such a page is told to, after the second key of its paging service; `ownership.triage` where \
             there is none",
        )
        .or("[]")
        .like("[\"#ops\", \"ops@corp.example\"]"),
        key(
            "park",
            SPAN,
            "A notice that may have arrived, where nobody can find out, is told again after this long; a page at \
             once",
        )
        .or("\"10m\""),
    ],
);

const DEADLINE: Kind = Kind::Duration(SECOND, 5 * MINUTE);
const WORTH: Kind = Kind::Duration(MINUTE, 30 * super::DAY);

static TTL: Section = Section::of(
    "How long notices are worth telling, by lane; while they are held, no time passes",
    &[
        key("page", WORTH, "Somebody is woken").or("\"24h\""),
        key("immediate", WORTH, "Annotated messages").or("\"6h\""),
        key("alert", WORTH, "Episodes of rules").or("\"6h\""),
        key("digest", WORTH, "Once a day").or("\"36h\""),
    ],
);

pub(super) static MASKING: Section = Section::of(
    "What of a log does not leave the machine. What looks like a secret never does",
    &[key("emails", Kind::Bool, "Whether the names in e-mail addresses are masked too").or("false")],
);
