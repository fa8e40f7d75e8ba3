//! `DataPlane`: the engine and its listeners.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gslb_core::explain;
use gslb_core::memory::give_back;
use gslb_core::observe::counters::{Counter, Counters};
use gslb_core::publish::{Identity, Publisher};
use gslb_core::respond::{MAX_STREAM, NoTrace, Responder, Transport};
use gslb_core::serve::{Bound, Server};
use gslb_core::steer::verdict::{Loads, Verdicts};
use gslb_core::wire::edns::MAX_IDENTITY;
use gslb_core::zone::flattened::{Flattened, FlattenedSet};
use gslb_core::zone::zones::Zones;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::names;
use crate::steering::PySteering;
use crate::zone::PyZone;

/// Who answers without sockets, in a buffer that is used again.
struct Direct {
    responder: Responder,
    packet: Box<[u8]>,
}

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "DataPlane", module = "gslb._dataplane", frozen)]
pub struct PyDataPlane {
    publisher: Arc<Publisher>,
    seed: u64,
    /// Answers without sockets.
    direct: Mutex<Direct>,
    direct_counters: Arc<Counters>,
    /// Explains; what it counts is no traffic and is not reported.
    explaining: Mutex<Responder>,
    listening: Mutex<Listening>,
}

/// The listeners' life: nothing, sockets open, threads running.
enum Listening {
    Nothing,
    Bound(Bound),
    Running(Server),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The verdict table of octets.
pub fn verdicts(octets: &[u8]) -> Result<Verdicts> {
    Verdicts::from_octets(octets)
        .map_err(|index| Error::Value(format!("octet {index} of the verdict table is no verdict")))
}

/// The loads of octets.
pub fn loads(octets: &[u8]) -> Result<Loads> {
    Loads::from_octets(octets).map_err(|count| {
        Error::Value(format!("loads take two octets per POP; {count} octets is an odd number"))
    })
}

/// The number under which demand is counted without sockets. Explaining counts none.
const DIRECT: usize = 0;

/// How long queries are waited for that hold a replaced generation; a batch takes some 0.1 ms, more when interrupted.
const RELEASE_PATIENCE: Duration = Duration::from_millis(100);

/// (name, type, country, client, queries)
type DemandRow = (String, u16, String, String, u64);

/// (target, type, TTL, RDATA, whether it is stale)
type FlattenedRow = (String, u16, u32, Vec<Vec<u8>>, bool);

/// What the server may say of itself: short printable text; none when empty.
fn self_description(what: &str, text: Option<&str>) -> Result<Option<Box<[u8]>>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.len() > MAX_IDENTITY || !text.bytes().all(|octet| (0x20..0x7f).contains(&octet)) {
        return Err(Error::Value(format!(
            "the {what} {text:?} must be at most {MAX_IDENTITY} printable ASCII characters"
        )));
    }
    Ok(Some(text.as_bytes().into()))
}

/// A seed that differs from process to process, from the hash keys that the standard library draws.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[pymethods]
impl PyDataPlane {
    #[new]
    #[pyo3(signature = (*, seed=None))]
    fn new(seed: Option<u64>) -> PyDataPlane {
        let seed = seed.unwrap_or_else(random_seed);
        let direct_counters = Arc::new(Counters::default());
        PyDataPlane {
            publisher: Arc::new(Publisher::default()),
            seed,
            direct: Mutex::new(Direct {
                responder: Responder::new(seed, direct_counters.clone(), DIRECT),
                packet: vec![0; MAX_STREAM].into(),
            }),
            direct_counters,
            explaining: Mutex::new(Responder::new(seed, Arc::default(), DIRECT)),
            listening: Mutex::new(Listening::Nothing),
        }
    }

    #[pyo3(signature = (zones, steering, verdicts, loads=None), text_signature = "(self, zones, steering, verdicts, loads=b'')")]
    fn publish(
        &self,
        zones: Vec<PyRef<'_, PyZone>>,
        steering: &PySteering,
        verdicts: &[u8],
        loads: Option<&[u8]>,
    ) -> Result<u64> {
        let mut all = Zones::default();
        for zone in &zones {
            all.insert(zone.0.clone());
        }
        let loads = self::loads(loads.unwrap_or_default())?;
        Ok(self.publisher.publish(all, steering.0.clone(), self::verdicts(verdicts)?, loads)?)
    }

    fn publish_zone(&self, zone: &PyZone) -> Result<u64> {
        Ok(self.publisher.publish_zone(zone.0.clone())?)
    }

    fn publish_steering(&self, steering: &PySteering) -> Result<u64> {
        Ok(self.publisher.publish_steering(steering.0.clone())?)
    }

    #[pyo3(signature = (verdicts, loads=None), text_signature = "(self, verdicts, loads=b'')")]
    fn publish_verdicts(&self, verdicts: &[u8], loads: Option<&[u8]>) -> Result<u64> {
        let loads = self::loads(loads.unwrap_or_default())?;
        Ok(self.publisher.publish_verdicts(self::verdicts(verdicts)?, loads)?)
    }

    fn publish_flattened(&self, sets: Vec<FlattenedRow>) -> Result<u64> {
        let sets = sets
            .into_iter()
            .map(|(target, rtype, ttl, rdata, stale)| {
                Ok(FlattenedSet { target: names::name(&target)?, rtype, ttl, rdata, stale })
            })
            .collect::<Result<Vec<FlattenedSet>>>()?;
        Ok(self.publisher.publish_flattened(Flattened::new(&sets)))
    }

