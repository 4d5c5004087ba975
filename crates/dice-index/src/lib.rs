//! Repositories in, a catalog out.
//!
//! [`index`] opens each repository, reads its files at a commit or from the working tree, extracts their
//! statements in parallel, asks git who wrote them and decides who owns them. Only this crate knows git.

mod authors;
mod commit;
mod config;
mod index;
mod owners;
mod report;
mod repository;

pub use commit::{commit_summary, trust_object_hashes};
pub use config::{Config, ConfigError};
pub use index::{IndexError, Indexed, Options, Request, index};
pub use report::{LeftOut, Report};
