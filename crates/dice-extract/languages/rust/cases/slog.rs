//! `slog`: the logger first, keys after a semicolon.

use slog::{info, o, slog_error};

fn serve(&self, logger: &Logger) {
    info!(logger, "started"; "port" => 80, "host" => %self.host);
    crit!(self.ctx.logger, "limit {} reached", 3; "at" => ?now);
    slog_error!(log, #"net", "tagged"; o!("a" => 1, "b" => 2));
    warn!(self.logger(), "{}", reason);
    debug!(logger, "kv"; kv);
}
