//! What Slack's error codes mean for a notice.

use dice_route::{Outcome, Reach};

/// What an error code means for the notice that was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing will arrive until somebody acts; what to do.
    Denied(&'static str),
    /// This one will never arrive; what to do.
    Refused(&'static str),
    /// It did not arrive, and nothing would; not before so many milliseconds.
    Later(i64),
    /// This one did not arrive; not before so many milliseconds.
    Deferred(i64),
    /// Too many calls; where no time is named, so many milliseconds.
    Limited(i64, Reach),
    /// Parts of it may have been done.
    Ambiguous,
    /// The message that is changed or followed is gone: it is told as a new one.
    Anew,
    /// The message may not be changed any more: it is told in its thread.
    Thread,
    /// There is too much in it, or something that Slack does not take: it is told in fewer words.
    Shorter,
    /// What is called so is somebody or something else now: it is looked up once more.
    Lost(&'static str),
}

const TOKEN: &str = "install the app anew and give Dice its new token";
const APPROVAL: &str = "ask an administrator of the workspace to allow the app";
const SCOPE: &str = "add the missing scope and install the app anew: `dice slack doctor` names it";
const CHANNEL: &str = "invite the bot to the channel, or correct its name";
const INVITE: &str = "invite the bot to the channel";
const ARCHIVED: &str = "unarchive the channel, or name another one";
const RESTRICTED: &str = "allow the app to post there in the channel's settings";
const PERSON: &str = "correct the person's e-mail address under [people]";
const BUG: &str = "this is a mistake in Dice: please report it";

/// Every code that Slack documents for the methods Dice calls, and what it means.
///
/// Source: the method pages of docs.slack.dev. A code that is not here is refused.
pub const CODES: &[(&str, Meaning)] = &[
    // Who we are.
    ("access_denied", Meaning::Denied(APPROVAL)),
    ("accesslimited", Meaning::Denied(APPROVAL)),
    ("account_inactive", Meaning::Denied(TOKEN)),
    ("app_missing_action_url", Meaning::Refused(BUG)),
    ("ekm_access_denied", Meaning::Denied(APPROVAL)),
    ("enterprise_is_restricted", Meaning::Denied(APPROVAL)),
    ("invalid_auth", Meaning::Denied(TOKEN)),
    ("missing_scope", Meaning::Denied(SCOPE)),
    ("no_permission", Meaning::Denied(SCOPE)),
    ("not_allowed_token_type", Meaning::Denied("give Dice the bot's token, which begins with xoxb-")),
    ("not_authed", Meaning::Denied(TOKEN)),
    ("org_login_required", Meaning::Denied(APPROVAL)),
    ("team_access_not_granted", Meaning::Denied(APPROVAL)),
    ("team_not_found", Meaning::Denied(TOKEN)),
    ("token_expired", Meaning::Denied(TOKEN)),
    ("token_revoked", Meaning::Denied(TOKEN)),
    ("two_factor_setup_required", Meaning::Denied(APPROVAL)),
    // Where it goes.
    ("cannot_dm_bot", Meaning::Refused("name a person: bots read nothing")),
    ("channel_not_found", Meaning::Lost(CHANNEL)),
    ("channel_type_not_supported", Meaning::Refused(CHANNEL)),
    ("invalid_channel", Meaning::Lost(CHANNEL)),
    ("invalid_user_combination", Meaning::Refused(PERSON)),
    ("is_archived", Meaning::Lost(ARCHIVED)),
    ("is_inactive", Meaning::Refused("the conversation is frozen: name another channel")),
    ("is_user_deleted", Meaning::Refused(PERSON)),
    ("external_channel_migrating", Meaning::Deferred(60_000)),
    ("method_not_supported_for_channel_type", Meaning::Refused(CHANNEL)),
    ("messages_tab_disabled", Meaning::Refused("switch on the app's messages tab: the manifest does")),
    ("not_in_channel", Meaning::Refused(INVITE)),
    ("restricted_action", Meaning::Refused(RESTRICTED)),
    ("restricted_action_non_threadable_channel", Meaning::Anew),
    ("restricted_action_read_only_channel", Meaning::Refused(RESTRICTED)),
    ("restricted_action_thread_locked", Meaning::Anew),
    ("restricted_action_thread_only_channel", Meaning::Refused(RESTRICTED)),
    ("slack_connect_canvas_sharing_blocked", Meaning::Refused(RESTRICTED)),
    ("slack_connect_file_link_sharing_blocked", Meaning::Shorter),
    ("team_added_to_org", Meaning::Later(60_000)),
    ("user_disabled", Meaning::Refused(PERSON)),
    ("user_not_found", Meaning::Lost(PERSON)),
    ("user_not_visible", Meaning::Refused(PERSON)),
    ("users_list_not_supplied", Meaning::Refused(BUG)),
    ("users_not_found", Meaning::Refused(PERSON)),
    // What is changed or followed.
    ("cannot_reply_to_message", Meaning::Anew),
    ("cant_broadcast_message", Meaning::Thread),
    ("cant_update_message", Meaning::Thread),
    ("edit_window_closed", Meaning::Thread),
    ("is_inactive_message", Meaning::Anew),
    ("message_not_found", Meaning::Anew),
    ("thread_not_found", Meaning::Anew),
    ("update_failed", Meaning::Deferred(10_000)),
    // What it says.
    ("attachment_payload_limit_exceeded", Meaning::Shorter),
    ("block_mismatch", Meaning::Shorter),
    ("invalid_attachments", Meaning::Shorter),
    ("invalid_blocks", Meaning::Shorter),
    ("invalid_blocks_format", Meaning::Shorter),
    ("markdown_text_conflict", Meaning::Refused(BUG)),
    ("msg_blocks_too_long", Meaning::Shorter),
    ("msg_too_long", Meaning::Shorter),
    ("no_dual_broadcast_content_update", Meaning::Thread),
    ("no_text", Meaning::Refused(BUG)),
    ("too_many_attachments", Meaning::Shorter),
    ("too_many_contact_cards", Meaning::Shorter),
    ("invalid_metadata_format", Meaning::Refused(BUG)),
    ("invalid_metadata_schema", Meaning::Refused(BUG)),
    (
        "metadata_must_be_sent_from_app",
        Meaning::Denied("give Dice the token of an app's bot: it begins with xoxb-"),
    ),
    ("metadata_too_large", Meaning::Refused(BUG)),
    // How it was asked.
    ("as_user_not_supported", Meaning::Refused(BUG)),
    ("deprecated_endpoint", Meaning::Denied("Slack has withdrawn the method: upgrade Dice")),
    ("duplicate_channel_not_found", Meaning::Refused(BUG)),
    ("duplicate_message_not_found", Meaning::Refused(BUG)),
    ("invalid_arg_name", Meaning::Refused(BUG)),
    ("invalid_arguments", Meaning::Shorter),
    ("invalid_array_arg", Meaning::Refused(BUG)),
    ("invalid_charset", Meaning::Refused(BUG)),
    ("invalid_cursor", Meaning::Deferred(1_000)),
    ("invalid_form_data", Meaning::Refused(BUG)),
    ("invalid_json", Meaning::Refused(BUG)),
    ("invalid_post_type", Meaning::Refused(BUG)),
    ("invalid_ts_latest", Meaning::Refused(BUG)),
    ("invalid_ts_oldest", Meaning::Refused(BUG)),
    ("json_not_object", Meaning::Refused(BUG)),
    ("method_deprecated", Meaning::Denied("Slack has withdrawn the method: upgrade Dice")),
    ("missing_charset", Meaning::Refused(BUG)),
    ("missing_post_type", Meaning::Refused(BUG)),
    ("request_timeout", Meaning::Later(1_000)),
    ("unknown_method", Meaning::Denied("correct the address of Slack's API")),
    ("upgrade_required", Meaning::Denied("Slack has withdrawn the method: upgrade Dice")),
    // How much is asked.
    ("message_limit_exceeded", Meaning::Limited(60_000, Reach::Account)),
    ("rate_limited", Meaning::Limited(1_000, Reach::Destination)),
    ("ratelimited", Meaning::Limited(30_000, Reach::Kind)),
    // How Slack is.
    ("fatal_error", Meaning::Ambiguous),
    ("internal_error", Meaning::Ambiguous),
    ("service_unavailable", Meaning::Ambiguous),
];

/// What `code` means.
pub(super) fn meaning(code: &str) -> Meaning {
    let known = CODES.iter().find(|(known, _)| *known == code);
    known.map_or(Meaning::Refused("look the code up in Slack's documentation"), |(_, meaning)| *meaning)
}

impl Meaning {
    /// How a notice ended that met `code`, where nothing else was left to try.
    pub fn outcome(self, code: &str) -> Outcome {
        let says = |what: &str| format!("Slack says {code}: {what}");
        match self {
            Meaning::Denied(what) => Outcome::Denied(says(what)),
            Meaning::Refused(what) | Meaning::Lost(what) => Outcome::Refused(says(what)),
            Meaning::Later(wait_ms) => Outcome::Later(wait_ms, format!("Slack says {code}")),
            Meaning::Deferred(wait_ms) => Outcome::Deferred(wait_ms, format!("Slack says {code}")),
            Meaning::Limited(wait_ms, reach) => {
                Outcome::Limited(wait_ms, reach, format!("Slack says {code}"))
            }
            Meaning::Ambiguous => Outcome::Ambiguous(format!("Slack says {code}: parts may have been done")),
            Meaning::Anew => Outcome::Refused(says("the message it changes or follows is gone")),
            Meaning::Thread => Outcome::Refused(says("the message may not be changed")),
            Meaning::Shorter => Outcome::Refused(says("it was not taken in its shortest form either")),
        }
    }
}
