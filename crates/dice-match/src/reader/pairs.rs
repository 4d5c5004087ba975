//! What the names of a structured line mean.

use std::borrow::Cow;

use dice_catalog::Level;

use super::cleaning::text;
use super::moment::{self, Clock};
use crate::Envelope;

/// A line has no more pairs than this; further ones are dropped.
pub(super) const MOST_PAIRS: usize = 256;

/// A value of a structured line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    /// A number, a truth value: as text.
    Plain(String),
    /// A text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl<'a> Value<'a> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Value::Text(text) => text.as_bytes(),
            Value::Plain(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
        }
    }

    fn into_text(self) -> Cow<'a, str> {
        match self {
            Value::Text(text) => text,
            Value::Plain(text) => text.into(),
            Value::Bytes(bytes) => text(&bytes).into_owned().into(),
        }
    }

    fn into_bytes(self) -> Cow<'a, [u8]> {
        match self {
            Value::Text(Cow::Borrowed(text)) => text.as_bytes().into(),
            Value::Text(Cow::Owned(text)) => text.into_bytes().into(),
            Value::Plain(text) => text.into_bytes().into(),
            Value::Bytes(bytes) => bytes.into(),
        }
    }
}

/// Names and values in the order of the line; nested names are joined with dots.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The message of a program.
    Message,
    /// A line that some program wrote to its output.
    Raw,
    Level,
    Time,
    Host,
    Service,
    Pid,
    Target,
    Function,
    File,
    Line,
    /// `file:line` in one.
    Place,
    MessageId,
}

const N_ROLES: usize = Role::MessageId as usize + 1;

/// What names mean, and how much each is preferred: where several have one role, the first row wins.
const ROLES: &[(&str, Role)] = &[
    ("message", Role::Message),
    ("msg", Role::Message),
    ("log", Role::Raw),
    ("short_message", Role::Message),
    ("MESSAGE", Role::Raw),
    ("body.stringValue", Role::Raw),
    ("body", Role::Raw),
    ("fields.message", Role::Message),
    ("event", Role::Message),
    ("@message", Role::Message),
    ("@m", Role::Message),
    ("Message", Role::Message),
    ("textPayload", Role::Raw),
    ("level", Role::Level),
    ("severity", Role::Level),
    ("severityText", Role::Level),
    ("severity_text", Role::Level),
    ("lvl", Role::Level),
    ("log.level", Role::Level),
    ("levelname", Role::Level),
    ("log_level", Role::Level),
    ("loglevel", Role::Level),
    ("s", Role::Level),
    ("@l", Role::Level),
    ("Level", Role::Level),
    ("PRIORITY", Role::Level),
    ("timestamp", Role::Time),
    ("@timestamp", Role::Time),
    ("time", Role::Time),
    ("ts", Role::Time),
    ("t", Role::Time),
    ("t.$date", Role::Time),
    ("ts.$date", Role::Time),
    ("date", Role::Time),
    ("datetime", Role::Time),
    ("asctime", Role::Time),
    ("@t", Role::Time),
    ("_SOURCE_REALTIME_TIMESTAMP", Role::Time),
    ("__REALTIME_TIMESTAMP", Role::Time),
    ("timeUnixNano", Role::Time),
    ("host", Role::Host),
    ("hostname", Role::Host),
    ("_HOSTNAME", Role::Host),
    ("host.name", Role::Host),
    ("host.hostname", Role::Host),
    ("kubernetes.pod_name", Role::Host),
    ("service.name", Role::Service),
    ("service", Role::Service),
    ("_service", Role::Service),
    ("app", Role::Service),
    ("application", Role::Service),
    ("kubernetes.container_name", Role::Service),
    ("container_name", Role::Service),
    ("CONTAINER_NAME", Role::Service),
    ("_SYSTEMD_UNIT", Role::Service),
    ("SYSLOG_IDENTIFIER", Role::Service),
    ("_COMM", Role::Service),
    ("pid", Role::Pid),
    ("_PID", Role::Pid),
    ("SYSLOG_PID", Role::Pid),
    ("process.pid", Role::Pid),
    ("process_id", Role::Pid),
    ("target", Role::Target),
    ("TARGET", Role::Target),
    ("logger", Role::Target),
    ("logger_name", Role::Target),
    ("loggerName", Role::Target),
    ("log.logger", Role::Target),
    ("module_path", Role::Target),
    ("module", Role::Target),
    ("component", Role::Target),
    ("c", Role::Target),
    ("function", Role::Function),
    ("func", Role::Function),
    ("funcName", Role::Function),
    ("source.function", Role::Function),
    ("src.func", Role::Function),
    ("sourceLocation.function", Role::Function),
    ("logging.googleapis.com/sourceLocation.function", Role::Function),
    ("log.origin.function", Role::Function),
    ("CODE_FUNC", Role::Function),
    ("filename", Role::File),
    ("pathname", Role::File),
    ("file", Role::File),
    ("_file", Role::File),
    ("source.file", Role::File),
    ("src.file", Role::File),
    ("sourceLocation.file", Role::File),
    ("logging.googleapis.com/sourceLocation.file", Role::File),
    ("log.origin.file.name", Role::File),
    ("CODE_FILE", Role::File),
    ("line_number", Role::Line),
    ("lineno", Role::Line),
    ("line", Role::Line),
    ("_line", Role::Line),
    ("source.line", Role::Line),
    ("src.line", Role::Line),
    ("sourceLocation.line", Role::Line),
    ("logging.googleapis.com/sourceLocation.line", Role::Line),
    ("log.origin.file.line", Role::Line),
    ("CODE_LINE", Role::Line),
    ("caller", Role::Place),
    ("source", Role::Place),
    ("location", Role::Place),
    ("MESSAGE_ID", Role::MessageId),
    ("msg_id", Role::MessageId),
];

