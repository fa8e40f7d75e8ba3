//! What the reader makes of master files.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use super::vectors::{BAD, GOOD};
use super::*;
use crate::wire::name;

fn origin() -> Name {
    Name::from_text(b"example.com.", None).unwrap()
}

fn read(text: &str) -> ZoneText {
    read_zone_bytes("z", text.as_bytes(), &origin())
}

/// Every record as `owner ttl type hex`.
fn rows(zone: &ZoneText) -> Vec<String> {
    let row = |record: crate::zone::records::Record<'_>| {
        let hex: String = record.rdata.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{} {} {} {hex}", name::to_text(record.owner), record.ttl, rtype::to_text(record.rtype))
    };
    zone.records().iter().map(row).collect()
}

/// Every finding of reading as `rule line:column message`.
fn faults(zone: &ZoneText) -> Vec<String> {
    let show = |one: &Finding| format!("{} {}:{} {}", one.rule, one.line, one.column, one.message);
    zone.findings.iter().map(show).collect()
}

/// Checks that reading `text` gives just one fault, at `place`, that says `part`.
fn assert_fault(text: &str, place: &str, part: &str) {
    let zone = read(text);
    let all = faults(&zone);
    assert_eq!(all.len(), 1, "{text:?}: {all:?}");
    let fault = all.first().unwrap();
    assert!(fault.contains(&format!(" {place} ")) && fault.contains(part), "{text:?}: {fault}");
    assert!(zone.compilable().is_err());
}

#[test]
fn rdata_is_what_dnspython_makes_of_it() {
    let origin = Name::from_text(b"Example.com.", None).unwrap();
    for &(rtype, text, wanted) in GOOD {
        let line = format!("x 60 IN {rtype} {text}\n");
        let zone = read_zone_bytes("z", line.as_bytes(), &origin);
        assert_eq!(faults(&zone), Vec::<String>::new(), "{line}");
        assert_eq!(rows(&zone), [format!("x.example.com. 60 {rtype} {wanted}")], "{line}");
    }
}

#[test]
fn rdata_that_dnspython_refuses_is_refused() {
    for &(rtype, text) in BAD {
        let zone = read(&format!("x 60 IN {rtype} {text}\n"));
        assert_eq!(faults(&zone).len(), 1, "{rtype} {text}");
        assert!(zone.records().is_empty());
    }
}

#[test]
fn an_ordinary_zone() {
    let zone = read(
        "\u{feff}$TTL 1h\r\n\
         @ IN SOA ns1 host ( 1 ; serial\r\n\
           2 3 4\r\n\
           300 )\r\n\
         \tNS ns1\r\n\
         NS1 IN 60 A 192.0.2.1\r\n\
         \x20   2m in AAAA ::1\r\n\
         $ORIGIN Sub\r\n\
         @ MX 10 @\r\n\
         a.b\\.c. CLASS1 TXT x",
    );
    assert_eq!(faults(&zone), Vec::<String>::new());
    let soa = "036e7331076578616d706c6503636f6d0004686f7374076578616d706c6503636f6d00\
               00000001000000020000000300000004\
               0000012c";
    assert_eq!(
        rows(&zone),
        [
            format!("example.com. 3600 SOA {soa}"),
            "example.com. 3600 NS 036e7331076578616d706c6503636f6d00".into(),
            "ns1.example.com. 60 A c0000201".into(),
            "ns1.example.com. 120 AAAA 00000000000000000000000000000001".into(),
            "sub.example.com. 3600 MX 000a03537562076578616d706c6503636f6d00".into(),
            "a.b\\.c. 3600 TXT 0178".into(),
        ]
    );
    assert_eq!(zone.records().iter().map(|record| record.line).collect::<Vec<_>>(), [2, 5, 6, 7, 9, 10]);
    assert_eq!(zone.origin(), &origin());
}

