//! What a change of geo data, or of anything else that is compiled, moves: which networks are answered with other
//! POPs than before, while everything serves.
//!
//! The class tables of a name before and after are walked side by side. Where the first choices differ
//! (`first_choice`), the networks of the new databases there are counted, by their country and by the POPs that they
//! leave and go to. Names whose clients move alike are walked once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::cells::Found;
use super::classes::Classes;
use super::first_choice::FirstChoices;
use super::steering::Steering;
use super::tree::Tree;
use crate::geo::cover::Cover;
use crate::geo::map::GeoMap;
use crate::geo::prefix::{Address, Prefix};
use crate::wire::name::Name;

/// Most prefixes that are walked; trees after that are left out.
const MAX_WALKED: u64 = 1 << 29;
/// Most rows (country, from, to) of a tree, and of all; what is moved beyond them is added up in one.
const MAX_ROWS: usize = 10_000;
const MAX_ALL_ROWS: usize = 100_000;
/// Most networks shown for each row.
const MAX_EXAMPLES: usize = 100;

/// What moves from one steering to another.
#[derive(Debug, Serialize)]
pub struct Moves {
    /// Names whose clients move alike, and how; those of whom nobody moves are left out.
    pub trees: Vec<TreeMoves>,
    /// What there is in each country, as the databases before the change have it. Without a country: what either says
    /// anything about.
    pub countries: BTreeMap<String, Amount>,
    /// Trees that were not compared: there is too much to walk.
    pub omitted: usize,
}

impl Moves {
    /// As JSON; `moves` in gslb/steering/moves.py describes it.
    ///
    /// # Errors
    /// What cannot be written, which nothing here can be.
    pub fn to_json(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }
}

/// How the clients of some names move.
#[derive(Debug, Serialize)]
pub struct TreeMoves {
    /// (index into the names after the change, type).
    pub names: Vec<(u32, u16)>,
    /// All that moves.
    pub moved: Amount,
    /// What moves in each country, as the databases before the change have it: by them demand was counted.
    pub countries: BTreeMap<String, Amount>,
    /// The largest first.
    pub moves: Vec<Move>,
    /// What is not in `moves`, of which there would be too many.
    pub rest: Amount,
}

/// Networks of one country that leave the same POPs for the same others.
#[derive(Debug, Serialize)]
pub struct Move {
    /// Its code after the change; empty when none is known.
    pub country: String,
    /// Names of the POPs that answered, sorted; empty: the zone's own records.
    pub from: Vec<String>,
    /// Names of the POPs that will.
    pub to: Vec<String>,
    /// How much it is.
    #[serde(flatten)]
    pub amount: Amount,
    /// The largest of the networks.
    pub examples: Vec<String>,
}

/// How much of the address space something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Amount {
    /// Networks of the databases after the change, or parts of them.
    pub networks: u64,
    /// IPv4 addresses.
    pub ipv4: u64,
    /// IPv6 networks of length 48.
    pub ipv6: f64,
}

impl Amount {
    fn of<A: Address>(prefix: Prefix<A>) -> Amount {
        let bits = i32::from(prefix.length);
        if A::BITS == 32 {
            Amount { networks: 1, ipv4: 1u64 << (32 - bits.clamp(0, 32)), ipv6: 0.0 }
        } else {
            Amount { networks: 1, ipv4: 0, ipv6: 2f64.powi(48 - bits) }
        }
    }

    fn add(&mut self, other: Amount) {
        self.networks += other.networks;
        self.ipv4 += other.ipv4;
        self.ipv6 += other.ipv6;
    }

    fn is_nothing(&self) -> bool {
        self.networks == 0
    }
}

/// Two letters, or zeros for none.
type Country = [u8; 2];

fn country_of(map: &GeoMap, location: u32) -> Country {
    let code = map.location(location).country;
    code.and_then(|code| <Country>::try_from(code.as_str().as_bytes()).ok()).unwrap_or_default()
}

