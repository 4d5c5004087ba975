//! Turns what rules say into notices, and keeps what people do about them.

#[allow(dead_code, reason = "plugged in with the manager")]
mod commands;
#[allow(dead_code, reason = "plugged in with the manager")]
mod on_call;
#[allow(dead_code, reason = "plugged in with the manager")]
mod overrides;
#[allow(dead_code, reason = "plugged in with the manager")]
mod roster;
#[allow(dead_code, reason = "plugged in with the manager")]
mod snoozes;
