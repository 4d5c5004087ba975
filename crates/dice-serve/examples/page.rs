//! The pages with things to look at, for `cargo xtask browser` and for whoever changes a page.
//!
//! Listens on loopback, prints its address and runs until standard input ends. Its time stands still.

#![expect(clippy::print_stdout, reason = "whoever starts it reads the address")]

#[path = "page/demo.rs"]
mod demo;
#[path = "../tests/page/shelf.rs"]
mod shelf;

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use dice_serve::{Allowance, Request, Settings, serve_api};
use shelf::{Shelf, Shown};

fn main() -> Result<(), Box<dyn Error>> {
    let is_empty = std::env::args().any(|argument| argument == "--empty");
    let shown = if is_empty { nothing() } else { demo::shown() };
    let (out, _lines) = sync_channel::<Request>(1);
    let allowance = Allowance { burst: 10_000, per_minute: 10_000 };
    let settings = Settings { allowance, ..Settings::new(0, Vec::new()) };
    let server = serve_api(settings, out, Arc::new(Shelf::new(demo::NOW_MS, shown)))?;
    println!("http://{}", server.address());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    server.stop();
    Ok(())
}

/// A router that was just started.
fn nothing() -> Shown {
    Shown { health: demo::health(), ..Shown::default() }
}