fn country_text(country: Country) -> String {
    if country == Country::default() { String::new() } else { String::from_utf8_lossy(&country).into() }
}

impl Steering {
    /// Whether the geo databases and overrides of another say the same.
    pub fn has_map_of(&self, other: &Steering) -> bool {
        self.map == other.map
    }

    /// What moves from `before` to this, for the names that both have; up to `limit` (at most 100) example networks
    /// for each row.
    pub fn moves_from(&self, before: &Steering, limit: usize) -> Moves {
        let limit = limit.min(MAX_EXAMPLES);
        let mut sets = Sets::default();
        let (groups, pairs) = self.groups(before, &mut sets);
        let (mut budget, mut rows) = (MAX_WALKED, MAX_ALL_ROWS);
        let mut moves = Moves { trees: Vec::new(), countries: BTreeMap::new(), omitted: 0 };
        for (names, (old, new, key)) in groups.into_iter().zip(pairs) {
            let mut tally = Tally::new(&before.map, &self.map, limit, rows.min(MAX_ROWS));
            if !tally.compare(&old.classes, &new.classes, &key, &mut budget) {
                moves.omitted += 1;
                continue;
            }
            rows -= tally.rows.len();
            if !tally.moved.is_nothing() {
                moves.trees.push(tally.finish(names, &sets));
            }
        }
        if !moves.trees.is_empty() {
            moves.countries = totals(&before.map, &self.map);
        }
        moves
    }

    /// The names and types to compare, those with the same classes and first choices together, and one pair of trees
    /// of each group.
    fn groups<'a>(&'a self, before: &'a Steering, sets: &mut Sets) -> (Vec<Vec<(u32, u16)>>, Vec<Pair<'a>>) {
        let old_numbers: HashMap<&Name, u32> =
            (0..).zip(&before.names).map(|(n, name)| (&name.name, n)).collect();
        let (old_choices, new_choices) = (FirstChoices::new(before), FirstChoices::new(self));
        let mut of_old: HashMap<*const Tree, Arc<[u32]>> = HashMap::new();
        let mut of_new: HashMap<*const Tree, Arc<[u32]>> = HashMap::new();
        let mut numbers = HashMap::new();
        let (mut groups, mut pairs) = (Vec::<Vec<(u32, u16)>>::new(), Vec::<Pair<'a>>::new());
        for (number, name) in (0..).zip(&self.names) {
            let Some(&old_number) = old_numbers.get(&name.name) else { continue };
            for new in self.trees_of(number) {
                let Some(old) = before.tree(old_number, new.rtype) else { continue };
                let old_key = of_old
                    .entry(std::ptr::from_ref(old))
                    .or_insert_with(|| sets.by_class(before, &old_choices, old))
                    .clone();
                let new_key = of_new
                    .entry(std::ptr::from_ref(new))
                    .or_insert_with(|| sets.by_class(self, &new_choices, new))
                    .clone();
                let tables = (Arc::as_ptr(&old.classes), Arc::as_ptr(&new.classes));
                let group = *numbers.entry((tables, old_key.clone(), new_key.clone())).or_insert_with(|| {
                    groups.push(Vec::new());
                    pairs.push((old, new, [old_key, new_key]));
                    groups.len() - 1
                });
                if let Some(names) = groups.get_mut(group) {
                    names.push((number, new.rtype));
                }
            }
        }
        (groups, pairs)
    }
}

/// A tree before and after, and the first choice of each class of both.
type Pair<'a> = (&'a Tree, &'a Tree, [Arc<[u32]>; 2]);

/// Sets of POPs, numbered. POPs are known by name, since numbers change.
#[derive(Default)]
struct Sets {
    all: Vec<Vec<String>>,
    numbers: HashMap<Vec<String>, u32>,
}

