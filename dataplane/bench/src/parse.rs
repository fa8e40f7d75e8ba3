//! Reading queries.

use std::hint::black_box;

use gslb_core::wire::query::{Parsed, Query};
use gslb_core::wire::rtype::number;

use crate::cases::{BATCH, Case, Work};
use crate::queries::{Edns, query};

struct Parse {
    packets: Vec<Vec<u8>>,
    query: Query,
}

impl Parse {
    fn new(edns: Edns) -> Parse {
        let packet = |host: usize| query(&format!("host{host:05}.bench.test."), number::A, edns);
        let mut parse = Parse { packets: (0..BATCH).map(packet).collect(), query: Query::default() };
        assert_eq!(parse.query.parse(&parse.packets[0]), Parsed::Query);
        assert_eq!(parse.query.edns.is_some(), !matches!(edns, Edns::None));
        parse
    }
}

impl Work for Parse {
    fn run(&mut self) {
        for packet in &self.packets {
            black_box(self.query.parse(packet));
        }
    }
}

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("parse/plain", || Parse::new(Edns::None)),
        Case::new("parse/edns", || Parse::new(Edns::Plain)),
        Case::new("parse/subnet", || Parse::new(Edns::Subnet([192, 0, 2]))),
    ]
}
