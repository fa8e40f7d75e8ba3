//! The RRsets of a zone, page by page: to read all pages looks at each RRset once, and at a shard's first ones again.

use super::table::Zone;
use crate::wire::writer::Image;

/// Some of a zone's RRsets, in the zone's stable order.
#[derive(Debug, Default)]
pub struct Page<'z> {
    /// Owner (lower case wire format) and RRset.
    pub rows: Vec<(&'z [u8], Image<'z>)>,
    /// The position of the RRset that the next page begins with; `None` when there is none.
    pub next: Option<usize>,
    /// RRsets that were decoded for it: what it cost.
    pub looked_at: usize,
}

impl Zone {
    /// At most `limit` RRsets from the position `offset` on, of one type if given. A position counts the RRsets of all
    /// types before it.
    pub fn page(&self, offset: usize, limit: usize, rtype: Option<u16>) -> Page<'_> {
        let mut page = Page::default();
        let mut before = 0;
        for shard in &self.shards {
            let first = before;
            before += shard.rrset_count();
            if before <= offset {
                continue;
            }
            let sets = shard.nodes().flat_map(|node| node.sets().map(move |set| (node.name, set)));
            for (position, (name, set)) in (first..).zip(sets) {
                page.looked_at += 1;
                if position < offset || rtype.is_some_and(|rtype| rtype != set.rtype) {
                    continue;
                }
                if page.rows.len() == limit {
                    page.next = Some(position);
                    return page;
                }
                page.rows.push((name, set));
            }
        }
        page
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::Name;
    use crate::wire::rtype::number;
    use crate::zone::build::build;
    use crate::zone::records::{Record, RecordSet};

    const NAMES: usize = 20_000;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes(), None).unwrap()
    }

    /// A zone with an A at every name and a TXT at every hundredth.
    fn zone() -> Zone {
        let mut records = RecordSet::new();
        let mut add = |owner: &str, rtype: u16, rdata: &[u8]| {
            let owner = name(owner);
            let owner = owner.as_wire();
            records.push(Record { owner, rtype, ttl: 300, rdata, file: 0, line: 1 }).unwrap();
        };
        add("ex.", number::SOA, &[0; 22]);
        add("ex.", number::NS, b"\x02ns\x02ex\0");
        for index in 0..NAMES {
            let owner = format!("n{index}.ex.");
            add(&owner, number::A, &[192, 0, 2, 1]);
            if index % 100 == 0 {
                add(&owner, number::TXT, b"\x01x");
            }
        }
        build(&name("ex."), &records, &[]).unwrap()
    }

    /// All pages: the names of their rows and what they looked at.
    fn all(zone: &Zone, limit: usize, rtype: Option<u16>) -> (Vec<(Vec<u8>, u16)>, usize, usize) {
        let (mut rows, mut looked_at, mut pages, mut offset) = (Vec::new(), 0, 0, Some(0));
        while let Some(at) = offset {
            let page = zone.page(at, limit, rtype);
            assert!(page.rows.len() == limit || page.next.is_none());
            rows.extend(page.rows.iter().map(|(name, set)| (name.to_vec(), set.rtype)));
            looked_at += page.looked_at;
            pages += 1;
            offset = page.next;
        }
        (rows, looked_at, pages)
    }

    #[test]
    fn pages_hold_every_rrset_once_and_cost_what_they_hold() {
        let zone = zone();
        let (whole, looked_at, _) = all(&zone, usize::MAX, None);
        assert_eq!((whole.len(), looked_at), (NAMES + NAMES / 100 + 2, whole.len()));
        let largest = zone.shards.iter().map(|shard| shard.rrset_count()).max().unwrap();
        assert!(zone.shards.len() > 8);
        for limit in [100, 1000] {
            let (rows, looked_at, pages) = all(&zone, limit, None);
            assert_eq!(rows, whole);
            assert!(looked_at <= whole.len() + pages * (largest + 1), "{looked_at} for pages of {limit}");
        }
    }

    #[test]
    fn a_type_is_looked_for_once_in_the_whole_zone() {
        let zone = zone();
        let (whole, _, _) = all(&zone, usize::MAX, None);
        let texts: Vec<_> = whole.iter().filter(|(_, rtype)| *rtype == number::TXT).cloned().collect();
        let (rows, looked_at, pages) = all(&zone, 10, Some(number::TXT));
        assert_eq!((rows.len(), pages), (NAMES / 100, NAMES / 100 / 10));
        assert_eq!(rows, texts);
        let largest = zone.shards.iter().map(|shard| shard.rrset_count()).max().unwrap();
        assert!(looked_at <= whole.len() + pages * (largest + 1), "{looked_at}");
        assert!(zone.page(0, 10, Some(number::MX)).next.is_none());
        assert!(zone.page(usize::MAX, 10, None).rows.is_empty());
    }
}
