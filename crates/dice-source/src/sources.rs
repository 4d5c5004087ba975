//! Sources that are read, each on a thread of its own.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use crate::file::Candidate;
use crate::files::Files;
use crate::outlet::{Outlet, Stop, Stopped};
use crate::pattern::Pattern;
use crate::watch::Wake;
use crate::{Arrival, Kind, Position, Settings, Transport, journal, stdin, syslog};

/// Bytes of a line that are ever kept.
const LIMIT_BYTES: usize = 64 << 20;

/// Tells the time: milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Sources that are read. Dropping it stops them too.
pub struct Sources {
    stop: Arc<Stop>,
    wakes: Vec<Arc<Wake>>,
    threads: Vec<JoinHandle<()>>,
    listening: Vec<(String, SocketAddr)>,
}

/// Starts to read `settings`, each source where its positions in `resume` say.
///
/// Arrivals go through `out`, as whatever the receiver takes them for. A full channel makes sources wait, and
/// with them who writes to them, as far as that is possible: a channel of 16 holds about 2 MiB, and
/// more only where single lines are longer than a block. When every source has ended, the channel closes.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::mpsc::sync_channel;
/// use std::time::UNIX_EPOCH;
///
/// use dice_source::{Arrival, Kind, Settings, start};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("app.log"), "disk sda is 93% full\n")?;
/// let paths = vec![format!("{}/*.log", folder.path().display())];
/// let files = Settings::new("app", Kind::Files { paths, follow: false });
/// let now_ms = || UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64);
///
/// let (sender, arrivals) = sync_channel::<Arrival>(16);
/// let sources = start(vec![files], Vec::new(), sender, Arc::new(now_ms))?;
/// for arrival in arrivals {
///     if let Arrival::Lines { block, position, .. } = arrival {
///         assert_eq!(block.get(0), Some(&b"disk sda is 93% full"[..]));
///         assert_eq!(position.offset, 21);
///     }
/// }
/// sources.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    let mut sources = Sources { stop, wakes: Vec::new(), threads: Vec::new(), listening: Vec::new() };
    let mut names = BTreeSet::new();
    let mut runs = Vec::new();
    for mut settings in settings {
        if !names.insert(settings.name.clone()) {
            return Err(StartError::new(format!("wanted one source called {}, found two", settings.name)));
        }
        settings.limit_bytes = settings.limit_bytes.clamp(1, LIMIT_BYTES);
        let outlet = outlet.of(&settings.name);
        let resume = resume.iter().filter(|position| position.source == settings.name).cloned().collect();
        runs.push(sources.prepare(settings, resume, outlet)?);
    }
    for run in runs {
        let thread = thread::Builder::new().name("source".to_owned()).spawn(move || {
            let (Ok(()) | Err(Stopped)) = run();
        });
        let thread = thread.map_err(|error| StartError::new("wanted a thread to read on").because(error))?;
        sources.threads.push(thread);
    }
    Ok(sources)
}

/// What a source's thread does until it has told everything, or nobody listens.
type Run = Box<dyn FnOnce() -> Result<(), Stopped> + Send>;

impl Sources {
    /// Looks at what can be wrong before anything is read.
    fn prepare(
        &mut self,
        settings: Settings,
        resume: Vec<Position>,
        outlet: Outlet,
    ) -> Result<Run, StartError> {
        Ok(match settings.kind.clone() {
            Kind::Stdin => {
                let position = resumed(&resume, &settings.name, stdin::NAME);
                Box::new(move || stdin::run(io::stdin(), &settings, position, &outlet))
            }
            Kind::Files { paths, follow } => {
                let patterns: Vec<_> =
                    paths.iter().map(|path| Pattern::new(path)).collect::<Result<_, _>>()?;
                if !follow {
                    for path in patterns.iter().filter_map(Pattern::plain) {
                        let wanted = || StartError::new(format!("wanted to read {}", path.display()));
                        let found = Candidate::open(&path).map_err(|error| wanted().because(error))?;
                        found.ok_or_else(|| wanted().because(io::ErrorKind::NotFound.into()))?;
                    }
                }
                let files = Files::new(settings, patterns, resume, outlet);
                self.wakes.push(files.wake());
                if follow { Box::new(|| files.follow()) } else { Box::new(|| files.read_once()) }
            }
            Kind::Syslog { listen, transport } => {
                self.syslog(listen, transport, settings, &resume, outlet)?
            }
            Kind::Journald { program, units } => {
                let position = resumed(&resume, &settings.name, journal::NAME);
                Box::new(move || journal::run(&program, &units, &settings, position, &outlet))
            }
        })
    }

    fn syslog(
        &mut self,
        listen: SocketAddr,
        transport: Transport,
        settings: Settings,
        resume: &[Position],
        outlet: Outlet,
    ) -> Result<Run, StartError> {
        let wanted = |error| StartError::new(format!("wanted to listen on {listen}")).because(error);
        let name = settings.name.clone();
        let (address, run): (_, Run) = match transport {
            Transport::Udp => {
                let position = resumed(resume, &name, &format!("udp {listen}"));
                let socket = syslog::bind_udp(listen).map_err(wanted)?;
                let address = socket.local_addr();
                (address, Box::new(move || syslog::receive(&socket, &settings, position, &outlet)))
            }
            Transport::Tcp { connections, idle_ms } => {
                let position = resumed(resume, &name, &format!("tcp {listen}"));
                let listener = TcpListener::bind(listen).map_err(wanted)?;
                listener.set_nonblocking(true).map_err(wanted)?;
                let address = listener.local_addr();
                let limits = (connections, idle_ms);
                (address, Box::new(move || syslog::accept(&listener, settings, limits, position, &outlet)))
            }
        };
        self.listening.push((name, address.map_err(wanted)?));
        Ok(run)
    }

    /// The addresses that are listened on, with the name of the source.
    pub fn listening(&self) -> &[(String, SocketAddr)] {
        &self.listening
    }

    /// Makes sources look at once at what they would look at in a while.
    pub fn wake(&self) {
        self.wakes.iter().for_each(|wake| wake.all());
    }

    /// Stops to read: after this nothing more is sent. What was told before is still in the channel.
    ///
    /// It takes much less than a second, whether or not somebody still empties the channel. Lines that were
    /// read and not yet sent are read again the next time, where that is possible.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.set();
        self.wake();
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
