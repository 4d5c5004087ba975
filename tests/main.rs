//! Runs `dice` as a user would: the real program, its output and its exit code.

mod catalogs;
mod errors;
mod founding;
mod index;
mod program;
mod readme;
mod recordings;
mod route;
mod setup;
mod who;
