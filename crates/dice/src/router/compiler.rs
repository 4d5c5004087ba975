//! Compiles catalogs beside the loop, so that lines go on being routed.

use std::path::PathBuf;
use std::thread;

use anyhow::Result;
use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::plan::Known;

/// Compiles catalogs on a thread of its own, one set at a time.
///
/// Nobody waits for the thread: where the process ends before, nothing of it is needed.
#[derive(Default)]
pub(super) struct Compiler {
    at_work: Option<Receiver<Result<Known>>>,
}

impl Compiler {
    /// Whether something is compiled now.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Begins to read and compile these; what was compiled before is not told any more.
    ///
    /// # Errors
    ///
    /// When the system has no room for a thread.
    pub(super) fn begin(&mut self, files: Vec<PathBuf>) -> Result<()> {
        let (to, done) = bounded(1);
        thread::Builder::new().name("compile".to_owned()).spawn(move || {
            // Nobody may want it any more.
            let _ = to.send(Known::read(&files));
        })?;
        self.at_work = Some(done);
        Ok(())
    }

    /// What was compiled, once.
    pub(super) fn done(&mut self) -> Option<Result<Known>> {
        let result = match self.at_work.as_ref()?.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(anyhow::anyhow!("compiling the catalogs failed")),
        };
        self.at_work = None;
        Some(result)
    }
}
