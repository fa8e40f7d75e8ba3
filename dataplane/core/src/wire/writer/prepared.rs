//! The SOA of a zone's negative answers, written once when the zone is made and copied since.
//!
//! In most negative answers it follows the question at once, and the question ends in the zone's origin. Then all
//! pointers in the record are as far from where the origin stands as they were when the origin was the whole question.

use super::places::{POINTER, name_end};
use super::{Full, Image, Owner, Section, Writer};
use crate::wire::HEADER;
use crate::wire::fold::FoldedName;
use crate::wire::name::{is_within, label_count};

/// Owner, MNAME and RNAME.
const NAMES: usize = 3;
/// Type and class stand between the owner and the TTL; type, class, TTL and length before the RDATA.
const BEFORE_TTL: usize = 4;
const BEFORE_RDATA: usize = 10;
/// Type and class of a question.
const AFTER_NAME: usize = 4;

/// An SOA record as it is written behind a question for its owner, its names compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedSoa {
    octets: Box<[u8]>,
    /// Labels of the owner.
    labels: u8,
    ttl_at: u16,
    /// Where a pointer stands, and how far from the owner's first octet in the question it points.
    pointers: [(u16, u16); NAMES],
    pointer_count: u8,
    /// MNAME and RNAME from the label on that they have directly below the owner, as [`FoldedName::above`] tells it of
    /// a question that one of them could point further into.
    below: [[u8; 4]; 2],
}

impl PreparedSoa {
    /// The record of an image, for this owner in lower case. `None` if it is no SOA record.
    pub fn new(owner: &[u8], image: Image<'_>, ttl: u32) -> Option<PreparedSoa> {
        let mut question = FoldedName::default();
        question.set(owner).ok()?;
        let start = HEADER + owner.len() + AFTER_NAME;
        let mut message = vec![0; start + owner.len() + image.octets.len()];
        message.get_mut(HEADER..HEADER + owner.len())?.copy_from_slice(owner);
        let limit = message.len();
        let mut writer = Writer::new(&mut message, start, limit, &question);
        writer.rrset(Section::Authority, Owner::Name(owner), image, Some(ttl)).ok()?;
        let end = writer.length();
        let octets = message.get(start..end)?;

        let mut pointers = [(0, 0); NAMES];
        let mut pointer_count = 0u8;
        let mut at = 0;
        let mut ttl_at = 0;
        for number in 0..NAMES {
            let (end, pointer) = name_end(octets, at)?;
            if let Some((place, pointer)) = pointer.zip(pointers.get_mut(usize::from(pointer_count))) {
                let to = crate::wire::u16_at(octets, place)? & !POINTER;
                *pointer = (place as u16, to.checked_sub(HEADER as u16)?);
                pointer_count += 1;
            }
            at = end;
            if number == 0 {
                ttl_at = (end + BEFORE_TTL) as u16;
                at = end + BEFORE_RDATA;
            }
        }
        let rdata = image.rdata().next()?;
        let mname = super::leading_name(rdata)?;
        let rname = super::leading_name(rdata.get(mname.len()..)?)?;
        let below = [mname, rname].map(|name| below(name, owner));
        let labels = label_count(owner) as u8;
        Some(PreparedSoa { octets: octets.into(), labels, ttl_at, pointers, pointer_count, below })
    }
}

/// How `name` begins from the label directly below `owner` on; zeros if it is not below.
fn below(name: &[u8], owner: &[u8]) -> [u8; 4] {
    let mut folded = FoldedName::default();
    match folded.set(name) {
        Ok(_) if is_within(folded.as_wire(), owner) => folded.above(label_count(owner)),
        _ => [0; 4],
    }
}

