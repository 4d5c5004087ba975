//! The socket beside the state file, where operators' commands go while a router runs.
//!
//! A request is one line of JSON, a command as dice-route writes it; so is the answer. Only who may read the
//! state may use it: the socket has mode 0600.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Sender, bounded};
use dice_route::{Answer, Command};
use serde::{Deserialize, Serialize};

use super::service::Order;
use crate::Failure;

/// Bytes of a request or an answer.
const LIMIT_BYTES: u64 = 4 << 20;
/// How long a side waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests that are served at once; further ones wait.
const MAX_AT_ONCE: usize = 16;

/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// An answer on the wire.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    is_done: bool,
    text: String,
    body: serde_json::Value,
}

/// The socket of the state file.
pub(crate) fn path(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".sock");
    name.into()
}

/// A socket that is listened on. It goes when this does.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens beside `state`; whoever holds the state's lock may take the place of a socket that was left.
    pub(crate) fn listen(state: &Path, orders: Sender<Order>) -> Result<Socket> {
        let path = path(state);
        let failed = |error| {
            Failure::new(
                format!("wanted to listen on {}", path.display()),
                "check the folder's permissions, or choose another --state FILE",
            )
            .because(error)
        };
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error).into()),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (free, taken) = bounded::<()>(MAX_AT_ONCE);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // The system has no room for another connection: asking at once again would do nothing else.
                    std::thread::sleep(NO_ROOM);
                    continue;
                };
                if free.send(()).is_err() {
                    break;
                }
                let (orders, served) = (orders.clone(), taken.clone());
                let begun = std::thread::Builder::new().spawn(move || {
                    if let Err(error) = serve(&stream, &orders) {
                        tracing::debug!("an operator's request was not served: {error}");
                    }
                    let _ = served.recv();
                });
                if let Err(error) = begun {
                    // The connection is closed; whoever asked sees that and may ask again.
                    tracing::debug!("an operator's request was not served: {error}");
                    let _ = taken.recv();
                    std::thread::sleep(NO_ROOM);
                }
            }
        });
        Ok(Socket { path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(stream: &UnixStream, orders: &Sender<Order>) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LIMIT_BYTES)).read_line(&mut line)?;
    let answer = match serde_json::from_str::<Command>(&line) {
        Err(error) => refused(format!("wanted a command, found something else: {error}")),
        Ok(command) => {
            let (reply, answer) = bounded(1);
            orders.send(Order { command, reply })?;
            match answer.recv_timeout(PATIENCE) {
                Ok(answer) => answer,
                Err(_) => refused("the router did not commit the command in time; ask again".to_owned()),
            }
        }
    };
    let Answer { is_done, text, body } = answer;
    let mut out = serde_json::to_vec(&Reply { is_done, text, body })?;
    out.push(b'\n');
    let mut stream = stream;
    stream.write_all(&out)?;
    Ok(())
}

fn refused(text: String) -> Answer {
    Answer { is_done: false, text, body: serde_json::Value::Null }
}

/// Asks the router that runs on `state`; `None` when none does.
pub(crate) fn ask(state: &Path, command: &Command) -> Result<Option<Answer>> {
    let path = path(state);
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::new(
                format!("wanted to ask the router at {}", path.display()),
                "run this as the user that the router runs as",
            )
            .because(error)
            .into());
        }
    };
    let asked = || -> Result<Reply> {
        stream.set_read_timeout(Some(PATIENCE + PATIENCE))?;
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut reply = String::new();
        BufReader::new((&stream).take(LIMIT_BYTES)).read_line(&mut reply)?;
        Ok(serde_json::from_str(&reply)?)
    };
    let mut asked = asked;
    let Reply { is_done, text, body } = asked().map_err(|error| {
        Failure::new(
            "wanted an answer of the running router, found none",
            "look at its own log; the command may have been done: ask again, it is done only once",
        )
        .because(error)
    })?;
    Ok(Some(Answer { is_done, text, body }))
}
