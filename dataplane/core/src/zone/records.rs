//! The records of one zone as read, before they are compiled: one arena, no object per record.

use std::sync::OnceLock;

use super::owners::Owners;

/// One record, borrowed from its [`RecordSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Owner name, absolute wire format, lower case.
    pub owner: &'a [u8],
    /// RR type.
    pub rtype: u16,
    /// Time to live in seconds, 0 to 2^31 - 1.
    pub ttl: u32,
    /// RDATA in wire format, names in it absolute, uncompressed, case kept.
    pub rdata: &'a [u8],
    /// Index into [`RecordSet::files`].
    pub file: u16,
    /// Line in that file, from 1.
    pub line: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    owner: u32,
    rdata: u32,
    ttl: u32,
    line: u32,
    rtype: u16,
    rdata_length: u16,
    file: u16,
    owner_length: u8,
}

/// More than 4 GiB of names and RDATA in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the zone holds more than 4 GiB of names and record data")]
pub struct TooLarge;

/// All records of one zone in the order they were read. All are of class IN.
#[derive(Debug, Default, Clone)]
pub struct RecordSet {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// A bit for each type that was pushed, as far as the highest: a site may have many small zones.
    types: Vec<u64>,
    /// How often an owner differs from the one before.
    runs: usize,
    /// Made when first asked for.
    owners: OnceLock<Owners>,
    /// Paths of the files the records came from, as given.
    pub files: Vec<String>,
}

impl RecordSet {
    /// An empty set.
    pub fn new() -> RecordSet {
        RecordSet::default()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends a record. An owner equal to the previous record's is stored once.
    ///
    /// # Errors
    /// [`TooLarge`] past 4 GiB, or for an owner or RDATA longer than the wire allows.
    pub fn push(&mut self, record: Record<'_>) -> Result<(), TooLarge> {
        let owner_length = u8::try_from(record.owner.len()).map_err(|_| TooLarge)?;
        let rdata_length = u16::try_from(record.rdata.len()).map_err(|_| TooLarge)?;
        let owner = match self.entries.last() {
            Some(last) if self.slice(last.owner, usize::from(last.owner_length)) == record.owner => {
                last.owner
            }
            _ => {
                self.runs += 1;
                self.append(record.owner)?
            }
        };
        let rdata = self.append(record.rdata)?;
        self.owners.take();
        let word = usize::from(record.rtype / 64);
        if self.types.len() <= word {
            self.types.resize(word + 1, 0);
        }
        if let Some(bits) = self.types.get_mut(word) {
            *bits |= 1 << (record.rtype % 64);
        }
        self.entries.push(Entry {
            owner,
            rdata,
            ttl: record.ttl,
            line: record.line,
            rtype: record.rtype,
            rdata_length,
            file: record.file,
            owner_length,
        });
        Ok(())
    }

    /// Whether there are records of this type; may be true also when all of them were taken out again.
    pub fn has_type(&self, rtype: u16) -> bool {
        self.types.get(usize::from(rtype / 64)).is_some_and(|word| word >> (rtype % 64) & 1 == 1)
    }

    /// The record at `index`, in reading order.
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        self.entries.get(index).map(|entry| self.record(entry))
    }

    /// Every owner once, with its records. Made at the first call and kept until records come or go.
    pub fn owners(&self) -> &Owners {
        self.owners.get_or_init(|| Owners::of(self))
    }

    /// At most how often the owner changes from record to record.
    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    /// Calls `visit` with each run of records of one owner: the owner, the first index, how many.
    pub(super) fn for_each_run<'s>(&'s self, mut visit: impl FnMut(&'s [u8], u32, u32)) {
        let mut start = 0;
        for run in self.entries.chunk_by(|one, other| one.owner == other.owner) {
            if let Some(first) = run.first() {
                visit(self.slice(first.owner, usize::from(first.owner_length)), start, run.len() as u32);
            }
            start += run.len() as u32;
        }
    }

    /// All records in reading order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| self.record(entry))
    }

    /// Gives the record at `index` new RDATA (the old octets stay in the arena).
    ///
    /// # Errors
    /// [`TooLarge`], also for RDATA of more than 65,535 octets.
    pub fn set_rdata(&mut self, index: usize, rdata: &[u8]) -> Result<(), TooLarge> {
        let length = u16::try_from(rdata.len()).map_err(|_| TooLarge)?;
        let at = self.append(rdata)?;
        if let Some(entry) = self.entries.get_mut(index) {
            entry.rdata = at;
            entry.rdata_length = length;
        }
        Ok(())
    }

    /// Gives back the memory that growing took beyond need.
    pub fn shrink_to_fit(&mut self) {
        self.arena.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// Keeps the records for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Record<'_>) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| keep(self.record(entry)));
        self.entries = entries;
        self.owners.take();
    }

    fn append(&mut self, octets: &[u8]) -> Result<u32, TooLarge> {
        let at = u32::try_from(self.arena.len()).map_err(|_| TooLarge)?;
        self.arena.extend_from_slice(octets);
        Ok(at)
    }

    fn slice(&self, at: u32, length: usize) -> &[u8] {
        self.arena.get(at as usize..at as usize + length).unwrap_or_default()
    }

    fn record(&self, entry: &Entry) -> Record<'_> {
        Record {
            owner: self.slice(entry.owner, usize::from(entry.owner_length)),
            rtype: entry.rtype,
            ttl: entry.ttl,
            rdata: self.slice(entry.rdata, usize::from(entry.rdata_length)),
            file: entry.file,
            line: entry.line,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record<'a>(owner: &'a [u8], rdata: &'a [u8]) -> Record<'a> {
        Record { owner, rtype: 1, ttl: 60, rdata, file: 0, line: 7 }
    }

    #[test]
    fn gives_back_what_was_pushed() {
        let mut set = RecordSet::new();
        let all = [record(b"\x01a\0", b"1234"), record(b"\x01a\0", b""), record(b"\x01b\0", b"5678")];
        for one in all {
            set.push(one).unwrap();
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), all);
        assert_eq!(set.get(1), Some(all[1]));
        assert_eq!(set.get(3), None);
        assert!(set.has_type(1) && !set.has_type(2) && !set.has_type(u16::MAX));
    }

    #[test]
    fn knows_every_type_that_was_pushed() {
        let mut set = RecordSet::new();
        for rtype in [257, 1, u16::MAX, 64, 63] {
            set.push(Record { rtype, ..record(b"\0", b"") }).unwrap();
        }
        let known: Vec<u16> = (0..=u16::MAX).filter(|&rtype| set.has_type(rtype)).collect();
        assert_eq!(known, [1, 63, 64, 257, u16::MAX]);
    }

    #[test]
    fn replaces_rdata_and_keeps_by_choice() {
        let mut set = RecordSet::new();
        set.push(record(b"\0", b"old")).unwrap();
        set.push(record(b"\0", b"x")).unwrap();
        set.set_rdata(0, b"newer").unwrap();
        set.retain(|one| one.rdata != b"x");
        assert_eq!(set.iter().map(|one| one.rdata).collect::<Vec<_>>(), [b"newer"]);
    }

    #[test]
    fn refuses_what_the_wire_cannot_hold() {
        let mut set = RecordSet::new();
        let long = vec![0; 65_536];
        assert_eq!(set.push(record(b"\0", &long)), Err(TooLarge));
        assert_eq!(set.push(record(long.get(..256).unwrap(), b"")), Err(TooLarge));
        assert!(set.is_empty());
        set.push(record(b"\0", b"")).unwrap();
        assert_eq!(set.set_rdata(0, &long), Err(TooLarge));
    }
}
