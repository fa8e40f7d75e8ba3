//! Writes a response in place, behind the question, never past its limit.
//!
//! RRsets are kept as *images*: whole records whose owner is the pointer `C0 0C` to the question and whose RDATA
//! holds no pointers. The common answer is one copy of an image. Elsewhere owners and the names in RDATA of the
//! RFC 1035 types are compressed as they are written (`names.rs`), but for the SOA of negative answers (`prepared.rs`).

mod names;
mod places;
mod prepared;

use std::net::IpAddr;

pub use self::places::Place;
pub use self::prepared::PreparedSoa;
use super::fold::FoldedName;
use super::name::wire_length;
use super::rtype;
use super::{HEADER, u16_at};

/// Owner, type, class, TTL and length of one record in an image.
pub const IMAGE_HEAD: usize = 12;
/// The owner in an image: a pointer to the question's name.
pub const OWNER_IS_QUESTION: [u8; 2] = [0xc0, HEADER as u8];

/// Names written after the question that later ones may point to; a bound, not a guess at the usual number.
const MAX_TARGETS: usize = 48;

/// The record set does not fit into what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The sections of a response that hold records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Answer.
    Answer = 0,
    /// Authority.
    Authority = 1,
    /// Additional.
    Additional = 2,
}

/// An RRset image and what its octets do not say.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// RR type.
    pub rtype: u16,
    /// Number of records.
    pub count: u16,
    /// The records.
    pub octets: &'a [u8],
}

impl<'a> Image<'a> {
    /// The TTL in seconds; all records of an RRset have the same (RFC 2181 section 5.2).
    pub fn ttl(&self) -> u32 {
        super::u32_at(self.octets, 6).unwrap_or(0)
    }

    /// The RDATA of each record.
    pub fn rdata(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.octets;
        std::iter::from_fn(move || {
            let length = usize::from(u16_at(rest, 10)?);
            let rdata = rest.get(IMAGE_HEAD..IMAGE_HEAD + length)?;
            rest = rest.get(IMAGE_HEAD + length..)?;
            Some(rdata)
        })
    }
}

/// Who owns the records being written.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// The question's name.
    Question,
    /// Another name, uncompressed.
    Name(&'a [u8]),
}

/// Of two equal numbers, so that many of them are cleared at once: a new writer has room for all.
#[derive(Clone, Copy, Default)]
struct Target {
    offset: u16,
    length: u16,
}

/// Writes records behind the question of `octets`.
pub struct Writer<'a> {
    octets: &'a mut [u8],
    at: usize,
    limit: usize,
    /// The limit of the sections, as it was made.
    sections: usize,
    /// Set when an RRset that belonged here did not fit.
    closed: bool,
    counts: [u16; 3],
    question: &'a FoldedName,
    targets: [Target; MAX_TARGETS],
    target_count: usize,
}

/// A place to go back to when an RRset did not fit.
#[derive(Clone, Copy)]
pub struct Mark {
    at: usize,
    counts: [u16; 3],
    target_count: usize,
}

