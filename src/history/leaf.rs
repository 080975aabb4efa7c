//! From an entry to its bytes and hash.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::domain::time::Instant;

use super::entry::{Body, Index};

/// The version of the leaf's form.
const FORM: u32 = 1;

/// The most bytes a leaf may have (C2SP tlog-tiles bundles have 16-bit lengths).
pub const MOST_BYTES: usize = 65_535;

/// The random parts of an entry, drawn by the caller.
#[derive(Debug, Clone, Copy)]
pub struct Randomness {
    /// In the leaf, so that entries of low entropy can't be guessed from their hash.
    pub blind: [u8; 32],
    /// Beside the leaf with the text it salts, and erased with it.
    pub salt: [u8; 32],
}

/// The kept bytes of an entry and their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// RFC 8785 canonical JSON.
    pub bytes: Vec<u8>,
    /// SHA-256 of `0x00 ‖ bytes`, lower-case hexadecimal.
    pub hash: String,
}

/// An entry ready to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub at: Instant,
    pub leaf: Leaf,
    pub index: Index,
    /// Free text and filter values: `salt` in hexadecimal and the text; the leaf holds their hash.
    pub beside: Option<(String, String)>,
}

/// An entry that can't be kept, so that what it would record must not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecordable {
    #[error("the entry is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the entry can't be written as canonical JSON")]
    NotCanonical,
}

#[derive(Serialize)]
struct Form<'a> {
    v: u32,
    ts: Instant,
    blind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
    #[serde(flatten)]
    body: &'a Body,
}

/// Makes the bytes that are kept. `beside` is free text that must stay erasable.
pub fn record(body: &Body, beside: Option<String>, at: Instant, random: &Randomness) -> Result<Record, NotRecordable> {
    let salt = HEXLOWER.encode(&random.salt);
    let bound = beside.as_ref().map(|text| sha256_hex(format!("{salt}{text}").as_bytes()));
    let form = Form { v: FORM, ts: at, blind: HEXLOWER.encode(&random.blind), beside: bound, body };
    let bytes = serde_json_canonicalizer::to_vec(&form).map_err(|_| NotRecordable::NotCanonical)?;
    if bytes.len() > MOST_BYTES {
        return Err(NotRecordable::TooLarge);
    }
    let hash = leaf_hash(&bytes);
    Ok(Record { at, leaf: Leaf { bytes, hash }, index: body.index(), beside: beside.map(|text| (salt, text)) })
}

/// The leaf hash of RFC 6962 §2.1, lower-case hexadecimal.
pub fn leaf_hash(bytes: &[u8]) -> String {
    let mut prefixed = Vec::with_capacity(bytes.len().saturating_add(1));
    prefixed.push(0);
    prefixed.extend_from_slice(bytes);
    sha256_hex(&prefixed)
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}
