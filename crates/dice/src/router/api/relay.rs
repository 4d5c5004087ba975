//! Lines that are posted to the API, on their way to whoever classifies at the time.

use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use dice_serve::Request;

use crate::router::pipeline::Incoming;

/// How long to wait before it is looked again whether somebody classifies.
const PAUSE: Duration = Duration::from_millis(5);

/// Hands requests on; while sources are opened anew they wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Relay {
    to: Arc<Mutex<Option<SyncSender<Incoming>>>>,
}

impl Relay {
    /// From now on, requests go there, or wait.
    pub(super) fn turn(&self, to: Option<SyncSender<Incoming>>) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Takes requests until nobody can make any more.
    pub(super) fn begin(&self) -> SyncSender<Request> {
        let (to, requests) = sync_channel(1);
        let relay = self.clone();
        thread::spawn(move || relay.run(&requests));
        to
    }

    fn run(&self, requests: &Receiver<Request>) {
        for request in requests {
            let mut waiting = Some(request);
            while let Some(request) = waiting.take().filter(|request| request.done.is_wanted()) {
                let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
                waiting = match to {
                    None => Some(request),
                    Some(to) => match to.send(Incoming::Request(request)) {
                        Err(SendError(Incoming::Request(request))) => Some(request),
                        _ => None,
                    },
                };
                if waiting.is_some() {
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}