impl Sets {
    fn by_class(&mut self, steering: &Steering, choices: &FirstChoices<'_>, tree: &Tree) -> Arc<[u32]> {
        let mut known: HashMap<BTreeSet<u32>, u32> = HashMap::new();
        let numbers = (0..tree.classes.len() as u32).map(|class| {
            let pops = choices.of(tree, class);
            match known.get(&pops) {
                Some(&number) => number,
                None => {
                    let number = self.number(steering, &pops);
                    known.insert(pops, number);
                    number
                }
            }
        });
        numbers.collect()
    }

    fn number(&mut self, steering: &Steering, pops: &BTreeSet<u32>) -> u32 {
        let names = pops.iter().filter_map(|&pop| steering.world.pops.get(pop as usize));
        let mut names: Vec<String> = names.map(|pop| pop.name.to_string()).collect();
        names.sort_unstable();
        *self.numbers.entry(names.clone()).or_insert_with(|| {
            self.all.push(names);
            self.all.len() as u32 - 1
        })
    }

    fn get(&self, number: u32) -> Vec<String> {
        self.all.get(number as usize).cloned().unwrap_or_default()
    }
}

/// What moves, as it is found.
struct Tally<'a> {
    old_map: &'a GeoMap,
    map: &'a GeoMap,
    limit: usize,
    most_rows: usize,
    moved: Amount,
    countries: BTreeMap<Country, Amount>,
    rows: HashMap<(Country, u32, u32), Row>,
    rest: Amount,
}

#[derive(Default)]
struct Row {
    amount: Amount,
    examples: Vec<Example>,
}

/// (how small the network is, its first address, its length)
type Example = (u16, IpAddr, u8);

impl<'a> Tally<'a> {
    fn new(old_map: &'a GeoMap, map: &'a GeoMap, limit: usize, most_rows: usize) -> Tally<'a> {
        Tally {
            old_map,
            map,
            limit,
            most_rows,
            moved: Amount::default(),
            countries: BTreeMap::new(),
            rows: HashMap::new(),
            rest: Amount::default(),
        }
    }

    /// Walks both families of a pair of tables; returns whether the budget was enough.
    fn compare(
        &mut self,
        old: &Classes,
        new: &Classes,
        [of_old, of_new]: &[Arc<[u32]>; 2],
        budget: &mut u64,
    ) -> bool {
        let find = |classes: &Classes, choices: &[u32], address: IpAddr| {
            let Found { class, length, .. } = classes.find(address);
            (choices.get(class as usize).copied().unwrap_or(u32::MAX), length)
        };
        let old = |address| find(old, of_old, address);
        let new = |address| find(new, of_new, address);
        self.walk(self.old_map.ipv4(), self.map.ipv4(), &old, &new, budget)
            && self.walk(self.old_map.ipv6(), self.map.ipv6(), &old, &new, budget)
    }

    fn walk<A: Address>(
        &mut self,
        old_cover: &Cover<A>,
        cover: &Cover<A>,
        old: &impl Fn(IpAddr) -> (u32, u8),
        new: &impl Fn(IpAddr) -> (u32, u8),
        budget: &mut u64,
    ) -> bool {
        let mut next = Some(A::default());
        let (mut from, mut to) = (Side::default(), Side::default());
        while let Some(address) = next {
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            from.reach(address, old);
            to.reach(address, new);
            let prefix = Prefix { start: address, length: from.length.max(to.length) };
            next = prefix.last().successor();
            if from.choice != to.choice {
                for (network, location) in cover.within(prefix) {
                    *budget = budget.saturating_sub(1);
                    self.add(country_of(self.map, location), from.choice, to.choice, network);
                }
                for (network, location) in old_cover.within(prefix) {
                    let country = country_of(self.old_map, location);
                    self.countries.entry(country).or_default().add(Amount::of(network));
                }
            }
        }
        true
    }

    fn add<A: Address>(&mut self, country: Country, from: u32, to: u32, network: Prefix<A>) {
        let amount = Amount::of(network);
        self.moved.add(amount);
        let has_room = self.rows.len() < self.most_rows;
        let row = match self.rows.entry((country, from, to)) {
            std::collections::hash_map::Entry::Occupied(row) => row.into_mut(),
            std::collections::hash_map::Entry::Vacant(slot) if has_room => slot.insert(Row::default()),
            std::collections::hash_map::Entry::Vacant(_) => return self.rest.add(amount),
        };
        row.amount.add(amount);
        // A /48 of IPv6 is about what a /24 of IPv4 is.
        let small = u16::from(network.length) * if A::BITS == 32 { 2 } else { 1 };
        let example = (small, network.start.to_ip(), network.length);
        if row.examples.len() < self.limit || row.examples.last().is_some_and(|last| example < *last) {
            let at = row.examples.partition_point(|other| *other < example);
            row.examples.insert(at, example);
            row.examples.truncate(self.limit);
        }
    }

    fn finish(self, names: Vec<(u32, u16)>, sets: &Sets) -> TreeMoves {
        let all = self.moved;
        let share = |amount: &Amount| {
            amount.ipv4 as f64 / all.ipv4.max(1) as f64 + amount.ipv6 / all.ipv6.max(f64::MIN_POSITIVE)
        };
        let mut rows: Vec<_> = self.rows.into_iter().collect();
        rows.sort_by(|(one_key, one), (other_key, other)| {
            share(&other.amount).total_cmp(&share(&one.amount)).then_with(|| one_key.cmp(other_key))
        });
        let moves = rows.into_iter().map(|((country, from, to), row)| Move {
            country: country_text(country),
            from: sets.get(from),
            to: sets.get(to),
            amount: row.amount,
            examples: row.examples.iter().map(|(_, start, length)| format!("{start}/{length}")).collect(),
        });
        TreeMoves {
            names,
            moved: self.moved,
            countries: by_text(self.countries),
            moves: moves.collect(),
            rest: self.rest,
        }
    }
}

