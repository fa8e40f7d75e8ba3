//! Memory that a load took and the next minutes do not need.

/// Gives what the allocator keeps for later back to the system: after a load or a reload that is as much as the
/// records took. Takes milliseconds, and whoever allocates meanwhile waits; answers do not allocate.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time from any thread; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}
