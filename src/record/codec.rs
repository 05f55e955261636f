//! The bytes of records: an envelope with publisher and signature around a body, both canonical DAG-CBOR.
//!
//! The envelope is the map `{b: body, k: public key, s: signature, v: 1}` with three byte strings. The body
//! is a map with one pair, whose key tells the kind: `release`, `list` or `notice`. The signature is over
//! [`PREFIX`] and the body, so that nothing signed for another purpose is ever a record.
//!
//! [`open`] checks all but the signature, [`Unverified::verify`] that, and [`seal`] is the inverse of both.

use std::borrow::Cow;

use bytes::Bytes;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::cbor::{self, Shape};
use super::error::RecordError;
use super::keys::parse_version;
use super::kinds::{
    Digest, ListEntry, MAX_ANNOUNCEMENT, MAX_LIST, MAX_RECORD, Notice, Record, Release, ReleaseList, Says,
};
use crate::package::{MAX_VERSION, Package, PackageId, PackageName, PublisherId, ReleaseId, check_labels};
use crate::time::WallTime;

/// What every signature begins with.
pub(super) const PREFIX: &[u8] = b"swarmproof record v1\0";
/// The version of the format.
const VERSION: u64 = 1;

const ENVELOPE: Shape = Shape { depth: 1, items: 4 };
const BODY: Shape = Shape { depth: 4, items: MAX_LIST as u64 };

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, with = "serde_bytes")]
    pub(super) b: Cow<'a, [u8]>,
    #[serde(with = "serde_bytes")]
    pub(super) k: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(super) s: [u8; 64],
    pub(super) v: u64,
}

/// What is signed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Body<'a> {
    Release(ReleaseBody<'a>),
    List(ListBody<'a>),
    Notice(NoticeBody<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBody<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) number: u64,
    pub(super) title: Cow<'a, str>,
    pub(super) description: Cow<'a, str>,
    pub(super) categories: Cow<'a, [String]>,
    pub(super) tags: Cow<'a, [String]>,
    pub(super) licence: Cow<'a, str>,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) created: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListBody<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) sequence: u64,
    pub(super) until: u64,
    pub(super) entries: Vec<EntryBody<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryBody<'a> {
    pub(super) version: Cow<'a, str>,
    pub(super) digest: Digest,
    pub(super) yanked: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoticeBody<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) number: u64,
    pub(super) says: SaysBody,
    pub(super) categories: Cow<'a, [String]>,
    pub(super) tags: Cow<'a, [String]>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SaysBody {
    Published(Digest),
    Yanked,
}

impl<'a> ReleaseBody<'a> {
    pub(super) fn of(package: &'a Package, number: u64) -> Self {
        Self {
            name: package.release.package.name.as_str().into(),
            version: package.release.version.to_string().into(),
            number,
            title: package.title.as_str().into(),
            description: package.description.as_str().into(),
            categories: package.categories.as_slice().into(),
            tags: package.tags.as_slice().into(),
            licence: package.licence.as_str().into(),
            digest: Digest(package.digest),
            size: package.size,
            created: package.created.as_millis(),
        }
    }
}

impl<'a> ListBody<'a> {
    pub(super) fn of(
        package: &'a PackageId,
        sequence: u64,
        valid_until: WallTime,
        entries: &[ListEntry],
    ) -> Self {
        let entries = entries.iter().map(|entry| EntryBody {
            version: entry.version.to_string().into(),
            digest: entry.digest,
            yanked: entry.yanked,
        });
        Self {
            name: package.name.as_str().into(),
            sequence,
            until: valid_until.as_millis(),
            entries: entries.collect(),
        }
    }
}

impl<'a> NoticeBody<'a> {
    pub(super) fn of(
        release: &'a ReleaseId,
        number: u64,
        says: Says,
        categories: &'a [String],
        tags: &'a [String],
    ) -> Self {
        Self {
            name: release.package.name.as_str().into(),
            version: release.version.to_string().into(),
            number,
            says: match says {
                Says::Published(digest) => SaysBody::Published(digest),
                Says::Yanked => SaysBody::Yanked,
            },
            categories: categories.into(),
            tags: tags.into(),
        }
    }
}

/// The signed bytes of a record with this body.
pub(super) fn seal(key: &SigningKey, body: &Body<'_>) -> Bytes {
    let body = cbor::encode(body);
    let signature = key.sign(&signed(&body));
    let envelope =
        Envelope { b: body.into(), k: key.verifying_key().to_bytes(), s: signature.to_bytes(), v: VERSION };
    cbor::encode(&envelope).into()
}

/// How many bytes [`seal`] makes of this body, without signing it.
pub(super) fn sealed_len(body: &Body<'_>) -> usize {
    let envelope = Envelope { b: cbor::encode(body).into(), k: [0; 32], s: [0; 64], v: VERSION };
    cbor::encode(&envelope).len()
}

/// A record whose content is good, and of which only the signature is not yet known to be.
#[derive(Debug)]
pub(super) struct Unverified {
    pub(super) record: Record,
    signature: [u8; 64],
    message: Vec<u8>,
}

