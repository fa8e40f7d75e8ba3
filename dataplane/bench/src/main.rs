//! Runs cases, for valgrind and by hand: `cases [--batches N] [NAME…]`, all counted ones without a name.
//!
//! For each it prints a line: the name, how often its work was done, and how many allocations that took. Under valgrind,
//! callgrind counts the instructions of `measured_batch` alone and writes them out at each `end_of_case`
//! (`bench/instructions.py` tells it so).

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use gslb_bench::cases::{BATCH, Case, Work, cases};

/// Batches of a case: work enough that what is drawn at random evens out.
const BATCHES: u64 = 32;
const USAGE: &str = "usage: cases [--list] [--batches N] [NAME...]";

/// The system's allocator, with a count.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[inline(never)]
fn measured_batch(work: &mut dyn Work) {
    work.run();
}

#[inline(never)]
fn end_of_case(name: &str, times: u64, allocations: u64) {
    println!("{name} {times} {allocations}");
}

fn run(case: &Case, batches: u64) {
    let mut work = case.make();
    let mut allocations = 0;
    for _ in 0..batches {
        work.prepare();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        measured_batch(&mut *work);
        allocations += ALLOCATIONS.load(Ordering::Relaxed) - before;
    }
    end_of_case(&case.name, batches * BATCH as u64, allocations);
}

fn main() -> ExitCode {
    let all = cases();
    let mut batches = BATCHES;
    let mut wanted: Vec<&Case> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let known = all.iter().find(|case| case.name == argument);
        match (argument.as_str(), known) {
            ("--list", _) => {
                for case in &all {
                    println!("{}", case.name);
                }
                return ExitCode::SUCCESS;
            }
            ("--batches", _) => match arguments.next().and_then(|number| number.parse().ok()) {
                Some(number) => batches = number,
                None => return fail(USAGE),
            },
            (_, Some(case)) => wanted.push(case),
            (name, None) => return fail(&format!("there is no case {name}: see --list\n{USAGE}")),
        }
    }
    if wanted.is_empty() {
        wanted = all.iter().filter(|case| case.counted).collect();
    }
    for case in wanted {
        run(case, batches);
    }
    ExitCode::SUCCESS
}

fn fail(message: &str) -> ExitCode {
    eprintln!("cases: {message}");
    ExitCode::from(2)
}
