//! Ctrl-C: the first one ends the input, so that what was seen is still told; the second one ends Dice.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C only asks to stop.
///
/// In `tail -f app.log | dice route` it ends `tail` as well, and so the input.
pub(crate) fn ends_the_input() {
    let taken = ctrlc::set_handler(|| {
        if IS_ASKED.swap(true, Ordering::Relaxed) {
            // What a shell reports for a program that Ctrl-C has ended.
            std::process::exit(130);
        }
    });
    if let Err(error) = taken {
        tracing::debug!("Ctrl-C will end Dice at once: {error}");
    }
}

/// Whether somebody asked to stop.
pub(crate) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}
