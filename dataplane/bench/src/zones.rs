//! The zones that are served.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use gslb_core::wire::Name;
use gslb_core::zone::build::build;
use gslb_core::zone::reader::read_zone_bytes;
use gslb_core::zone::table::Zone;
use gslb_core::zone::zones::Zones;

use crate::queries::name;

/// Names of [`SMALL`] that have addresses.
pub const HOSTS: u64 = 10_000;
/// Names of [`LARGE`].
pub const LARGE_HOSTS: u64 = 1_000_000;
/// Chains of CNAMEs, and delegations, of [`SMALL`].
pub const CHAINS: u64 = 100;
/// Addresses of `many` in [`SMALL`].
pub const MANY: u64 = 40;
/// The name that steerings answer, in [`SMALL`].
pub const STEERED: &str = "geo.bench.test.";

const HEAD: &str = "$TTL 300\n@ SOA ns1 host 1 7200 1800 1209600 300\n@ NS ns1\n@ NS ns2\n\
    ns1 A 192.0.2.1\nns2 A 192.0.2.2\n";

/// `bench.test.`: hosts, a wildcard, chains of two CNAMEs, delegations with glue, and a large RRset.
pub static SMALL: LazyLock<Arc<Zone>> = LazyLock::new(|| {
    let mut text = HEAD.to_owned();
    for host in 0..HOSTS {
        line(&mut text, format_args!("host{host:05} A 10.0.{}.{}", host / 250, host % 250));
        line(&mut text, format_args!("host{host:05} AAAA 2001:db8::{host:x}"));
    }
    line(&mut text, format_args!("*.wild A 192.0.2.77"));
    for chain in 0..CHAINS {
        line(&mut text, format_args!("chain{chain} CNAME mid{chain}"));
        line(&mut text, format_args!("mid{chain} CNAME host{chain:05}"));
        for server in ["ns1", "ns2"] {
            line(&mut text, format_args!("cut{chain} NS {server}.cut{chain}"));
            line(&mut text, format_args!("{server}.cut{chain} A 192.0.2.{chain}"));
            line(&mut text, format_args!("{server}.cut{chain} AAAA 2001:db8::53:{chain:x}"));
        }
    }
    for address in 0..MANY {
        line(&mut text, format_args!("many A 198.51.100.{address}"));
    }
    Arc::new(zone("bench.test.", &text, &[(name(STEERED), 0)]))
});

/// `big.test.`: a million names with an address each.
pub static LARGE: LazyLock<Arc<Zone>> = LazyLock::new(|| {
    let mut text = HEAD.to_owned();
    for host in 0..LARGE_HOSTS {
        let (a, b, c) = (host >> 16, host >> 8 & 255, host & 255);
        line(&mut text, format_args!("n{host:07} A 10.{a}.{b}.{c}"));
    }
    Arc::new(zone("big.test.", &text, &[]))
});

/// The zones of a server that serves this one.
pub fn only(zone: &Arc<Zone>) -> Zones {
    let mut zones = Zones::default();
    zones.insert(zone.clone());
    zones
}

/// The zones of a server that serves this one beside so many small ones.
pub fn among(others: u64, small: &Arc<Zone>) -> Zones {
    let mut zones = only(small);
    for number in 0..others {
        zones.insert(Arc::new(zone(&format!("z{number}.test."), HEAD, &[])));
    }
    zones
}

fn line(text: &mut String, record: std::fmt::Arguments<'_>) {
    writeln!(text, "{record}").expect("text can grow");
}

fn zone(origin: &str, text: &str, steered: &[(Name, u32)]) -> Zone {
    let origin = name(origin);
    let read = read_zone_bytes("bench", text.as_bytes(), &origin);
    build(&origin, read.compilable().expect("records without errors"), steered).expect("a sound zone")
}