impl<'a> Writer<'a> {
    /// Starts behind the question, which ends at `question_end`; at most `limit` octets will be used.
    #[inline]
    pub fn new(
        octets: &'a mut [u8],
        question_end: usize,
        limit: usize,
        question: &'a FoldedName,
    ) -> Writer<'a> {
        let limit = limit.min(octets.len());
        Writer {
            octets,
            at: question_end,
            limit,
            sections: limit,
            closed: false,
            counts: [0; 3],
            question,
            targets: [Target::default(); MAX_TARGETS],
            target_count: 0,
        }
    }

    /// Octets written so far, header and question included.
    pub fn length(&self) -> usize {
        self.at
    }

    /// Lets nothing more in: what was left out must not be followed by what came after it.
    pub fn close(&mut self) {
        self.closed = true;
        self.limit = self.at;
    }

    /// Whether something was left out.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Records written so far in each section.
    pub fn counts(&self) -> [u16; 3] {
        self.counts
    }

    /// Where to go back to.
    pub fn mark(&self) -> Mark {
        Mark { at: self.at, counts: self.counts, target_count: self.target_count }
    }

    /// Forgets all that was written since `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.at = mark.at;
        self.counts = mark.counts;
        self.target_count = mark.target_count;
    }

    /// Writes one RRset, or nothing of it. `ttl` replaces the image's.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn rrset(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        image: Image<'_>,
        ttl: Option<u32>,
    ) -> Result<(), Full> {
        if let (Owner::Question, None, false) = (owner, ttl, rtype::is_compressible(image.rtype)) {
            self.put(image.octets)?;
            self.count(section, image.count);
            return Ok(());
        }
        let mark = self.mark();
        let written = self.records(owner, image, ttl);
        match written {
            Ok(()) => self.count(section, image.count),
            Err(Full) => self.rollback(mark),
        }
        written
    }

    fn records(&mut self, owner: Owner<'_>, image: Image<'_>, ttl: Option<u32>) -> Result<(), Full> {
        let ttl = ttl.unwrap_or_else(|| image.ttl());
        for rdata in image.rdata() {
            self.record_head(owner, image.rtype, ttl)?;
            let length_at = self.at - 2;
            if rtype::is_compressible(image.rtype) {
                self.compressed_rdata(image.rtype, rdata)?;
            } else {
                self.put(rdata)?;
            }
            let length = (self.at - length_at - 2) as u16;
            self.patch(length_at, length);
        }
        Ok(())
    }

    /// Writes one address record.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    #[inline]
    pub fn address(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        address: IpAddr,
        ttl: u32,
    ) -> Result<(), Full> {
        let mark = self.mark();
        let written = match address {
            IpAddr::V4(address) => self.address_record(owner, rtype::number::A, &address.octets(), ttl),
            IpAddr::V6(address) => self.address_record(owner, rtype::number::AAAA, &address.octets(), ttl),
        };
        match written {
            Ok(()) => self.count(section, 1),
            Err(Full) => self.rollback(mark),
        }
        written
    }

    /// Writes one record, whose RDATA comes in pieces that hold no names to compress unless there is only one.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        rdata: &[&[u8]],
    ) -> Result<(), Full> {
        let mark = self.mark();
        let written = self.record_in_pieces(owner, rtype, ttl, rdata);
        match written {
            Ok(()) => self.count(section, 1),
            Err(Full) => self.rollback(mark),
        }
        written
    }

    fn record_in_pieces(
        &mut self,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        rdata: &[&[u8]],
    ) -> Result<(), Full> {
        self.record_head(owner, rtype, ttl)?;
        let length_at = self.at - 2;
        match rdata {
            [rdata] if rtype::is_compressible(rtype) => self.compressed_rdata(rtype, rdata)?,
            pieces => pieces.iter().try_for_each(|piece| self.put(piece))?,
        }
        let length = u16::try_from(self.at - length_at - 2).map_err(|_| Full)?;
        self.patch(length_at, length);
        Ok(())
    }

    #[inline]
    fn address_record(&mut self, owner: Owner<'_>, rtype: u16, octets: &[u8], ttl: u32) -> Result<(), Full> {
        self.record_head(owner, rtype, ttl)?;
        self.patch(self.at - 2, octets.len() as u16);
        self.put(octets)
    }

    /// Writes a TXT record of class CH with the question's owner (RFC 4892). `text` is at most 255 octets.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn chaos_text(&mut self, text: &[u8]) -> Result<(), Full> {
        let length = u8::try_from(text.len()).map_err(|_| Full)?;
        let [o1, o2] = OWNER_IS_QUESTION;
        let mark = self.mark();
        let written = self
            .put(&[
                o1,
                o2,
                0,
                rtype::number::TXT as u8,
                0,
                3,
                0,
                0,
                0,
                0,
                0,
                length.saturating_add(1),
                length,
            ])
            .and_then(|()| self.put(text));
        match written {
            Ok(()) => self.count(Section::Answer, 1),
            Err(Full) => self.rollback(mark),
        }
        written
    }

    /// Writes the OPT record (RFC 6891 section 6.1.2) with ready-made options.
    ///
    /// # Errors
    /// [`Full`]: the caller reserves the room before it writes sections.
    #[inline]
    pub fn opt(
        &mut self,
        payload: u16,
        extended_rcode: u8,
        dnssec_ok: bool,
        options: &[u8],
    ) -> Result<(), Full> {
        let [payload_high, payload_low] = payload.to_be_bytes();
        let [length_high, length_low] = (options.len() as u16).to_be_bytes();
        let flags = if dnssec_ok { 0x80 } else { 0 };
        self.put(&[
            0,
            0,
            41,
            payload_high,
            payload_low,
            extended_rcode,
            0,
            flags,
            0,
            length_high,
            length_low,
        ])?;
        self.put(options)?;
        self.count(Section::Additional, 1);
        Ok(())
    }

    /// Completes the header and returns the length of the response. The id and RD stay the query's. `codes` is
    /// the octet of RA, Z, AD, CD and the response code. Without `question` the question count is 0.
    #[inline]
    pub fn finish(self, codes: u8, authoritative: bool, truncated: bool, question: bool) -> usize {
        let [answer, authority, additional] = self.counts.map(u16::to_be_bytes);
        if let Some([_, _, flags, low, counts @ ..]) = self.octets.first_chunk_mut::<HEADER>() {
            // QR, the query's opcode, AA, TC, the query's RD (RFC 1035 section 4.1.1).
            *flags = 0x80 | (*flags & 0x79) | u8::from(authoritative) << 2 | u8::from(truncated) << 1;
            *low = codes;
            let [a1, a2] = answer;
            let [n1, n2] = authority;
            let [r1, r2] = additional;
            *counts = [0, u8::from(question), a1, a2, n1, n2, r1, r2];
        }
        self.at
    }

    /// Allows `octets` more than the limit it was made with: the room that was kept for the OPT record.
    pub fn release(&mut self, octets: usize) {
        self.limit = (self.sections + octets).min(self.octets.len());
    }

    #[inline]
    fn record_head(&mut self, owner: Owner<'_>, rtype: u16, ttl: u32) -> Result<(), Full> {
        match owner {
            Owner::Question => self.put(&OWNER_IS_QUESTION)?,
            Owner::Name(name) => self.name(name)?,
        }
        let [t1, t2] = rtype.to_be_bytes();
        let [a, b, c, d] = ttl.to_be_bytes();
        self.put(&[t1, t2, 0, 1, a, b, c, d, 0, 0])
    }

    /// The RDATA of an RFC 1035 type: octets before, between and after its names as they are.
    fn compressed_rdata(&mut self, rtype: u16, rdata: &[u8]) -> Result<(), Full> {
        let mut done = 0;
        for (start, length) in rtype::rdata_names(rtype, rdata) {
            self.put(rdata.get(done..start).unwrap_or_default())?;
            self.name(rdata.get(start..start + length).unwrap_or_default())?;
            done = start + length;
        }
        self.put(rdata.get(done..).unwrap_or_default())
    }

    #[inline]
    fn put(&mut self, octets: &[u8]) -> Result<(), Full> {
        let end = self.at + octets.len();
        if end > self.limit {
            return Err(Full);
        }
        self.octets.get_mut(self.at..end).ok_or(Full)?.copy_from_slice(octets);
        self.at = end;
        Ok(())
    }

    #[inline]
    fn patch(&mut self, at: usize, value: u16) {
        if let Some(place) = self.octets.get_mut(at..at + 2) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    #[inline]
    fn count(&mut self, section: Section, records: u16) {
        let [answer, authority, additional] = &mut self.counts;
        let count = match section {
            Section::Answer => answer,
            Section::Authority => authority,
            Section::Additional => additional,
        };
        *count = count.saturating_add(records);
    }
}