#[test]
fn ttls_left_out_come_from_before() {
    let ttls = |text: &str| read(text).records().iter().map(|record| record.ttl).collect::<Vec<_>>();
    let soa = "@ SOA a b 1 2 3 4 77\n";
    assert_eq!(ttls(&format!("{soa}a A 1.1.1.1\nb 5 A 1.1.1.1\nc A 1.1.1.1\n")), [77, 77, 5, 5]);
    assert_eq!(ttls(&format!("a 9 A 1.1.1.1\n{soa}b A 1.1.1.1\n")), [9, 9, 9]);
    assert_eq!(ttls(&format!("$TTL 8\n{soa}a 9 A 1.1.1.1\nb A 1.1.1.1\n")), [8, 9, 8]);
    assert_eq!(ttls("@ SOA a b 1 2 3 4 4294967295\n"), [0x7fff_ffff]);
    assert_fault("a A 1.1.1.1\n", "1:1", "no TTL");
}

#[test]
fn an_origin_before_the_soa_moves_the_zone() {
    let soa = "@ 60 SOA a b 1 2 3 4 5\n";
    assert_eq!(read(&format!("$ORIGIN Example.NET.\n{soa}")).origin().to_string(), "example.net.");
    assert_eq!(read(&format!("{soa}$ORIGIN example.net.\n{soa}")).origin(), &origin());
    assert_eq!(read("$ORIGIN net.\nexample 60 SOA a b 1 2 3 4 5\n").origin().to_string(), "example.net.");
    assert_eq!(read("$ORIGIN net.\n@ 60 SOA a\n").origin().to_string(), "net.");
    assert_eq!(read("$ORIGIN net.\na 60 A 1.1.1.1\n").origin(), &origin());
    assert_eq!(read("example.net. 60 SOA a b 1 2 3 4 5\n").origin(), &origin());
}

#[test]
fn faults_say_where_and_what_to_do() {
    for (text, place, part) in [
        ("a 60 IN A 1.2.3\n", "1:11", "not an IPv4 address"),
        ("\n\na 60 CH A 1.2.3.4\n", "3:6", "class 'CH'"),
        ("a 60 CLASS3 A 1.2.3.4\n", "1:6", "class"),
        ("a 60 IN IN A 1.2.3.4\n", "1:9", "class stands twice"),
        ("a 60 IN 60 A 1.2.3.4\n", "1:9", "TTL stands twice"),
        ("a 2147483648 A 1.2.3.4\n", "1:3", "TTL '2147483648'"),
        ("a 60 IN AAAAA ::1\n", "1:9", "type 'AAAAA'"),
        ("a 60 OPT x\n", "1:6", "a zone may hold"),
        ("a 60 TYPE252 \\# 0\n", "1:6", "a zone may hold"),
        ("a 60\n", "1:5", "the type is missing"),
        ("a 60 A\n", "1:7", "IPv4 address is missing"),
        ("a 60 TXT (\n \"b\n)\n", "2:2", "never closed"),
        ("a 60 TXT ( x\n", "1:10", "never closed"),
        ("a..b 60 A 1.1.1.1\n", "1:1", "empty label"),
        ("\u{e9} 60 A 1.1.1.1\n", "1:1", "xn--"),
        ("\"a\" 60 A 1.1.1.1\n", "1:1", "quotes"),
        ("a 60 A 1.1.1.1 2\n", "1:16", "one field too many"),
        ("a 60 TXT (\n x\n \\999 )\n", "3:2", "escaped"),
        ("$TTL\n", "1:5", "TTL is missing"),
        ("$TTL 1x\n", "1:6", "TTL '1x'"),
        ("$ORIGIN a b\n", "1:11", "too many"),
        ("$NOPE\n", "1:1", "use $ORIGIN"),
        (" $TTL 5\n", "1:2", "must begin its line"),
        ("$INCLUDE x\n", "1:10", "not read from a file"),
        ("a 60 TYPE999 x\n", "1:14", "\\# LENGTH HEX"),
    ] {
        assert_fault(text, place, part);
    }
}

#[test]
fn reading_goes_on_after_a_fault_but_not_for_ever() {
    let zone = read("a 60 A x\nb 60 A 1.1.1.1\n..c 60 A 1.1.1.1\n 60 A 1.1.1.2\nd 60 A 1.1.1.3\n");
    assert_eq!(rows(&zone), ["b.example.com. 60 A 01010101", "d.example.com. 60 A 01010103"]);
    assert_eq!(faults(&zone).len(), 2);
    let zone = read(&"a 60 A x\n".repeat(500));
    let last = zone.findings.last().unwrap();
    assert_eq!(zone.findings.len(), MAX_FINDINGS + 1);
    assert_eq!((last.severity, last.line), (Severity::Info, 101));
}

