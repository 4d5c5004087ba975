//! Fixture repositories and recordings, for tests only.
//!
//! A fixture repository is a folder of `fixtures/repos` with one folder per commit; [`Fixture::build`] makes
//! a git repository of it whose commit ids are the same everywhere. A [`Recording`] is a log that a fixture
//! program really printed, with the statement that printed each line; a [`Score`] compares what Dice says of
//! it. [`fakes`] stand for the services that couriers talk to. A fixture that is wrong is a bug of the
//! test: everything here panics with what was wrong.

mod commit;
pub mod fakes;
mod fixture;
mod recording;
mod score;

pub use commit::{Commit, CommitDate};
pub use fixture::{Fixture, Made, fixtures_dir};
pub use recording::{Place, Recording, Truth, TruthKind};
pub use score::{Score, Wrong};
