//! The findings of a check, each with its place and the other place that it is about.

use crate::wire::rtype::number as n;
use crate::wire::{name, rtype};
use crate::zone::finding::{Finding, Severity};
use crate::zone::reader::MAX_FINDINGS;
use crate::zone::records::{Record, RecordSet};

/// One record of an owner, in the order that brings equal records together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row<'a> {
    pub rtype: u16,
    pub rdata: &'a [u8],
    /// Index in the record set: reading order.
    pub index: usize,
}

/// The row that was read first.
fn first(rows: &[Row<'_>]) -> Option<usize> {
    rows.iter().map(|row| row.index).min()
}

/// Collects findings, at most [`MAX_FINDINGS`] of a rule.
pub struct Reports<'a> {
    records: &'a RecordSet,
    counts: Vec<(&'static str, usize)>,
    findings: Vec<Finding>,
}

impl<'a> Reports<'a> {
    pub fn new(records: &'a RecordSet) -> Reports<'a> {
        Reports { records, counts: Vec::new(), findings: Vec::new() }
    }

    pub fn add(
        &mut self,
        rule: &'static str,
        severity: Severity,
        index: usize,
        message: impl FnOnce() -> String,
    ) {
        if self.admit(rule) {
            self.push(rule, severity, index, message());
        }
    }

    /// Counts a finding of `rule`, and says whether to report it.
    fn admit(&mut self, rule: &'static str) -> bool {
        let at = self.counts.iter().position(|(known, _)| *known == rule).unwrap_or_else(|| {
            self.counts.push((rule, 0));
            self.counts.len() - 1
        });
        self.counts.get_mut(at).is_some_and(|(_, count)| {
            *count += 1;
            *count <= MAX_FINDINGS
        })
    }

    fn push(&mut self, rule: &'static str, severity: Severity, index: usize, message: String) {
        let (file, line) = self.place(index);
        self.findings.push(Finding { rule, severity, file, line, column: 0, message });
    }

    pub fn add_whole(&mut self, rule: &'static str, message: String) {
        let file = self.records.files.first().cloned().unwrap_or_default();
        self.findings.push(Finding { rule, severity: Severity::Error, file, line: 0, column: 0, message });
    }

    fn place(&self, index: usize) -> (String, u32) {
        let (file, line) = self.records.get(index).map_or((0, 0), |record| (record.file, record.line));
        (self.records.files.get(usize::from(file)).cloned().unwrap_or_default(), line)
    }

    /// `file:line` of a record.
    fn cite(&self, index: usize) -> String {
        let (file, line) = self.place(index);
        format!("{file}:{line}")
    }

    /// `owner TYPE` of a record.
    fn show(&self, index: usize) -> String {
        self.records.get(index).map_or_else(String::new, |record| {
            format!("{} {}", name::to_text(record.owner), rtype::to_text(record.rtype))
        })
    }

    pub fn out_of_zone(&mut self, index: usize, origin: &[u8]) {
        let records = self.records;
        self.add("zone-out-of-zone", Severity::Error, index, || {
            format!(
                "{} is outside the zone {}: move the record to its own zone, or drop the final dot of a \
                 relative name",
                records.get(index).map_or_else(String::new, |record| name::to_text(record.owner)),
                name::to_text(origin)
            )
        });
    }

    pub fn misplaced_soa(&mut self, soa: usize, origin: &[u8]) {
        self.add("zone-soa", Severity::Error, soa, || {
            let origin = name::to_text(origin);
            format!(
                "an SOA record may stand only at the apex, {origin}: remove it, name the file after its owner, \
                 or put an $ORIGIN before it"
            )
        });
    }

    /// A CNAME among the records of one owner, sorted.
    pub fn beside_cname(&mut self, rows: &[Row<'_>]) {
        let cname = rows.iter().find(|row| row.rtype == n::CNAME);
        let others = rows.iter().filter(|row| !may_be_beside_cname(row.rtype));
        let (Some(cname), Some(other)) = (cname, others.min_by_key(|row| row.index)) else { return };
        let (cname, other) = (cname.index, other.index);
        let rule = "zone-cname-and-other-data";
        if self.admit(rule) {
            let (first, second) = (cname.min(other), cname.max(other));
            let message = format!(
                "{} cannot stand beside {} (first at {}): keep either the CNAME or the other data",
                self.show(second),
                self.show(first),
                self.cite(first)
            );
            self.push(rule, Severity::Error, second, message);
        }
    }

    /// The records of one owner and type, sorted.
    pub fn rrset(&mut self, rrset: &[Row<'_>]) {
        let (Some(row), Some(first)) = (rrset.first(), first(rrset)) else { return };
        let rtype = row.rtype;
        // RRSIGs at one owner belong to RRsets of several types and take their TTLs (RFC 4034 section 3).
        if rtype != n::RRSIG {
            self.ttl_differs(first, rrset);
        }
        for (one, other) in rrset.iter().zip(rrset.iter().skip(1)) {
            // Empty RDATA may be RDATA that is not filled in yet.
            if one.rdata == other.rdata && !one.rdata.is_empty() && self.admit("zone-duplicate-record") {
                let message = format!(
                    "this {} record stands twice (first at {}): remove one",
                    self.show(other.index),
                    self.cite(one.index)
                );
                self.push("zone-duplicate-record", Severity::Warning, other.index, message);
            }
        }
        if rtype == n::MX && rrset.len() > 1 {
            self.null_mx_beside(rrset);
        }
        let rule = match rtype {
            n::SOA => "zone-soa",
            n::CNAME => "zone-cname-and-other-data",
            n::DNAME => "zone-dname",
            n::ALIAS => "zone-alias",
            _ => return,
        };
        let first_rdata = rrset.iter().find(|row| row.index == first).map(|row| row.rdata);
        let others = rrset.iter().filter(|row| Some(row.rdata) != first_rdata);
        let second = others.map(|row| row.index).min();
        if let Some(second) = second.filter(|_| self.admit(rule)) {
            let message = format!(
                "{} may stand only once (first at {}): remove one",
                self.show(second),
                self.cite(first)
            );
            self.push(rule, Severity::Error, second, message);
        }
    }

    fn ttl_differs(&mut self, first: usize, rrset: &[Row<'_>]) {
        let records = self.records;
        let ttl = |index: usize| records.get(index).map_or(0, |record| record.ttl);
        let second = rrset.iter().map(|row| row.index).filter(|&index| ttl(index) != ttl(first)).min();
        if let Some(second) = second.filter(|_| self.admit("zone-ttl-differs")) {
            let message = format!(
                "{} has TTL {} here but {} at {}: give the RRset one TTL; the lowest is served",
                self.show(second),
                ttl(second),
                ttl(first),
                self.cite(first)
            );
            self.push("zone-ttl-differs", Severity::Warning, second, message);
        }
    }

    pub fn alias(&mut self, index: usize, record: Record<'_>, target: &[u8], cname: usize) {
        let rule = match record.rtype {
            n::NS => "zone-ns-cname",
            n::MX => "zone-mx-cname",
            n::SRV => "zone-srv-cname",
            _ => return,
        };
        if self.admit(rule) {
            let message = format!(
                "the {} target {} is an alias (CNAME at {}): name the host it stands for",
                rtype::to_text(record.rtype),
                name::to_text(target),
                self.cite(cname)
            );
            self.push(rule, Severity::Warning, index, message);
        }
    }

    /// A DS record that no delegation stands beside.
    pub fn ds_without_ns(&mut self, ds: usize) {
        let records = self.records;
        self.add("zone-ds-without-ns", Severity::Warning, ds, || {
            format!(
                "{} has a DS record but is no delegation in this zone: a DS record stands beside the NS records \
                 in the parent zone; add them, or remove it",
                records.get(ds).map_or_else(String::new, |record| name::to_text(record.owner))
            )
        });
    }

    /// A null MX among the MX records of one owner, sorted.
    fn null_mx_beside(&mut self, rrset: &[Row<'_>]) {
        let null = rrset.iter().find(|row| is_null_mx(row.rdata));
        let other = rrset.iter().find(|row| !is_null_mx(row.rdata));
        let (Some(null), Some(other)) = (null, other) else { return };
        if self.admit("zone-mx-null") {
            let message = format!(
                "{} says both that the domain takes no mail (\".\", here) and where to deliver it (at {}): \
                 keep one of the two",
                self.show(null.index),
                self.cite(other.index)
            );
            self.push("zone-mx-null", Severity::Warning, null.index, message);
        }
    }

    /// A null MX whose preference may not be 0.
    pub fn null_mx_preference(&mut self, index: usize, record: Record<'_>) {
        if is_null_mx(record.rdata) && !record.rdata.starts_with(&[0, 0]) {
            self.add("zone-mx-null", Severity::Warning, index, || {
                "an MX that says that the domain takes no mail (\".\") must have preference 0".to_owned()
            });
        }
    }

    /// A target in the zone that does not exist, or else has none of the addresses that the record stands for.
    pub fn dangling(&mut self, index: usize, target: &[u8], exists: bool) {
        let records = self.records;
        self.add("zone-dangling-target", Severity::Warning, index, || {
            format!(
                "{} points to {}, which {} in this zone: add it, or correct the target",
                records
                    .get(index)
                    .map_or_else(String::new, |record| rtype::to_text(record.rtype).into_owned()),
                name::to_text(target),
                if exists { "has no address" } else { "does not exist" }
            )
        });
    }

    /// A loop of `length` CNAMEs, of which that at `index` is the first to be read.
    pub fn cname_loop(&mut self, index: usize, length: usize) {
        let records = self.records;
        self.add("zone-cname-loop", Severity::Warning, index, || {
            let owner = records.get(index).map_or_else(String::new, |record| name::to_text(record.owner));
            let way = match length {
                1 => "points to itself".to_owned(),
                _ => format!("leads back to itself after {length} CNAMEs"),
            };
            format!("the CNAME of {owner} {way}: nothing is ever found there; correct the target")
        });
    }

    /// A record at `index`, if there is one, below the one at `cut`.
    pub fn occluded(&mut self, index: Option<usize>, cut: Option<usize>, kind: &str) {
        let (Some(index), Some(cut)) = (index, cut) else { return };
        if self.admit("zone-occluded") {
            let message = format!(
                "{} is never served, because the {kind} {} (at {}) is above it: remove it, or move it to the \
                 zone that the {kind} leads to",
                self.show(index),
                self.show(cut),
                self.cite(cut)
            );
            self.push("zone-occluded", Severity::Warning, index, message);
        }
    }

    pub fn finish(mut self) -> Vec<Finding> {
        for (rule, count) in std::mem::take(&mut self.counts) {
            if count > MAX_FINDINGS {
                let file = self.records.files.first().cloned().unwrap_or_default();
                let message = format!("{} more findings of this rule", count - MAX_FINDINGS);
                let severity = Severity::Info;
                self.findings.push(Finding { rule, severity, file, line: 0, column: 0, message });
            }
        }
        self.findings
    }
}

/// Whether MX RDATA names the root, "no mail" (RFC 7505).
fn is_null_mx(rdata: &[u8]) -> bool {
    rdata.get(2..) == Some(&[0])
}

/// Whether a type may stand beside a CNAME (RFC 2181 section 10.1, RFC 4034 section 4).
fn may_be_beside_cname(rtype: u16) -> bool {
    matches!(rtype, n::CNAME | n::RRSIG | n::NSEC | n::KEY | n::SIG | n::NXT)
}
