//! Records: what is read is exactly what was signed, belongs under one key, and is within its limits.

use swarmproof::record::{MAX_RECORD, Verifier, keys};

pub fn run(data: &[u8]) {
    let verifier = Verifier::new(0);
    let verdict = verifier.check(data);
    let remembering = Verifier::new(8);
    let (first, again) = (remembering.check(data), remembering.check(data));
    assert_eq!(first, verdict, "what is remembered changes no verdict");
    assert_eq!(again, verdict, "what is remembered changes no verdict");
    // A key that is read is written the same way.
    let _ = keys::parse(data);
    let Ok(record) = verdict else { return };
    assert!(data.len() <= MAX_RECORD, "{} bytes were taken", data.len());
    assert_eq!(&record.bytes()[..], data, "there is no second spelling");
    if let Some(key) = keys::of(&record) {
        assert!(verifier.check_under(&key, data).is_ok(), "it belongs under its own key");
        let other = keys::list(&super::samples::package("somebody-elses"));
        assert!(verifier.check_under(&other, data).is_err(), "it belongs under no other");
    }
}
