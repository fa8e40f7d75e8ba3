//! The list of what is measured.

use crate::{answer, count, find, parse, steer, write};

/// How often a case does its work at once: as many as a UDP worker receives and answers (`serve/mmsg.rs`).
pub const BATCH: usize = 64;

/// The work of a case, [`BATCH`] times at once.
pub trait Work {
    /// Lays the next batch out, as the kernel does; not measured.
    fn prepare(&mut self) {}

    /// Does the batch.
    fn run(&mut self);
}

/// Something that is measured.
pub struct Case {
    /// The step and what is done, such as `find/wildcard`.
    pub name: String,
    /// Whether instructions are counted too. Those of large tables are not: making them under valgrind takes a minute,
    /// and what they cost is not instructions but the caches that they do not fit into.
    pub counted: bool,
    make: Box<dyn Fn() -> Box<dyn Work>>,
}

impl Case {
    /// A case whose instructions are counted.
    pub(crate) fn new<W: Work + 'static>(name: impl Into<String>, make: impl Fn() -> W + 'static) -> Case {
        Case { name: name.into(), counted: true, make: Box::new(move || Box::new(make())) }
    }

    /// A case that is only timed.
    pub(crate) fn timed<W: Work + 'static>(name: impl Into<String>, make: impl Fn() -> W + 'static) -> Case {
        Case { counted: false, ..Case::new(name, make) }
    }

    /// Makes all that the work needs, and checks that it comes to what it should.
    pub fn make(&self) -> Box<dyn Work> {
        (self.make)()
    }
}

/// All cases, in the order of an answer's steps.
pub fn cases() -> Vec<Case> {
    [parse::cases(), find::cases(), steer::cases(), count::cases(), write::cases(), answer::cases()]
        .into_iter()
        .flatten()
        .collect()
}
