//! Queries as resolvers send them.

use gslb_core::wire::Name;

/// What stands behind the question.
#[derive(Clone, Copy)]
pub enum Edns {
    /// Nothing.
    None,
    /// An OPT record without options.
    Plain,
    /// An OPT record with the client subnet of this IPv4 /24.
    Subnet([u8; 3]),
}

/// Payload size that the queries state.
const PAYLOAD: u16 = 1232;

/// A name in wire format.
pub fn name(text: &str) -> Name {
    Name::from_text(text.as_bytes(), None).expect("an absolute name")
}

/// The octets of a query of class IN.
pub fn query(text: &str, rtype: u16, edns: Edns) -> Vec<u8> {
    let additional = u8::from(!matches!(edns, Edns::None));
    let mut octets = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, additional];
    octets.extend_from_slice(name(text).as_wire());
    octets.extend_from_slice(&rtype.to_be_bytes());
    octets.extend_from_slice(&[0, 1]);
    let options = match edns {
        Edns::None => return octets,
        Edns::Plain => vec![],
        Edns::Subnet([a, b, c]) => vec![0, 8, 0, 7, 0, 1, 24, 0, a, b, c],
    };
    octets.extend_from_slice(&[0, 0, 41]);
    octets.extend_from_slice(&PAYLOAD.to_be_bytes());
    octets.extend_from_slice(&[0, 0, 0, 0, 0, options.len() as u8]);
    octets.extend_from_slice(&options);
    octets
}
