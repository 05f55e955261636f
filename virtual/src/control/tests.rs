#![expect(clippy::disallowed_methods, reason = "whose clock is read is what is tested")]

use std::time::{Duration, Instant, SystemTime};

use super::*;

/// On a thread of its own, whose keys for hash maps have not been drawn.
fn on_a_thread<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().spawn(body).unwrap().join().unwrap()
}

#[expect(clippy::disallowed_types, reason = "whether its keys come from the seed is what is tested")]
fn drawn(seed: u64) -> (Vec<u8>, Vec<u8>, Vec<u8>, u64) {
    use std::hash::BuildHasher as _;
    on_a_thread(move || {
        let _control = Control::begin(&Seed::new(seed)).unwrap();
        let hash = std::hash::RandomState::new().hash_one(1);
        let (mut a, mut b, mut c) = (vec![0; 40], vec![0; 40], vec![0; 40]);
        getrandom02::getrandom(&mut a).unwrap();
        getrandom03::fill(&mut b).unwrap();
        getrandom04::fill(&mut c).unwrap();
        (a, b, c, hash)
    })
}

#[test]
fn everything_is_under_control_here() {
    let found = on_a_thread(|| {
        let _control = Control::begin(&Seed::new(1)).unwrap();
        (probe(), now())
    });
    assert_eq!(found, (Ok(()), 0));
}

#[test]
fn entropy_comes_from_the_seed_by_every_route() {
    let once = drawn(1);
    assert_eq!(once, drawn(1));
    assert_ne!(once, drawn(2));
    assert!(once.0 != once.1 && once.1 != once.2, "it goes on");
}

#[test]
fn without_control_the_probe_says_what_is_missing() {
    let clock = on_a_thread(probe).unwrap_err();
    assert!(matches!(clock, Uncontrolled::Clock { clock: "std::time::Instant", .. }), "{clock}");
}

#[test]
fn a_timer_in_real_time_is_told_from_one_in_virtual_time() {
    on_a_thread(|| {
        let _control = Control::begin(&Seed::new(1)).unwrap();
        let never = probe::timer(std::future::pending).unwrap_err().to_string();
        assert!(never.contains("a delay did not fire when it was due"), "{never}");
        assert!(never.contains("[patch.crates-io]\nfutures-timer = { path ="), "{never}");
        let at_once = probe::timer(|| std::future::ready(())).unwrap_err().to_string();
        assert!(at_once.contains("a delay fired when it was not due"), "{at_once}");
    });
}

#[test]
fn other_threads_keep_the_system_s_clock_and_entropy() {
    on_a_thread(|| {
        let _control = Control::begin(&Seed::new(1)).unwrap();
        let (instant, calendar) = (Instant::now(), SystemTime::now());
        let (elsewhere, bytes) = on_a_thread(|| {
            let mut bytes = [0u8; 32];
            getrandom04::fill(&mut bytes).unwrap();
            let begun = Instant::now();
            std::thread::sleep(Duration::from_millis(3));
            (begun.elapsed(), bytes)
        });
        assert!(elsewhere >= Duration::from_millis(3));
        assert_eq!((instant.elapsed(), calendar.elapsed().unwrap()), (Duration::ZERO, Duration::ZERO));
        assert_ne!(bytes, [0; 32]);
        set(5_000_000);
        assert_eq!(instant.elapsed(), Duration::from_millis(5));
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert_eq!(SystemTime::now().duration_since(day).unwrap(), Duration::from_millis(5));
    });
}

#[test]
fn control_is_taken_once_and_given_back() {
    on_a_thread(|| {
        let control = Control::begin(&Seed::new(1)).unwrap();
        assert!(Control::begin(&Seed::new(1)).is_none());
        drop(control);
        let begun = Instant::now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(begun.elapsed() >= Duration::from_millis(2));
    });
}

#[test]
fn a_thread_is_found_by_its_name() {
    let (begun, begins) = std::sync::mpsc::sync_channel::<()>(0);
    let (stop, stopped) = std::sync::mpsc::sync_channel::<()>(0);
    let named = std::thread::Builder::new().name("noticed".to_owned());
    let thread = named.spawn(move || {
        begun.send(()).unwrap();
        let _closed = stopped.recv();
    });
    // A thread names itself when it begins.
    begins.recv().unwrap();
    assert!(threads().unwrap().values().any(|name| name == "noticed"));
    drop(stop);
    thread.unwrap().join().unwrap();
}