#[test]
fn generate_makes_runs_of_records() {
    let zone = read(
        "$TTL 60\n$GENERATE 1-3/2 h$ A 10.0.0.$\n$GENERATE 7-7 m$ 5 IN MX 10 ${3,3}.x\n\
         $GENERATE 0-1 ${0,3,n} IN 9 TXT \"a $ \\\"b\\;\"\n",
    );
    assert_eq!(faults(&zone), Vec::<String>::new());
    assert_eq!(
        rows(&zone),
        [
            "h1.example.com. 60 A 0a000001",
            "h3.example.com. 60 A 0a000003",
            "m7.example.com. 5 MX 000a033031300178076578616d706c6503636f6d00",
            "0.0.example.com. 9 TXT 016101300322623b",
            "1.0.example.com. 9 TXT 016101310322623b",
        ]
    );
}

#[test]
fn bad_generate_directives_make_one_fault() {
    for (text, place, part) in [
        ("$GENERATE 2-1 a A 1.1.1.$\n", "1:11", "START-STOP"),
        ("$GENERATE 0-2000000000 a$ 60 A 1.1.1.$\n", "1:11", "narrow the range"),
        ("$GENERATE 250-260 a$ 60 A 1.1.1.$\n", "1:27", "at 256: address '1.1.1.256'"),
        ("$GENERATE 1-2 a${ 60 A 1.1.1.$\n", "1:24", "must go on as"),
        ("$GENERATE 1-2 a..$ 60 A 1.1.1.$\n", "1:25", "empty label"),
        ("$GENERATE 1-2 a$ 60 A\n", "1:22", "missing"),
        ("$GENERATE 1-2 a$ 60 TXT \"(\"\n", "1:25", "never closed"),
    ] {
        assert_fault(text, place, part);
    }
}

