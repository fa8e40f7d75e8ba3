//! Memory: giving back what a load took, and asking ahead for what a query will need.

/// Octets that come from memory at a time.
const LINE: usize = 64;

/// Asks for the memory that holds `place`, without waiting for it: the processor fetches it meanwhile. It changes
/// nothing but time. Elsewhere than on x86-64 it does nothing.
#[inline(always)]
pub fn prefetch<T: ?Sized>(place: &T) {
    prefetch_at(std::ptr::from_ref(place).cast());
}

/// [`prefetch`] of the first and the second cache line of `octets`.
#[inline(always)]
pub fn prefetch_lines(octets: &[u8]) {
    prefetch_at(octets.as_ptr());
    if let Some(further) = octets.get(LINE..) {
        prefetch_at(further.as_ptr());
    }
}

#[inline(always)]
fn prefetch_at(place: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing into the program and faults at no address; SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Gives what the allocator keeps for later back to the system: after a load or a reload that is as much as the
/// records took. Takes milliseconds, and whoever allocates meanwhile waits; answers do not allocate.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time from any thread; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}
