//! `router.toml` and `rules/*.toml` in, a checked configuration out.
//!
//! Everything that is wrong is told at once, each thing at its line and column. No disk, no clock, no
//! environment: the caller reads files and says what the catalog holds.

mod case;
mod check;
mod courier;
mod definition;
mod example;
mod load;
mod names;
mod people;
mod problem;
mod route;
mod rule;
pub mod schema;
mod server;
mod source;
mod text;
mod value;
mod variable;

pub use case::{Case, CaseEvent, Expected, ExpectedChange};
pub use definition::{Definition, DefinitionKind, MANAGED};
pub use example::example;
pub use load::{Files, Given, Loaded, Texts, load};
pub use problem::{Problem, Problems};
pub use server::{KeySettings, ServerSettings};
pub use source::{SourceKind, SourceSettings, Transport};
pub use variable::is_showable_variable;
