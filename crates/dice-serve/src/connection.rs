//! Connections: how many there are, how long they may be silent, and how long they may ask.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Milliseconds to wait when the system has no room for another connection.
const NO_ROOM_MS: u64 = 100;

/// Takes connections, so many at once.
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) idle_ms: u64,
    /// Milliseconds from one answer to the next.
    pub(crate) ask_ms: u64,
}

/// A connection that ends when the other side is silent for too long, or takes too long to ask: who sends a
/// letter of a request now and then is not silent.
pub(crate) struct Connection {
    stream: TcpStream,
    idle_ms: u64,
    ask_ms: u64,
    /// Runs from one answer to the next.
    asking: Pin<Box<Sleep>>,
    /// Runs while something is waited for.
    patience: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

/// The other side of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // Nobody closes it; if somebody did, there would be no more connections.
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let Door { idle_ms, ask_ms, .. } = *self;
                    let asking = Box::pin(sleep(Duration::from_millis(ask_ms)));
                    let patience = None;
                    return (Connection { stream, idle_ms, ask_ms, asking, patience, _place: place }, peer);
                }
                Err(_) => sleep(Duration::from_millis(NO_ROOM_MS)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connection {
    /// Gives what came of waiting: an error when it has lasted too long.
    fn patiently<V>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        if polled.is_ready() {
            self.patience = None;
            return polled;
        }
        let idle = Duration::from_millis(self.idle_ms);
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(idle)));
        patience.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asking.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.patiently(context, polled)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(polled, Poll::Ready(Ok(n)) if n > 0) {
            let next = Instant::now() + Duration::from_millis(self.ask_ms);
            self.asking.as_mut().reset(next);
        }
        self.patiently(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
