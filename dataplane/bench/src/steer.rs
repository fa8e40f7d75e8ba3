//! Choosing endpoints for a client.

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

use gslb_core::steer::standing::Standing;
use gslb_core::steer::{Outcome, Random, Selection, Steering};
use gslb_core::wire::rtype::number;

use crate::cases::{BATCH, Case, Work};
use crate::random::generator;
use crate::steerings::{self, Site};

const CLIENTS: usize = 1 << 12;
/// Numbers of POPs; cases of one number alone are counted.
const POPS: [usize; 3] = [5, 50, 500];
const COUNTED_POPS: usize = 50;

struct Steer {
    steering: Arc<Steering>,
    standing: Standing,
    random: Random,
    selection: Selection,
    clients: Vec<IpAddr>,
    next: usize,
}

impl Steer {
    fn new(site: &Site) -> Steer {
        let mut random = generator(1);
        let clients: Vec<IpAddr> = (0..CLIENTS).map(|_| steerings::client(&mut random).into()).collect();
        let standing = site.standing();
        let mut selection = Selection::new();
        for &client in &clients {
            let decision = site.steering.decide(0, number::A, client, &standing, &mut random, &mut selection);
            assert_eq!(decision.outcome, Outcome::Answer);
        }
        let random = generator(2);
        Steer { steering: site.steering.clone(), standing, random, selection, clients, next: 0 }
    }
}

impl Work for Steer {
    fn run(&mut self) {
        let Steer { steering, standing, random, selection, clients, next } = self;
        for &client in &clients[*next..*next + BATCH] {
            black_box(steering.decide(0, number::A, client, standing, random, selection));
        }
        *next = (*next + BATCH) % CLIENTS;
    }
}

pub fn cases() -> Vec<Case> {
    let mut all = vec![
        Case::new("steer/nearest", || Steer::new(&steerings::nearest())),
        Case::new("steer/usual", || Steer::new(&steerings::usual())),
        Case::new("steer/every", || Steer::new(&steerings::every())),
    ];
    for pops in POPS {
        for (label, steps) in steerings::steps(pops) {
            let make = move || Steer::new(&steerings::of_steps(pops, &steps));
            all.push(match pops {
                COUNTED_POPS => Case::new(format!("steer/{label}"), make),
                _ => Case::timed(format!("steer/{label}-{pops}"), make),
            });
        }
    }
    all
}
