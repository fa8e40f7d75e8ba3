//! What is served, behind one atomic pointer: a query sees one generation of zones, steering and verdicts.

mod demand;
mod retired;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

pub use self::demand::Demand;
use self::demand::Ledger;
use self::retired::Retired;
use crate::observe::demand::Board;
use crate::steer::Steering;
use crate::steer::standing::Standing;
use crate::steer::verdict::{Loads, Verdicts};
use crate::zone::flattened::Flattened;
use crate::zone::table::Zone;
use crate::zone::zones::Zones;

/// Names and octets of steering tables that a core's own cache (1 to 2 MB) holds beside all else.
const FEW_NAMES: usize = 20_000;
/// Names that take as much memory as a zone does besides its names.
const NAMES_OF_A_ZONE: usize = 6;
const SMALL: usize = 1 << 20;

/// How often it is looked whether anybody still holds a replaced generation: queries of one batch take some 0.1 ms.
const PAUSE: Duration = Duration::from_micros(50);

/// What the server says of itself when asked. At most [`crate::wire::edns::MAX_IDENTITY`] octets each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// To `version.server` (RFC 4892); none is refused.
    pub version: Option<Box<[u8]>>,
    /// To `id.server` (RFC 4892); none is refused.
    pub name: Option<Box<[u8]>>,
    /// To the NSID option (RFC 5001); none is left out.
    pub nsid: Option<Box<[u8]>>,
}

/// One generation of everything that answers depend on. Cheap to clone: all of it is shared.
#[derive(Clone)]
pub struct Published {
    /// Grows by one with every publish; 0 is the empty start.
    pub generation: u64,
    /// The zones.
    pub zones: Arc<Zones>,
    /// Policies, pools and geo tables.
    pub steering: Arc<Steering>,
    /// Which endpoints may be handed out, how loaded POPs are, and what follows for pools.
    pub standing: Arc<Standing>,
    /// Where queries for steered names are counted.
    pub demand: Arc<Board>,
    /// Addresses behind ALIAS records.
    pub flattened: Arc<Flattened>,
    /// What the server says of itself.
    pub identity: Arc<Identity>,
}

/// Why something cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// A verdict table for other endpoints than the steering's.
    #[error("the verdict table has {0} entries, the steering has {1} endpoints")]
    VerdictCount(usize, usize),
    /// Loads of other POPs than the steering's.
    #[error("there are loads of {0} POPs, the steering has {1}")]
    LoadCount(usize, usize),
    /// A zone that is not among those published.
    #[error("no zone {0} is published")]
    UnknownZone(String),
}

/// Holds the present generation and makes the next.
pub struct Publisher {
    current: ArcSwap<Published>,
    /// Writers take turns; readers never wait.
    writers: Mutex<Retired>,
    /// Taken by writers in their turn, and by who reads the counts.
    ledger: Mutex<Ledger>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Publisher {
    fn default() -> Self {
        let start = Published {
            generation: 0,
            zones: Arc::default(),
            steering: Arc::default(),
            standing: Arc::default(),
            demand: Arc::default(),
            flattened: Arc::default(),
            identity: Arc::default(),
        };
        let current = ArcSwap::from_pointee(start);
        Publisher { current, writers: Mutex::default(), ledger: Mutex::default() }
    }
}

impl Publisher {
    /// The pointer that workers load from.
    pub fn current(&self) -> &ArcSwap<Published> {
        &self.current
    }

    /// Publishes everything anew and returns the generation.
    ///
    /// # Errors
    /// [`PublishError::VerdictCount`], [`PublishError::LoadCount`].
    pub fn publish(
        &self,
        zones: Zones,
        steering: Arc<Steering>,
        verdicts: Verdicts,
        loads: Loads,
    ) -> Result<u64, PublishError> {
        self.swap(|now| {
            let standing = stand(&steering, verdicts, loads)?;
            let demand = lock(&self.ledger).post(&steering);
            Ok(Published { zones: Arc::new(zones), steering, standing, demand, ..now })
        })
    }

    /// Replaces one zone.
    ///
    /// # Errors
    /// [`PublishError::UnknownZone`].
    pub fn publish_zone(&self, zone: Arc<Zone>) -> Result<u64, PublishError> {
        self.swap(|now| {
            if now.zones.get(zone.origin().as_wire()).is_none() {
                return Err(PublishError::UnknownZone(zone.origin().to_string()));
            }
            let mut zones = Zones::clone(&now.zones);
            zones.insert(zone);
            Ok(Published { zones: Arc::new(zones), ..now })
        })
    }

    /// Replaces the steering: policies or measurements changed, names, endpoints and POPs did not.
    ///
    /// # Errors
    /// [`PublishError::VerdictCount`], [`PublishError::LoadCount`].
    pub fn publish_steering(&self, steering: Arc<Steering>) -> Result<u64, PublishError> {
        self.swap(|now| {
            let (verdicts, loads) = (now.standing.verdicts().clone(), now.standing.loads().clone());
            let standing = stand(&steering, verdicts, loads)?;
            let demand = lock(&self.ledger).post(&steering);
            Ok(Published { steering, standing, demand, ..now })
        })
    }

