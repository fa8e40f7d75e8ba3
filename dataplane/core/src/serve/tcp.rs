//! DNS over TCP (RFC 7766): pipelined queries, answered in order, with bounds on time, memory and connections.
//!
//! All streams share one thread. A connection holds at most one incomplete message and `OUTPUT` octets of
//! responses plus one more; a client that does not read stops being read from.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout_at};

use super::Shared;
use crate::observe::counters::{Counter, Counters};
use crate::respond::{MAX_STREAM, NoTrace, Responder, STREAM_IDLE as IDLE, Transport};

/// Connections open at once unless the server is started with fewer; further ones are closed at once.
pub const MAX_CONNECTIONS: usize = 1_000;
/// Connections of one client address open at once, so that no client takes all of them (RFC 9210 section 4.3).
pub const MAX_PER_CLIENT: usize = 100;
/// Responses are written when so many octets wait, or when no complete query is left.
const OUTPUT: usize = 64 << 10;
/// Octets read at once.
const READ: usize = 4096;
/// A buffer that has grown larger than this is given back when it is empty.
const KEPT: usize = 16 << 10;
/// A pause when no connection can be accepted, as when the process is out of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The listeners and what all streams share.
pub struct Streams {
    listeners: Vec<tokio::net::TcpListener>,
    runtime: tokio::runtime::Runtime,
    shared: Shared,
    counters: Arc<Counters>,
    seed: u64,
    number: usize,
    most: usize,
}

/// What connections of the thread use in turns; never held while one waits.
struct Common {
    shared: Shared,
    counters: Arc<Counters>,
    responder: RefCell<Responder>,
    packet: RefCell<Vec<u8>>,
    /// Open connections of each client address.
    clients: RefCell<HashMap<IpAddr, usize>>,
    open: Cell<usize>,
    most: usize,
}

/// A connection's place among those that are allowed; given back when dropped.
struct Seat {
    common: Rc<Common>,
    client: IpAddr,
}

impl Seat {
    /// A place for `client`, unless it or all clients together have too many.
    fn take(common: &Rc<Common>, client: IpAddr) -> Option<Seat> {
        let mut clients = common.clients.borrow_mut();
        let of_client = clients.get(&client).copied().unwrap_or(0);
        if common.open.get() >= common.most || of_client >= MAX_PER_CLIENT {
            return None;
        }
        clients.insert(client, of_client + 1);
        common.open.set(common.open.get() + 1);
        Some(Seat { common: common.clone(), client })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.common.open.set(self.common.open.get().saturating_sub(1));
        let mut clients = self.common.clients.borrow_mut();
        if let Entry::Occupied(mut entry) = clients.entry(self.client) {
            match *entry.get() {
                0 | 1 => drop(entry.remove()),
                several => *entry.get_mut() = several - 1,
            }
        }
    }
}

impl Streams {
    /// Takes the listeners over; they are served once it is run, at most `most` connections at once.
    ///
    /// # Errors
    /// When the system gives no event loop.
    pub fn new(
        listeners: Vec<TcpListener>,
        shared: Shared,
        counters: Arc<Counters>,
        seed: u64,
        number: usize,
        most: usize,
    ) -> io::Result<Streams> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let listeners =
            listeners.into_iter().map(tokio::net::TcpListener::from_std).collect::<Result<_, _>>()?;
        drop(entered);
        Ok(Streams { listeners, runtime, shared, counters, seed, number, most: most.min(MAX_CONNECTIONS) })
    }

    /// Serves until `stopped` turns true.
    pub fn run(self, mut stopped: watch::Receiver<bool>) {
        let common = Rc::new(Common {
            shared: self.shared,
            responder: RefCell::new(Responder::new(self.seed, self.counters.clone(), self.number)),
            counters: self.counters,
            packet: RefCell::new(vec![0; MAX_STREAM]),
            clients: RefCell::default(),
            open: Cell::new(0),
            most: self.most,
        });
        let tasks = LocalSet::new();
        for listener in self.listeners {
            tasks.spawn_local(accept(listener, common.clone()));
        }
        tasks.block_on(&self.runtime, async move {
            // The sender drops only when the server is gone, which is a stop too.
            let _ = stopped.wait_for(|stop| *stop).await;
        });
    }
}

async fn accept(listener: tokio::net::TcpListener, common: Rc<Common>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match Seat::take(&common, peer.ip().to_canonical()) {
                Some(seat) => {
                    common.counters.add(Counter::TcpConnections);
                    tokio::task::spawn_local(connection(stream, seat));
                }
                None => common.counters.add(Counter::TcpRejected),
            },
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn connection(mut stream: TcpStream, seat: Seat) {
    let common = &seat.common;
    // Responses are written whole; waiting to merge them would only delay them. Refused on a dead socket only.
    let _ = stream.set_nodelay(true);
    if serve(&mut stream, seat.client, common)
        .await
        .is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
    {
        common.counters.add(Counter::TcpTimeouts);
    }
}

/// Answers until the client closes, or sends what is no query.
async fn serve(stream: &mut TcpStream, client: IpAddr, common: &Common) -> io::Result<()> {
    let mut input: Vec<u8> = Vec::with_capacity(READ);
    let mut output: Vec<u8> = Vec::new();
    // Reset when a message is complete, not when octets arrive: a slow sender gains nothing.
    let mut deadline = Instant::now() + IDLE;
    loop {
        let mut used = 0;
        let mut open = true;
        while let Some(message) = input.get(used..).and_then(complete_message).filter(|_| open) {
            open = respond(message, client, common, &mut output);
            used += 2 + message.len();
            deadline = Instant::now() + IDLE;
            if output.len() >= OUTPUT {
                flush(stream, &mut output).await?;
            }
        }
        input.drain(..used);
        if input.is_empty() && input.capacity() > KEPT {
            input = Vec::with_capacity(READ);
        }
        flush(stream, &mut output).await?;
        if !open {
            return Ok(());
        }
        input.reserve(READ);
        if timeout_at(deadline, stream.read_buf(&mut input)).await?? == 0 {
            return Ok(());
        }
    }
}

async fn flush(stream: &mut TcpStream, output: &mut Vec<u8>) -> io::Result<()> {
    if !output.is_empty() {
        timeout_at(Instant::now() + IDLE, stream.write_all(output)).await??;
        output.clear();
        output.shrink_to(KEPT);
    }
    Ok(())
}

/// The message that `input` starts with, behind its two octets of length (RFC 1035 section 4.2.2).
fn complete_message(input: &[u8]) -> Option<&[u8]> {
    let length = usize::from(crate::wire::u16_at(input, 0)?);
    input.get(2..2 + length)
}

/// Appends the response to `message`; `false` when it is no query and the connection shall end.
fn respond(message: &[u8], client: IpAddr, common: &Common, output: &mut Vec<u8>) -> bool {
    let mut packet = common.packet.borrow_mut();
    let mut responder = common.responder.borrow_mut();
    let state = common.shared.publisher.current().load();
    let Some(place) = packet.get_mut(..message.len()) else { return false };
    place.copy_from_slice(message);
    // As for UDP: a bug costs one query, here with its connection.
    let response = catch_unwind(AssertUnwindSafe(|| {
        responder.answer(&state, &mut packet, message.len(), client, Transport::Tcp, &mut NoTrace)
    }));
    match response {
        Ok(Some(length)) => {
            output.extend_from_slice(&(length as u16).to_be_bytes());
            output.extend_from_slice(packet.get(..length).unwrap_or_default());
            true
        }
        Ok(None) => false,
        Err(_) => {
            common.counters.add(Counter::Panics);
            false
        }
    }
}
