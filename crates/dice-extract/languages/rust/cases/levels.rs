//! Macros of `log` and `tracing`: levels, targets, fields, messages. A comment is not a call: info!("no")

use log::{Level, debug, error, info};
use tracing::{event, info as note};

const ROOT: &str = "storage";

fn levels(disk: &Disk, free: u64) {
    error!("disk {} is full", disk.name);
    log::warn!("disk {name:?} has {free:>8} bytes left, {0:.1}%", disk.percent());
    tracing::info! { "braces" }
    debug!["brackets {}", 1u8];
    trace!(r#"raw "{}" \n"#, disk);
    note!("renamed");
    log!(Level::Warn, "level first: {disk}");
    log::log!(target: "audit", Level::Error, "target and level");
    log!(free, "a level that is a variable");
    event!(tracing::Level::INFO, size = free, "an event");
    warn_once!("told {} times", 1);
    parse_error!("not a logger's name");
    if !(disk.is_full) && x != ("y") {}
}

fn targets(path: &str) {
    info!(target: "disk::io", "literal target");
    info!(target: ROOT, "constant target");
    info!(target: path, "target of a variable");
    error!(parent: &span, name: "x", "parent and name are not printed");
}

fn fields(peer: Peer, e: Error) {
    info!(peer, "bare");
    info!(%peer, ?e, size = 1, io.kind = %e.kind(), "shorthands and dots");
    info!(%peer.addr, "a path");
    debug!(?e);
    debug!(count = 3, "key with blanks" = 1);
    warn!({ peer, depth = 2 }, "a group {}", 1);
    info!(message = "as a field", peer);
    info!(message = %e, peer);
    info!(a = 1, b:? = e, c:err = e; "kv of log {}", 2);
    error!(e; "one key");
    info!("fillers {x} {}", y, x = 3.len());
}

fn messages(items: &[u8], ok: bool) {
    info!(
        // On the next line.
        "several \
         lines, {} items",
        items.len()
    );
    info!("two\nlines\n");
    info!(concat!("joined ", "of {}", " parts"), items.len());
    info!("{}", format!("nested {}", ok));
    info!("{}", if ok { "yes" } else { "no" });
    info!("state {}: {}", match ok { true => "up", false => "down" }, ROOT);
    info!("{:?} {:?}", "quoted", ROOT);
    info!("kinds {} {} {} {:x} {} {}", 1, items[0] as i64, items.len(), 255, true, std::process::id());
    info!("{}", ok);
    info!("{{literal}} {}", a.len() > b.len());
    let text = format!("said {}", items.len());
    info!("{text}");
    let text = other();
    info!("{text}");
    error!(build());
    info!("%s stays, <*> too");
}

mod inner {
    pub mod deep {
        fn path() {
            info!("in a module");
        }
    }
    struct S;
    impl S {
        fn method(&self) -> impl Fn(u8) -> u8 {
            |x| {
                info!("in a closure");
                x
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn logs_too() {
        info!("in a test");
    }
}
