//! Records of names that stand in the response already: the addresses of name servers.

use super::{Full, IMAGE_HEAD, Image, Section, Writer};
use crate::wire::u16_at;

/// The two high bits of a pointer, and what is left for an offset (RFC 1035 section 4.1.4).
pub(super) const POINTER: u16 = 0xc000;
/// Between a record's owner and its RDATA: type, class, TTL, and the length.
const LENGTH_BEFORE_RDATA: usize = 2;
const BEFORE_RDATA: usize = 10;

/// Where a name stands in a response, near enough to be pointed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u16);

/// Where the name at `at` ends, and where in it a pointer stands.
pub(super) fn name_end(octets: &[u8], mut at: usize) -> Option<(usize, Option<usize>)> {
    loop {
        match usize::from(*octets.get(at)?) {
            0 => return Some((at + 1, None)),
            length if length >= 0xc0 => return Some((at + 2, Some(at))),
            length => at += length + 1,
        }
    }
}

impl Writer<'_> {
    /// Where the names stand that the RDATA of the records from `at` on begin with; `None` for one that is out of a
    /// pointer's reach, and for the root. `at` is where a record was written.
    pub fn names_from(&self, mut at: usize) -> impl Iterator<Item = Option<Place>> {
        std::iter::from_fn(move || {
            let written = self.octets.get(..self.at)?;
            let rdata = name_end(written, at)?.0 + BEFORE_RDATA;
            let length = u16_at(written, rdata - LENGTH_BEFORE_RDATA)?;
            at = rdata + usize::from(length);
            let place = match *written.get(rdata)? {
                // The root is shorter than a pointer to it.
                0 => None,
                // A name that is a pointer stands where that points.
                first if first >= (POINTER >> 8) as u8 => {
                    u16_at(written, rdata).map(|pointer| pointer & !POINTER)
                }
                _ => u16::try_from(rdata).ok(),
            };
            Some(place.filter(|place| *place <= !POINTER).map(Place))
        })
    }

    /// Writes an RRset of the name at `place`, or nothing of it. Its RDATA must hold no names to compress.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn rrset_at(&mut self, section: Section, place: Place, image: Image<'_>) -> Result<(), Full> {
        let mut at = self.at;
        self.put(image.octets)?;
        self.count(section, image.count);
        for rdata in image.rdata() {
            self.patch(at, POINTER | place.0);
            at += IMAGE_HEAD + rdata.len();
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{image, wire};
    use super::super::{HEADER, Owner};
    use super::*;
    use crate::wire::fold::FoldedName;
    use crate::wire::rtype::number;

    /// A response to a question for `www.ex.`, with these name servers and an address of each.
    fn respond(servers: &[Vec<u8>], by_place: bool) -> (Vec<u8>, [u16; 3]) {
        let mut question = FoldedName::default();
        let asked = wire("www.ex.");
        question.set(&asked).unwrap();
        let end = HEADER + asked.len() + 4;
        let mut octets = vec![0; 65_535];
        octets[HEADER..HEADER + asked.len()].copy_from_slice(&asked);
        let mut writer = Writer::new(&mut octets, end, 65_535, &question);
        let rdatas: Vec<&[u8]> = servers.iter().map(Vec::as_slice).collect();
        let ns = image(number::NS, &rdatas);
        let set = Image { rtype: number::NS, count: servers.len() as u16, octets: &ns };
        writer.rrset(Section::Authority, Owner::Name(&wire("ex.")), set, None).unwrap();
        let a = image(number::A, &[&[192, 0, 2, 1], &[192, 0, 2, 2]]);
        let set = Image { rtype: number::A, count: 2, octets: &a };
        let places: Vec<_> = writer.names_from(end).collect();
        assert_eq!(places.len(), servers.len());
        for (server, place) in servers.iter().zip(places) {
            match place.filter(|_| by_place) {
                Some(place) => writer.rrset_at(Section::Additional, place, set).unwrap(),
                None => writer.rrset(Section::Additional, Owner::Name(server), set, None).unwrap(),
            }
        }
        let (length, counts) = (writer.length(), writer.counts());
        octets.truncate(length);
        (octets, counts)
    }

    #[test]
    fn owners_point_where_they_would_otherwise() {
        // Written whole, in part, as the question, as an earlier one, as the origin and as the root.
        let servers = ["ns1.ex.", "NS.other.", "WWW.ex.", "other.", "a.ns1.ex.", "ex.", "."].map(wire);
        assert_eq!(respond(&servers, true), respond(&servers, false));
        assert_eq!(respond(&servers, true).1, [0, 7, 14]);
    }

    #[test]
    fn what_no_pointer_reaches_has_no_place() {
        let servers: Vec<_> =
            (0..450).map(|number| wire(&format!("server-of-some-length-{number}."))).collect();
        let (octets, counts) = respond(&servers, true);
        assert_eq!(counts, [0, 450, 900]);
        let mut at = HEADER + 8 + 4;
        let mut owners = Vec::new();
        for _ in 0..1_350 {
            let (end, pointer) = name_end(&octets, at).unwrap();
            owners.push(pointer.map(|at| u16_at(&octets, at).unwrap()));
            at = end + BEFORE_RDATA + usize::from(u16_at(&octets, end + 8).unwrap());
        }
        assert_eq!(at, octets.len());
        assert!(owners[450].is_some() && owners[1_349].is_none());
    }

    #[test]
    fn it_is_whole_or_not_there() {
        let mut question = FoldedName::default();
        question.set(b"\x01a\0").unwrap();
        let mut octets = [0; 100];
        let mut writer = Writer::new(&mut octets, 19, 50, &question);
        let a = image(number::A, &[&[1, 2, 3, 4], &[5, 6, 7, 8]]);
        let set = Image { rtype: number::A, count: 2, octets: &a };
        assert_eq!(writer.rrset_at(Section::Additional, Place(12), set), Err(Full));
        assert_eq!((writer.length(), writer.counts()), (19, [0; 3]));
    }
}
