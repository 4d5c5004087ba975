//! Services as couriers meet them, on this machine: each speaks the real protocol, keeps what it was told,
//! checks it as strictly as the real one, and fails as it is told to.
//!
//! They run on threads of their own, so that a test needs no runtime for them, and end when they are dropped.

pub mod alertmanager;
pub mod http;
pub mod pagerduty;
pub mod slack;
pub mod smtp;
pub mod webhook;