    /// Replaces verdicts and loads.
    ///
    /// # Errors
    /// [`PublishError::VerdictCount`], [`PublishError::LoadCount`].
    pub fn publish_verdicts(&self, verdicts: Verdicts, loads: Loads) -> Result<u64, PublishError> {
        self.swap(|now| {
            let standing = stand(&now.steering, verdicts, loads)?;
            Ok(Published { standing, ..now })
        })
    }

    /// Replaces the addresses behind ALIAS records.
    pub fn publish_flattened(&self, flattened: Flattened) -> u64 {
        let turn = lock(&self.writers);
        let now = Published::clone(&self.current.load());
        let flattened = Arc::new(flattened);
        self.store(turn, Published { generation: now.generation + 1, flattened, ..now })
    }

    /// Says something else of the server itself from now on.
    pub fn identify(&self, identity: Identity) -> u64 {
        let turn = lock(&self.writers);
        let now = Published::clone(&self.current.load());
        self.store(turn, Published { identity: Arc::new(identity), ..now })
    }

    /// From now on workers with the numbers below `workers` count; 0 is who answers without sockets.
    pub fn count_for(&self, workers: usize) {
        let turn = lock(&self.writers);
        let now = Published::clone(&self.current.load());
        let demand = {
            let mut ledger = lock(&self.ledger);
            ledger.staff(workers);
            ledger.post(&now.steering)
        };
        self.store(turn, Published { demand, ..now });
    }

    /// How often clients asked for what, since the last call; a few rows may be of the same.
    pub fn demand(&self) -> Vec<Demand> {
        self.release(Duration::ZERO);
        lock(&self.ledger).take()
    }

    fn swap(
        &self,
        next: impl FnOnce(Published) -> Result<Published, PublishError>,
    ) -> Result<u64, PublishError> {
        let turn = lock(&self.writers);
        let next = next(Published::clone(&self.current.load()))?;
        Ok(self.store(turn, Published { generation: next.generation + 1, ..next }))
    }

    /// Serves `next` from now on. What it replaces is freed here unless a query holds it: then by
    /// [`Publisher::release`], which every publish and whoever reads the counts does too, and never by a worker.
    fn store(&self, mut turn: MutexGuard<'_, Retired>, next: Published) -> u64 {
        let generation = next.generation;
        turn.push(self.current.swap(Arc::new(next)));
        let unheld = turn.take_unheld();
        drop(turn);
        // Other writers need not wait for this.
        drop(unheld);
        generation
    }

    /// Frees replaced generations. Those that queries hold are waited for, at most for `patience`; what is held then is
    /// freed another time.
    pub fn release(&self, patience: Duration) {
        let start = Instant::now();
        self.release_while(|| {
            let is_patient = start.elapsed() < patience;
            if is_patient {
                std::thread::sleep(PAUSE);
            }
            is_patient
        });
    }

    /// Frees replaced generations until none is left or `wait` says no.
    fn release_while(&self, mut wait: impl FnMut() -> bool) {
        loop {
            let mut turn = lock(&self.writers);
            let unheld = turn.take_unheld();
            let is_done = turn.is_empty();
            drop(turn);
            drop(unheld);
            if is_done || !wait() {
                return;
            }
        }
    }
}

/// Works out what verdicts and loads mean for a steering.
///
/// # Errors
/// [`PublishError::VerdictCount`], [`PublishError::LoadCount`]: they are not about its endpoints and POPs.
pub fn stand(steering: &Steering, verdicts: Verdicts, loads: Loads) -> Result<Arc<Standing>, PublishError> {
    if verdicts.len() != steering.endpoint_count() {
        return Err(PublishError::VerdictCount(verdicts.len(), steering.endpoint_count()));
    }
    if !loads.is_empty() && loads.len() != steering.pop_count() {
        return Err(PublishError::LoadCount(loads.len(), steering.pop_count()));
    }
    Ok(Arc::new(Standing::new(steering, verdicts, loads)))
}

impl Published {
    /// Whether the tables are larger than what a core's own cache holds of them, so that looking ahead pays.
    #[inline]
    pub fn is_large(&self) -> bool {
        let names = self.zones.name_count() + NAMES_OF_A_ZONE * self.zones.len();
        names > FEW_NAMES || self.steering.octets() > SMALL
    }

    /// The same with other verdicts and loads, to see what would be: loads stay as they are when there are none.
    ///
    /// # Errors
    /// [`PublishError::VerdictCount`], [`PublishError::LoadCount`].
    pub fn supposing(
        &self,
        verdicts: Option<Verdicts>,
        loads: Option<Loads>,
    ) -> Result<Published, PublishError> {
        let verdicts = verdicts.unwrap_or_else(|| self.standing.verdicts().clone());
        let loads = loads.unwrap_or_else(|| self.standing.loads().clone());
        Ok(Published { standing: stand(&self.steering, verdicts, loads)?, ..self.clone() })
    }
}
