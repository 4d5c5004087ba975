//! HTTP requests in, router inputs out.
//!
//! [`serve`] listens on a thread of its own. `POST /v1/lines?source=NAME` takes lines, plain or as a JSON
//! object a line, and hands them in as a [`Request`]; it is answered when whoever took the request says what
//! became of it, through [`Done`]. A handler never touches the state: it puts an input in and waits.
//!
//! Answers are JSON, errors `{"error": …, "hint": …}`. What grows has a bound: bodies, requests at once,
//! connections, and how long each may take.

mod connection;
mod lines;
mod refusal;
mod request;
mod server;
mod settings;

pub use request::{Done, Request};
pub use server::{ServeError, Server, serve};
pub use settings::{Settings, Token};
