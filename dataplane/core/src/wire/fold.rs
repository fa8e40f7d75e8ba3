//! A name folded to lower case, hashed and cut into labels in one pass, eight octets at a time.
//!
//! Every lookup starts here, so nothing is allocated: the octets live in a fixed buffer that a worker reuses.

use super::name::{MAX_LABEL, MAX_NAME, NameError};

/// Octets of the buffer: the longest name, rounded up to whole words, and one word of zeros.
const BUFFER: usize = 264;
/// More labels than a name of 255 octets can have.
const LABELS: usize = 128;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const SEED: u64 = 0x243f_6a88_85a3_08d3;
/// [`hash`] of the root: one octet, 0.
const ROOT_HASH: u64 = mix(mix(start(1)));

/// Hash of a lower-case wire name: a 64x64 to 128 bit multiply per eight octets, halves folded.
#[inline]
pub fn hash(lower: &[u8]) -> u64 {
    let mut state = start(lower.len());
    let mut words = lower.chunks_exact(8);
    for word in &mut words {
        state = mix(state ^ u64::from_le_bytes(word.try_into().unwrap_or_default()));
    }
    if !words.remainder().is_empty() {
        state = mix(state ^ last_word(lower));
    }
    mix(state)
}

/// What is left of `octets` behind its whole words, with zeros behind it: read as a part of their last eight octets where
/// there are as many, which is one load. To copy so few octets is a call.
#[inline]
fn last_word(octets: &[u8]) -> u64 {
    let rest = octets.len() % 8;
    match octets.last_chunk::<8>() {
        Some(last) if rest > 0 => u64::from_le_bytes(*last) >> (64 - 8 * rest),
        Some(_) => 0,
        None => octets.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet)),
    }
}

#[inline]
const fn start(length: usize) -> u64 {
    SEED ^ (length as u64).wrapping_mul(MULTIPLIER)
}

