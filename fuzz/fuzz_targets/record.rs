//! libFuzzer's way into the target `record`.
#![no_main]

#[path = "../src/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::record::run(data));
