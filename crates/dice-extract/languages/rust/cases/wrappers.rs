//! Macros of the repository.

macro_rules! critical {
    ($fmt:literal $(, $arg:expr)* $(,)?) => {{
        if cfg!(debug_assertions) {
            panic!($fmt $(, $arg)*);
        }
        tracing::error!(concat!("CRITICAL: ", $fmt, "\n{}") $(, $arg)*, backtrace());
    }};
}

macro_rules! audit {
    (quiet: $($arg:tt)*) => { log::debug!(target: "audit", $($arg)*) };
    ($user:expr; $($arg:tt)+) => { log::warn!(target: "audit", user = %$user, "{}", format_args!($($arg)+)) };
}

macro_rules! twice {
    ($($arg:tt)*) => {
        audit!(quiet: $($arg)*);
        $crate::outer!($($arg)*)
    };
}

macro_rules! step {
    ($name:ident, $body:block) => {
        debug!(concat!("begin ", stringify!($name)));
        $body
        debug!("a step ends");
    };
}

macro_rules! info {
    ($kind:expr) => {
        Kind::of($kind)
    };
}

macro_rules! id {
    ($text:literal) => {
        $text.parse().expect("a literal id")
    };
}

macro_rules! endless {
    ($($x:tt)*) => { error!("again"); endless!($($x)* $($x)*) };
}

fn uses(user: User) {
    critical!("disk {} gone", 1); // #storage
    audit!(quiet: "checked {}", 1);
    audit!(user; "changed {}", "everything");
    twice!("both {user}");
    step!(copy, {
        warn!("inside of a step");
    });
    info!("not a logger in this file");
    id!("17");
    endless!(a b);
}
