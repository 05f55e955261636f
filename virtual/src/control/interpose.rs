//! What stands in for the system's `clock_gettime`, `getrandom` and `syscall` in this program.
//!
//! The linker takes a function that a program defines before the one of the C library, so all code of this
//! program that asks the system for the time or for entropy through these names comes here: the standard
//! library, and every version of getrandom (0.2 by `syscall`, 0.3 and 0.4 by looking `getrandom` up by its
//! name). Code that makes system calls by instructions of its own does not.
//!
//! On a thread that is not a simulation's each call is passed on to the C library unchanged. This is the only
//! unsafe code of the package.

use core::ffi::{CStr, c_int, c_long, c_uint, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use super::state;

#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!(
    "swarmproof-virtual stands in for functions of the C library, and knows how on Linux with glibc, on x86_64 and \
     aarch64; build it for such a target"
);

/// The C library's own function of one name.
struct Real {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Real {
    const fn new(name: &'static CStr) -> Self {
        Self { name, found: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Its address; null when the C library has none.
    fn address(&self) -> *mut c_void {
        let known = self.found.load(Ordering::Acquire);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name is a C string that lives for ever, and RTLD_NEXT, the definition after that of this program, is a handle that dlsym knows. Two threads
        // that both look store the same address.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.found.store(found, Ordering::Release);
        found
    }
}

static CLOCK: Real = Real::new(c"clock_gettime");
static ENTROPY: Real = Real::new(c"getrandom");
static SYSCALL: Real = Real::new(c"syscall");

/// The error for a function that the C library does not have.
fn missing() -> c_int {
    // SAFETY: the C library gives the address of this thread's errno, which is there as long as the thread is.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}

/// See `clock_gettime(2)`.
///
/// # Safety
///
/// `time` points to a `timespec` that may be written, as for the function it stands in for.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    if !time.is_null()
        && let Some(nanos) = state::clock(clock)
    {
        let spec = libc::timespec {
            tv_sec: (nanos / 1_000_000_000) as libc::time_t,
            tv_nsec: (nanos % 1_000_000_000) as c_long,
        };
        // SAFETY: it is not null, and the caller promises that it may be written.
        unsafe { time.write(spec) };
        return 0;
    }
    let real = CLOCK.address();
    if real.is_null() {
        return missing();
    }
    // SAFETY: it is the C library's clock_gettime, which has this type; the arguments are the caller's, unchanged.
    unsafe {
        let real: unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int =
            core::mem::transmute(real);
        real(clock, time)
    }
}

/// See `getrandom(2)`.
///
/// # Safety
///
/// `len` bytes at `buffer` may be written, as for the function it stands in for.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    if !buffer.is_null() && len > 0 && state::controlled() {
        // SAFETY: the caller promises that so many bytes may be written there; zeroing them first makes them
        // bytes that may be read, whatever they were.
        let bytes = unsafe {
            core::ptr::write_bytes(buffer.cast::<u8>(), 0, len);
            core::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
        };
        if state::fill(bytes) {
            return len as isize;
        }
    }
    let real = ENTROPY.address();
    if real.is_null() {
        return missing() as isize;
    }
    // SAFETY: it is the C library's getrandom, which has this type; the arguments are the caller's, unchanged.
    unsafe {
        let real: unsafe extern "C" fn(*mut c_void, usize, c_uint) -> isize = core::mem::transmute(real);
        real(buffer, len, flags)
    }
}

/// See `syscall(2)`. The C library's takes any number of arguments; a system call has six at most, and on these
/// architectures they are where those of a function with six arguments are, so that what a caller did not give
/// is merely not looked at by the kernel.
///
/// # Safety
///
/// What the system call of this number demands of its arguments.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if state::controlled() {
        if number == libc::SYS_getrandom {
            // SAFETY: the arguments of this system call are those of the function.
            return unsafe { getrandom(a as *mut c_void, b as usize, c as c_uint) } as c_long;
        }
        if number == libc::SYS_clock_gettime {
            // SAFETY: the arguments of this system call are those of the function.
            return c_long::from(unsafe { clock_gettime(a as libc::clockid_t, b as *mut libc::timespec) });
        }
    }
    let real = SYSCALL.address();
    if real.is_null() {
        return c_long::from(missing());
    }
    type Call = unsafe extern "C" fn(c_long, ...) -> c_long;
    // SAFETY: it is the C library's syscall, which has this type; the arguments are the caller's, unchanged.
    unsafe {
        let real: Call = core::mem::transmute(real);
        real(number, a, b, c, d, e, f)
    }
}

/// Whether who looks `getrandom` up by its name finds the one above.
pub(super) fn found_by_name() -> bool {
    let own: unsafe extern "C" fn(*mut c_void, usize, c_uint) -> isize = getrandom;
    // SAFETY: the name is a C string that lives for ever, and RTLD_DEFAULT is a handle that dlsym knows.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"getrandom".as_ptr()) };
    core::ptr::eq(found, own as *mut c_void)
}
