//! The whole answer path: any octets, asked of any zones.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use gslb_fuzz::laws::check_answers;
use gslb_fuzz::packet::Packet;
use gslb_fuzz::site::Site;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut u = Unstructured::new(octets);
    let (Ok(site), Ok(Packet(packet))) = (Site::arbitrary(&mut u), Packet::arbitrary(&mut u)) else { return };
    check_answers(&site.state, &packet, site.client, site.steered);
});
