//! A notice as a mail.

use std::time::{Duration, UNIX_EPOCH};

use dice_route::{Intent, Lane, NoticeKind, Severity};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::{EmailSettings, page};
use crate::{Parcel, wording};

const MAX_SUBJECT: usize = 200;

/// The last moment that a date can tell, milliseconds since 1970: years have four digits.
const MAX_DATE_MS: i64 = 253_402_300_799_000;

/// A mail, ready to be sent.
pub(super) struct Letter {
    pub(super) bytes: Vec<u8>,
    id: String,
    subject: String,
}

impl Letter {
    /// What the mail is called from now on: its id, and its subject, which those that follow keep. In further
    /// lines who did not get it, and why.
    pub(super) fn reference(&self, left_out: &[String]) -> String {
        let mut reference = format!("{} {}", self.id, self.subject);
        for why in left_out {
            reference.push('\n');
            reference.push_str(why);
        }
        reference
    }
}

/// The subject that a reference tells.
pub fn subject_of(reference: &str) -> Option<&str> {
    let line = reference.lines().next()?;
    let (id, subject) = line.split_once("> ")?;
    (id.starts_with('<') && !subject.is_empty()).then_some(subject)
}

/// Writes the mail. It is the same, byte for byte, in every attempt.
pub(super) fn letter(
    settings: &EmailSettings,
    from: &Mailbox,
    to: &[Mailbox],
    parcel: &Parcel,
) -> Result<Letter, String> {
    let intent = &parcel.intent;
    let id = message_id(&intent.id, &settings.domain);
    let first =
        parcel.first.as_deref().and_then(subject_of).map(|subject| wording::one_line(subject, MAX_SUBJECT));
    let (subject, line) = match (first, &intent.follows) {
        (Some(first), _) => (first.clone(), format!("Re: {first}")),
        (None, _) => {
            let subject = subject(intent);
            (subject.clone(), subject)
        }
    };
    let written_ms = intent.created_ms.clamp(0, MAX_DATE_MS);
    let date = UNIX_EPOCH + Duration::from_millis(written_ms.unsigned_abs());
    let mut builder = Message::builder().from(from.clone()).date(date).subject(line);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    let mut headers = vec![
        ("Message-ID", id.clone()),
        ("X-Dice-Intent", intent.id.clone()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
    ];
    // One root for all about a subject, whoever of them arrives: readers' programs sort by it.
    let root =
        message_id(&format!("about-{}", dice_route::name(&[intent.subject.as_bytes()])), &settings.domain);
    match &intent.follows {
        Some(first) => {
            let first = message_id(first, &settings.domain);
            headers.push(("In-Reply-To", first.clone()));
            headers.push(("References", format!("{root} {first}")));
        }
        None => headers.push(("References", root)),
    }
    if intent.lane == Lane::Page {
        headers.push(("Importance", "high".to_owned()));
        headers.push(("X-Priority", "1".to_owned()));
    }
    let mut leave = None;
    if intent.lane == Lane::Digest || intent.kind == NoticeKind::Digest {
        headers.push(("Precedence", "bulk".to_owned()));
        headers.push(("List-Id", format!("<digest.{}>", settings.domain)));
        if let (Some(unsubscribe), [one]) = (&settings.unsubscribe, to) {
            let url = unsubscribe.url_for(one.email.as_ref());
            headers.push(("List-Unsubscribe", format!("<{url}>")));
            headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
            leave = Some(url);
        }
    }
    for (name, value) in headers {
        builder = builder.raw_header(header(name, &value));
    }
    let boundary = format!("dice-{}", dice_route::name(&[b"boundary", intent.id.as_bytes()]));
    let text = page::text(parcel, leave.as_deref());
    let page = page::html(parcel, leave.as_deref());
    let parts = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(page));
    let message = builder.multipart(parts).map_err(|err| format!("no mail can be made of it: {err}"))?;
    Ok(Letter { bytes: message.formatted(), id, subject })
}

fn subject(intent: &Intent) -> String {
    let notice = &intent.notice;
    let mut title = wording::one_line(&notice.title, MAX_SUBJECT);
    if title.is_empty() {
        title = "A notice without a title".to_owned();
    }
    let mark = match notice.severity {
        Severity::Critical => "[critical] ",
        Severity::High => "[high] ",
        _ => "",
    };
    // Filters find it by this.
    format!("[dice] {mark}{title}")
}

/// `<name@domain>`, with what has no place in it left out.
fn message_id(name: &str, domain: &str) -> String {
    let is_plain = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match is_plain {
        true => format!("<{name}@{domain}>"),
        false => format!("<{}@{domain}>", dice_route::name(&[name.as_bytes()])),
    }
}

/// The header in one line: what comes from a log would otherwise write further ones.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    // Ids and addresses are not to be folded or encoded: programs read them.
    if value.is_ascii() {
        return HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value);
    }
    HeaderValue::new(name, value)
}

/// Whether it can stand behind the `@` of an id.
pub(super) fn is_domain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && !text.starts_with(['.', '-'])
        && !text.ends_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}
