//! Threads that stay on one CPU.

use std::io;

/// Highest number of a CPU that a thread can be kept on, and one more.
pub const MAX_CPUS: usize = libc::CPU_SETSIZE as usize;

/// Keeps the calling thread on one CPU from now on.
///
/// # Errors
/// When there is no such CPU, or the process may not run on it.
pub fn stay_on(cpu: usize) -> io::Result<()> {
    if cpu >= MAX_CPUS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a set of CPUs is plain bits, for which all zeros are valid: the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number was found to be within the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: 0 is the calling thread; the pointer and size describe `set`, which outlives the call.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What the system says of the calling thread: numbers and ranges of CPUs.
    fn allowed() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap().trim().to_owned()
    }

    #[test]
    fn a_thread_stays_where_it_is_told_and_others_do_not() {
        let before = allowed();
        let last = before.rsplit([',', '-']).next().unwrap().to_owned();
        let told = last.clone();
        let inside = std::thread::spawn(move || {
            stay_on(told.parse().unwrap()).unwrap();
            allowed()
        });
        assert_eq!(inside.join().unwrap(), last);
        assert_eq!(allowed(), before);
    }

    #[test]
    fn a_cpu_that_is_not_there_is_refused() {
        let before = allowed();
        for cpu in [MAX_CPUS - 1, MAX_CPUS, usize::MAX] {
            assert!(stay_on(cpu).is_err());
        }
        assert_eq!(allowed(), before);
    }
}
