//! The nouns that indexing and routing share, and the file that carries them.
//!
//! A [`Catalog`] is a header and a list of [`Entry`]: one log statement each, with its
//! [`Template`], its author and its owners. The file is JSON Lines and byte-for-byte
//! reproducible. No disk, no network, no git and no clock: callers bring bytes.

mod catalog;
mod entry;
mod fingerprint;
mod kind;
mod level;
mod line;
mod owner;
mod template;

pub use catalog::{Catalog, CatalogError, History, Repo, VERSION};
pub use entry::{Author, AuthorMissing, Entry, Statement};
pub use fingerprint::Fingerprint;
pub use kind::Kind;
pub use level::Level;
pub use line::LineNo;
pub use owner::{Owner, OwnerKind, Why};
pub use template::{Hole, HoleKind, Pad, Part, Template};
