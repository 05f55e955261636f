//! Files that are not what they should be.

use std::path::PathBuf;

use redb::{Database, TableDefinition};

use super::*;

fn a_sound_file() -> (Vec<u8>, Vec<(Bytes, Bytes)>) {
    let base = in_memory();
    let mut store = over(&base).unwrap().store("it", LIMITS).unwrap();
    for number in 0..200u8 {
        put(&mut store, vec![number], vec![number; 200]).unwrap();
        if number % 50 == 0 {
            settle(&mut store);
        }
    }
    let held = all(&store);
    drop(store);
    (image(&*base), held)
}

/// Open `bytes`: either all is there or an error says why, and then nothing was changed.
fn opens_whole_or_says_why(bytes: &[u8], held: &[(Bytes, Bytes)], what: &str) -> bool {
    let base = from_image(bytes);
    match over(&base) {
        Ok(disk) => {
            assert_eq!(all(&disk.store("it", LIMITS).unwrap()), held, "{what}");
            true
        }
        Err(OpenError::Corrupt { .. } | OpenError::Unreadable { .. } | OpenError::NotADatabase { .. }) => {
            assert_eq!(image(&*base), bytes, "{what}: nothing was changed");
            false
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[test]
fn a_flipped_byte_is_found_or_does_no_harm() {
    let (sound, held) = a_sound_file();
    let (mut found, mut harmless) = (0, 0);
    // Each byte of the header but the bit that says which slot is the newest, whose flip is a crash between
    // two phases; and bytes all over the pages.
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
    for at in (0..192).step_by(3).chain((4096..used).step_by(1531)) {
        let mut bytes = sound.clone();
        bytes[at] ^= if at == 9 { 0x40 } else { 0x41 };
        let whole = opens_whole_or_says_why(&bytes, &held, &format!("byte {at}"));
        *(if whole { &mut harmless } else { &mut found }) += 1;
    }
    assert!(found > 40, "{found} found, {harmless} harmless");
}

#[test]
fn a_file_cut_short_is_found() {
    let (sound, held) = a_sound_file();
    for len in [1, 9, 319, 320, 4096, 5000, sound.len() / 2, sound.len() - 4096, sound.len() - 1] {
        let what = format!("{len} bytes");
        assert!(!opens_whole_or_says_why(&sound[..len], &held, &what), "{what}");
    }
    assert!(opens_whole_or_says_why(&[], &[], "an empty file"), "is a new one");
}

#[test]
fn damage_that_comes_at_work_is_an_error() {
    // More than the cache holds: what is in it is still told.
    let limits = StoreLimits { keys: 1000, bytes: 64 << 20, pending: 400 };
    let base = in_memory();
    let mut store = over(&base).unwrap().store("it", limits).unwrap();
    for number in 0..200u8 {
        put(&mut store, vec![number], vec![number; 150_000]).unwrap();
    }
    settle(&mut store);
    drop(store);
    let disk = over(&base).unwrap();
    let store = disk.store("it", limits).unwrap();
    let len = base.len().unwrap();
    base.write(4096, &vec![0xaa; usize::try_from(len).unwrap() - 4096]).unwrap();
    let found = (0..200u8).map(|number| (number, store.get(&[number])));
    let (good, bad): (Vec<_>, Vec<_>) = found.partition(|(_, found)| found.is_ok());
    assert!(bad.len() > 100, "{} of 200 are errors", bad.len());
    assert!(bad.iter().all(|(_, found)| matches!(found, Err(StoreError::Medium(_)))));
    for (number, found) in good {
        assert_eq!(found, Ok(Some(Bytes::from(vec![number; 150_000]))), "never something else");
    }
    assert!(store.range(&[], &[0xff; 2], 1000).is_err());
}

fn opened(file: &Path) -> OpenError {
    Disk::open(file).map(|_| ()).unwrap_err()
}

#[test]
fn each_mistake_has_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let file = path("it.redb");
    let disk = Disk::open(&file).unwrap();
    let why = opened(&file);
    assert!(matches!(&why, OpenError::AlreadyOpen { .. }), "{why}");
    assert!(why.to_string().contains("it.redb: another node has this database open"), "{why}");
    drop(disk);
    Disk::open(&file).unwrap();

    let text = path("notes.txt");
    std::fs::write(&text, "x".repeat(5000)).unwrap();
    let why = opened(&text);
    assert!(matches!(&why, OpenError::NotADatabase { .. }), "{why}");
    assert_eq!(std::fs::read(&text).unwrap(), [b'x'; 5000], "it is left alone");

    for nowhere in [path("no/such/folder/it.redb"), folder.path().to_path_buf(), path("notes.txt/it.redb")] {
        let why = opened(&nowhere);
        assert!(matches!(&why, OpenError::Unwritable { .. }), "{why}");
    }

    let newer = path("newer.redb");
    let database = Database::create(&newer).unwrap();
    let writing = database.begin_write().unwrap();
    let about: TableDefinition<'_, &str, u64> = TableDefinition::new("swarmproof");
    writing.open_table(about).unwrap().insert("format", 99).unwrap();
    let mut writing = writing;
    writing.set_two_phase_commit(true);
    writing.commit().unwrap();
    drop(database);
    let why = opened(&newer);
    assert!(matches!(&why, OpenError::NewerFormat { found: 99, known: 1, .. }), "{why}");

    let strange = path("strange.redb");
    let database = Database::create(&strange).unwrap();
    let mut writing = database.begin_write().unwrap();
    writing.set_two_phase_commit(true);
    let other: TableDefinition<'_, u64, u64> = TableDefinition::new("other");
    writing.open_table(other).unwrap().insert(1, 2).unwrap();
    writing.commit().unwrap();
    drop(database);
    let why = opened(&strange);
    assert!(matches!(&why, OpenError::Corrupt { .. }), "{why}");
}

#[test]
fn a_file_whose_making_was_cut_off_is_made_anew() {
    // The header without its mark, as a crash leaves it.
    let mut bytes = vec![0; 1 << 20];
    bytes[20..60].fill(7);
    let base = from_image(&bytes);
    let mut store = over(&base).unwrap().store("it", LIMITS).unwrap();
    put(&mut store, "a", "1").unwrap();
    settle(&mut store);
    // Where there is more than the header, it is somebody's.
    bytes[500_000] = 1;
    let why = over(&from_image(&bytes)).map(|_| ()).unwrap_err();
    assert!(matches!(why, OpenError::NotADatabase { .. }), "{why}");
}

#[test]
fn what_the_database_gives_up_on_is_not_called_damaged() {
    let gave_up = life::contained(|| -> Result<(), Trouble> { panic!("assertion failed: {}", "x > y") });
    let why = from_trouble("test.redb".as_ref(), gave_up.unwrap_err());
    assert!(matches!(&why, OpenError::Unreadable { .. }), "{why}");
    let words = why.to_string();
    assert!(words.contains("could not be read (assertion failed: x > y)"), "{words}");
    assert!(words.contains("make a copy of the file before anything else"), "{words}");
    assert!(!words.contains("damaged"), "{words}");
}
