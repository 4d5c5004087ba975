//! Civil time: working days, holidays, hours.

/// Working days, hours and holidays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar;

/// Times of a week or year.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeInterval;
