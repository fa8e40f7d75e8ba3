//! From entries to records: owner, TTL, class, type, RDATA (RFC 1035 section 5.1).

use std::path::PathBuf;

use super::fields::{Fields, MAX_TTL};
use super::lexer::{self, Entry, Fault, Lexer, Token};
use super::rdata::{self, Encoded};
use super::{MAX_FINDINGS, Pending, ZoneText, text};
use crate::wire::rtype::{self, number as n};
use crate::wire::{Name, name};
use crate::zone::finding::{Finding, Severity};
use crate::zone::records::Record;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What holds while one file is read. `$INCLUDE` reads a file with a copy, so that all of it is as
/// before afterwards (RFC 1035 section 5.1 asks this of the origin and the last owner).
#[derive(Debug, Clone)]
pub struct Scope {
    /// Completes relative names; wire format, case as written.
    pub origin: Vec<u8>,
    /// Owner of the last record, lower case.
    pub owner: Vec<u8>,
    /// The last owner could be read.
    pub owner_known: bool,
    /// `$TTL` in force (RFC 2308 section 4).
    pub default_ttl: Option<u32>,
    /// The last TTL that a record stated.
    pub last_ttl: Option<u32>,
    /// Index into the record set's files.
    pub file: u16,
    /// Directory of the file, if there is one.
    pub directory: Option<PathBuf>,
}

impl Scope {
    pub fn new(origin: &Name) -> Scope {
        Scope {
            origin: origin.as_wire().to_vec(),
            owner: origin.to_lowercase().as_wire().to_vec(),
            owner_known: true,
            default_ttl: None,
            last_ttl: None,
            file: 0,
            directory: None,
        }
    }
}

/// Reads sources into one zone.
#[derive(Debug)]
pub struct Reader {
    pub zone: ZoneText,
    /// Device and inode of the files being read, the outermost first.
    pub open_files: Vec<(u64, u64)>,
    /// Octets read from files so far.
    pub octets_read: u64,
    /// Files read so far, each time that one is read.
    pub files_read: usize,
    /// Records and octets that `$GENERATE` made so far.
    pub generated: u64,
    pub generated_octets: usize,
    /// An `$ORIGIN` stands before the SOA, so the SOA's owner is the zone's origin.
    pub origin_stated: bool,
    /// An SOA record has been read, well or badly.
    pub has_soa: bool,
    soa_minimum: Option<u32>,
    stopped: bool,
    owner: Vec<u8>,
    rdata: Vec<u8>,
}

/// What stands between the owner and the RDATA of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub ttl: Option<u32>,
    pub rtype: u16,
}

impl Reader {
    pub fn new(zone: ZoneText) -> Reader {
        Reader {
            zone,
            open_files: Vec::new(),
            octets_read: 0,
            files_read: 0,
            generated: 0,
            generated_octets: 0,
            origin_stated: false,
            has_soa: false,
            soa_minimum: None,
            stopped: false,
            owner: Vec::with_capacity(name::MAX_NAME),
            rdata: Vec::new(),
        }
    }

    pub fn finish(mut self) -> ZoneText {
        self.zone.records.shrink_to_fit();
        self.zone
    }