/// Appends one record to an image. `rdata` is at most 65,535 octets.
pub fn push_image(image: &mut Vec<u8>, rtype: u16, ttl: u32, rdata: &[u8]) {
    image.extend_from_slice(&OWNER_IS_QUESTION);
    image.extend_from_slice(&rtype.to_be_bytes());
    image.extend_from_slice(&[0, 1]);
    image.extend_from_slice(&ttl.to_be_bytes());
    image.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
    image.extend_from_slice(rdata);
}

/// The name that `rdata` starts with, if it is whole.
pub fn leading_name(rdata: &[u8]) -> Option<&[u8]> {
    rdata.get(..wire_length(rdata).ok()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::wire::Name;

    pub(super) fn wire(text: &str) -> Vec<u8> {
        Name::from_text(text.as_bytes(), None).unwrap().as_wire().to_vec()
    }

    pub(super) fn image(rtype: u16, rdatas: &[&[u8]]) -> Vec<u8> {
        let mut octets = Vec::new();
        for rdata in rdatas {
            push_image(&mut octets, rtype, 300, rdata);
        }
        octets
    }

    #[test]
    fn what_does_not_fit_leaves_no_trace() {
        let mut question = FoldedName::default();
        question.set(b"\x01a\0").unwrap();
        let mut octets = [0u8; 100];
        let mut writer = Writer::new(&mut octets, 19, 60, &question);
        let a = image(rtype::number::A, &[&[1u8, 2, 3, 4][..]; 3]);
        let set = Image { rtype: rtype::number::A, count: 3, octets: &a };
        assert_eq!(writer.rrset(Section::Answer, Owner::Question, set, None), Err(Full));
        assert_eq!(writer.rrset(Section::Answer, Owner::Question, set, Some(1)), Err(Full));
        assert_eq!((writer.length(), writer.counts()), (19, [0, 0, 0]));
        writer.address(Section::Answer, Owner::Question, "192.0.2.1".parse().unwrap(), 30).unwrap();
        assert_eq!((writer.length(), writer.counts()), (35, [1, 0, 0]));
    }
}