/// Where a walk is in one table.
struct Side<A> {
    choice: u32,
    length: u8,
    last: Option<A>,
}

impl<A> Default for Side<A> {
    fn default() -> Side<A> {
        Side { choice: 0, length: 0, last: None }
    }
}

impl<A: Address> Side<A> {
    /// Goes on to `address`, which is in the prefix it is at or the start of the next.
    fn reach(&mut self, address: A, find: impl Fn(IpAddr) -> (u32, u8)) {
        if self.last.is_some_and(|last| address <= last) {
            return;
        }
        let ip = address.to_ip();
        // Such addresses are looked up as IPv4, which is walked by itself.
        let is_mapped = matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
        (self.choice, self.length) = if is_mapped { (u32::MAX, 96) } else { find(ip) };
        self.last = Some(Prefix { start: address, length: self.length }.last());
    }
}

fn by_text(countries: BTreeMap<Country, Amount>) -> BTreeMap<String, Amount> {
    countries.into_iter().map(|(country, amount)| (country_text(country), amount)).collect()
}

/// What there is in each country of `old`; without a country only what one of the two says anything about.
fn totals(old: &GeoMap, new: &GeoMap) -> BTreeMap<String, Amount> {
    let says =
        |map: &GeoMap| map.locations().iter().map(|location| *location != Default::default()).collect();
    let (old_says, new_says): (Vec<bool>, Vec<bool>) = (says(old), says(new));
    let is = |says: &[bool], location: u32| says.get(location as usize).copied().unwrap_or(false);
    let mut countries = BTreeMap::<Country, Amount>::new();
    let mut add = |location: u32, after: u32, amount: Amount| {
        if is(&old_says, location) || is(&new_says, after) {
            countries.entry(country_of(old, location)).or_default().add(amount);
        }
    };
    old.ipv4().join(new.ipv4(), |prefix, old, new| add(old, new, Amount::of(prefix)));
    old.ipv6().join(new.ipv6(), |prefix, old, new| add(old, new, Amount::of(prefix)));
    by_text(countries)
}