/// The envelope that pairs make; `None` when there is no message among them.
///
/// Says too whether the message is a line in its own right, with a header of its own perhaps.
pub(super) fn envelope<'a>(mut pairs: Pairs<'a>, clock: &mut Clock) -> Option<(Envelope<'a>, bool)> {
    let has = |name: &str| pairs.iter().any(|(known, _)| known == name);
    // MongoDB and journald use single letters and capitals; elsewhere those names may mean anything.
    let is_mongodb = has("t.$date") && has("ctx");
    let is_docker = has("stream") && has("log") && has("time");
    let is_shipped = has("source_type") || has("kubernetes.container_name");
    let is_bunyan = has("name") && has("hostname") && has("v");
    let mut best = [(usize::MAX, usize::MAX); N_ROLES];
    for (index, (name, value)) in pairs.iter().enumerate() {
        let Some(rank) = ROLES.iter().position(|(known, _)| known == name) else { continue };
        let role = ROLES[rank].1;
        let fits = match role {
            Role::Line => number(value).is_some(),
            Role::Place => place(value.as_bytes()).is_some(),
            Role::Message | Role::Raw => !matches!(value, Value::Plain(_)),
            Role::Level => level(name, value).is_some() || !matches!(&**name, "s" | "c"),
            _ => !matches!(&**name, "c" | "s") || is_mongodb,
        };
        // Roles of a message compete with each other.
        let place = if role == Role::Raw { Role::Message } else { role } as usize;
        if fits && rank < best[place].0 {
            best[place] = (rank, index);
        }
    }
    let index_of = |role: Role| Some(best[role as usize].1).filter(|index| *index < usize::MAX);
    let message = index_of(Role::Message)?;
    let mut envelope = Envelope { format: Some("json"), ..Envelope::default() };
    let is_raw = ROLES[best[Role::Message as usize].0].1 == Role::Raw || is_shipped;
    // A file without a line is the log's own.
    let has_line = index_of(Role::Line).is_some();
    let mut used = vec![message];
    let mut take = |index: Option<usize>| {
        let index = index?;
        used.push(index);
        Some(std::mem::replace(&mut pairs[index].1, Value::Plain(String::new())))
    };
    if let Some(index) = index_of(Role::Level) {
        let name = ROLES[best[Role::Level as usize].0].0;
        envelope.level = take(Some(index)).and_then(|value| level(name, &value));
    }
    envelope.time = take(index_of(Role::Time)).and_then(|value| time(value.as_bytes(), clock));
    envelope.host = take(index_of(Role::Host)).map(Value::into_text);
    envelope.service = take(index_of(Role::Service)).map(Value::into_text);
    envelope.pid = take(index_of(Role::Pid)).map(Value::into_text);
    envelope.target = take(index_of(Role::Target)).map(Value::into_text);
    envelope.function = take(index_of(Role::Function)).map(Value::into_text);
    envelope.message_id = take(index_of(Role::MessageId)).map(Value::into_text);
    if has_line {
        envelope.line = take(index_of(Role::Line)).and_then(|value| number(&value));
        envelope.file = take(index_of(Role::File)).map(Value::into_text);
    } else if let Some(value) = take(index_of(Role::Place))
        && let Some((file, line)) = place(value.as_bytes())
    {
        envelope.file = Some(text(file).into_owned().into());
        envelope.line = Some(line);
    }
    let body = take(Some(message))?;
    let mut body = body.into_bytes();
    let ends_whole = body.ends_with(b"\n");
    while body.ends_with(b"\n") || body.ends_with(b"\r") {
        body = shortened(body);
    }
    envelope.message = body;
    envelope.is_partial = is_docker && !is_shipped && !ends_whole;
    envelope.format = Some(match &*pairs[message].0 {
        "MESSAGE" => "journald",
        "log" if is_docker => "docker",
        _ => "json",
    });
    used.sort_unstable();
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if used.binary_search(&index).is_ok() {
            continue;
        }
        match &*name {
            // Bunyan's `name` is the program; Python's and others' is the logger.
            "name" if is_bunyan && envelope.service.is_none() => envelope.service = Some(value.into_text()),
            "name" if envelope.target.is_none() => envelope.target = Some(value.into_text()),
            "id" if is_mongodb => envelope.message_id = Some(value.into_text()),
            _ => {
                let name = match name {
                    Cow::Borrowed(name) => Cow::Borrowed(inner_name(name)),
                    Cow::Owned(name) => Cow::Owned(inner_name(&name).to_owned()),
                };
                envelope.fields.push((name, value.into_text()));
            }
        }
    }
    Some((envelope, is_raw))
}

