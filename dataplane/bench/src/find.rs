//! From a name to its zone and node.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use gslb_core::wire::Name;
use gslb_core::wire::fold::FoldedName;
use gslb_core::zone::find::{Found, find};
use gslb_core::zone::table::Zone;
use gslb_core::zone::zones::Zones;

use crate::cases::{BATCH, Case, Work};
use crate::queries::name;
use crate::random::generator;
use crate::zones::{CHAINS, HOSTS, LARGE, LARGE_HOSTS, SMALL, among, only};

/// Names of a case of the small zone, and of the large one: so many that no cache holds what is looked at for them.
const NAMES: usize = 1 << 10;
const MANY_NAMES: usize = 1 << 16;

struct Find {
    zones: Zones,
    names: Vec<Name>,
    next: usize,
    batch: Vec<FoldedName>,
}

impl Find {
    fn new(
        zones: Zones,
        count: usize,
        text: impl FnMut() -> String,
        expected: fn(&Found<'_>) -> bool,
    ) -> Find {
        let names: Vec<Name> = std::iter::repeat_with(text).map(|text| name(&text)).take(count).collect();
        let batch = (0..BATCH).map(|_| FoldedName::default()).collect();
        let mut work = Find { zones, names, next: 0, batch };
        for _ in 0..count / BATCH {
            work.prepare();
            for name in &work.batch {
                let zone = work.zones.find(name, name.label_count()).expect("the zone of the name");
                assert!(expected(&find(zone, name)));
            }
        }
        work
    }
}

impl Work for Find {
    fn prepare(&mut self) {
        for place in &mut self.batch {
            place.set(self.names[self.next].as_wire()).expect("a valid name");
            self.next = (self.next + 1) % self.names.len();
        }
    }

    fn run(&mut self) {
        for name in &self.batch {
            if let Some(zone) = self.zones.find(name, name.label_count()) {
                black_box(find(zone, name));
            }
        }
    }
}

type Site = (&'static LazyLock<Arc<Zone>>, usize);

fn case(
    name: &str,
    (zone, count): Site,
    text: fn(u64) -> String,
    most: u64,
    expected: fn(&Found<'_>) -> bool,
) -> Case {
    let make = move || {
        let mut random = generator(1);
        Find::new(only(zone), count, || text(random.below(most)), expected)
    };
    if count == NAMES { Case::new(name, make) } else { Case::timed(name, make) }
}

/// A case of the small zone beside so many others that zones are found by hash.
fn among_others(name: &str, text: fn(u64) -> String, expected: fn(&Found<'_>) -> bool) -> Case {
    Case::new(name, move || {
        let mut random = generator(1);
        Find::new(among(100, &SMALL), NAMES, || text(random.below(HOSTS)), expected)
    })
}

pub fn cases() -> Vec<Case> {
    let small = (&SMALL, NAMES);
    let large = (&LARGE, MANY_NAMES);
    let exact = |found: &Found<'_>| matches!(found, Found::Exact(_));
    let wildcard = |found: &Found<'_>| matches!(found, Found::Wildcard(_));
    let absent = |found: &Found<'_>| matches!(found, Found::NameError);
    let cut = |found: &Found<'_>| matches!(found, Found::Delegation(_));
    vec![
        case("find/exact", small, |n| format!("host{n:05}.bench.test."), HOSTS, exact),
        among_others("find/exact-100-zones", |n| format!("host{n:05}.bench.test."), exact),
        case("find/wildcard", small, |n| format!("w{n}.wild.bench.test."), HOSTS, wildcard),
        case("find/nxdomain", small, |n| format!("no{n}.bench.test."), HOSTS, absent),
        case("find/delegation", small, |n| format!("www.cut{n}.bench.test."), CHAINS, cut),
        case("find/exact-1m", large, |n| format!("n{n:07}.big.test."), LARGE_HOSTS, exact),
        case("find/nxdomain-1m", large, |n| format!("no{n:07}.big.test."), LARGE_HOSTS, absent),
    ]
}
