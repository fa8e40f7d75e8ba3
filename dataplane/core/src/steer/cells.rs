//! Cells: the clients of one location class in one country. Policies tell classes apart, demand is counted by cell.
//!
//! Countries split the lookup table further than classes do, but not the scope: beside its cell each prefix of the
//! table has the length of the shortest prefix that lies within the class.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::classes::Signatures;
use crate::geo::cover::Cover;
use crate::geo::location::Code;
use crate::geo::map::GeoMap;
use crate::geo::prefix::{Address, Prefix};
use crate::geo::table::{Level, Table};

/// Bits of a table's value that are the length of a prefix within the class; those above are the cell.
const LENGTH_BITS: u32 = 8;
/// Most cells that a table's value can tell apart.
pub(super) const MAX_CELLS: usize = 1 << (32 - LENGTH_BITS);

/// The clients of one class in one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The number of the class among those of its tree of pools.
    pub(super) class: u32,
    /// The country, where the geo data names one.
    pub country: Option<Code>,
    /// The lowest address of such a client, IPv4 if there is one.
    pub example: IpAddr,
}

/// What a lookup finds of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub(super) class: u32,
    /// Number of the cell among those of its tree of pools.
    pub cell: u32,
    /// Length of the shortest prefix around the client that lies within the class.
    pub(super) length: u8,
}

/// Finds the cell of a client.
#[derive(Debug)]
pub(super) struct Locator {
    ipv4: Table<u32>,
    ipv6: Table<u128>,
    /// The class of each cell, apart from the rest: all that a query looks at, and so in the nearest cache.
    classes: Box<[u32]>,
    cells: Box<[Cell]>,
}

impl Locator {
    /// IPv4-mapped IPv6 is IPv4.
    #[inline]
    pub fn find(&self, client: IpAddr) -> Found {
        let value = match client.to_canonical() {
            IpAddr::V4(address) => self.ipv4.lookup(u32::from(address)),
            IpAddr::V6(address) => self.ipv6.lookup(u128::from(address)),
        };
        let cell = value >> LENGTH_BITS;
        let class = self.classes.get(cell as usize).copied().unwrap_or_default();
        Found { class, cell, length: value as u8 }
    }

    /// Asks for what [`Locator::find`] looks at on a level of the table.
    #[inline]
    pub fn prefetch(&self, client: IpAddr, level: Level) {
        match client.to_canonical() {
            IpAddr::V4(address) => self.ipv4.prefetch(u32::from(address), level),
            IpAddr::V6(address) => self.ipv6.prefetch(u128::from(address), level),
        }
    }

    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Number of prefixes of both families.
    pub fn prefix_count(&self) -> usize {
        self.ipv4.len() + self.ipv6.len()
    }

    /// Octets of memory that it holds.
    pub fn size(&self) -> usize {
        self.ipv4.size() + self.ipv6.size() + size_of_val(&*self.classes) + size_of_val(&*self.cells)
    }
}

/// Makes locators, each once: trees that divide clients into the same classes share one.
pub(super) struct Locators {
    /// Countries by number; 0 is none.
    codes: Vec<Option<Code>>,
    /// The number of the country of every address.
    ipv4: Cover<u32>,
    ipv6: Cover<u128>,
    /// Most cells of one locator.
    limit: usize,
    /// Of everything that tells no clients apart.
    only: Option<Arc<Locator>>,
    /// By the class of each of the present signatures.
    known: HashMap<Vec<u32>, Arc<Locator>>,
}

impl Locators {
    /// `limit` is the most cells of one locator, at most [`MAX_CELLS`].
    pub fn new(map: &GeoMap, limit: usize) -> Locators {
        let mut numbers: HashMap<Option<Code>, u32> = HashMap::from([(None, 0)]);
        let mut codes = vec![None];
        let mut number = |country| {
            *numbers.entry(country).or_insert_with(|| {
                codes.push(country);
                codes.len() as u32 - 1
            })
        };
        let countries: Vec<u32> = map.locations().iter().map(|location| number(location.country)).collect();
        let country = |location: u32| countries.get(location as usize).copied().unwrap_or(0);
        let (ipv4, ipv6) = (map.ipv4().map(country), map.ipv6().map(country));
        Locators { codes, ipv4, ipv6, limit, only: None, known: HashMap::new() }
    }

    /// The locator of the classes that `class_of` gives each signature.
    ///
    /// # Errors
    /// How many cells are possible, when there are more.
    pub fn locator(&mut self, signatures: &Signatures, class_of: Vec<u32>) -> Result<Arc<Locator>, usize> {
        let is_only = class_of.iter().all(|&class| class == 0);
        let known = if is_only { self.only.as_ref() } else { self.known.get(&class_of) };
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let class = |signature: u32| class_of.get(signature as usize).copied().unwrap_or_default();
        let mut cells = Cells { codes: &self.codes, numbers: HashMap::new(), all: Vec::new() };
        let ipv4 = cells.cover(&signatures.ipv4.map(class), &self.ipv4, |start| Ipv4Addr::from(start).into());
        let ipv6 = cells.cover(&signatures.ipv6.map(class), &self.ipv6, |start| Ipv6Addr::from(start).into());
        if cells.all.len() > self.limit {
            return Err(self.limit);
        }
        let locator = Arc::new(Locator {
            ipv4: Table::new(ipv4),
            ipv6: Table::new(ipv6),
            classes: cells.all.iter().map(|cell| cell.class).collect(),
            cells: cells.all.into(),
        });
        if is_only {
            self.only = Some(locator.clone());
        } else {
            self.known.insert(class_of, locator.clone());
        }
        Ok(locator)
    }

    /// What follows has other signatures.
    pub fn forget_signatures(&mut self) {
        self.known.clear();
    }
}

/// Cells, numbered by their first prefix.
struct Cells<'a> {
    codes: &'a [Option<Code>],
    numbers: HashMap<(u32, u32), u32>,
    all: Vec<Cell>,
}

impl Cells<'_> {
    /// The cover of a table: for each prefix its cell and the length of a prefix within the class.
    fn cover<A: Address>(
        &mut self,
        classes: &Cover<A>,
        countries: &Cover<A>,
        address: impl Fn(A) -> IpAddr,
    ) -> Cover<A> {
        let Cells { codes, numbers, all } = self;
        // Neighbours mostly lie in one country.
        let mut last = None;
        classes.overlay_prefixes(countries, |(within, class), (place, country): (Prefix<A>, u32)| {
            let number = match last {
                Some((key, number)) if key == (class, country) => number,
                _ => *numbers.entry((class, country)).or_insert_with(|| {
                    let start = if within.length > place.length { within.start } else { place.start };
                    let country = codes.get(country as usize).copied().flatten();
                    all.push(Cell { class, country, example: address(start) });
                    all.len() as u32 - 1
                }),
            };
            last = Some(((class, country), number));
            number << LENGTH_BITS | u32::from(within.length)
        })
    }
}
