//! Each rule, kept and broken.
#![allow(clippy::unwrap_used)]

use super::super::reader::MAX_FINDINGS;
use super::*;
use crate::zone::reader::read_zone_bytes;

const APEX: &str = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";

/// The findings of the apex above and `text`, as `rule line`, and their messages.
fn found(text: &str) -> (Vec<String>, String) {
    found_in(&format!("{APEX}{text}"))
}

fn found_in(text: &str) -> (Vec<String>, String) {
    let origin = Name::from_text(b"example.com.", None).unwrap();
    let zone = read_zone_bytes("z", text.as_bytes(), &origin);
    let mut findings = check(zone.origin(), zone.records(), true);
    findings.sort_by_key(|finding| finding.line);
    let rules = findings.iter().map(|finding| format!("{} {}", finding.rule, finding.line)).collect();
    let messages: Vec<_> = findings.into_iter().map(|finding| finding.message).collect();
    (rules, messages.join("\n"))
}

fn assert_found(text: &str, rules: &[&str], part: &str) {
    let (all, messages) = found(text);
    assert_eq!(all, rules, "{text}\n{messages}");
    assert!(messages.contains(part), "{messages}");
}

#[test]
fn a_sound_zone_has_no_findings() {
    let text = "www A 192.0.2.1\nwww A 192.0.2.2\nwww AAAA ::1\nalias CNAME www\nalias RRSIG CNAME 8 2 60 1 0 1 @ AA==\n\
        sub NS ns.sub\nsub DS 1 8 9 aa\nns.sub A 192.0.2.3\nself NS self\nself A 192.0.2.4\n\
        far NS ns.example.net.\nother NS ns.sub\nd DNAME www\n@ MX 10 www\n*.w A 192.0.2.5\nx NS a.w\n";
    assert_found(text, &[], "");
}

#[test]
fn the_apex_has_one_soa_and_name_servers() {
    let (rules, messages) = found_in("$TTL 5\na A 1.1.1.1\n");
    assert_eq!(rules, ["zone-soa 0", "zone-no-ns 0"], "{messages}");
    assert_found("@ SOA ns h 2 2 3 4 5\n", &["zone-soa 5"], "(first at z:2)");
    assert_found("a SOA ns h 1 2 3 4 5\n", &["zone-soa 5"], "only at the apex, example.com.");
    assert_found("@ SOA ns h 1 2 3 4 5\n", &["zone-duplicate-record 5"], "z:2");
}

#[test]
fn owners_are_inside_the_zone() {
    assert_found("a.example.net. A 1.1.1.1\n", &["zone-out-of-zone 5"], "a.example.net.");
    assert_found(
        "xexample.com. NS a\n A 1.1.1.1\n",
        &["zone-out-of-zone 5", "zone-out-of-zone 6"],
        "outside",
    );
}

#[test]
fn a_cname_stands_alone() {
    let rule = "zone-cname-and-other-data 6";
    assert_found(
        "a CNAME b\nA TXT x\n",
        &[rule],
        "a.example.com. TXT cannot stand beside a.example.com. CNAME (first at z:5)",
    );
    assert_found("a TXT x\na CNAME b\n", &[rule], "(first at z:5)");
    assert_found("a CNAME b\na CNAME c\n", &[rule], "only once (first at z:5)");
    assert_found("a CNAME b\na DNAME c\n", &[rule], "DNAME");
    assert_found("@ CNAME b\n", &["zone-cname-and-other-data 5"], "SOA");
    assert_found("a CNAME b\na NSEC c A\na KEY \\# 4 01000308\n", &[], "");
}

#[test]
fn a_dname_stands_once_with_nothing_below() {
    assert_found("a DNAME b\na DNAME c\n", &["zone-dname 6"], "z:5");
    assert_found("b.a A 1.1.1.1\na DNAME b\n", &["zone-occluded 5"], "DNAME a.example.com. DNAME (at z:6)");
    let (rules, messages) = found("@ DNAME b.\n");
    assert_eq!(rules, ["zone-occluded 4"], "{messages}");
}

#[test]
fn rrsets_have_one_ttl_and_each_record_once() {
    let text = "a 5 A 1.1.1.1\na 6 A 1.1.1.2\na 7 A 1.1.1.3\na 5 TXT x\n";
    assert_found(text, &["zone-ttl-differs 6"], "has TTL 6 here but 5 at z:5");
    assert_found("a A 1.1.1.1\nb A 1.1.1.1\na A 1.1.1.1\n", &["zone-duplicate-record 7"], "z:5");
}

#[test]
fn name_servers_in_the_zone_have_addresses() {
    assert_found("@ NS none\n", &["zone-missing-glue 5"], "none.example.com.");
    assert_found("sub NS ns.SUB\n", &["zone-missing-glue 5"], "ns.sub.example.com.");
    assert_found("a NS ns.b\nb NS ns.example.net.\n", &[], "");
}

#[test]
fn aliases_are_no_targets() {
    let text = "a CNAME ns\n@ NS A\n@ MX 1 a\n";
    assert_found(text, &["zone-ns-cname 6", "zone-mx-cname 7"], "a.example.com. is an alias (CNAME at z:5)");
}

#[test]
fn only_glue_is_below_a_delegation() {
    let text = "sub NS ns.sub\nns.sub A 1.1.1.1\nns.sub TXT x\nwww.sub A 1.1.1.1\nsub MX 1 @\na.b.sub NS sub\nsub A 1.1.1.1\n";
    let rules = ["zone-occluded 7", "zone-occluded 8", "zone-occluded 9", "zone-occluded 10"];
    assert_found(
        text,
        &rules,
        "www.sub.example.com. A is never served, because the delegation sub.example.com. NS (at z:5)",
    );
}

#[test]
fn many_findings_of_a_rule_are_counted() {
    let text: String = (0..150).map(|at| format!("x{at} A 1.1.1.1\nx{at} A 1.1.1.1\n")).collect();
    let (rules, messages) = found(&text);
    assert_eq!(rules.len(), MAX_FINDINGS + 1);
    assert!(messages.contains("50 more findings"));
}
