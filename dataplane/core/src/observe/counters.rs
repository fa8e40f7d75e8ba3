//! Monotonic counters: each worker has its own, written by it alone, so that no cache line is shared per query.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Counter { $(#[doc = $doc] $variant,)* }

        impl Counter {
            /// Every counter, in the order of its number.
            pub const ALL: &'static [Counter] = &[$(Counter::$variant,)*];

            /// The name under which it crosses to Python.
            pub fn name(self) -> &'static str {
                match self { $(Counter::$variant => $name,)* }
            }
        }
    };
}

counters! {
    QueriesUdp "queries_udp" "Packets received over UDP.",
    QueriesTcp "queries_tcp" "Messages received over TCP.",
    ResponsesNoError "responses_noerror" "Responses with NOERROR.",
    ResponsesFormErr "responses_formerr" "Responses with FORMERR.",
    ResponsesServFail "responses_servfail" "Responses with SERVFAIL.",
    ResponsesNxDomain "responses_nxdomain" "Responses with NXDOMAIN.",
    ResponsesNotImp "responses_notimp" "Responses with NOTIMP.",
    ResponsesRefused "responses_refused" "Responses with REFUSED.",
    ResponsesYxDomain "responses_yxdomain" "Responses with YXDOMAIN.",
    ResponsesNotAuth "responses_notauth" "Responses with NOTAUTH.",
    ResponsesBadVers "responses_badvers" "Responses with BADVERS.",
    DroppedMalformed "dropped_malformed" "Packets left unanswered: too short, or responses.",
    Truncated "truncated" "Responses with TC set.",
    Steered "steered" "Answers that steering chose.",
    Reflected "reflected" "Queries for addresses that were answered with those of whoever asked.",
    AllDown "all_down" "Steered answers for which no endpoint was left.",
    DemandUnplaced "demand_unplaced" "Queries for steered names that the demand table had no room for.",
    EcsQueries "ecs_queries" "Queries with a client subnet.",
    TcpConnections "tcp_connections" "TCP connections accepted.",
    TcpRejected "tcp_rejected" "TCP connections closed at once because there were too many.",
    TcpTimeouts "tcp_timeouts" "TCP connections closed because they were idle or slow.",
    SendErrors "send_errors" "Responses that the kernel did not take.",
    Panics "panics" "Queries lost to a bug that was caught.",
}

/// One worker's counters.
#[repr(align(128))]
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; Counter::ALL.len()]);

impl Counters {
    /// Adds one. Only the worker that owns the counters may call this: it is no atomic addition.
    #[inline]
    pub fn add(&self, counter: Counter) {
        if let Some(value) = self.0.get(counter as usize) {
            value.store(value.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// The present value; any thread may read.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0.get(counter as usize).map_or(0, |value| value.load(Ordering::Relaxed))
    }
}
