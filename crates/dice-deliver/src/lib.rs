//! Notices out: a courier for each way to reach people, one attempt in, one outcome out.
//!
//! A [`Courier`] takes a [`Parcel`], tries once, and says what became of it as a [`dice_route::Outcome`]. It
//! does not try again, does not wait for its turn and keeps no list: what is attempted when is decided in
//! dice-route, and whoever calls has committed the attempt before. Everything in a parcel that comes from a
//! log or a repository is data; each courier escapes it for where it goes.

pub mod alertmanager;
pub mod call;
mod courier;
pub mod email;
pub mod guard;
pub mod pagerduty;
mod parcel;
pub mod secrets;
mod signature;
pub mod slack;
pub mod webhook;
mod wording;

pub use courier::{Answer, Courier, Found};
pub use parcel::Parcel;
