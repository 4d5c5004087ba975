//! A stream whose reads nothing can wake, read on a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use memchr::memchr;

use crate::block::BLOCK_BYTES;
use crate::outlet::{Feed, Stopped};
use crate::{Block, Position, Settings};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Milliseconds without bytes after which it is looked at what else there is to do.
const WAIT_MS: u64 = 50;

/// How lines are made of a stream.
pub(crate) struct Reading<F> {
    /// Whether the end of the stream, or a second without bytes, ends a line too.
    pub(crate) is_rest_told: bool,
    /// Milliseconds without bytes after which the stream counts as caught up.
    pub(crate) quiet_ms: u64,
    /// Sees each block before it is told, and writes into the position what it finds.
    pub(crate) after: F,
}

/// Bytes of a stream as they come.
pub(crate) struct Pump {
    chunks: Receiver<io::Result<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    /// Starts reading. At most three chunks are read ahead.
    pub(crate) fn start(mut input: impl Read + Send + 'static) -> Pump {
        let (sender, chunks) = sync_channel(2);
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; CHUNK_BYTES];
            loop {
                let chunk = match input.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) => Ok(buffer[..n].to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_over = chunk.is_err();
                if sender.send(chunk).is_err() || is_over {
                    return;
                }
            }
        });
        Pump { chunks, thread: Some(thread) }
    }

    /// Tells the lines of the stream until its end, and gives what ended it early.
    pub(crate) fn run(
        &mut self,
        feed: &mut Feed,
        settings: &Settings,
        reading: Reading<impl Fn(&Block, &mut Position)>,
    ) -> Result<Option<io::Error>, Stopped> {
        let mut rest = Vec::new();
        let mut changed_ms = feed.outlet.now_ms();
        let mut checked_ms = changed_ms;
        let tell = |feed: &mut Feed, rest: &mut Vec<u8>, is_all: bool| {
            let cut = Block::cut(std::mem::take(rest), feed.position.within, settings.limit_bytes, is_all);
            *rest = cut.rest;
            feed.position.offset += cut.used as u64;
            feed.position.within = cut.within;
            if cut.used == 0 {
                return Ok(());
            }
            (reading.after)(&cut.block, &mut feed.position);
            feed.lines(cut.block)
        };
        loop {
            match self.chunks.recv_timeout(Duration::from_millis(WAIT_MS)) {
                Ok(Ok(chunk)) => {
                    let is_line = memchr(b'\n', &chunk).is_some();
                    rest.extend_from_slice(&chunk);
                    changed_ms = feed.outlet.now_ms();
                    // A line that comes in many pieces is looked at once, not each time.
                    if !is_line && rest.len() <= settings.limit_bytes && feed.position.within.is_none() {
                        feed.outlet.stop.check()?;
                        continue;
                    }
                    let mut error = None;
                    while error.is_none() && rest.len() < BLOCK_BYTES {
                        match self.chunks.try_recv() {
                            Ok(Ok(chunk)) => rest.extend_from_slice(&chunk),
                            Ok(Err(found)) => error = Some(found),
                            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                        }
                    }
                    tell(feed, &mut rest, error.is_some() && reading.is_rest_told)?;
                    if error.is_some() {
                        return Ok(error);
                    }
                }
                Ok(Err(error)) => {
                    tell(feed, &mut rest, reading.is_rest_told)?;
                    return Ok(Some(error));
                }
                Err(RecvTimeoutError::Timeout) => {
                    feed.outlet.stop.check()?;
                    let now_ms = feed.outlet.now_ms();
                    let quiet_ms = now_ms.abs_diff(changed_ms);
                    if reading.is_rest_told && !rest.is_empty() && quiet_ms >= settings.partial_ms {
                        tell(feed, &mut rest, true)?;
                    }
                    if rest.is_empty() && quiet_ms >= reading.quiet_ms {
                        feed.caught_up(now_ms)?;
                    }
                    if now_ms.abs_diff(checked_ms) >= settings.poll_ms {
                        checked_ms = now_ms;
                        feed.outlet.checked(now_ms)?;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    tell(feed, &mut rest, reading.is_rest_told)?;
                    return Ok(None);
                }
            }
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // Nothing wakes a read: who still waits for bytes is left behind and ends with the program.
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}