impl Writer<'_> {
    /// Writes the SOA record to the authority section as [`Writer::rrset`] would; `ttl` replaces its own. The question
    /// must be for a name in its zone. `None`, and nothing is written, where the record would come out otherwise:
    /// records stand before it, or one of its names may be compressed further.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn prepared_soa(&mut self, soa: &PreparedSoa, ttl: Option<u32>) -> Option<Result<(), Full>> {
        let question = self.question;
        let comes_first = self.at == HEADER + question.as_wire().len() + AFTER_NAME;
        let [one, other] = soa.below;
        let above = question.above(usize::from(soa.labels));
        if !comes_first || (above != [0; 4] && (above == one || above == other)) {
            return None;
        }
        let start = self.at;
        if let Err(full) = self.put(&soa.octets) {
            return Some(Err(full));
        }
        let origin = (HEADER + question.suffix_start(usize::from(soa.labels))) as u16;
        for &(at, distance) in soa.pointers.iter().take(usize::from(soa.pointer_count)) {
            self.patch(start + usize::from(at), POINTER | (origin + distance));
        }
        if let Some(ttl) = ttl {
            let at = start + usize::from(soa.ttl_at);
            if let Some(place) = self.octets.get_mut(at..at + 4) {
                place.copy_from_slice(&ttl.to_be_bytes());
            }
        }
        self.count(Section::Authority, 1);
        Some(Ok(()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::image;
    use super::*;
    use crate::wire::rtype::number;
    use proptest::prelude::*;

    fn wire(labels: &[&str]) -> Vec<u8> {
        let mut name: Vec<u8> =
            labels.iter().flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
        name.push(0);
        name
    }

    /// A response to a question for `asked`, with the SOA of `origin` prepared or written as any RRset.
    fn respond(
        asked: &[u8],
        origin: &[u8],
        soa: Image<'_>,
        ttl: Option<u32>,
        prepared: bool,
    ) -> (bool, Vec<u8>) {
        let mut question = FoldedName::default();
        question.set(asked).unwrap();
        let end = HEADER + asked.len() + 4;
        let mut octets = [0; 1232];
        octets[HEADER..HEADER + asked.len()].copy_from_slice(asked);
        let mut writer = Writer::new(&mut octets, end, 1232, &question);
        let was_prepared = prepared && {
            let record = PreparedSoa::new(origin, soa, 300).unwrap();
            writer.prepared_soa(&record, ttl).is_some_and(|written| written.is_ok())
        };
        if !was_prepared {
            let ttl = Some(ttl.unwrap_or(300));
            writer.rrset(Section::Authority, Owner::Name(origin), soa, ttl).unwrap();
        }
        let length = writer.finish(0, true, false, true);
        (was_prepared, octets[..length].to_vec())
    }

    fn soa(mname: &[u8], rname: &[u8]) -> Vec<u8> {
        let mut rdata = [mname, rname].concat();
        rdata.extend(1..=20);
        image(number::SOA, &[&rdata])
    }

    #[test]
    fn a_name_below_the_servers_is_left_to_the_writer() {
        let origin = wire(&["ex", "org"]);
        let octets = soa(&wire(&["NS1", "ex", "org"]), &wire(&["host", "ex", "org"]));
        let set = Image { rtype: number::SOA, count: 1, octets: &octets };
        let is_prepared = |labels: &[&str]| {
            let asked = wire(labels);
            let (prepared, response) = respond(&asked, &origin, set, Some(7), true);
            assert_eq!(response, respond(&asked, &origin, set, Some(7), false).1);
            prepared
        };
        assert!(is_prepared(&["ex", "org"]));
        assert!(is_prepared(&["www", "EX", "org"]));
        assert!(is_prepared(&["ns1", "www", "ex", "org"]));
        assert!(!is_prepared(&["ns1", "ex", "org"]));
        assert!(!is_prepared(&["a", "Host", "ex", "org"]));
    }

    #[test]
    fn it_is_whole_or_not_there() {
        let origin = wire(&["ex"]);
        let octets = soa(&wire(&["a"]), &wire(&["b"]));
        let set = Image { rtype: number::SOA, count: 1, octets: &octets };
        let record = PreparedSoa::new(&origin, set, 300).unwrap();
        let mut question = FoldedName::default();
        question.set(&origin).unwrap();
        let end = HEADER + origin.len() + 4;
        let mut octets = [0; 100];
        let mut writer = Writer::new(&mut octets, end, end + 30, &question);
        assert_eq!(writer.prepared_soa(&record, None), Some(Err(Full)));
        assert_eq!((writer.length(), writer.counts()), (end, [0; 3]));
        // Behind another record it is somebody else's to write.
        writer.address(Section::Answer, Owner::Question, "192.0.2.1".parse().unwrap(), 30).unwrap();
        assert_eq!(writer.prepared_soa(&record, None), None);
    }

    proptest! {
        /// Few labels, so that names share some; whatever they share, the response is the same to the octet.
        #[test]
        fn it_comes_out_as_the_writer_writes_it(
            above in proptest::collection::vec("[abAB]{1,2}", 0..4),
            origin in proptest::collection::vec("[ab]{1,2}", 0..3),
            mname in proptest::collection::vec("[abAB]{1,2}", 0..5),
            rname in proptest::collection::vec("[abAB]{1,2}", 0..5),
            (mname_is_in, rname_is_in, ttl) in any::<(bool, bool, Option<u32>)>(),
        ) {
            let join = |one: &[String], more: &[String]| {
                wire(&one.iter().chain(more).map(String::as_str).collect::<Vec<_>>())
            };
            let names = [(&mname, mname_is_in), (&rname, rname_is_in)]
                .map(|(name, is_in)| join(name, if is_in { &origin } else { &[] }));
            let octets = soa(&names[0], &names[1]);
            let set = Image { rtype: number::SOA, count: 1, octets: &octets };
            let (asked, origin) = (join(&above, &origin), join(&[], &origin));
            let (_, prepared) = respond(&asked, &origin, set, ttl, true);
            prop_assert_eq!(prepared, respond(&asked, &origin, set, ttl, false).1);
        }
    }
}
