//! Crashes at every moment, and media that fail.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// A file that remembers everything done to it.
#[derive(Debug)]
struct Recorded {
    base: InMemoryBackend,
    ops: Arc<Mutex<Vec<Op>>>,
}

impl StorageBackend for Recorded {
    fn len(&self) -> io::Result<u64> {
        self.base.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.base.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.ops.lock().unwrap().push(Op::SetLen(len));
        self.base.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.ops.lock().unwrap().push(Op::Sync);
        self.base.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.ops.lock().unwrap().push(Op::Write(offset, data.to_vec()));
        self.base.write(offset, data)
    }
}

/// The file after `ops`; of those behind the last sync only the ones that `survives` says.
fn replay(ops: &[Op], survives: impl Fn(usize) -> bool) -> Vec<u8> {
    let synced = ops.iter().rposition(|op| matches!(op, Op::Sync)).unwrap_or(0);
    let mut file: Vec<u8> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        match op {
            _ if at > synced && !survives(at) => {}
            Op::Write(offset, data) => {
                let offset = usize::try_from(*offset).unwrap();
                let end = offset + data.len();
                file.resize(file.len().max(end), 0);
                file[offset..end].copy_from_slice(data);
            }
            Op::SetLen(len) => file.resize(usize::try_from(*len).unwrap(), 0),
            Op::Sync => {}
        }
    }
    file
}

/// Batch `number` changes these keys; what is there afterwards says how many batches were applied.
fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    batch.put("last", number.to_be_bytes().to_vec());
    batch.put(format!("key {}", number % 7), vec![u8::try_from(number).unwrap(); 300]);
    batch.remove(format!("key {}", (number + 3) % 7));
    batch
}

fn model(batches: u64) -> Vec<(Bytes, Bytes)> {
    let mut map = BTreeMap::new();
    for (key, value) in (1..=batches).flat_map(|number| batch(number).changes) {
        match value {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
    map.into_iter().collect()
}

#[test]
fn a_crash_at_any_moment_loses_a_suffix_and_nothing_acknowledged() {
    let ops = Arc::new(Mutex::new(Vec::new()));
    let base: Base = Arc::new(Recorded { base: InMemoryBackend::new(), ops: Arc::clone(&ops) });
    let mut store = over(&base).unwrap().store("it", LIMITS).unwrap();
    // How much was done to the file when so many batches were acknowledged.
    let mut acknowledged = vec![ops.lock().unwrap().len()];
    let mut number = 0;
    for round in 0..12 {
        for _ in 0..=round % 3 {
            number += 1;
            store.submit(batch(number)).unwrap();
        }
        while store.pending() > 0 {
            next(&mut store).1.unwrap();
            acknowledged.push(ops.lock().unwrap().len());
        }
    }
    drop(store);
    let ops = ops.lock().unwrap().clone();
    let mut lost = 0;
    for cut in (0..=ops.len()).step_by(ops.len() / 60 + 1).chain([ops.len()]) {
        // All that was written before the crash is there; nothing but what was synced; every other write.
        for survivors in 0..3usize {
            let file = replay(&ops[..cut], |at| survivors == 0 || survivors == 2 && at % 2 == 0);
            let sure = acknowledged.iter().rposition(|done| *done <= cut).unwrap_or(0) as u64;
            let store = over(&from_image(&file)).unwrap_or_else(|why| panic!("cut {cut}: {why}"));
            let found = all(&store.store("it", LIMITS).unwrap());
            let last = found.iter().find(|(key, _)| key == "last");
            let last = last.map_or(0, |(_, value)| u64::from_be_bytes(*value.first_chunk().unwrap()));
            assert!((sure..=number).contains(&last), "cut {cut}: {last} of {sure} acknowledged");
            assert_eq!(found, model(last), "cut {cut}: whole batches");
            lost += number - last;
        }
    }
    assert!(lost > 0, "no crash lost anything, so none was one");
}

#[test]
fn a_copy_of_the_file_taken_at_work_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("it.redb"), folder.path().join("copy.redb"));
    let disk = Disk::open(&file).unwrap();
    let mut store = disk.store("it", LIMITS).unwrap();
    for number in 1..=20 {
        store.submit(batch(number)).unwrap();
    }
    settle(&mut store);
    std::fs::copy(&file, &copy).unwrap();
    let copied = Disk::open(&copy).unwrap().store("it", LIMITS).unwrap();
    assert_eq!(all(&copied), model(20), "neither closed nor dropped, and all that was acknowledged is there");
}

