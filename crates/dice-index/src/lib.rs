//! Repositories in, a catalog out.
//!
//! [`index`] opens each repository, reads its files at a commit or from the working tree, extracts their
//! statements in parallel, asks git who wrote them and decides who owns them. Only this crate knows git.

mod attributes;
mod authors;
mod codeowners;
mod commit;
mod committed;
mod config;
mod credits;
mod files;
mod generated;
mod identity;
mod ignore_revs;
mod index;
mod mailmap;
mod module;
mod owners;
mod pattern;
mod remote;
mod report;
mod repository;
mod said;
mod sources;

pub use commit::{commit_summary, trust_object_hashes};
pub use config::{Config, ConfigError, IndexConfig, Names, OwnersConfig, OwnersRule};
pub use index::{IndexError, Indexed, Options, Request, index};
pub use report::{LeftOut, Report};
