//! HTTP requests in, router inputs out.
//!
//! [`serve`] listens on a thread of its own. `POST /v1/lines?source=NAME` takes lines, plain or as a JSON
//! object a line, and hands them in as a [`Request`]; it is answered when whoever took the request says what
//! became of it, through [`Done`]. A handler never touches the state: it puts an input in and waits.
//!
//! [`serve_api`] has the API beside it: what people and programs ask, what other systems send, and how Dice
//! does. It knows HTTP and shapes; the [`Desk`] knows how to carry things out. What changes something is an
//! [`Ask`], answered through its [`Reply`] after the commit; what only looks is a question of [`Views`].
//! [`managed`] is the pure half of the configuration that the API manages.
//!
//! Beside the API stand the pages, for people with a browser: HTML made on the server, without scripts. Whoever
//! types a token in gets a session; it opens the pages and not the API.
//!
//! Other answers are JSON; what grows has a bound: bodies, requests at once, connections, how often somebody may
//! ask, and how long each may take.

mod allowance;
mod api;
mod ask;
mod connection;
mod desk;
mod form;
mod gate;
mod json;
mod lines;
pub mod managed;
mod metrics;
mod page;
mod part;
mod problem;
mod request;
mod server;
mod settings;
mod time;
pub mod view;

pub use allowance::Allowance;
pub use api::openapi_text;
pub use ask::{Alerts, Ask, LogOut, NotTaken, Reply};
pub use desk::{
    Backtest, Desk, Found, Health, Letter, NotFound, Opened, Refused, Sender, Then, Turned, Views, Why,
};
pub use gate::{Key, Scope, Token};
pub use metrics::{Family, MetricKind, Sample};
pub use problem::Fault;
pub use request::{Done, Request};
pub use server::{ServeError, Server, serve, serve_api};
pub use settings::Settings;
pub use time::Time;
