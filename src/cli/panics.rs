//! Panics that are expected to be survived. A run that panics breaks alone: the others go on, and it is reported with
//! where it happened. One in the database is told as the error that it becomes.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// How many times [`caught`] is at work. What it calls may have threads of its own, so all of the process count.
static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// Call `work`; what its panic said and where, if it panicked.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        // What nobody here catches is told as ever.
        panic::set_hook(Box::new(move |info| {
            if CAUGHT.load(Ordering::Relaxed) > 0 { remember(info) } else { usual(info) }
        }));
    });
    CAUGHT.fetch_add(1, Ordering::Relaxed);
    // What `work` touches is dropped with it: nothing half-changed is seen afterwards.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CAUGHT.fetch_sub(1, Ordering::Relaxed);
    done.map_err(|_| LAST.take().unwrap_or_else(|| "it panicked and did not say why".to_owned()))
}

/// Call `work`; a panic's words go to standard error, where whoever started this process reads them.
pub(crate) fn aloud<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // As above. A run may have threads of its own, so this thread does not know what the panic said.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| "it panicked".to_owned())
}

/// From now on a panic of which the store makes an error is told as that error alone: it is about a damaged file, and
/// whoever has one is not helped by where in the database's code that was seen.
#[cfg(feature = "node")]
pub(crate) fn leave_contained_to_the_store() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !crate::store::disk::contains_panic() {
            usual(info);
        }
    }));
}

fn remember(info: &PanicHookInfo<'_>) {
    let words = words(info.payload()).unwrap_or("it panicked without words");
    let place = info.location().map(|it| format!(" at {}:{}", it.file(), it.line())).unwrap_or_default();
    LAST.set(Some(format!("{words}{place}")));
}

/// What `panic!` was given, whether literal or formatted.
fn words(payload: &dyn Any) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        assert_eq!(caught(|| 7), Ok(7));
        let told = caught(|| assert_eq!(1 + 1, 3, "sums differ")).unwrap_err();
        assert!(told.contains("sums differ") && told.contains("panics.rs:"), "{told}");
        assert_eq!(caught(|| 8), Ok(8));
    }
}