impl Unverified {
    /// The record, if its publisher signed it.
    pub(super) fn verify(self) -> Result<Record, RecordError> {
        let publisher = self.record.publisher();
        let key = VerifyingKey::from_bytes(publisher.as_bytes()).map_err(|_| RecordError::BadPublicKey)?;
        if key.is_weak() {
            return Err(RecordError::BadPublicKey);
        }
        key.verify_strict(&self.message, &Signature::from_bytes(&self.signature))
            .map_err(|_| RecordError::BadSignature)?;
        Ok(self.record)
    }
}

impl Unverified {
    /// The record, whoever signed it: for what was verified before.
    pub(super) fn unsigned(self) -> Record {
        self.record
    }
}

/// Read a record and check everything about it but its signature. `digest` is that of `bytes`.
pub(super) fn open(bytes: &[u8], digest: Digest) -> Result<Unverified, RecordError> {
    if bytes.len() > MAX_RECORD {
        return Err(RecordError::TooLarge);
    }
    let envelope: Envelope<'_> = cbor::decode(bytes, ENVELOPE)?;
    if envelope.v != VERSION {
        return Err(RecordError::UnknownVersion);
    }
    let publisher = PublisherId::new(envelope.k);
    let sealed = Sealed { publisher, digest, bytes };
    let record = match cbor::decode::<Body<'_>>(&envelope.b, BODY)? {
        Body::Release(body) => sealed.release(body)?.into(),
        Body::List(body) => sealed.list(body)?.into(),
        Body::Notice(body) => sealed.notice(body)?.into(),
    };
    Ok(Unverified { record, signature: envelope.s, message: signed(&envelope.b) })
}

/// What the signature is over.
pub(super) fn signed(body: &[u8]) -> Vec<u8> {
    [PREFIX, body].concat()
}

/// What a record takes from its envelope.
struct Sealed<'a> {
    publisher: PublisherId,
    digest: Digest,
    bytes: &'a [u8],
}

impl Sealed<'_> {
    fn release(&self, body: ReleaseBody<'_>) -> Result<Release, RecordError> {
        let package = Package {
            release: self.id(&body.name, &body.version)?,
            title: body.title.into_owned(),
            description: body.description.into_owned(),
            categories: body.categories.into_owned(),
            tags: body.tags.into_owned(),
            licence: body.licence.into_owned(),
            digest: body.digest.0,
            size: body.size,
            created: WallTime::from_millis(body.created),
        };
        package.check()?;
        not_zero(body.number)?;
        Ok(Release { package, number: body.number, digest: self.digest, bytes: self.copy() })
    }

    fn list(&self, body: ListBody<'_>) -> Result<ReleaseList, RecordError> {
        let package = self.package(&body.name)?;
        not_zero(body.sequence)?;
        let entries = body.entries.iter().map(|entry| {
            Ok(ListEntry { version: version(&entry.version)?, digest: entry.digest, yanked: entry.yanked })
        });
        let entries = entries.collect::<Result<Vec<_>, RecordError>>()?;
        if !entries.is_sorted_by(|a, b| a.version < b.version) {
            return Err(RecordError::Unordered);
        }
        Ok(ReleaseList {
            package,
            sequence: body.sequence,
            valid_until: WallTime::from_millis(body.until),
            entries,
            digest: self.digest,
            bytes: self.copy(),
        })
    }

    fn notice(&self, body: NoticeBody<'_>) -> Result<Notice, RecordError> {
        if self.bytes.len() > MAX_ANNOUNCEMENT {
            return Err(RecordError::TooLarge);
        }
        let release = self.id(&body.name, &body.version)?;
        not_zero(body.number)?;
        check_labels("categories", &body.categories)?;
        check_labels("tags", &body.tags)?;
        Ok(Notice {
            release,
            number: body.number,
            says: match body.says {
                SaysBody::Published(digest) => Says::Published(digest),
                SaysBody::Yanked => Says::Yanked,
            },
            categories: body.categories.into_owned(),
            tags: body.tags.into_owned(),
            digest: self.digest,
            bytes: self.copy(),
        })
    }

    fn package(&self, name: &str) -> Result<PackageId, RecordError> {
        let name = PackageName::new(name).map_err(|_| RecordError::BadName)?;
        Ok(PackageId { publisher: self.publisher, name })
    }

    fn id(&self, name: &str, text: &str) -> Result<ReleaseId, RecordError> {
        Ok(ReleaseId { package: self.package(name)?, version: version(text)? })
    }

    fn copy(&self) -> Bytes {
        Bytes::copy_from_slice(self.bytes)
    }
}

fn version(text: &str) -> Result<Version, RecordError> {
    if text.len() > MAX_VERSION {
        return Err(RecordError::FieldTooLong { field: "version" });
    }
    parse_version(text).ok_or(RecordError::BadVersion)
}

fn not_zero(number: u64) -> Result<(), RecordError> {
    if number == 0 { Err(RecordError::NumberZero) } else { Ok(()) }
}
