//! What a registry keeps in its store, and under which keys.
//!
//! | key | value |
//! |---|---|
//! | `o/n` | the last number given to a statement of one's own, 8 bytes, big-endian |
//! | `o/s/` number | one's own statement with that number: release or notice, as signed |
//! | `o/l/` name | the newest list of a package of one's own, as signed |
//! | `c/` publisher, number, digest's first 8 bytes | a statement that the catalogue holds, as signed |
//! | `r` | how peers stood, in the engine's own layout |
//! | `l/` publisher `/` name | the newest verified list seen of a package, as signed |
//!
//! Numbers are big-endian and publishers their 32 bytes, so a range reads them in their order.

use bytes::{BufMut, Bytes, BytesMut};

use crate::package::{PackageId, PackageName, PublisherId};
use crate::record::Record;
use crate::store::{Store, StoreError};

/// How many pairs are read from the store at once.
const READ: usize = 512;

/// Where the last number of one's own stands.
pub(super) const OWN_NUMBER: &[u8] = b"o/n";
/// Where one's own statements stand.
pub(super) const OWN_STATEMENTS: &[u8] = b"o/s/";
/// Where one's own lists stand.
pub(super) const OWN_LISTS: &[u8] = b"o/l/";
/// Where the catalogue's statements stand.
pub(super) const CATALOGUE: &[u8] = b"c/";
/// Where it stands how peers stood.
pub(super) const REPUTATION: &[u8] = b"r";
/// Where the lists seen stand.
pub(super) const SEEN_LISTS: &[u8] = b"l/";

/// Where one's own statement with `number` stands.
pub(super) fn own_statement(number: u64) -> Bytes {
    join(OWN_STATEMENTS, &[&number.to_be_bytes()])
}

/// Where the newest list of one's own package stands.
pub(super) fn own_list(name: &PackageName) -> Bytes {
    join(OWN_LISTS, &[name.as_str().as_bytes()])
}

/// Where the newest list seen of `package` stands.
pub(super) fn seen_list(package: &PackageId) -> Bytes {
    join(SEEN_LISTS, &[package.publisher.as_bytes(), b"/", package.name.as_str().as_bytes()])
}

/// Where the catalogue's statement `record` stands; `None` for a list, which is no statement.
pub(super) fn statement(record: &Record) -> Option<Bytes> {
    let (number, digest) = match record {
        Record::Release(release) => (release.number, release.digest),
        Record::Notice(notice) => (notice.number, notice.digest),
        Record::List(_) => return None,
    };
    let short = digest.0.first_chunk::<8>()?;
    Some(join(CATALOGUE, &[record.publisher().as_bytes(), &number.to_be_bytes(), short]))
}

/// The number and publisher of a statement.
pub(super) fn numbered(record: &Record) -> Option<(PublisherId, u64)> {
    match record {
        Record::Release(release) => Some((record.publisher(), release.number)),
        Record::Notice(notice) => Some((record.publisher(), notice.number)),
        Record::List(_) => None,
    }
}

/// Call `with` for each pair whose key begins with `prefix`, in the order of the keys.
pub(super) fn each(
    store: &impl Store,
    prefix: &[u8],
    mut with: impl FnMut(&Bytes, &Bytes),
) -> Result<(), StoreError> {
    let end = join(prefix, &[&[0xff; 128]]);
    let mut from = Bytes::copy_from_slice(prefix);
    loop {
        let pairs = store.range(&from, &end, READ)?;
        for (key, value) in &pairs {
            with(key, value);
        }
        match pairs.last() {
            Some((last, _)) if pairs.len() == READ => from = join(last, &[&[0]]),
            _ => return Ok(()),
        }
    }
}

fn join(prefix: &[u8], parts: &[&[u8]]) -> Bytes {
    let mut key = BytesMut::with_capacity(prefix.len() + parts.iter().map(|part| part.len()).sum::<usize>());
    key.put_slice(prefix);
    parts.iter().for_each(|part| key.put_slice(part));
    key.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, MemoryStore};

    #[test]
    fn a_prefix_is_read_whole_in_order_and_nothing_else() {
        let mut store = MemoryStore::default();
        let mut batch = Batch::new();
        for number in 0..1300u64 {
            batch.put(own_statement(number), number.to_be_bytes().to_vec());
        }
        batch.put("o/r", "before").put("o/t", "behind").put("o/s0", "behind");
        store.submit(batch).unwrap();
        let mut seen = Vec::new();
        each(&store, OWN_STATEMENTS, |_, value| {
            seen.push(u64::from_be_bytes(*value.first_chunk::<8>().unwrap()));
        })
        .unwrap();
        assert_eq!(seen, (0..1300).collect::<Vec<_>>());
    }
}
