//! Calls of the Web API, over connections that can end at any moment.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::workspace::Fault;
use super::{Shared, api};

/// A call.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) token: String,
    pub(super) is_json: bool,
    pub(super) arguments: Value,
}

pub(super) fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Some(call) = read(&mut input) {
        if answer(&call, &mut out, shared).is_none() {
            return;
        }
    }
}

fn read(input: &mut impl BufRead) -> Option<Call> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let method = line.split(' ').nth(1)?.rsplit('/').next()?.to_owned();
    let (mut length, mut token, mut is_json) = (0, String::new(), false);
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", value) => length = value.parse().ok()?,
            ("authorization", value) => token = value.trim_start_matches("Bearer ").to_owned(),
            ("content-type", value) => is_json = value.starts_with("application/json"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    let arguments = if is_json { serde_json::from_slice(&body).ok()? } else { form(&body) };
    Some(Call { method, token, is_json, arguments })
}

/// A form's fields as an object of texts.
fn form(body: &[u8]) -> Value {
    let mut fields = Map::new();
    for field in body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
        let mut parts = field.splitn(2, |byte| *byte == b'=').map(decode);
        let name = parts.next().unwrap_or_default();
        fields.insert(name, json!(parts.next().unwrap_or_default()));
    }
    Value::Object(fields)
}

fn decode(text: &[u8]) -> String {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (text[at], digits.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `None` when the connection ends.
fn answer(call: &Call, out: &mut TcpStream, shared: &Arc<Shared>) -> Option<()> {
    let fault = {
        let mut workspace = shared.lock();
        workspace.calls.push((call.method.clone(), call.arguments.clone()));
        workspace.faults.get_mut(&call.method).and_then(|faults| faults.pop_front()).unwrap_or(Fault::Nothing)
    };
    let code = |code: &str| json!({"ok": false, "error": code}).to_string();
    let before = match &fault {
        Fault::Code(named) => Some((200, String::new(), code(named))),
        Fault::Limited(wait_s) => Some((429, format!("Retry-After: {wait_s}\r\n"), code("ratelimited"))),
        Fault::Status(status) => Some((*status, String::new(), "down".to_owned())),
        Fault::Reset => return None,
        Fault::Hang => {
            hang(shared);
            return None;
        }
        _ => None,
    };
    let (status, headers, body) = match before {
        Some(answer) => answer,
        None => {
            let (status, headers, body) = api::call(call, &mut shared.lock());
            shared.changed.notify_all();
            match &fault {
                Fault::LoseAnswer => return None,
                Fault::HangAfter => {
                    hang(shared);
                    return None;
                }
                Fault::StatusAfter(status) => (*status, String::new(), "down".to_owned()),
                Fault::CodeAfter(named) => (200, String::new(), code(named)),
                Fault::Garbage => (200, String::new(), "<html>".to_owned()),
                Fault::BreakOff => {
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{{", body.to_string().len());
                    let _ = out.write_all(head.as_bytes());
                    return None;
                }
                _ => (status, headers, body.to_string()),
            }
        }
    };
    shared.changed.notify_all();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    // In one piece: two would wait for each other's acknowledgement.
    out.write_all((head + &body).as_bytes()).ok()
}

/// Until the workspace is no more.
fn hang(shared: &Shared) {
    while !shared.is_over() {
        thread::sleep(Duration::from_millis(20));
    }
}

/// A request to somebody else; gives the status and the body.
pub(super) fn post(url: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned());
    Some((status, body))
}
