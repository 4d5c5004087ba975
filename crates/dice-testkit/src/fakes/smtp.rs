//! A mail server: STARTTLS or TLS from the start, a login, strict about order and form, and it fails at any
//! step as it is told to. Source: RFC 5321, RFC 3207, RFC 4954.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How a connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It never is.
    Open,
    /// By STARTTLS, before which nothing else is taken.
    StartTls,
    /// From its beginning.
    Tls,
}

/// A place in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The greeting.
    Connect,
    /// `EHLO`.
    Ehlo,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`.
    Data,
    /// The end of the mail.
    Body,
}

/// What happens at a step instead of what should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This is answered: code and text.
    Answer(u16, String),
    /// The connection ends. At [`Step::Body`] the mail is lost.
    Lost,
    /// At [`Step::Body`]: the mail is taken, and the connection ends without an answer.
    Unheard,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who it is from, by the envelope.
    pub from: String,
    /// Who it is for, by the envelope.
    pub to: Vec<String>,
    /// Head and body, with line ends as they came and dots as they were meant.
    pub text: String,
    /// Whether nobody could read along.
    pub is_secured: bool,
    /// Who sent it, by the login.
    pub user: Option<String>,
}

impl Mail {
    /// The value of a header, with its folded lines as one; `None` where it is not there.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut found: Option<String> = None;
        for line in self.head().split("\r\n") {
            match (&mut found, line.split_once(':')) {
                (Some(value), _) if line.starts_with([' ', '\t']) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (Some(_), _) => break,
                (None, Some((known, value))) if known.eq_ignore_ascii_case(name) => {
                    found = Some(value.trim().to_owned());
                }
                (None, _) => {}
            }
        }
        found
    }

    /// The names of all headers, in order.
    pub fn names(&self) -> Vec<&str> {
        let lines = self.head().split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split(':').next().unwrap_or_default()).collect()
    }

    fn head(&self) -> &str {
        self.text.split("\r\n\r\n").next().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct State {
    faults: BTreeMap<Step, VecDeque<Fault>>,
    refused: BTreeMap<String, (u16, String)>,
    mails: Vec<Mail>,
    broken: Vec<String>,
    is_without_starttls: bool,
}

/// A running mail server.
#[derive(Debug)]
pub struct Smtp {
    /// The certificate it shows, as PEM: who trusts it can connect by the name `localhost`.
    pub certificate_pem: String,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Smtp {
    /// Starts one on a free port of this machine; with `login` only this user with this password may send.
    pub fn start(security: Security, login: Option<(&str, &str)>) -> Smtp {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("the names are names");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("key and certificate belong together");
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let house = Arc::new(House {
            security,
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            tls: Arc::new(tls),
            state: Arc::clone(&state),
        });
        let is_stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let house = Arc::clone(&house);
                std::thread::spawn(move || {
                    // A client that goes away is no trouble of the server's.
                    let _ = house.open(stream);
                });
            }
        });
        Smtp { certificate_pem: made.cert.pem(), address, state, stop }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next time this step is reached it goes so; after those that are scripted already.
    pub fn fail(&self, step: Step, fault: Fault) {
        self.state().faults.entry(step).or_default().push_back(fault);
    }

    /// This recipient is answered so from now on.
    pub fn refuse(&self, address: &str, code: u16, text: &str) {
        self.state().refused.insert(address.to_owned(), (code, text.to_owned()));
    }

    /// It no longer offers STARTTLS.
    pub fn hide_starttls(&self) {
        self.state().is_without_starttls = true;
    }

    /// The mails that were taken, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }

    /// What clients did that the protocol does not allow.
    pub fn broken(&self) -> Vec<String> {
        self.state().broken.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

struct House {
    security: Security,
    login: Option<(String, String)>,
    tls: Arc<ServerConfig>,
    state: Arc<Mutex<State>>,
}

/// How a conversation goes on.
enum Next {
    Secure,
    End,
}

#[derive(Default)]
struct Talk {
    is_secured: bool,
    user: Option<String>,
    has_greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl House {
    fn open(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut talk = Talk { is_secured: self.security == Security::Tls, ..Talk::default() };
        if self.security == Security::Tls {
            let mut stream = self.secured(stream)?;
            return self.talk(&mut stream, &mut talk, true).map(|_| ());
        }
        let mut plain = stream;
        match self.talk(&mut plain, &mut talk, true)? {
            Next::End => Ok(()),
            Next::Secure => {
                let mut stream = self.secured(plain)?;
                let mut talk = Talk { is_secured: true, ..Talk::default() };
                self.talk(&mut stream, &mut talk, false).map(|_| ())
            }
        }
    }

    fn secured(&self, stream: TcpStream) -> std::io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }

    fn fault(&self, step: Step) -> Option<Fault> {
        self.state().faults.get_mut(&step).and_then(VecDeque::pop_front)
    }

    fn complain(&self, what: &str) {
        self.state().broken.push(what.to_owned());
    }

    fn talk(&self, wire: &mut dyn Wire, talk: &mut Talk, is_new: bool) -> std::io::Result<Next> {
        if is_new {
            match self.fault(Step::Connect) {
                None => say(wire, 220, "fake ESMTP")?,
                Some(Fault::Answer(code, text)) => say(wire, code, &text)?,
                Some(_) => return Ok(Next::End),
            }
        }
        loop {
            let Some(line) = self.line(wire)? else { return Ok(Next::End) };
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let step = match verb.as_str() {
                "EHLO" => Step::Ehlo,
                "STARTTLS" => Step::StartTls,
                "AUTH" => Step::Auth,
                "MAIL" => Step::Mail,
                "RCPT" => Step::Rcpt,
                "DATA" => Step::Data,
                "QUIT" => {
                    say(wire, 221, "bye")?;
                    return Ok(Next::End);
                }
                "RSET" | "NOOP" => {
                    (talk.from, talk.to) = (None, Vec::new());
                    say(wire, 250, "ok")?;
                    continue;
                }
                _ => {
                    self.complain(&format!("unknown: {line}"));
                    say(wire, 500, "unknown")?;
                    continue;
                }
            };
            match self.fault(step) {
                None => {}
                Some(Fault::Answer(code, text)) => {
                    say(wire, code, &text)?;
                    continue;
                }
                Some(_) => return Ok(Next::End),
            }
            if step == Step::StartTls && self.security == Security::StartTls && !talk.is_secured {
                say(wire, 220, "go on")?;
                return Ok(Next::Secure);
            }
            if step == Step::Data && self.may(talk, step).is_none() {
                if !self.data(wire, talk)? {
                    return Ok(Next::End);
                }
                continue;
            }
            let (code, text) = match self.may(talk, step) {
                Some(refusal) => refusal,
                None => self.answer(wire, talk, step, &line)?,
            };
            if step == Step::Ehlo && code == 250 {
                self.offer(wire, talk)?;
            } else {
                say(wire, code, &text)?;
            }
        }
    }

    /// Why a step may not be taken now.
    fn may(&self, talk: &Talk, step: Step) -> Option<(u16, String)> {
        let refuse = |code: u16, text: &str| Some((code, text.to_owned()));
        let must_secure = self.security == Security::StartTls && !talk.is_secured;
        match step {
            Step::Ehlo | Step::Connect | Step::Body => None,
            _ if !talk.has_greeted => refuse(503, "say EHLO first"),
            Step::StartTls => refuse(503, "not now"),
            _ if must_secure => refuse(530, "5.7.0 must issue a STARTTLS command first"),
            Step::Auth => None,
            _ if self.login.is_some() && talk.user.is_none() => refuse(530, "5.7.0 authentication required"),
            Step::Mail if talk.from.is_some() => refuse(503, "nested MAIL"),
            Step::Rcpt if talk.from.is_none() => refuse(503, "say MAIL first"),
            Step::Data if talk.to.is_empty() => refuse(554, "no valid recipients"),
            _ => None,
        }
    }

    fn offer(&self, wire: &mut dyn Wire, talk: &Talk) -> std::io::Result<()> {
        let has_starttls =
            self.security == Security::StartTls && !talk.is_secured && !self.state().is_without_starttls;
        let mut lines = vec!["fake", "SIZE 10485760"];
        if has_starttls {
            lines.push("STARTTLS");
        }
        if self.login.is_some() && (talk.is_secured || self.security == Security::Open) {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let sign = if at == last { ' ' } else { '-' };
            write!(wire, "250{sign}{line}\r\n")?;
        }
        wire.flush()
    }

    fn answer(
        &self,
        wire: &mut dyn Wire,
        talk: &mut Talk,
        step: Step,
        line: &str,
    ) -> std::io::Result<(u16, String)> {
        let answer = |code: u16, text: &str| Ok((code, text.to_owned()));
        match step {
            Step::Ehlo => {
                talk.has_greeted = true;
                answer(250, "fake")
            }
            Step::Auth => {
                let given = match line.split(' ').collect::<Vec<&str>>().as_slice() {
                    [_, "PLAIN", initial] => plain(initial),
                    [_, "PLAIN"] => {
                        say(wire, 334, "")?;
                        plain(&self.line(wire)?.unwrap_or_default())
                    }
                    [_, "LOGIN", ..] => {
                        say(wire, 334, "VXNlcm5hbWU6")?;
                        let user = decoded(&self.line(wire)?.unwrap_or_default());
                        say(wire, 334, "UGFzc3dvcmQ6")?;
                        let password = decoded(&self.line(wire)?.unwrap_or_default());
                        user.zip(password)
                    }
                    _ => None,
                };
                if given.is_some() && given == self.login {
                    talk.user = given.map(|(user, _)| user);
                    return answer(235, "2.7.0 authenticated");
                }
                answer(535, "5.7.8 authentication credentials invalid")
            }
            Step::Mail => match path(line, "MAIL FROM:") {
                Some(from) => {
                    talk.from = Some(from);
                    answer(250, "ok")
                }
                None => answer(501, "no address"),
            },
            Step::Rcpt => {
                let Some(to) = path(line, "RCPT TO:").filter(|to| to.contains('@')) else {
                    return answer(501, "no address");
                };
                if let Some((code, text)) = self.state().refused.get(&to) {
                    return answer(*code, text);
                }
                talk.to.push(to);
                answer(250, "ok")
            }
            _ => answer(503, "not now"),
        }
    }

    /// Takes the mail itself; false when the connection ends.
    fn data(&self, wire: &mut dyn Wire, talk: &mut Talk) -> std::io::Result<bool> {
        say(wire, 354, "go on")?;
        let mut bytes = Vec::new();
        loop {
            let Some(line) = raw_line(wire)? else { return Ok(false) };
            if line == b".\r\n" {
                break;
            }
            if !line.ends_with(b"\r\n") || line.len() > 1000 {
                self.complain("a line of a mail that is too long, or has no proper end");
            }
            bytes.extend_from_slice(if line.starts_with(b".") { &line[1..] } else { &line });
        }
        if !bytes.is_ascii() {
            self.complain("bytes beyond ASCII that were not agreed on");
        }
        let mail = Mail {
            from: talk.from.take().unwrap_or_default(),
            to: std::mem::take(&mut talk.to),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            is_secured: talk.is_secured,
            user: talk.user.clone(),
        };
        match self.fault(Step::Body) {
            None => {
                self.state().mails.push(mail);
                say(wire, 250, "2.0.0 ok: queued")?;
                Ok(true)
            }
            Some(Fault::Answer(code, text)) => {
                say(wire, code, &text)?;
                Ok(true)
            }
            Some(Fault::Unheard) => {
                self.state().mails.push(mail);
                Ok(false)
            }
            Some(Fault::Lost) => Ok(false),
        }
    }

    /// A line of the conversation without its end; `None` at the end of the connection.
    fn line(&self, wire: &mut dyn Wire) -> std::io::Result<Option<String>> {
        let Some(line) = raw_line(wire)? else { return Ok(None) };
        if !line.ends_with(b"\r\n") || line.len() > 512 {
            self.complain("a command that is too long, or has no proper end");
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }
}

/// One line with its end, byte by byte: what follows it may be for somebody else (TLS).
fn raw_line(wire: &mut dyn Wire) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match wire.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => line.push(byte[0]),
            Err(err) if err.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(err) => return Err(err),
        }
        if byte[0] == b'\n' {
            return Ok(Some(line));
        }
    }
}

fn say(wire: &mut dyn Wire, code: u16, text: &str) -> std::io::Result<()> {
    write!(wire, "{code} {text}\r\n")?;
    wire.flush()
}

fn path(line: &str, start: &str) -> Option<String> {
    let head = line.get(..start.len())?;
    let rest = head.eq_ignore_ascii_case(start).then(|| &line[start.len()..])?;
    Some(rest.strip_prefix('<')?.split('>').next()?.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

fn plain(text: &str) -> Option<(String, String)> {
    let text = decoded(text)?;
    let mut parts = text.split('\0').skip(1).map(str::to_owned);
    Some((parts.next()?, parts.next()?))
}
