//! Listeners: UDP workers with a socket each, and one thread of streams.
//!
//! ```text
//! Bound (sockets open, nothing answered) --start--> Server (threads run) --stop--> (threads joined)
//! ```

pub mod bind;
pub mod cpus;
pub mod mmsg;
pub mod tcp;
pub mod udp;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::observe::counters::{Counter, Counters};
use crate::publish::Publisher;

pub use bind::{BindError, Bound};

/// What the threads share: what to answer from, and when to end.
#[derive(Clone)]
pub struct Shared {
    /// Where answers come from.
    pub publisher: Arc<Publisher>,
    /// Set once, when the server stops.
    pub stopping: Arc<AtomicBool>,
}

/// Running listeners.
pub struct Server {
    shared: Shared,
    threads: Vec<JoinHandle<()>>,
    stop_streams: tokio::sync::watch::Sender<bool>,
    counters: Vec<Arc<Counters>>,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Starts a thread per UDP socket and one for all streams, of which at most `streams` are open at once. Of each
    /// address, the worker of the first socket stays on the first of `cpus`, and so on; all run anywhere if there are
    /// none. The streams' thread runs where the caller may.
    ///
    /// # Errors
    /// When the system gives no thread, no event loop or not the CPU, or there are fewer CPUs than workers.
    pub fn start(
        bound: Bound,
        publisher: Arc<Publisher>,
        seed: u64,
        streams: usize,
        cpus: &[usize],
    ) -> io::Result<Server> {
        let workers = bound.udp.len() / bound.addresses.len().max(1);
        if !cpus.is_empty() && cpus.len() < workers {
            let message = format!("{workers} workers need as many CPUs, not {}", cpus.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let shared = Shared { publisher, stopping: Arc::new(AtomicBool::new(false)) };
        let (stop_streams, stopped) = tokio::sync::watch::channel(false);
        let mut server = Server {
            shared,
            threads: Vec::new(),
            stop_streams,
            counters: Vec::new(),
            addresses: bound.addresses,
        };
        // Number 0 is who answers without sockets; the streams' thread is the last.
        let streaming = bound.udp.len() + 1;
        server.shared.publisher.count_for(streaming + 1);
        for (number, socket) in bound.udp.into_iter().enumerate() {
            let (shared, counters) = (server.shared.clone(), server.new_counters());
            let cpu = cpus.get(number % workers).copied();
            // The worker is made where it stays: its buffers are memory of that CPU's node.
            server.spawn(format!("gslb-udp-{number}"), cpu, move || {
                udp::Worker::new(socket, shared, counters, seed ^ number as u64, number + 1).run();
            })?;
        }
        let shared = server.shared.clone();
        let served = tcp::Streams::new(bound.tcp, shared, server.new_counters(), !seed, streaming, streams)?;
        server.spawn("gslb-tcp".to_owned(), None, move || served.run(stopped))?;
        Ok(server)
    }

    fn new_counters(&mut self) -> Arc<Counters> {
        let counters = Arc::new(Counters::default());
        self.counters.push(counters.clone());
        counters
    }

    /// Starts a thread that stays on `cpu`, if one is given.
    fn spawn(
        &mut self,
        name: String,
        cpu: Option<usize>,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
            let placed = cpu.map_or(Ok(()), cpus::stay_on);
            let is_placed = placed.is_ok();
            // Who started the thread waits for this.
            let _ = tell.send(placed);
            if is_placed {
                body();
            }
        })?;
        self.threads.push(thread);
        let placed = told.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
        placed.map_err(|source| {
            let cpu = cpu.unwrap_or_default();
            io::Error::new(source.kind(), format!("{name} cannot run on CPU {cpu}: {source}"))
        })
    }

    /// The addresses listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A counter summed over all threads.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters.iter().map(|counters| counters.get(counter)).sum()
    }

    /// Ends the threads and waits for them: at most a receive timeout.
    pub fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // The receiver is gone only when the thread has ended already.
        let _ = self.stop_streams.send(true);
        for thread in self.threads.drain(..) {
            // A panic in a thread was reported when it happened; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
