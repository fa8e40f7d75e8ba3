//! The origins of all zones served, for checks that look beyond one zone.

use std::collections::HashSet;

use crate::wire::name;

/// Origins in wire format, lower case. What is asked of them costs the same however many there are.
#[derive(Debug, Default, Clone)]
pub struct Origins {
    all: HashSet<Box<[u8]>>,
    /// Every name that some origin is below.
    above: HashSet<Box<[u8]>>,
}

impl FromIterator<Box<[u8]>> for Origins {
    fn from_iter<T: IntoIterator<Item = Box<[u8]>>>(origins: T) -> Origins {
        let all: HashSet<Box<[u8]>> = origins.into_iter().collect();
        let mut above = HashSet::new();
        for origin in &all {
            let mut at = name::parent(origin);
            // What is above a name that is known is known too.
            while let Some(here) = at.filter(|here| !above.contains(*here)) {
                above.insert(here.into());
                at = name::parent(here);
            }
        }
        Origins { all, above }
    }
}

impl Origins {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a zone has this origin.
    pub fn contains(&self, origin: &[u8]) -> bool {
        self.all.contains(origin)
    }

    /// Whether a zone lies below this name, which may be an origin itself.
    pub fn has_below(&self, name: &[u8]) -> bool {
        self.above.contains(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::Name;

    fn wire(text: &str) -> Box<[u8]> {
        Name::from_text(text.as_bytes(), None).unwrap().as_wire().into()
    }

    #[test]
    fn names_above_an_origin_have_zones_below() {
        let origins: Origins =
            ["a.b.example.com.", "b.example.com.", "example.net."].map(wire).into_iter().collect();
        for above in [".", "com.", "net.", "example.com.", "b.example.com."] {
            assert!(origins.has_below(&wire(above)), "{above}");
        }
        for other in ["a.b.example.com.", "example.net.", "x.example.com.", "ample.com.", "org."] {
            assert!(!origins.has_below(&wire(other)), "{other}");
        }
        assert!(origins.contains(&wire("b.example.com.")) && !origins.contains(&wire("example.com.")));
    }

    #[test]
    fn the_root_may_be_an_origin() {
        let origins: Origins = [wire(".")].into_iter().collect();
        assert!(!origins.is_empty() && origins.contains(&wire(".")) && !origins.has_below(&wire(".")));
        assert!(Origins::default().is_empty());
    }
}