    /// Reads every entry of `source`; faults become findings.
    pub fn read_source(&mut self, source: &[u8], scope: &mut Scope) {
        let source = source.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source);
        let mut lexer = Lexer::new(source);
        let mut tokens = Vec::new();
        while !self.stopped {
            let (entry, result) = match lexer.next_entry(&mut tokens) {
                None => break,
                Some(Ok(entry)) => (entry, self.read_entry(source, &tokens, entry, scope)),
                Some(Err((entry, fault))) => (entry, Err(fault)),
            };
            if let Err(fault) = result {
                let (line, column) = lexer::position(source, entry, fault.at);
                self.report(scope.file, line, column, fault);
            }
        }
    }

    fn report(&mut self, file: u16, line: u32, column: u32, fault: Fault) {
        let file = self.zone.file(file).to_owned();
        if self.zone.findings.len() >= MAX_FINDINGS {
            self.stopped = true;
            let message = format!("reading stopped after {MAX_FINDINGS} errors: mend those first");
            let (rule, severity) = ("zone-syntax", Severity::Info);
            self.zone.findings.push(Finding { rule, severity, file, line, column, message });
            return;
        }
        let Fault { rule, message, .. } = fault;
        self.zone.findings.push(Finding { rule, severity: Severity::Error, file, line, column, message });
    }

    fn read_entry(
        &mut self,
        source: &[u8],
        tokens: &[Token],
        entry: Entry,
        scope: &mut Scope,
    ) -> Result<(), Fault> {
        let directive =
            tokens.first().filter(|token| !token.quoted && token.text(source).first() == Some(&b'$'));
        match directive {
            Some(token) if entry.blank => Err(Fault::new(
                token.at(),
                "a directive must begin its line, and an owner name cannot begin with '$': \
                 remove the blanks before it, or write the name as \\$",
            )),
            Some(_) => self.read_directive(source, tokens, entry.line, scope),
            None => self.read_record(source, tokens, entry, scope),
        }
    }

    fn read_record(
        &mut self,
        source: &[u8],
        tokens: &[Token],
        entry: Entry,
        scope: &mut Scope,
    ) -> Result<(), Fault> {
        let origin = std::mem::take(&mut scope.origin);
        let mut fields = Fields::new(source, tokens, &origin);
        let result = self
            .read_owner(&mut fields, entry, scope)
            .and_then(|()| read_header(&mut fields))
            .and_then(|header| self.push_record(header, &mut fields, entry.line, scope));
        scope.origin = origin;
        result
    }

    fn read_owner(&mut self, fields: &mut Fields<'_>, entry: Entry, scope: &mut Scope) -> Result<(), Fault> {
        if entry.blank {
            return Ok(());
        }
        self.owner.clear();
        let result = fields.name("owner name", &mut self.owner);
        // Records under a last owner that cannot be read are checked, but belong nowhere.
        scope.owner_known = result.is_ok();
        if result.is_ok() {
            self.owner.make_ascii_lowercase();
            std::mem::swap(&mut self.owner, &mut scope.owner);
        }
        result
    }

    /// Reads the RDATA and appends the record, owned by the scope's owner.
    pub fn push_record(
        &mut self,
        header: Header,
        fields: &mut Fields<'_>,
        line: u32,
        scope: &mut Scope,
    ) -> Result<(), Fault> {
        let Header { ttl, rtype } = header;
        if ttl.is_some() {
            scope.last_ttl = ttl;
        }
        if rtype == n::SOA {
            self.note_soa_owner(scope);
        }
        self.rdata.clear();
        let encoded = rdata::encode(rtype, fields, &mut self.rdata)?;
        if rtype == n::SOA {
            self.note_soa_minimum();
        }
        let ttl = ttl.or(scope.default_ttl).or(scope.last_ttl).or(self.soa_minimum).ok_or_else(|| {
            let message = "the record has no TTL, and none stands before it: write a $TTL line at the top";
            Fault::new(fields.start(), message)
        })?;
        if !scope.owner_known {
            return Ok(());
        }
        if encoded == Encoded::Pending {
            let mut raw = Vec::new();
            fields.raw_rest(&mut raw);
            let text = String::from_utf8(raw)
                .map_err(|_| fields.fault("the RDATA is not UTF-8: write octets above 127 as \\DDD"))?;
            let origin = Name::from_wire(fields.origin).map_err(|error| fields.fault(error.to_string()))?;
            let index = self.zone.records.len();
            self.zone.pending.insert(index, Pending { index, rtype, text, origin });
            self.rdata.clear();
        }
        let record = Record { owner: &scope.owner, rtype, ttl, rdata: &self.rdata, file: scope.file, line };
        self.zone.records.push(record).map_err(|error| {
            self.stopped = true;
            fields.fault(format!("{error}: split the zone"))
        })
    }

    /// Takes over the zone's origin from the first SOA record, whether or not its RDATA can be read.
    fn note_soa_owner(&mut self, scope: &Scope) {
        if !self.has_soa
            && self.origin_stated
            && scope.owner_known
            && let Ok(origin) = Name::from_wire(&scope.owner)
        {
            self.zone.origin = origin;
        }
        self.has_soa = true;
    }

    /// The minimum TTL of the SOA record just read: the last field of its RDATA.
    fn note_soa_minimum(&mut self) {
        let minimum = self.rdata.last_chunk().map_or(0, |octets| u32::from_be_bytes(*octets));
        self.soa_minimum.get_or_insert(minimum.min(MAX_TTL));
    }
}

/// `[TTL] [class] type`, TTL and class in either order.
pub fn read_header(fields: &mut Fields<'_>) -> Result<Header, Fault> {
    let mut ttl = None;
    let mut has_class = false;
    loop {
        let word = fields.word("type")?;
        if word.first().is_some_and(u8::is_ascii_digit) {
            if ttl.is_some() {
                return Err(fields.fault("the TTL stands twice: remove one, or write the type after it"));
            }
            let seconds = text::seconds(word, MAX_TTL).ok_or_else(|| {
                fields.bad("TTL", &format!("0 to {MAX_TTL} seconds, such as 3600 or 1h30m"))
            })?;
            ttl = Some(seconds);
        } else if word.eq_ignore_ascii_case(b"IN") || word.eq_ignore_ascii_case(b"CLASS1") {
            if has_class {
                return Err(fields.fault("the class stands twice: remove one"));
            }
            has_class = true;
        } else if let Some(rtype) = rtype::from_text(word) {
            if !rtype::may_stand_in_zone(rtype) {
                return Err(fields.bad("type", "one that a zone may hold: remove the record"));
            }
            return Ok(Header { ttl, rtype });
        } else if is_other_class(word) {
            return Err(fields.bad("class", "IN, the only class served: remove the record"));
        } else {
            let wanted = "known: write a mnemonic such as AAAA, or TYPE and its number; \
                          check the order owner, TTL, class, type";
            return Err(fields.bad("type", wanted));
        }
    }
}

fn is_other_class(word: &[u8]) -> bool {
    let numbered = word.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"CLASS"))
        && text::integer(word.get(5..).unwrap_or_default(), u32::from(u16::MAX)).is_some();
    let named = [b"CH".as_slice(), b"CHAOS", b"HS", b"HESIOD", b"CS", b"NONE"];
    numbered || named.iter().any(|class| class.eq_ignore_ascii_case(word))
}
