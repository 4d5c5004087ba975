//! Syslog receivers.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use crate::block::BLOCK_BYTES;
use crate::drops::Drops;
use crate::frame::{Frames, push};
use crate::outlet::{Feed, Outlet, Stopped};
use crate::{Arrival, Block, Position, Settings};

/// Bytes of datagrams that the system is asked to keep while they are not read.
const RECEIVE_BYTES: usize = 32 << 20;

/// Bytes of the largest datagram.
const DATAGRAM_BYTES: usize = 64 << 10;

/// Datagrams that are taken at once: empty ones fill no block, and somebody may send nothing else.
const DATAGRAMS: usize = 4_096;

/// Bytes that are read from a connection at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Milliseconds without a message after which a receiver counts as caught up, and looks at the stop.
const QUIET_MS: u64 = 50;

/// Milliseconds between two looks at whether somebody wants a connection.
const ACCEPT_MS: u64 = 20;

/// Milliseconds of quiet after which the system asks whether the other side is still there.
const KEEPALIVE_MS: u64 = 300_000;

/// Milliseconds between two complaints about senders.
const COMPLAINT_MS: u64 = 10_000;

/// An address that datagrams are sent to.
pub(crate) fn bind_udp(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, None)?;
    // What comes faster than it is read is lost, so as much as the system grants.
    let _ = socket.set_recv_buffer_size(RECEIVE_BYTES);
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

/// Tells each datagram as a line.
pub(crate) fn receive(
    socket: &UdpSocket,
    settings: &Settings,
    position: Position,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    let mut feed = Feed::open(outlet, position, None)?;
    let mut drops = Drops::of(socket);
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let mut checked_ms = outlet.now_ms();
    loop {
        outlet.stop.check()?;
        // The first is waited for; what else is there goes into the same block.
        let waits = socket
            .set_nonblocking(false)
            .and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(QUIET_MS))));
        let mut taken = Taken::default();
        let mut receive = |most| taken.add(most, settings.limit_bytes, &mut buffer, |to| socket.recv(to));
        let mut ended = waits.and_then(|()| receive(1));
        if ended.is_ok() && socket.set_nonblocking(true).is_ok() {
            ended = receive(DATAGRAMS);
        }
        let Taken { block, n_bytes, n } = taken;
        feed.position.offset += n_bytes;
        if !block.is_empty() {
            feed.lines(block)?;
        }
        let mut is_quiet = n == 0;
        match ended {
            Err(error) if !is_nothing(&error) => {
                is_quiet = false;
                feed.disconnected(format!("wanted to receive syslog, found: {error}"))?;
                outlet.stop.wait(settings.backoff_ms)?;
            }
            _ => {}
        }
        let now_ms = outlet.now_ms();
        if is_quiet {
            feed.caught_up(now_ms)?;
        }
        if now_ms.abs_diff(checked_ms) >= settings.poll_ms {
            checked_ms = now_ms;
            let messages = drops.more();
            if messages > 0 {
                let kept_bytes = SockRef::from(socket).recv_buffer_size().unwrap_or(0) as u64;
                let partition = feed.partition.clone();
                outlet.send(Arrival::Lost { partition, messages, kept_bytes })?;
            }
            outlet.checked(now_ms)?;
        }
    }
}

/// Datagrams that are taken at once.
#[derive(Default)]
struct Taken {
    block: Block,
    n_bytes: u64,
    n: usize,
}

impl Taken {
    /// Takes so many more at most, as long as there is room in the block.
    fn add(
        &mut self,
        most: usize,
        limit_bytes: usize,
        buffer: &mut [u8],
        mut receive: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        for _ in 0..most {
            if self.block.size_bytes() + DATAGRAM_BYTES > BLOCK_BYTES {
                break;
            }
            let n_bytes = receive(buffer)?;
            push(&buffer[..n_bytes], limit_bytes, &mut self.block);
            self.n_bytes += n_bytes as u64;
            self.n += 1;
        }
        Ok(())
    }
}

/// Whether nothing is wrong: there is nothing now, or the system was busy with something else.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// A receiver that senders connect to.
struct Receiver {
    settings: Settings,
    idle_ms: u64,
    feed: Mutex<Feed>,
    complaint: Mutex<Complaint>,
}

/// What is wrong with senders. Anyone can send, so it is not told each time.
#[derive(Default)]
struct Complaint {
    told_ms: Option<i64>,
    n_untold: u64,
}

/// A connection and the thread that reads it.
type Connection = (Arc<TcpStream>, JoinHandle<()>);

/// Takes connections and tells the messages that come through them.
pub(crate) fn accept(
    listener: &TcpListener,
    settings: Settings,
    (connections, idle_ms): (usize, u64),
    position: Position,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    let feed = Mutex::new(Feed::open(outlet, position, None)?);
    let receiver = Arc::new(Receiver { settings, idle_ms, feed, complaint: Mutex::default() });
    let mut open: Vec<Connection> = Vec::new();
    let ended = accept_until_stopped(listener, connections, &receiver, &mut open, outlet);
    for (stream, thread) in open {
        let _ = stream.shutdown(Shutdown::Both);
        let _ = thread.join();
    }
    ended
}

