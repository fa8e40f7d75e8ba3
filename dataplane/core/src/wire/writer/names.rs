//! Names in a response, compressed against the question and those written before (RFC 1035 section 4.1.4, RFC 3597
//! section 4).

use super::places::POINTER;
use super::{Full, Target, Writer};
use crate::wire::name::label_count;
use crate::wire::{HEADER, u16_at};

/// Pointers are followed at most this often when two names are compared.
const MAX_JUMPS: usize = 16;

impl Writer<'_> {
    /// Writes a name, ending in a pointer where its tail already stands in the message.
    pub(super) fn name(&mut self, name: &[u8]) -> Result<(), Full> {
        let mut rest = name;
        let mut labels = label_count(name);
        while labels > 0 {
            if let Some(offset) = self.find(rest, labels) {
                return self.put(&(POINTER | offset).to_be_bytes());
            }
            let label = usize::from(rest.first().copied().unwrap_or(0)) + 1;
            self.remember(rest.len());
            self.put(rest.get(..label).unwrap_or_default())?;
            rest = rest.get(label..).unwrap_or_default();
            labels -= 1;
        }
        self.put(&[0])
    }

    /// Offset of an earlier copy of `name`, which has `labels` labels.
    #[inline]
    fn find(&self, name: &[u8], labels: usize) -> Option<u16> {
        let start = self.question.suffix_start(labels);
        if labels <= self.question.label_count() && self.question.is_from(start, name) {
            return Some((HEADER + start) as u16);
        }
        self.targets
            .get(..self.target_count)?
            .iter()
            .find(|target| usize::from(target.length) == name.len() && self.stands_at(target.offset, name))
            .map(|target| target.offset)
    }

    fn stands_at(&self, offset: u16, name: &[u8]) -> bool {
        let mut at = usize::from(offset);
        let mut jumps = 0;
        let mut rest = name;
        loop {
            let Some(&length) = self.octets.get(at) else { return false };
            if length >= 0xc0 {
                jumps += 1;
                match u16_at(self.octets, at) {
                    Some(pointer) if jumps <= MAX_JUMPS => at = usize::from(pointer & !POINTER),
                    _ => return false,
                }
                // The rest of most names is the end of the question's, and compared at once.
                match at.checked_sub(HEADER) {
                    Some(start) if start < self.question.as_wire().len() => {
                        return self.question.is_from(start, rest);
                    }
                    _ => continue,
                }
            }
            let label = usize::from(length) + 1;
            match (self.octets.get(at..at + label), rest.get(..label)) {
                (Some(written), Some(wanted)) if written.eq_ignore_ascii_case(wanted) => {}
                _ => return false,
            }
            if length == 0 {
                return true;
            }
            at += label;
            rest = rest.get(label..).unwrap_or_default();
        }
    }

    /// Remembers that a name of `length` octets starts here. Pointers reach only the first 16,383 octets.
    fn remember(&mut self, length: usize) {
        if self.at < 0x4000
            && let Some(target) = self.targets.get_mut(self.target_count)
        {
            *target = Target { offset: self.at as u16, length: length as u16 };
            self.target_count += 1;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{image, wire};
    use super::super::{Image, Owner, Section};
    use super::*;
    use crate::wire::fold::FoldedName;
    use crate::wire::rtype;

    #[test]
    fn names_are_compressed_against_question_and_earlier_names() {
        let mut question = FoldedName::default();
        let name = wire("www.example.com.");
        question.set(&name).unwrap();
        let mut octets = [0u8; 512];
        octets[HEADER..HEADER + name.len()].copy_from_slice(&name);
        let end = HEADER + name.len() + 4;
        let mut writer = Writer::new(&mut octets, end, 512, &question);
        let ns = image(
            rtype::number::NS,
            &[&wire("ns1.example.com."), &wire("NS1.other.net."), &wire("a.other.NET.")],
        );
        let set = Image { rtype: rtype::number::NS, count: 3, octets: &ns };
        writer.rrset(Section::Authority, Owner::Name(&wire("example.com.")), set, None).unwrap();
        assert_eq!(writer.counts(), [0, 3, 0]);
        let length = writer.length();
        // owner pointer 2 + fixed 10, then "ns1" + pointer, "NS1.other.net.", "a" + pointer to "other.net."
        assert_eq!(length, end + 12 + 6 + 12 + 15 + 12 + 4);
        assert_eq!(octets[end..end + 2], [0xc0, 16]);
    }
}
