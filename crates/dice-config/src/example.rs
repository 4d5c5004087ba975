//! A configuration to start from.

/// A commented `router.toml` that is valid as it is.
pub fn example() -> &'static str {
    include_str!("example.toml")
}
