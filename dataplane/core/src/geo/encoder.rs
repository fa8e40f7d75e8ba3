//! A small writer of MaxMind DBs for tests.

#![allow(clippy::unwrap_used)]

use super::prefix::Subnet;

/// A value of the MaxMind DB data section.
pub(super) enum Value {
    Map(Vec<(&'static str, Value)>),
    List(Vec<Value>),
    Text(&'static str),
    Double(f64),
    Number(u32),
    Short(u16),
    Long(u64),
    /// To an offset in the data section, below 2,048.
    Pointer(u16),
    /// Any octets.
    Raw(Vec<u8>),
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
        assert!(size < 29, "the test encoder writes short values only");
        if kind < 8 {
            out.push(kind << 5 | size as u8);
        } else {
            out.extend([size as u8, kind - 7]);
        }
    }
    match value {
        Value::Text(text) => {
            control(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Value::Double(number) => {
            control(3, 8, out);
            out.extend(number.to_be_bytes());
        }
        Value::Number(number) => {
            control(6, 4, out);
            out.extend(number.to_be_bytes());
        }
        Value::Short(number) => {
            control(5, 2, out);
            out.extend(number.to_be_bytes());
        }
        Value::Long(number) => {
            control(9, 8, out);
            out.extend(number.to_be_bytes());
        }
        Value::Pointer(offset) => out.extend([1 << 5 | (offset >> 8) as u8, *offset as u8]),
        Value::Raw(octets) => out.extend(octets),
        Value::Map(entries) => {
            control(7, entries.len(), out);
            for (key, value) in entries {
                encode(&Value::Text(key), out);
                encode(value, out);
            }
        }
        Value::List(items) => {
            control(11, items.len(), out);
            items.iter().for_each(|item| encode(item, out));
        }
    }
}

/// Encodes a database with 32-bit records. IPv4 networks of an IPv6 database go to `::/96`.
pub(super) fn write(version: u16, networks: &[(&str, Value)], alias: Option<(u128, u8)>) -> Vec<u8> {
    const NO_DATA: usize = usize::MAX;
    let mut data = Vec::new();
    // Children: a node number, or data at usize::MAX / 2 + offset, or NO_DATA.
    let mut nodes: Vec<[usize; 2]> = vec![[NO_DATA; 2]];
    let insert = |nodes: &mut Vec<[usize; 2]>, bits: u128, length: u8, target: usize| {
        let mut node = 0;
        for depth in 0..length {
            let bit = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                nodes[node][bit] = target;
            } else if nodes[node][bit] == NO_DATA {
                nodes.push([NO_DATA; 2]);
                let new = nodes.len() - 1;
                nodes[node][bit] = new;
                node = new;
            } else {
                node = nodes[node][bit];
            }
        }
    };
    for (text, value) in networks {
        let target = usize::MAX / 2 + data.len();
        encode(value, &mut data);
        let (bits, length) = match text.parse::<Subnet>().unwrap() {
            Subnet::V4(p) if version == 6 => (u128::from(p.start), 96 + p.length),
            Subnet::V4(p) => (u128::from(p.start) << 96, p.length),
            Subnet::V6(p) => (p.start, p.length),
        };
        insert(&mut nodes, bits, length, target);
    }
    if let Some((bits, length)) = alias {
        let ipv4_root = (0..96).fold(0, |node, _| nodes[node][0]);
        insert(&mut nodes, bits, length, ipv4_root);
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for child in nodes.into_iter().flatten() {
        let record = match child {
            NO_DATA => count,
            data if data >= usize::MAX / 2 => count + 16 + (data - usize::MAX / 2),
            node => node,
        };
        out.extend((record as u32).to_be_bytes());
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Value::Map(vec![
        ("binary_format_major_version", Value::Short(2)),
        ("binary_format_minor_version", Value::Short(0)),
        ("build_epoch", Value::Long(1)),
        ("database_type", Value::Text("Test-City")),
        ("description", Value::Map(vec![])),
        ("ip_version", Value::Short(version)),
        ("languages", Value::List(vec![])),
        ("node_count", Value::Number(count as u32)),
        ("record_size", Value::Short(32)),
    ]);
    encode(&metadata, &mut out);
    out
}
