//! Reads a zone from master files (RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5).
//!
//! ```text
//! octets ── lexer ──► entries of tokens ── read ──► owner, TTL, class, type ── rdata ──► RecordSet
//!                                            └── directives, generate
//! ```
//!
//! Nothing here fails as a whole: what cannot be read becomes a [`Finding`] and reading goes on at the
//! next entry. RDATA of types not known here waits as [`Pending`] until it is filled or rejected.

mod directives;
mod fields;
mod generate;
mod lexer;
mod rdata;
mod read;
mod security;
mod text;
mod verify;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::OnceLock;

use self::fields::MAX_RDATA;
use self::read::{Reader, Scope};
use super::check::{self, Lead, Surroundings};
use super::finding::{Finding, Severity};
use super::records::RecordSet;
use crate::wire::{Name, rtype};

pub use self::verify::verify;

/// Findings reported of one kind before the rest are only counted.
pub(crate) const MAX_FINDINGS: usize = 100;

/// A record whose RDATA this reader leaves to the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Index of the record in [`ZoneText::records`].
    pub index: usize,
    /// RR type.
    pub rtype: u16,
    /// The RDATA as written, without comments and parentheses, tokens separated by one space.
    pub text: String,
    /// The origin that completes relative names in it.
    pub origin: Name,
}