/// A name without the container that only says that it is a field.
fn inner_name(name: &str) -> &str {
    ["fields.", "attr.", "attrs."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

fn shortened(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..text.len() - 1]),
        Cow::Owned(mut text) => {
            text.pop();
            Cow::Owned(text)
        }
    }
}

fn number(value: &Value<'_>) -> Option<u32> {
    std::str::from_utf8(value.as_bytes()).ok()?.parse().ok()
}

/// Splits `srv/main.go:31`; a function may come before or after it.
fn place(text: &[u8]) -> Option<(&[u8], u32)> {
    let colon = memchr::memrchr(b':', text)?;
    let (file, line) = (&text[..colon], &text[colon + 1..]);
    let line = std::str::from_utf8(line).ok()?.parse().ok()?;
    (!file.is_empty() && file.len() < 1024 && file.contains(&b'.')).then_some((file, line))
}

fn level(name: &str, value: &Value<'_>) -> Option<Level> {
    let written = value.as_bytes();
    if !written.iter().all(u8::is_ascii_digit) {
        return super::level(written);
    }
    let number = number(value)?;
    if name == "PRIORITY" || number < 8 {
        return Level::from_syslog(u8::try_from(number).ok()?);
    }
    // Bunyan and pino.
    Some(match number {
        ..=14 => Level::Trace,
        15..=24 => Level::Debug,
        25..=34 => Level::Info,
        35..=44 => Level::Warning,
        45..=54 => Level::Error,
        55..=99 => Level::Critical,
        _ => return None,
    })
}

fn time(written: &[u8], clock: &mut Clock) -> Option<jiff::Timestamp> {
    if let Some((_, written)) = moment::scan(written) {
        return clock.moment(&written);
    }
    moment::since_epoch(written)
}
