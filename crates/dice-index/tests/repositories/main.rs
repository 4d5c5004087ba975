//! Whole repositories, made on the spot, from `.git` to catalog.

mod files;
mod places;
mod scratch;
