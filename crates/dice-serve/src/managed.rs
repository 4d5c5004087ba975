//! The configuration that the API manages: a TOML document that lies over the files, in versions.
//!
//! It has rules and routes, by id; those written in files are none of its business. This is the pure half:
//! what an edit makes of the document, and which version follows which. Whether the result is a configuration
//! is for the caller to say, and to keep the versions, a row each.

mod document;
mod versions;

pub(crate) use document::toml_of;
pub use document::{Document, Kind};
pub use versions::{Base, Change, ChangeRefused, Changed, Edit, Effect, Version, Versions};
