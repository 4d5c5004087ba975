//! Slack: notices as messages that are changed in place, buttons, presence, and what is wrong with the setup.
//!
//! [`Slack`] is one workspace as one bot sees it and is the courier. A notice is a message with the intent's
//! name in its metadata, so that a lost answer can be looked up in the channel's history. What people press
//! comes back as a [`Click`], by a signed request ([`Signature`]) or over a [`Socket`] that needs no open port;
//! a click says what is meant, the router decides, [`Slack::respond`] shows the answer. Nothing here keeps
//! anything on disk: what is worth keeping is [`Remembered`].

mod account;
mod block;
mod button;
mod click;
mod client;
mod code;
mod courier;
mod digest;
mod directory;
mod doctor;
mod form;
mod layout;
mod limits;
mod manifest;
mod message;
mod modal;
mod presence;
mod reference;
mod respond;
mod search;
mod sheet;
mod signature;
mod socket;
mod text;
mod token;

pub use account::{Settings, Slack};
pub use button::{Deed, Seal, Ticket};
pub use click::{Click, Happening, NotUnderstood, Wish};
pub use code::{CODES, Meaning};
pub use directory::Remembered;
pub use doctor::{Finding, Wanted};
pub use limits::{Excess, MAX_BLOCKS, MAX_TEXT, MAX_TOTAL, check};
pub use manifest::{SCOPES, manifest};
pub use message::{Message, Rung, compose};
pub use presence::{Plan, Rota};
pub use reference::Reference;
pub use signature::{Rejected, Replays, Signature};
pub use socket::{Committed, Incoming, Socket, Standing};
pub use token::Token;