#[inline]
const fn mix(value: u64) -> u64 {
    let product = value as u128 * (MULTIPLIER ^ SEED | 1) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Eight octets with `A` to `Z` turned to lower case, no octet affecting another.
#[inline]
pub fn lower_word(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let heptets = word & (0x7f * ONES);
    let above_z = heptets.wrapping_add((0x7f - 0x5a) * ONES);
    let from_a = heptets.wrapping_add((0x80 - 0x41) * ONES);
    let ascii = !word & (0x80 * ONES);
    let upper = ascii & (from_a ^ above_z);
    word | (upper >> 2)
}

/// A lower-case wire name with the place of each label. Reused: [`FoldedName::set`] overwrites it.
pub struct FoldedName {
    octets: [u8; BUFFER],
    length: usize,
    starts: [u8; LABELS],
    labels: usize,
    hash: u64,
}

impl Default for FoldedName {
    fn default() -> Self {
        FoldedName { octets: [0; BUFFER], length: 1, starts: [0; LABELS], labels: 0, hash: ROOT_HASH }
    }
}

impl FoldedName {
    /// Takes the uncompressed name that `wire` starts with and returns its length in octets.
    ///
    /// # Errors
    /// [`NameError`]; the name is then the root.
    #[inline]
    pub fn set(&mut self, wire: &[u8]) -> Result<usize, NameError> {
        self.length = 1;
        self.labels = 0;
        self.hash = ROOT_HASH;
        let mut at = 0usize;
        let mut labels = 0usize;
        loop {
            let length = usize::from(*wire.get(at).ok_or(NameError::Short)?);
            if length == 0 {
                break;
            }
            if length > MAX_LABEL {
                return Err(NameError::LongLabel);
            }
            // At most 127 labels fit into 255 octets, which the check below keeps.
            if let Some(start) = self.starts.get_mut(labels) {
                *start = at as u8;
            }
            labels += 1;
            at += length + 1;
            if at >= MAX_NAME {
                return Err(NameError::LongName);
            }
        }
        let length = at + 1;
        let name = wire.get(..length).ok_or(NameError::Short)?;
        let mut from = name.chunks_exact(8);
        let mut to = self.octets.chunks_exact_mut(8);
        let mut state = start(length);
        for (word, place) in (&mut from).zip(&mut to) {
            let word = lower_word(u64::from_le_bytes(word.try_into().unwrap_or_default()));
            place.copy_from_slice(&word.to_le_bytes());
            state = mix(state ^ word);
        }
        // A word of zeros where the name ends with a word: octets beyond the name are never those of an earlier one.
        if let Some(place) = to.next() {
            let word = lower_word(last_word(name));
            place.copy_from_slice(&word.to_le_bytes());
            if !length.is_multiple_of(8) {
                state = mix(state ^ word);
            }
        }
        self.length = length;
        self.labels = labels;
        self.hash = mix(state);
        Ok(length)
    }

    /// [`hash`] of the whole name.
    #[inline]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The whole name, lower case, with the root label.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Number of labels, the root not counted.
    #[inline]
    pub fn label_count(&self) -> usize {
        self.labels
    }

    /// Where the suffix of `labels` labels starts; 0 labels is the root.
    #[inline]
    pub fn suffix_start(&self, labels: usize) -> usize {
        match self.labels.checked_sub(labels) {
            Some(skip) if labels > 0 => usize::from(self.starts.get(skip).copied().unwrap_or(0)),
            _ => self.length - 1,
        }
    }

    /// The suffix of the rightmost `labels` labels, with the root label.
    #[inline]
    pub fn suffix(&self, labels: usize) -> &[u8] {
        self.octets.get(self.suffix_start(labels)..self.length).unwrap_or_default()
    }

    /// How the suffix of one label more than `labels` begins: its length octet and three more, zeros behind the name's
    /// end. All zeros if there is none.
    #[inline]
    pub fn above(&self, labels: usize) -> [u8; 4] {
        let start = self.labels.checked_sub(labels + 1).and_then(|label| self.starts.get(label));
        let octets = start.and_then(|&start| self.octets.get(usize::from(start)..)?.first_chunk());
        octets.copied().unwrap_or_default()
    }

    /// Whether the octets from `start` on are those of `name` but for the case of letters (RFC 4343).
    #[inline]
    pub fn is_from(&self, start: usize, name: &[u8]) -> bool {
        let suffix = self.octets.get(start..self.length).unwrap_or_default();
        let ((words, _), (others, _)) = (suffix.as_chunks(), name.as_chunks());
        suffix.len() == name.len()
            && words
                .iter()
                .zip(others)
                .all(|(word, other)| u64::from_le_bytes(*word) == lower_word(u64::from_le_bytes(*other)))
            && last_word(suffix) == lower_word(last_word(name))
    }

    /// The wildcard name `*.` + the suffix of `labels` labels (RFC 4592 section 2.1.1), in `buffer`.
    #[inline]
    pub fn wildcard<'b>(&self, labels: usize, buffer: &'b mut [u8; BUFFER]) -> &'b [u8] {
        let suffix = self.suffix(labels);
        let [one, star, ..] = buffer;
        (*one, *star) = (1, b'*');
        match buffer.get_mut(2..2 + suffix.len()) {
            Some(place) => {
                place.copy_from_slice(suffix);
                buffer.get(..2 + suffix.len()).unwrap_or_default()
            }
            None => &[],
        }
    }

    /// A buffer for [`FoldedName::wildcard`].
    #[inline]
    pub fn buffer() -> [u8; BUFFER] {
        [0; BUFFER]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::Name;
    use proptest::prelude::*;

    #[test]
    fn suffixes_are_label_aligned() {
        let wire = Name::from_text(b"wWw.Example.COM.", None).unwrap();
        let mut name = FoldedName::default();
        assert_eq!(name.set(wire.as_wire()), Ok(17));
        assert_eq!(name.as_wire(), b"\x03www\x07example\x03com\0");
        assert_eq!(name.label_count(), 3);
        assert_eq!(name.suffix(2), b"\x07example\x03com\0");
        assert_eq!(name.suffix(0), b"\0");
        assert_eq!((name.above(3), name.above(2), name.above(0)), ([0; 4], *b"\x03www", *b"\x03com"));
        let mut buffer = FoldedName::buffer();
        assert_eq!(name.wildcard(2, &mut buffer), b"\x01*\x07example\x03com\0");
    }

    #[test]
    fn the_root_has_no_labels() {
        let mut name = FoldedName::default();
        assert_eq!(name.set(b"\0rest"), Ok(1));
        assert_eq!(name.as_wire(), b"\0");
        assert_eq!(name.label_count(), 0);
        assert_eq!(name.suffix(0), b"\0");
    }

    #[test]
    fn longest_names_fit_and_longer_ones_do_not() {
        let mut name = FoldedName::default();
        let mut wire = b"\x01a".repeat(127);
        wire.push(0);
        assert_eq!(name.set(&wire), Ok(255));
        assert_eq!(name.label_count(), 127);
        let mut wire = b"\x01a".repeat(127);
        wire.extend_from_slice(b"\x01a\0");
        assert_eq!(name.set(&wire), Err(NameError::LongName));
        assert_eq!(name.set(b"\x40a"), Err(NameError::LongLabel));
        assert_eq!(name.set(b"\xc0\x0c"), Err(NameError::LongLabel));
        assert_eq!(name.set(b"\x03ab"), Err(NameError::Short));
        assert_eq!(name.set(b""), Err(NameError::Short));
    }

    /// Few letters in both cases and their neighbours in ASCII, so that some names are equal.
    const LETTERS: &str = "[a-bA-B@\\[`{]{1,20}";

    #[test]
    fn what_is_above_a_suffix_is_told_apart_from_what_stood_there_before() {
        for length in 1..20 {
            let mut name = FoldedName::default();
            name.set(&[[2, b'x', b'x'].repeat(9), vec![0]].concat()).unwrap();
            let long = [&[length as u8][..], &vec![b'y'; length], b"\x01A\0"].concat();
            name.set(&long).unwrap();
            assert_eq!(name.above(0), *b"\x01a\0\0");
        }
    }

    proptest! {
        #[test]
        fn folding_a_word_is_folding_each_octet(octets: [u8; 8]) {
            let lower = lower_word(u64::from_le_bytes(octets)).to_le_bytes();
            prop_assert_eq!(lower.to_vec(), octets.to_ascii_lowercase());
        }

        #[test]
        fn suffixes_are_compared_but_for_the_case_of_letters(one in LETTERS, other in LETTERS, start in 0..20usize) {
            let mut name = FoldedName::default();
            let wire = [&[one.len() as u8], one.as_bytes(), b"\0"].concat();
            name.set(&wire).unwrap();
            let suffix = wire.get(start..).unwrap_or_default();
            prop_assert!(name.is_from(start, suffix));
            prop_assert!(name.is_from(start, &suffix.to_ascii_uppercase()));
            let other = [other.as_bytes(), b"\0"].concat();
            prop_assert_eq!(name.is_from(start, &other), suffix.eq_ignore_ascii_case(&other));
        }

        #[test]
        fn the_last_word_is_what_is_left_behind_whole_words(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut rest = octets.chunks_exact(8).remainder().to_vec();
            rest.resize(8, 0);
            prop_assert_eq!(last_word(&octets).to_le_bytes().to_vec(), rest);
        }

        #[test]
        fn any_octets_set_or_fail(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut name = FoldedName::default();
            if let Ok(length) = name.set(&octets) {
                prop_assert_eq!(name.as_wire(), &octets[..length].to_ascii_lowercase()[..]);
            }
            prop_assert_eq!(name.hash(), hash(name.as_wire()));
        }
    }
}
