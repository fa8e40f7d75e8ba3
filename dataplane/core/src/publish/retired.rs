//! Generations that were replaced while somebody held them.
//!
//! Who lets go of a generation last frees it, and a hundred megabytes take milliseconds to free. It must not be a
//! worker, so each generation is held here until nobody else holds it, and is dropped by who publishes or reads counts.
//!
//! ```text
//! present --replaced--> retired, held by queries --they are answered--> retired, held by none --> dropped
//! ```

use std::sync::Arc;

use super::Published;

/// Replaced generations that may still be held elsewhere, the oldest first.
#[derive(Default)]
pub(super) struct Retired(Vec<Arc<Published>>);

impl Retired {
    /// Keeps a generation that [`arc_swap::ArcSwapAny::swap`] gave back.
    pub fn push(&mut self, replaced: Arc<Published>) {
        self.0.push(replaced);
    }

    /// Those that nobody else holds, to be dropped. There is no way to one of them but from here: the pointer leads
    /// elsewhere, and what readers borrowed through it was counted when it was swapped. So nobody can come to hold one.
    #[must_use]
    pub fn take_unheld(&mut self) -> Vec<Arc<Published>> {
        self.0.extract_if(.., |replaced| Arc::strong_count(replaced) == 1).collect()
    }

    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    use super::super::{Identity, Publisher};
    use crate::steer::Steering;
    use crate::steer::verdict::{Loads, Verdicts};
    use crate::zone::zones::Zones;

    /// Publishes zones and all else anew; tells of the zones.
    fn publish(publisher: &Publisher) -> Weak<Zones> {
        let verdicts = Verdicts::all_serving(0);
        publisher.publish(Zones::default(), Arc::<Steering>::default(), verdicts, Loads::default()).unwrap();
        Arc::downgrade(&publisher.current().load().zones)
    }

    /// Whether nobody holds the zones any more.
    fn is_freed(zones: &Weak<Zones>) -> bool {
        zones.strong_count() == 0
    }

    #[test]
    fn what_nobody_holds_is_freed_when_it_is_replaced() {
        let publisher = Publisher::default();
        let first = publish(&publisher);
        publisher.identify(Identity::default());
        assert!(!is_freed(&first), "it is served still");
        publish(&publisher);
        assert!(is_freed(&first));
        assert!(publisher.writers.lock().unwrap().is_empty());
    }

    /// A worker that is the last to let go of a generation does not free it.
    #[test]
    fn what_a_worker_holds_is_freed_by_who_publishes() {
        let publisher = Publisher::default();
        let first = publish(&publisher);
        let (let_go, told) = channel();
        let (held, is_held) = channel();
        std::thread::scope(|scope| {
            let publisher = &publisher;
            let worker = scope.spawn(move || {
                let state = publisher.current().load();
                held.send(()).unwrap();
                told.recv().unwrap();
                drop(state);
            });
            is_held.recv().unwrap();
            publish(publisher);
            publisher.release(Duration::ZERO);
            assert!(!is_freed(&first), "the worker answers from it");
            let_go.send(()).unwrap();
            worker.join().unwrap();
        });
        assert!(!is_freed(&first), "the worker let go of it last, and did not free it");
        publisher.release(Duration::ZERO);
        assert!(is_freed(&first));
    }

    #[test]
    fn reading_counts_and_publishing_free_what_was_held() {
        let publisher = Publisher::default();
        let free: [fn(&Publisher); 2] =
            [|publisher| drop(publisher.demand()), |publisher| drop(publish(publisher))];
        for free in free {
            let zones = publish(&publisher);
            let state = publisher.current().load();
            publish(&publisher);
            drop(state);
            assert!(!is_freed(&zones));
            free(&publisher);
            assert!(is_freed(&zones));
        }
    }

    #[test]
    fn releasing_waits_until_nobody_holds_any_or_patience_ends() {
        let publisher = Publisher::default();
        let first = publish(&publisher);
        let mut state = Some(publisher.current().load());
        publish(&publisher);
        let mut turns = 0;
        publisher.release_while(|| {
            turns += 1;
            turns < 3
        });
        assert_eq!((turns, is_freed(&first)), (3, false));
        publisher.release_while(|| {
            turns += 1;
            drop(state.take());
            true
        });
        assert_eq!((turns, is_freed(&first)), (4, true));
    }
}
