//! A UDP worker: receive a batch, answer each datagram in its buffer, send the batch.

use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Shared;
use super::mmsg::Batch;
use crate::observe::counters::{Counter, Counters};
use crate::respond::{NoTrace, Responder, Transport};

/// A pause after an unexpected error of the socket, so that a broken one does not spin.
const PAUSE: Duration = Duration::from_millis(10);

/// One thread's socket and all it needs to answer.
pub struct Worker {
    socket: UdpSocket,
    shared: Shared,
    counters: Arc<Counters>,
    responder: Responder,
    batch: Batch,
}

impl Worker {
    /// A worker that answers on `socket` once it is run, and counts demand under `number`.
    pub fn new(
        socket: UdpSocket,
        shared: Shared,
        counters: Arc<Counters>,
        seed: u64,
        number: usize,
    ) -> Worker {
        let responder = Responder::new(seed, counters.clone(), number);
        Worker { socket, shared, counters, responder, batch: Batch::default() }
    }

    /// Answers until the server stops.
    pub fn run(mut self) {
        while !self.shared.stopping.load(Ordering::Relaxed) {
            match self.batch.receive(&self.socket) {
                Ok(received) => self.answer(received),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    _ => std::thread::sleep(PAUSE),
                },
            }
        }
    }

    fn answer(&mut self, received: usize) {
        // One generation per batch; the next batch sees the next one.
        let state = self.shared.publisher.current().load();
        for index in 0..received {
            let Some((packet, length, client)) = self.batch.datagram(index) else { continue };
            let responder = &mut self.responder;
            // A bug must cost one query, never the worker. The responder keeps nothing from one query to the next
            // but buffers that each query overwrites.
            let response = catch_unwind(AssertUnwindSafe(|| {
                responder.answer(&state, packet, length, client, Transport::Udp, &mut NoTrace)
            }));
            match response {
                Ok(Some(length)) => self.batch.reply(index, length),
                Ok(None) => {}
                Err(_) => self.counters.add(Counter::Panics),
            }
        }
        for _ in 0..self.batch.send(&self.socket) {
            self.counters.add(Counter::SendErrors);
        }
    }
}
