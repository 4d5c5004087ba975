//! Socket Mode: what the workspace tells of its own accord.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, accept};

use super::{FakeSlack, Shared};

pub(super) fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(mut socket) = accept(stream) else { return };
    if socket.get_ref().set_read_timeout(Some(Duration::from_millis(10))).is_err() {
        return;
    }
    let (tell, told) = channel();
    let id = {
        let mut workspace = shared.lock();
        let id = workspace.next_socket;
        workspace.next_socket += 1;
        let _ = tell.send(json!({"type": "hello", "num_connections": 1}).to_string());
        workspace.sockets.push((id, tell));
        id
    };
    shared.changed.notify_all();
    while !shared.is_over() {
        match told.try_recv() {
            Ok(frame) if frame.is_empty() => break,
            Ok(frame) => {
                if socket.send(Message::text(frame)).is_err() {
                    break;
                }
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => break,
        }
        match socket.read() {
            Ok(Message::Text(text)) => {
                let answer: Value = serde_json::from_str(&text).unwrap_or_default();
                if let Some(envelope) = answer["envelope_id"].as_str() {
                    shared.lock().acks.insert(envelope.to_owned());
                    shared.changed.notify_all();
                }
            }
            Ok(Message::Close(_)) => break,
            Ok(_) => {}
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = socket.close(None);
    let _ = socket.flush();
    shared.lock().sockets.retain(|(known, _)| *known != id);
    shared.changed.notify_all();
}

impl FakeSlack {
    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.lock().sockets.len()
    }

    /// How many there have been.
    pub fn connections_so_far(&self) -> u64 {
        self.lock().next_socket - 1
    }

    /// Tells of something over the newest connection; gives the envelope's id. `kind` is `interactive` or
    /// `events_api`.
    pub fn tell(&self, kind: &str, payload: &Value) -> String {
        let mut workspace = self.lock();
        let envelope = format!("envelope-{}", workspace.next_envelope);
        workspace.next_envelope += 1;
        let frame = json!({
            "envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": false,
        });
        if let Some((_, newest)) = workspace.sockets.last() {
            let _ = newest.send(frame.to_string());
        }
        envelope
    }

    /// Announces to all open connections that they will be closed, with a reason such as `refresh_requested`.
    pub fn announce_end(&self, reason: &str) {
        let frame = json!({"type": "disconnect", "reason": reason}).to_string();
        self.lock().sockets.iter().for_each(|(_, socket)| drop(socket.send(frame.clone())));
    }

    /// Closes the oldest connection.
    pub fn close_oldest(&self) {
        if let Some((_, oldest)) = self.lock().sockets.first() {
            let _ = oldest.send(String::new());
        }
    }

    /// Whether an envelope was acknowledged.
    pub fn is_acked(&self, envelope: &str) -> bool {
        self.lock().acks.contains(envelope)
    }
}
