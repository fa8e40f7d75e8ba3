//! The names and RDATA that fuzzed zones and queries are made of: few, so that they meet.

use std::sync::LazyLock;

use gslb_core::wire::Name;
use gslb_core::wire::rtype::number;

/// Type number of a type that nothing knows (RFC 6895 section 3.1: private use).
const PRIVATE: u16 = 65_280;

/// Origins of zones that may be served together: the root, parents and children.
pub const ORIGINS: [&str; 5] = [".", "ex.", "sub.ex.", "other.", "d.ex."];

/// A name of 255 octets below `ex.`, in labels of 63 octets.
fn long_name() -> String {
    format!("{0}.{0}.{0}.{1}.ex.", "l".repeat(63), "l".repeat(58))
}

/// A name of 127 labels, the most there can be.
fn deep_name() -> String {
    "a.".repeat(127)
}

/// Owner names, targets and the ends of query names. All lower case, as compiled zones hold them.
pub static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let long = long_name();
    let deep = deep_name();
    // A wildcard where the longest name has its first label: it stands for that name too.
    let wild = format!("*.{0}.{0}.{1}.ex.", "l".repeat(63), "l".repeat(58));
    [
        ".",
        "ex.",
        "a.ex.",
        "b.ex.",
        "c.b.ex.",
        "*.ex.",
        "*.b.ex.",
        "w.*.ex.",
        "*.*.ex.",
        "d.ex.",
        "x.d.ex.",
        "sub.ex.",
        "ns.sub.ex.",
        "x.ns.sub.ex.",
        "e.n.t.ex.",
        "n.t.ex.",
        "s.ex.",
        "*.s.ex.",
        "c1.ex.",
        "c2.ex.",
        "c3.ex.",
        "c4.ex.",
        "other.",
        "ns.other.",
        "d.other.",
        "*.",
        "a.d.ex.",
        "\\000\\255\\.\\065.ex.",
        &wild,
        &long,
        &deep,
        "sub.sub.ex.",
    ]
    .map(name)
    .to_vec()
});

/// The name that `text` writes, in lower case.
pub fn name(text: &str) -> Name {
    Name::from_text(text.as_bytes(), None).expect("a name of the menu").to_lowercase()
}

/// The name that one octet chooses.
pub fn choose_name(octet: u8) -> &'static Name {
    &NAMES[usize::from(octet) % NAMES.len()]
}

/// One RRset of a fuzzed zone: type and RDATA.
pub struct Data {
    pub rtype: u16,
    pub rdata: Vec<Vec<u8>>,
}

/// The RDATA that two octets choose: what `kind` makes of `value`.
pub fn choose_data(kind: u8, value: u8) -> Data {
    let target = choose_name(value).as_wire();
    let one = |rtype, rdata: Vec<u8>| Data { rtype, rdata: vec![rdata] };
    let many = |rtype, count: usize, make: &dyn Fn(u16) -> Vec<u8>| Data {
        rtype,
        rdata: (0..count as u16).map(make).collect(),
    };
    match kind % 20 {
        0 => one(number::A, vec![192, 0, 2, value]),
        1 => one(number::AAAA, vec![value; 16]),
        2 => one(number::NS, target.to_vec()),
        3 => one(number::CNAME, target.to_vec()),
        4 => one(number::DNAME, target.to_vec()),
        5 => one(number::MX, [&[0, value], target].concat()),
        6 => one(number::TXT, strings(usize::from(value), value)),
        7 => one(number::TXT, strings(usize::from(value) * 255, value)),
        8 => many(number::A, usize::from(value) * 20, &|host| {
            let [high, low] = host.to_be_bytes();
            vec![10, value, high, low]
        }),
        9 => one(number::SRV, [&[0, 1, 0, 2, 0, value], target].concat()),
        10 => one(number::SOA, soa(value)),
        11 => one(number::PTR, target.to_vec()),
        12 => one(number::DS, vec![value; 36]),
        13 => one(number::RRSIG, [&[value; 18], target, &[value; 32]].concat()),
        14 => one(PRIVATE, vec![0xc0; usize::from(value)]),
        15 => {
            // With address hints, which are mandatory for odd values.
            let parameters: &[u8] = b"\0\x01\0\x03\x02h2\0\x04\0\x04\xc0\0\x02\x09\0\x06\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09";
            let mandatory: &[u8] = if value % 2 == 1 { b"\0\0\0\x04\0\x04\0\x06" } else { b"" };
            let target: &[u8] = if value % 4 < 2 { &[0] } else { target };
            one(number::HTTPS, [&[0, 1], target, mandatory, parameters].concat())
        }
        16 => one(number::NAPTR, [&[0, 1, 0, value, 1, b's', 0, 0], target].concat()),
        17 => one(number::MINFO, [target, target].concat()),
        18 => {
            many(number::NS, usize::from(value), &|host| name(&format!("h{host}.sub.ex.")).as_wire().to_vec())
        }
        _ => many(number::MX, usize::from(value), &|host| {
            [&host.to_be_bytes(), choose_name(host as u8).as_wire()].concat()
        }),
    }
}

/// RDATA of an SOA record whose numbers are `value`.
pub fn soa(value: u8) -> Vec<u8> {
    let target = choose_name(value).as_wire();
    [target, target, &[0, 0, 0, value].repeat(5)].concat()
}

/// `octets` octets of text in character strings of at most 255.
fn strings(octets: usize, fill: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let text = vec![fill; octets];
    for part in text.chunks(255) {
        out.push(part.len() as u8);
        out.extend_from_slice(part);
    }
    if out.is_empty() {
        out.push(0);
    }
    out
}