/// Why a pending record cannot be filled or rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The index is not that of a record that waits.
    #[error("no record waits for RDATA under this index")]
    NotPending,
    /// RDATA of more than 65,535 octets.
    #[error("the RDATA is longer than 65,535 octets")]
    TooLong,
    /// The octets are not RDATA of the record's type.
    #[error("{0}")]
    Malformed(&'static str),
    /// The zone has no room for it.
    #[error(transparent)]
    TooLarge(#[from] super::records::TooLarge),
}

/// The records of one zone as read from master files, before they are compiled.
#[derive(Debug, Clone)]
pub struct ZoneText {
    origin: Name,
    records: RecordSet,
    findings: Vec<Finding>,
    /// By index; a record leaves when it is filled or rejected.
    pending: BTreeMap<usize, Pending>,
    rejected: usize,
    checked: OnceLock<(Vec<Finding>, Vec<Lead>)>,
}

/// Reads the master file at `path`, and what it includes, as the zone `origin`. Where an `$ORIGIN`
/// stands before the SOA record, the SOA's owner is the zone's origin instead. Blocks on files.
pub fn read_zone(path: &Path, origin: &Name) -> ZoneText {
    let mut reader = Reader::new(ZoneText::new(origin));
    if let Err(message) = reader.read_file(path, Scope::new(origin)) {
        let file = path.to_string_lossy().into_owned();
        reader.zone.records.files.push(file.clone());
        reader.zone.findings.push(Finding {
            rule: "zone-unreadable",
            severity: Severity::Error,
            file,
            line: 0,
            column: 0,
            message,
        });
    }
    reader.finish()
}

/// Reads a master file from memory; `name` stands for its path in findings. It cannot include files.
pub fn read_zone_bytes(name: &str, text: &[u8], origin: &Name) -> ZoneText {
    let mut reader = Reader::new(ZoneText::new(origin));
    reader.zone.records.files.push(name.to_owned());
    reader.read_source(text, &mut Scope::new(origin));
    reader.finish()
}

impl ZoneText {
    fn new(origin: &Name) -> ZoneText {
        ZoneText {
            origin: origin.to_lowercase(),
            records: RecordSet::new(),
            findings: Vec::new(),
            pending: BTreeMap::new(),
            rejected: 0,
            checked: OnceLock::new(),
        }
    }

    /// The zone's origin, lower case.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// Every record read, also those that wait or were rejected, whose RDATA is empty. Compile
    /// [`ZoneText::compilable`] instead.
    pub fn records(&self) -> &RecordSet {
        &self.records
    }

    /// Every file read, in reading order.
    pub fn files(&self) -> &[String] {
        &self.records.files
    }

    /// The records that wait for their RDATA, in reading order.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &Pending> {
        self.pending.values()
    }

    /// Gives the waiting record at `index` its RDATA in wire format.
    ///
    /// # Errors
    /// [`FillError`]; the record then still waits.
    pub fn fill(&mut self, index: usize, rdata: &[u8]) -> Result<(), FillError> {
        let rtype = self.pending.get(&index).ok_or(FillError::NotPending)?.rtype;
        if rdata.len() > MAX_RDATA {
            return Err(FillError::TooLong);
        }
        verify(rtype, rdata).map_err(FillError::Malformed)?;
        self.records.set_rdata(index, rdata)?;
        self.settle(index);
        Ok(())
    }

    /// Turns the waiting record at `index` into a `zone-syntax` error that says `message`. Past the
    /// first hundred they are only counted.
    ///
    /// # Errors
    /// [`FillError::NotPending`].
    pub fn reject(&mut self, index: usize, message: &str) -> Result<(), FillError> {
        if !self.pending.contains_key(&index) {
            return Err(FillError::NotPending);
        }
        self.rejected += 1;
        if self.rejected <= MAX_FINDINGS {
            let finding = self.at_record(index, message.to_owned());
            self.findings.push(finding);
        }
        self.settle(index);
        Ok(())
    }

    /// What reading found, the records that still wait (each an error), and what
    /// [`check::check`] finds in the records, by place. After [`ZoneText::check_among`], what that found.
    pub fn check(&self) -> Vec<Finding> {
        self.checked().0.clone()
    }

    /// The same, knowing what else is served; and the targets that other zones have to hold.
    pub fn check_among(&mut self, around: &Surroundings) -> (Vec<Finding>, Vec<Lead>) {
        let found = self.find_all(around);
        self.checked = OnceLock::from(found.clone());
        found
    }

    fn checked(&self) -> &(Vec<Finding>, Vec<Lead>) {
        self.checked.get_or_init(|| self.find_all(&Surroundings::default()))
    }

    /// The records, when [`ZoneText::check`] has no errors.
    ///
    /// # Errors
    /// The findings of which at least one is an error.
    pub fn compilable(&self) -> Result<&RecordSet, Vec<Finding>> {
        let (findings, _) = self.checked();
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(findings.clone());
        }
        Ok(&self.records)
    }

    /// For each of `names` (lower case), its records as (type, file, line), in reading order.
    pub fn owners(&self, names: &[Name]) -> Vec<Vec<(u16, &str, u32)>> {
        let owners = self.records.owners();
        let row = |index| {
            let record = self.records.get(index)?;
            Some((record.rtype, self.file(record.file), record.line))
        };
        let of_name = |name: &Name| {
            let owner = owners.get(owners.find(&self.records, name.as_wire())?)?;
            Some(owners.indices(owner).filter_map(row).collect())
        };
        names.iter().map(|name| of_name(name).unwrap_or_default()).collect()
    }

    fn settle(&mut self, index: usize) {
        self.pending.remove(&index);
        self.checked = OnceLock::new();
    }

    fn file(&self, index: u16) -> &str {
        self.records.files.get(usize::from(index)).map_or("", String::as_str)
    }

    fn at_record(&self, index: usize, message: String) -> Finding {
        let (file, line) = self.records.get(index).map_or((0, 0), |record| (record.file, record.line));
        Finding {
            rule: "zone-syntax",
            severity: Severity::Error,
            file: self.file(file).to_owned(),
            line,
            column: 0,
            message,
        }
    }

    fn find_all(&self, around: &Surroundings) -> (Vec<Finding>, Vec<Lead>) {
        let mut findings = self.findings.clone();
        if self.rejected > MAX_FINDINGS {
            let message = format!("{} more records have bad RDATA", self.rejected - MAX_FINDINGS);
            findings.push(Finding { severity: Severity::Info, line: 0, ..self.at_record(0, message) });
        }
        for pending in self.pending.values().take(MAX_FINDINGS) {
            let mnemonic = rtype::to_text(pending.rtype);
            let message = format!("the RDATA of this {mnemonic} record was never put into wire format");
            findings.push(self.at_record(pending.index, message));
        }
        // What is absent may just not have been readable: say so only of a zone read whole.
        let complete = findings.iter().all(|finding| finding.severity != Severity::Error);
        let (found, leads) = check::check(&self.origin, &self.records, complete, around);
        findings.extend(found);
        let order: HashMap<&str, usize> =
            self.files().iter().enumerate().map(|(at, file)| (file.as_str(), at)).collect();
        findings.sort_by_key(|one| (order.get(one.file.as_str()).copied(), one.line, one.column));
        (findings, leads)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