    #[pyo3(signature = (*, version=None, name=None, nsid=None))]
    fn identify(&self, version: Option<&str>, name: Option<&str>, nsid: Option<&str>) -> Result<()> {
        self.publisher.identify(Identity {
            version: self_description("version", version)?,
            name: self_description("name", name)?,
            nsid: self_description("NSID", nsid)?,
        });
        Ok(())
    }

    #[getter]
    fn generation(&self) -> u64 {
        self.publisher.current().load().generation
    }

    #[pyo3(signature = (wire, client, transport="udp"))]
    fn answer(&self, wire: &[u8], client: &str, transport: &str) -> Result<Option<Vec<u8>>> {
        let client = names::address(client)?;
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return Err(Error::Value(format!("{transport:?} is no transport: use \"udp\" or \"tcp\""))),
        };
        if wire.len() > MAX_STREAM {
            return Err(Error::Value(format!("a message has at most {MAX_STREAM} octets")));
        }
        let state = self.publisher.current().load();
        let mut direct = lock(&self.direct);
        let Direct { responder, packet } = &mut *direct;
        if let Some(place) = packet.get_mut(..wire.len()) {
            place.copy_from_slice(wire);
        }
        let response = responder.answer(&state, packet, wire.len(), client, transport, &mut NoTrace);
        Ok(response.and_then(|length| packet.get(..length)).map(<[u8]>::to_vec))
    }

    #[pyo3(signature = (name, rtype, client, subnet=None, verdicts=None, loads=None))]
    fn explain(
        &self,
        name: &str,
        rtype: u16,
        client: &str,
        subnet: Option<&str>,
        verdicts: Option<&[u8]>,
        loads: Option<&[u8]>,
    ) -> Result<String> {
        let name = names::name(name)?;
        let client = names::address(client)?;
        let state = self.publisher.current().load();
        let verdicts = verdicts.map(self::verdicts).transpose()?;
        let loads = loads.map(self::loads).transpose()?;
        let supposed = match (&verdicts, &loads) {
            (None, None) => None,
            _ => Some(state.supposing(verdicts, loads)?),
        };
        let state = supposed.as_ref().unwrap_or(&state);
        explain::explain(state, &mut lock(&self.explaining), &name, rtype, client, subnet)
            .map_err(Error::Value)
    }

    fn listen(&self, addresses: Vec<String>, workers: usize) -> Result<Vec<String>> {
        let parsed = addresses
            .iter()
            .map(|text| {
                text.parse().map_err(|_| {
                    Error::Value(format!("{text:?} is not ADDRESS:PORT, such as 127.0.0.1:53 or [::1]:53"))
                })
            })
            .collect::<Result<Vec<SocketAddr>>>()?;
        if !(1..=1024).contains(&workers) {
            return Err(Error::Value(format!("{workers} workers: use 1 to 1024")));
        }
        let mut listening = lock(&self.listening);
        if !matches!(*listening, Listening::Nothing) {
            return Err(Error::Value("already listening".to_owned()));
        }
        let bound = Bound::open(&parsed, workers)?;
        let texts = bound.addresses.iter().map(ToString::to_string).collect();
        *listening = Listening::Bound(bound);
        Ok(texts)
    }

    // The default is `serve::tcp::MAX_CONNECTIONS`, as a number since it stands in the signature.
    #[pyo3(signature = (streams=1000, cpus=Vec::new()), text_signature = "(self, streams=1000, cpus=())")]
    fn start(&self, streams: usize, cpus: Vec<usize>) -> Result<()> {
        let mut listening = lock(&self.listening);
        match std::mem::replace(&mut *listening, Listening::Nothing) {
            Listening::Bound(bound) => {
                let publisher = self.publisher.clone();
                *listening = Listening::Running(Server::start(bound, publisher, self.seed, streams, &cpus)?);
                Ok(())
            }
            other => {
                *listening = other;
                Err(Error::Value("call listen first, and start once".to_owned()))
            }
        }
    }

    fn stop(&self, py: Python<'_>) {
        let listening = std::mem::replace(&mut *lock(&self.listening), Listening::Nothing);
        // Threads are waited for: up to a receive timeout, which other Python threads shall not spend too.
        py.detach(|| drop(listening));
    }

    fn give_memory_back(&self, py: Python<'_>) {
        py.detach(|| {
            self.publisher.release(RELEASE_PATIENCE);
            give_back();
        });
    }

    fn demand(&self, py: Python<'_>) -> Vec<DemandRow> {
        py.detach(|| {
            let rows = self.publisher.demand().into_iter();
            rows.map(|row| {
                let (country, client) = (row.country().to_owned(), row.client().to_string());
                (row.name, row.rtype, country, client, row.count)
            })
            .collect()
        })
    }

    fn counters(&self) -> HashMap<&'static str, u64> {
        let listening = lock(&self.listening);
        Counter::ALL
            .iter()
            .map(|&counter| {
                let served = match &*listening {
                    Listening::Running(server) => server.count(counter),
                    _ => 0,
                };
                (counter.name(), served + self.direct_counters.get(counter))
            })
            .collect()
    }
}
