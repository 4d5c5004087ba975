//! What the Linux kernel adds to C's format strings.

use dice_catalog::HoleKind;

/// The format without the level that `KERN_ERR` and its like put before it.
pub(super) fn without_level(mut text: &[u8]) -> &[u8] {
    while let [1, b'0'..=b'7' | b'c' | b'd', rest @ ..] = text {
        text = rest;
    }
    text
}

/// What `%p` followed by `after` prints, and how many bytes of `after` belong to it.
///
/// All letters and digits do, whether they are known or not: so says the kernel's own formatter.
pub(super) fn pointer(after: &[u8]) -> (HoleKind, usize) {
    let word = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let kind = match &after[..word] {
        b"" | b"K" => HoleKind::Pointer,
        b"x" | b"a" | b"ap" | b"ad" => HoleKind::Hex,
        _ => HoleKind::Text,
    };
    (kind, word)
}