fn accept_until_stopped(
    listener: &TcpListener,
    connections: usize,
    receiver: &Arc<Receiver>,
    open: &mut Vec<Connection>,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    let mut told = (0, outlet.now_ms());
    let mut checked_ms = told.1;
    loop {
        outlet.stop.check()?;
        match listener.accept() {
            Ok((stream, peer)) => {
                open.retain(|(_, thread)| !thread.is_finished());
                if open.len() >= connections {
                    drop(stream);
                    receiver.complain(
                        outlet,
                        format!("turned away {peer}: there are {connections} connections"),
                    )?;
                } else if let Some(connection) = receiver.serve(stream, peer) {
                    open.push(connection);
                }
                continue;
            }
            Err(error) if is_nothing(&error) => {}
            Err(error) => {
                receiver.complain(outlet, format!("wanted to take a syslog connection, found: {error}"))?;
            }
        }
        outlet.stop.wait(ACCEPT_MS)?;
        open.retain(|(_, thread)| !thread.is_finished());
        let mut feed = receiver.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = outlet.now_ms();
        if feed.position.lines != told.0 {
            told = (feed.position.lines, now_ms);
        } else if now_ms.abs_diff(told.1) >= QUIET_MS {
            feed.caught_up(now_ms)?;
        }
        if now_ms.abs_diff(checked_ms) >= receiver.settings.poll_ms {
            checked_ms = now_ms;
            outlet.checked(now_ms)?;
        }
    }
}

impl Receiver {
    /// Reads a connection on a thread of its own.
    fn serve(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
        stream.set_nonblocking(false).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(self.idle_ms.max(1)))).ok()?;
        let keepalive = TcpKeepalive::new().with_time(Duration::from_millis(KEEPALIVE_MS));
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        let stream = Arc::new(stream);
        let (receiver, reads) = (Arc::clone(self), Arc::clone(&stream));
        let thread = thread::Builder::new().name("syslog".to_owned()).spawn(move || {
            let (Ok(()) | Err(Stopped)) = receiver.read(&reads, peer);
            let _ = reads.shutdown(Shutdown::Both);
        });
        Some((stream, thread.ok()?))
    }

    fn read(&self, mut stream: &TcpStream, peer: SocketAddr) -> Result<(), Stopped> {
        let mut frames = Frames::new(self.settings.limit_bytes);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let n_bytes = match stream.read(&mut chunk) {
                Ok(n_bytes) => n_bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Quiet for too long, or broken: over, like one that was closed.
                Err(_) => 0,
            };
            let mut block = Block::default();
            if n_bytes == 0 {
                frames.end(&mut block);
                return self.tell(block, 0);
            }
            let added = frames.add(&chunk[..n_bytes], &mut block);
            self.tell(block, n_bytes)?;
            if let Err(too_long) = added {
                let outlet = self.feed.lock().unwrap_or_else(PoisonError::into_inner).outlet.clone();
                let (bytes, limit) = (too_long.bytes, too_long.limit_bytes);
                let what = format!(
                    "closed the connection from {peer}: it announced a message of {bytes} bytes, the limit is {limit}"
                );
                return self.complain(&outlet, what);
            }
        }
    }

    fn tell(&self, block: Block, n_bytes: usize) -> Result<(), Stopped> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.position.offset += n_bytes as u64;
        if block.is_empty() { Ok(()) } else { feed.lines(block) }
    }

    fn complain(&self, outlet: &Outlet, what: String) -> Result<(), Stopped> {
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = outlet.now_ms();
        if complaint.told_ms.is_some_and(|told_ms| now_ms.abs_diff(told_ms) < COMPLAINT_MS) {
            complaint.n_untold += 1;
            return Ok(());
        }
        let n_untold = std::mem::take(&mut complaint.n_untold);
        complaint.told_ms = Some(now_ms);
        drop(complaint);
        let more =
            if n_untold > 0 { format!(" ({n_untold} more since the last time)") } else { String::new() };
        outlet.problem(what + &more)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::{DATAGRAM_BYTES, DATAGRAMS, Taken};
    use crate::block::BLOCK_BYTES;

    /// How many datagrams are taken at once where each has so many bytes and there are `there` of them.
    #[track_caller]
    fn check(bytes: usize, there: usize, expected: usize) {
        let (mut taken, mut n, mut buffer) = (Taken::default(), 0, vec![b'x'; DATAGRAM_BYTES]);
        let ended = taken.add(DATAGRAMS, DATAGRAM_BYTES, &mut buffer, |_| {
            n += 1;
            assert!(n <= 2 * DATAGRAMS, "it takes them for ever");
            if n <= there { Ok(bytes) } else { Err(ErrorKind::WouldBlock.into()) }
        });
        assert_eq!((taken.n, taken.n_bytes), (expected, (expected * bytes) as u64));
        assert_eq!(ended.is_err(), expected == there);
    }

    #[test]
    fn a_reader_looks_up_however_much_is_sent() {
        check(100, 0, 0);
        check(100, 7, 7);
        check(0, 7, 7);
        check(0, usize::MAX, DATAGRAMS);
        check(1, usize::MAX, DATAGRAMS);
        check(DATAGRAM_BYTES / 2, usize::MAX, 2 * (BLOCK_BYTES / DATAGRAM_BYTES) - 1);
    }
}