/// A medium with so much room and no more, on which writes wait while its gate is held.
#[derive(Debug)]
struct Small {
    base: Base,
    room: Arc<AtomicU64>,
    gate: Arc<Mutex<()>>,
}

impl StorageBackend for Small {
    fn len(&self) -> io::Result<u64> {
        self.base.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.base.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.base.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.base.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _open = self.gate.lock().unwrap();
        if offset + data.len() as u64 > self.room.load(Ordering::SeqCst) {
            return Err(ErrorKind::StorageFull.into());
        }
        self.base.write(offset, data)
    }
}

#[test]
fn a_full_medium_fails_what_it_cannot_take_and_goes_on_when_there_is_room() {
    let room = Arc::new(AtomicU64::new(u64::MAX));
    let memory = in_memory();
    let gate = Arc::new(Mutex::new(()));
    let base: Base =
        Arc::new(Small { base: Arc::clone(&memory), room: Arc::clone(&room), gate: Arc::clone(&gate) });
    let limits = StoreLimits { keys: 1000, bytes: 64 << 20, pending: 100 };
    let disk = over(&base).unwrap();
    let last_write = disk.last_write();
    let mut store = disk.store("it", limits).unwrap();
    put(&mut store, "small", "1").unwrap();
    settle(&mut store);
    assert!(!last_write.failed());
    room.store(base.len().unwrap(), Ordering::SeqCst);
    // All three are accepted before the writing thread learns how the first one went: one that comes after a
    // failure does not fail with it.
    let closed = gate.lock().unwrap();
    put(&mut store, "small", "2").unwrap();
    put(&mut store, "big", vec![7; 8 << 20]).unwrap();
    put(&mut store, "built on it", "3").unwrap();
    drop(closed);
    let mut failed = Vec::new();
    for _ in 0..3 {
        failed.push(next(&mut store).1.is_err());
    }
    assert_eq!(failed, [false, true, true], "what was accepted after it fails with it");
    let seen = [(Bytes::from("small"), Bytes::from("2"))];
    assert_eq!((&all(&store)[..], store.size()), (&seen[..], (1, 6)), "reads see what is durable");
    let id = put(&mut store, "big", vec![7; 8 << 20]).unwrap();
    let (told, result) = next(&mut store);
    let why = result.unwrap_err().to_string();
    assert!(told == id && why.contains("no storage space"), "{why}");
    assert!(last_write.failed(), "also for those who did not write");
    assert_eq!(all(&store), seen, "reads go on");
    room.store(u64::MAX, Ordering::SeqCst);
    put(&mut store, "built on it", "4").unwrap();
    settle(&mut store);
    assert!(!last_write.failed());
    drop((store, disk));
    let again = over(&memory).unwrap().store("it", limits).unwrap();
    let wanted = [(Bytes::from("built on it"), Bytes::from("4")), seen[0].clone()];
    assert_eq!(all(&again), wanted, "what was acknowledged, and nothing else");
}

#[test]
fn a_medium_without_room_for_the_first_page_is_no_panic() {
    let base: Base =
        Arc::new(Small { base: in_memory(), room: Arc::new(AtomicU64::new(100)), gate: Arc::default() });
    let why = over(&base).unwrap_err();
    assert!(matches!(&why, OpenError::NoRoom { .. }), "{why}");
    assert!(why.to_string().starts_with("test.redb: there is no room"), "{why}");
}
