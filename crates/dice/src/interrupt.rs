//! Signals: Ctrl-C and SIGTERM end the input, so that what was seen is still told and kept; a second one ends
//! Dice. SIGHUP asks for the configuration to be read again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};

/// What a shell reports for a program that Ctrl-C has ended.
const ENDED: i32 = 130;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static RELOAD: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on the first Ctrl-C or SIGTERM only asks to stop.
///
/// In `tail -f app.log | dice route` Ctrl-C ends `tail` as well, and so the input.
pub(crate) fn ends_the_input() {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        // The order counts: the second one finds the flag set.
        let taken = signal_hook::flag::register_conditional_shutdown(signal, ENDED, Arc::clone(asked))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(asked)));
        if let Err(error) = taken {
            tracing::debug!("a signal will end Dice at once: {error}");
        }
    }
}

/// From now on SIGHUP asks for a reload.
pub(crate) fn asks_to_reload() {
    #[cfg(unix)]
    {
        let reload = RELOAD.get_or_init(Arc::default);
        if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(reload)) {
            tracing::debug!("SIGHUP will end Dice: {error}");
        }
    }
}

/// Whether somebody asked to stop.
pub(crate) fn is_asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}

/// Whether somebody asked for a reload since the last call.
pub(crate) fn takes_reload() -> bool {
    RELOAD.get().is_some_and(|reload| reload.swap(false, Ordering::Relaxed))
}
