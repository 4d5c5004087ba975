//! What a courier is given.

use dice_route::Intent;

/// One notice, with what a courier has to know beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The notice, for whom, and its name, which stays the same in every attempt. Of a notice that takes several
    /// messages these are the rows that have not been told; [`Intent::part`] says which message is next.
    pub intent: Intent,
    /// What the other side calls the first notice of the subject at this destination, which this one changes
    /// or follows, or the first message of this one; as a courier said in [`dice_route::Outcome::Delivered`] or
    /// [`dice_route::Outcome::Partly`].
    pub first: Option<String>,
    /// Now, milliseconds since 1970.
    pub now_ms: i64,
    /// When the first attempt began whose end is not known, milliseconds since 1970; where there is none, no
    /// attempt can have arrived.
    pub unsure_since_ms: Option<i64>,
    /// Whether an earlier attempt may have arrived and nobody can find out: the reader is told so.
    pub is_possible_repeat: bool,
}
