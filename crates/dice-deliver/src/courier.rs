//! What every way to reach people has in common.

use std::future::Future;
use std::pin::Pin;

use dice_route::{Outcome, Part};

use crate::Parcel;

/// What a courier will answer.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Brings notices to one account of one provider.
pub trait Courier: Send + Sync {
    /// Tries once to deliver the parcel, and says what became of it.
    ///
    /// Ends within the courier's own deadline. [`Outcome::Ambiguous`] whenever a byte of the request's body
    /// may have reached the other side and no answer tells what it did with it.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome>;

    /// Looks whether an earlier attempt to deliver the parcel has arrived. Changes nothing.
    fn find<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Found>;
}

/// What looking for an earlier attempt showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there, and the other side calls it so.
    There(String),
    /// The part of it is there that the parcel is about.
    Part(Part),
    /// It is not there, although it would be seen.
    Absent,
    /// This could not be looked up now: as with an attempt that ended so, which changed nothing.
    Failed(Outcome),
    /// The other side lets nobody look, and why.
    Unknowable(String),
}
