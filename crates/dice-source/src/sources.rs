//! Sources that are read, each on a thread of its own.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use crate::outlet::{Outlet, Stop, Stopped};
use crate::{Arrival, Kind, Position, Settings, stdin};

/// Tells the time: milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Sources that are read. Dropping it stops them too.
pub struct Sources {
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
    listening: Vec<(String, SocketAddr)>,
}

/// Starts to read `settings`, each source where its positions in `resume` say.
///
/// Arrivals go through `out`, as whatever the receiver takes them for. A full channel makes sources wait, and
/// with them who writes to them, as far as that is possible: a channel of 16 holds about 16 MiB at most. When
/// every source has ended, the channel closes.
///
/// # Errors
///
/// When two sources have one name, a pattern of paths cannot be understood, an address cannot be listened on,
/// or a file to be read once is not there. Nothing is read then.
pub fn start<T>(
    settings: Vec<Settings>,
    resume: Vec<Position>,
    out: SyncSender<T>,
    clock: Clock,
) -> Result<Sources, StartError>
where
    T: From<Arrival> + Send + 'static,
{
    let stop = Arc::new(Stop::default());
    let outlet = Outlet::new(out, Arc::clone(&stop), clock);
    let mut sources = Sources { stop, threads: Vec::new(), listening: Vec::new() };
    for settings in settings {
        let outlet = outlet.of(&settings.name);
        let resume = resume.iter().filter(|position| position.source == settings.name).cloned().collect();
        sources.start_one(settings, resume, outlet)?;
    }
    Ok(sources)
}

impl Sources {
    fn start_one(
        &mut self,
        settings: Settings,
        resume: Vec<Position>,
        outlet: Outlet,
    ) -> Result<(), StartError> {
        match &settings.kind {
            Kind::Stdin => {
                let position = resumed(&resume, &settings.name, stdin::NAME);
                self.spawn(move || stdin::run(io::stdin(), &settings, position, &outlet))
            }
            Kind::Files { .. } | Kind::Syslog { .. } | Kind::Journald { .. } => {
                Err(StartError::new(format!("cannot read source {} yet", settings.name)))
            }
        }
    }

    fn spawn(
        &mut self,
        run: impl FnOnce() -> Result<(), Stopped> + Send + 'static,
    ) -> Result<(), StartError> {
        let thread = thread::Builder::new().name("source".to_owned());
        let thread = thread.spawn(move || {
            let (Ok(()) | Err(Stopped)) = run();
        });
        self.threads
            .push(thread.map_err(|error| StartError::new("wanted a thread to read on").because(error))?);
        Ok(())
    }

    /// The addresses that are listened on, with the name of the source.
    pub fn listening(&self) -> &[(String, SocketAddr)] {
        &self.listening
    }

    /// Makes sources look at once at what they would look at in a while.
    pub fn wake(&self) {}

    /// Stops to read: after this nothing more is sent. What was told before is still in the channel.
    ///
    /// It takes much less than a second, whether or not somebody still empties the channel. Lines that were
    /// read and not yet sent are read again the next time, where that is possible.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.set();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.end();
    }
}

/// The position from earlier of a source that has one partition, or its start.
fn resumed(resume: &[Position], source: &str, partition: &str) -> Position {
    let found = resume.iter().find(|position| position.partition == partition);
    found.cloned().unwrap_or_else(|| Position::start(source, partition))
}

/// Why sources could not be started.
#[derive(Debug)]
pub struct StartError {
    what: String,
    cause: Option<io::Error>,
}

impl StartError {
    pub(crate) fn new(what: impl Into<String>) -> StartError {
        StartError { what: what.into(), cause: None }
    }

    pub(crate) fn because(self, cause: io::Error) -> StartError {
        StartError { cause: Some(cause), ..self }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