#[test]
fn pending_records_are_filled_or_rejected() {
    let text = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n\
                $ORIGIN sub\na HTTPS ( 1 . ; x\n alpn=\"h2,h3\" port=8443 )\nb LOC 1 N 2 E 3m\nc APL \\# 0\n";
    let mut zone = read(text);
    let pending: Vec<Pending> = zone.pending().cloned().collect();
    assert_eq!(
        pending.iter().map(|one| (one.index, one.rtype, one.text.as_str())).collect::<Vec<_>>(),
        [(3, 65, "1 . alpn=\"h2,h3\" port=8443"), (4, 29, "1 N 2 E 3m"), (5, 42, "\\# 0")]
    );
    assert_eq!(pending.first().unwrap().origin.to_string(), "sub.example.com.");
    assert!(zone.compilable().is_err());
    assert_eq!(zone.fill(3, &[0; 65_536]), Err(FillError::TooLong));
    assert!(matches!(zone.fill(3, b"\x00"), Err(FillError::Malformed(_))));
    assert_eq!(zone.fill(0, b"\x00"), Err(FillError::NotPending));
    assert_eq!(zone.fill(3, b"\x00\x01\x00"), Ok(()));
    assert_eq!(zone.fill(3, b"\x00\x01\x00"), Err(FillError::NotPending));
    assert_eq!(zone.fill(5, b""), Ok(()));
    let unfilled = zone.check();
    assert_eq!(unfilled.iter().map(|one| (one.rule, one.line)).collect::<Vec<_>>(), [("zone-syntax", 8)]);

    let mut filled = zone.clone();
    assert_eq!(filled.fill(4, b"any"), Ok(()));
    assert_eq!(filled.check(), []);
    assert_eq!(filled.compilable().unwrap().get(4).unwrap().rdata, b"any");

    assert_eq!(zone.reject(4, "bad altitude"), Ok(()));
    assert_eq!(zone.reject(4, "again"), Err(FillError::NotPending));
    assert_eq!(zone.fill(4, b"any"), Err(FillError::NotPending));
    assert_eq!(zone.check().first().unwrap().message, "bad altitude");
    assert!(zone.compilable().is_err());
}

#[test]
fn many_rejected_records_stay_errors() {
    let mut zone = read(&"a 60 LOC x\n".repeat(150));
    for index in 0..150 {
        zone.reject(index, "no").unwrap();
    }
    let findings = zone.check();
    assert_eq!(findings.iter().filter(|one| one.message == "no").count(), MAX_FINDINGS);
    assert!(findings.iter().any(|one| one.message.starts_with("50 more")));
    assert!(zone.compilable().is_err());
}

#[test]
fn owners_are_found_with_their_places() {
    let zone = read("a 60 A 1.1.1.1\nb 60 A 1.1.1.1\na 60 TXT x\n");
    let names =
        ["a.example.com.", "c.example.com."].map(|text| Name::from_text(text.as_bytes(), None).unwrap());
    assert_eq!(zone.owners(&names), [vec![(1, "z", 1), (16, "z", 3)], vec![]]);
}

#[test]
fn a_zone_with_faults_is_not_blamed_for_what_is_missing() {
    let zone = read("@ 60 SOA ns h 1 2 3 4\n@ 60 CNAME a\n@ 60 MX 1 b\n");
    let rules: Vec<_> = zone.check().into_iter().map(|one| one.rule).collect();
    assert_eq!(rules, ["zone-syntax", "zone-cname-and-other-data"]);
}

/// A directory of files that is removed at the end of its test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str, files: &[(&str, &str)]) -> Directory {
        let path = std::env::temp_dir().join(format!("gslb-reader-{}-{test}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Directory(path)
    }

    fn read(&self, file: &str) -> ZoneText {
        read_zone(&self.0.join(file), &origin())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn includes_are_relative_and_leave_no_trace() {
    let directory = Directory::new(
        "include",
        &[
            ("main.zone", "$TTL 60\na A 1.1.1.1\n$INCLUDE parts/one.inc sub\n A 1.1.1.4\nd A 1.1.1.5\n"),
            ("parts/one.inc", "$TTL 5\nb A 1.1.1.2\n$INCLUDE \"two .inc\"\n$ORIGIN x\n"),
            ("parts/two .inc", "c A 1.1.1.3"),
        ],
    );
    let zone = directory.read("main.zone");
    assert_eq!(faults(&zone), Vec::<String>::new());
    assert_eq!(
        rows(&zone),
        [
            "a.example.com. 60 A 01010101",
            "b.sub.example.com. 5 A 01010102",
            "c.sub.example.com. 5 A 01010103",
            "a.example.com. 60 A 01010104",
            "d.example.com. 60 A 01010105",
        ]
    );
    let files: Vec<_> = zone.files().iter().map(|file| file.rsplit('/').next().unwrap()).collect();
    assert_eq!(files, ["main.zone", "one.inc", "two .inc"]);
    let places: Vec<_> = zone.records().iter().map(|record| (record.file, record.line)).collect();
    assert_eq!(places, [(0, 2), (1, 2), (2, 1), (0, 4), (0, 5)]);
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let directory = Directory::new(
        "unreadable",
        &[
            ("loop.zone", "\n$INCLUDE loop.zone\n$INCLUDE .\n$INCLUDE none.inc\n$INCLUDE bad.inc\n"),
            ("bad.inc", "a 1 A x"),
        ],
    );
    let zone = directory.read("loop.zone");
    let found: Vec<_> = zone.findings.iter().map(|one| (one.rule, one.line, one.column)).collect();
    assert_eq!(
        found,
        [("zone-include", 2, 10), ("zone-include", 3, 10), ("zone-include", 4, 10), ("zone-syntax", 1, 7)]
    );
    for (finding, part) in
        zone.findings.iter().zip(["include itself", "regular file", "No such file", "IPv4"])
    {
        assert!(finding.message.contains(part), "{finding}");
    }
    let zone = directory.read("absent.zone");
    assert_eq!(zone.check().first().unwrap().rule, "zone-unreadable");
    assert!(zone.compilable().is_err());
}

#[test]
fn includes_are_not_endless() {
    let files: Vec<(String, String)> =
        (0..20).map(|at| (format!("{at}.zone"), format!("$INCLUDE {}.zone\n", at + 1))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let zone = Directory::new("deep", &files).read("0.zone");
    assert_eq!(faults(&zone).len(), 1);
    assert!(faults(&zone).first().unwrap().contains("16 deep"));

    let wide = "$INCLUDE leaf\n".repeat(1_100);
    let zone = Directory::new("wide", &[("main", &wide), ("leaf", "; nothing\n")]).read("main");
    assert!(faults(&zone).first().unwrap().contains("more than 1000 files"));
}
