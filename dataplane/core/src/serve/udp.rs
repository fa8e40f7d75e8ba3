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
use crate::publish::Published;
use crate::respond::{Ahead, GROUP, NoTrace, Responder, Transport};

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
        for start in (0..received).step_by(GROUP) {
            self.answer_group(&state, start, received.min(start + GROUP));
        }
        for _ in 0..self.batch.send(&self.socket) {
            self.counters.add(Counter::SendErrors);
        }
    }

    /// Answers the datagrams from `start` to before `end`, at most [`GROUP`].
    fn answer_group(&mut self, state: &Published, start: usize, end: usize) {
        let Worker { batch, responder, counters, .. } = self;
        for (slot, index) in (start..end).enumerate() {
            let (packet, client) = batch.datagram(index);
            guard(counters, || responder.read(slot, packet, client));
        }
        let group = (end - start > 1 && state.is_large())
            .then(|| guard(counters, || responder.look_ahead(state, end - start)).unwrap_or_default());
        for (slot, index) in (start..end).enumerate() {
            let ahead = group.as_ref().and_then(|group| group.get(slot)).unwrap_or(&Ahead::NOTHING);
            let packet = batch.buffer(index);
            let response = guard(counters, || {
                responder.respond(slot, ahead, state, packet, Transport::Udp, &mut NoTrace)
            });
            if let Some(length) = response.flatten() {
                batch.reply(index, length);
            }
        }
    }
}

/// A bug must cost one query, never the worker: the responder keeps nothing from one query to the next but buffers
/// that each query overwrites.
#[inline]
fn guard<T>(counters: &Counters, work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).inspect_err(|_| counters.add(Counter::Panics)).ok()
}
