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
    let (mut findings, _) = check(zone.origin(), zone.records(), true, &Surroundings::default());
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
        "a CNAME ns\nA TXT x\n",
        &[rule],
        "a.example.com. TXT cannot stand beside a.example.com. CNAME (first at z:5)",
    );
    assert_found("a TXT x\na CNAME ns\n", &[rule], "(first at z:5)");
    assert_found("a CNAME ns\na CNAME @\n", &[rule], "only once (first at z:5)");
    assert_found("a CNAME ns\na DNAME c\n", &[rule], "DNAME");
    assert_found("@ CNAME ns\n", &["zone-cname-and-other-data 5"], "SOA");
    assert_found("a CNAME ns\na NSEC c A\na KEY \\# 4 01000308\n", &[], "");
}

#[test]
fn a_dname_stands_once_with_nothing_below() {
    assert_found("a DNAME b\na DNAME c\n", &["zone-dname 6"], "z:5");
    assert_found("b.a A 1.1.1.1\na DNAME b\n", &["zone-occluded 5"], "DNAME a.example.com. DNAME (at z:6)");
    let (rules, messages) = found("@ DNAME b.\n");
    assert_eq!(rules, ["zone-occluded 4"], "{messages}");
}

#[test]
fn an_alias_stands_once() {
    assert_found(
        "a ALIAS ns\na ALIAS b\nb A 192.0.2.1\n",
        &["zone-alias 6"],
        "a.example.com. ALIAS may stand only once (first at z:5)",
    );
    assert_found("a ALIAS ns\na ALIAS ns\n", &["zone-duplicate-record 6"], "");
    assert_found("a ALIAS ns\na A 192.0.2.1\nb ALIAS ns\n", &[], "");
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
fn a_ds_record_stands_at_a_delegation() {
    assert_found("a DS 1 8 9 aa\n", &["zone-ds-without-ns 5"], "a.example.com. has a DS record");
    assert_found("@ DS 1 8 9 aa\n", &["zone-ds-without-ns 5"], "no delegation");
}

#[test]
fn a_null_mx_stands_alone() {
    assert_found("@ MX 0 .\n", &[], "");
    assert_found("@ MX 5 .\n", &["zone-mx-null 5"], "preference 0");
    assert_found("@ MX 0 .\n@ MX 1 ns\n", &["zone-mx-null 5"], "(at z:6)");
}

#[test]
fn srv_targets_are_no_aliases() {
    assert_found(
        "a CNAME ns\ns SRV 1 1 1 A\n",
        &["zone-srv-cname 6"],
        "SRV target a.example.com. is an alias",
    );
}

#[test]
fn targets_in_the_zone_exist() {
    let rule = "zone-dangling-target 5";
    assert_found("a CNAME Gone\n", &[rule], "CNAME points to gone.example.com., which does not exist");
    for text in ["a MX 1 gone\n", "a SRV 1 1 1 gone\n", "* CNAME x.ns\n"] {
        assert_found(text, &[rule], "which does not exist");
    }
    // Not asked: elsewhere, "none", empty non-terminals, wildcards, delegations and DNAMEs.
    let text = "a CNAME gone.example.net.\nb SRV 0 0 0 .\nc HTTPS 1 .\nd CNAME ent\nx.ent A 192.0.2.1\n\
        e CNAME y.wild\n*.wild TXT x\nf CNAME host.sub\nsub NS ns\ng CNAME x.dname\ndname DNAME example.net.\n";
    assert_found(text, &[], "");
    assert_found("a ALIAS Gone\n", &[rule], "ALIAS points to gone.example.com., which does not exist");
    assert_found("a ALIAS foo\n* A 192.0.2.1\n", &[], "");
    assert_found("* ALIAS x.ns\n", &[rule], "x.ns.example.com., which does not exist");
    // A wildcard at the apex, and one at another target.
    assert_found("a CNAME foo\n* A 192.0.2.1\n", &[], "");
    assert_found("a CNAME w\nb CNAME x.w\nw A 192.0.2.1\n*.w A 192.0.2.1\n", &[], "");
    // The closest encloser has no wildcard (RFC 4592 section 3.3.1).
    assert_found("a CNAME y.b\nx.b A 192.0.2.1\n* A 192.0.2.1\n", &[rule], "y.b.example.com.");
}

#[test]
fn what_an_alias_leads_to_has_addresses() {
    let rule = "zone-dangling-target 5";
    assert_found("a ALIAS t\nt TXT x\n", &[rule], "t.example.com., which has no address in this zone");
    assert_found("a ALIAS ent\nx.ent TXT x\n", &[rule], "ent.example.com., which has no address");
    let text = "a ALIAS ns\nb ALIAS a\nc ALIAS d\nd CNAME ns\ne ALIAS y.wild\n*.wild TXT x\nf ALIAS host.sub\n\
        sub NS ns\ng ALIAS x.dname\ndname DNAME example.net.\nh ALIAS cdn.example.net.\n";
    assert_found(text, &[], "");
}

#[test]
fn a_cname_never_leads_back_to_itself() {
    let rule = "zone-cname-loop 5";
    assert_found("a CNAME A\n", &[rule], "the CNAME of a.example.com. points to itself");
    // Once, at its first record, however it is entered.
    let text = "b CNAME c\nc CNAME d\nd CNAME b\na CNAME b\ne CNAME d\n";
    assert_found(text, &[rule], "b.example.com. leads back to itself after 3 CNAMEs");
    assert_found("a CNAME a\nb CNAME b\n", &[rule, "zone-cname-loop 6"], "");
    assert_found("a CNAME b\nb CNAME c\nc CNAME ns\nd CNAME b\n", &[], "");
    // The server of the zone below answers for what is below a delegation.
    assert_found("a CNAME b.sub\nsub NS ns\nb.sub CNAME a\n", &["zone-occluded 7"], "");
}

fn names<T: FromIterator<Box<[u8]>>>(texts: &[&str]) -> T {
    texts.iter().map(|text| Name::from_text(text.as_bytes(), None).unwrap().as_wire().into()).collect()
}

#[test]
fn steered_names_exist_and_have_addresses() {
    let text = format!("{APEX}@ NS steered\n@ NS x.pool\na CNAME steered\nb MX 1 x.pool\nc CNAME gone\n");
    let origin = Name::from_text(b"example.com.", None).unwrap();
    let zone = read_zone_bytes("z", text.as_bytes(), &origin);
    let steered = names(&["steered.example.com.", "*.pool.example.com."]);
    let around = Surroundings { origins: Arc::new(names(&["example.com."])), steered };
    let (findings, leads) = check(&origin, zone.records(), true, &around);
    let rules: Vec<_> = findings.iter().map(|one| format!("{} {}", one.rule, one.line)).collect();
    assert_eq!((rules, leads), (vec!["zone-dangling-target 9".to_owned()], vec![]));
}

#[test]
fn targets_in_other_zones_are_leads() {
    let text = format!("{APEX}a CNAME W.example.net.\nb MX 1 x.sub\nc CNAME example.org.\nd CNAME b\n");
    let origin = Name::from_text(b"example.com.", None).unwrap();
    let zone = read_zone_bytes("z", text.as_bytes(), &origin);
    let origins = Arc::new(names(&["example.com.", "example.net.", "sub.example.com.", "net."]));
    let (findings, leads) =
        check(&origin, zone.records(), true, &Surroundings { origins, ..Surroundings::default() });
    assert_eq!(findings, []);
    let leads: Vec<_> =
        leads.iter().map(|lead| (lead.index, lead.target.to_string(), lead.origin.to_string())).collect();
    let expected = [(3, "w.example.net.", "example.net."), (4, "x.sub.example.com.", "sub.example.com.")];
    assert_eq!(leads, expected.map(|(at, target, origin)| (at, target.to_owned(), origin.to_owned())));
}

#[test]
fn presence_follows_the_lookup_rules() {
    let text = format!(
        "{APEX}ent.x TXT t\n*.w TXT t\nhost.w TXT t\ncut NS ns\ndn DNAME @\nal CNAME ns\nfl ALIAS ns\n"
    );
    let origin = Name::from_text(b"example.com.", None).unwrap();
    let zone = read_zone_bytes("z", text.as_bytes(), &origin);
    let name = |text: &str| Name::from_text(text.as_bytes(), Some(origin.as_wire())).unwrap();
    let cases = [
        ("gone", Presence::Absent),
        ("x", Presence::Present),
        ("ent.x", Presence::Present),
        ("y.x", Presence::Absent),
        ("a.b.w", Presence::Reachable),
        ("x.host.w", Presence::Absent),
        ("cut", Presence::Reachable),
        ("a.cut", Presence::Reachable),
        ("dn", Presence::Present),
        ("a.dn", Presence::Reachable),
        ("al", Presence::Reachable),
        ("fl", Presence::Reachable),
        ("ns", Presence::Reachable),
        ("example.com.", Presence::Present),
        ("st", Presence::Reachable),
        ("q.p", Presence::Reachable),
    ];
    let wanted: Vec<Name> = cases.iter().map(|(text, _)| name(text)).collect();
    let steered = [name("st"), name("*.p")];
    let existence = Existence::of(
        origin.as_wire(),
        zone.records(),
        steered.iter().map(Name::as_wire),
        wanted.iter().map(Name::as_wire),
    );
    for (target, (text, expected)) in wanted.iter().zip(cases) {
        assert_eq!(existence.presence(target.as_wire()), expected, "{text}");
    }
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
