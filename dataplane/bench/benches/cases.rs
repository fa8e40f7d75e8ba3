//! The time of each case, per answer or step: `make bench-micro`.

use std::time::{Duration, Instant};

use criterion::Criterion;
use gslb_bench::cases::{BATCH, Case, cases};

const WARM_UP: Duration = Duration::from_millis(500);
const MEASUREMENT: Duration = Duration::from_secs(2);

fn measure(criterion: &mut Criterion, case: &Case) {
    // Made when criterion has found that the case was asked for.
    let mut work = None;
    criterion.bench_function(&case.name, |bencher| {
        let work = work.get_or_insert_with(|| case.make());
        bencher.iter_custom(|times| {
            let batches = times.div_ceil(BATCH as u64);
            let mut spent = Duration::ZERO;
            for _ in 0..batches {
                work.prepare();
                let start = Instant::now();
                work.run();
                spent += start.elapsed();
            }
            spent.mul_f64(times as f64 / (batches * BATCH as u64) as f64)
        });
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(WARM_UP)
        .measurement_time(MEASUREMENT)
        .configure_from_args();
    for case in cases() {
        measure(&mut criterion, &case);
    }
    criterion.final_summary();
}
