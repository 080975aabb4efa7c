//! Keyed hashes: pseudonyms of values under an agreement's key, and the ledger's hash of a subject.
//!
//! The message is the logical type's key, a zero byte and the value's canonical text, so that any source of the same
//! data gives the same bytes, and a number never equals the text of it.

use std::sync::Arc;

use data_encoding::{Encoding, Specification};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder, UInt64Array};
use datafusion::arrow::datatypes::UInt64Type;
use uuid::Uuid;

use super::super::{EngineError, canonical::Canonical, read};
use super::mac::Mac;
use crate::domain::dataset::LogicalType;
use crate::domain::treatment::PseudonymFormat;

/// HMAC-SHA-256, cut to 128 bits.
pub(super) struct Pseudonym {
    key: Mac,
    from: LogicalType,
    text: TextForm,
}

enum TextForm {
    Base32(Encoding),
    Uuid,
}

impl Pseudonym {
    pub(super) fn new(key: &[u8; 32], from: LogicalType, format: PseudonymFormat) -> Result<Self, EngineError> {
        let text = match format {
            PseudonymFormat::Base32 => TextForm::Base32(lower_base32()?),
            PseudonymFormat::Uuid => TextForm::Uuid,
        };
        Ok(Self { key: Mac::new(key), from, text })
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        let canonical = Canonical::of(column)?;
        let mut out = StringBuilder::with_capacity(column.len(), column.len() * 36);
        let mut message = Message::new(&self.key, self.from);
        for row in 0..column.len() {
            match (!column.is_null(row)).then(|| message.tag(&canonical, row)).flatten() {
                Some(tag) => self.append(tag.first_chunk::<16>()?, &mut out),
                None => out.append_null(),
            }
        }
        Some(Arc::new(out.finish()))
    }

    fn append(&self, bits: &[u8; 16], out: &mut StringBuilder) {
        match &self.text {
            TextForm::Base32(encoding) => {
                let mut text = [0; 26];
                encoding.encode_mut(bits, &mut text);
                out.append_value(std::str::from_utf8(&text).unwrap_or_default());
            }
            TextForm::Uuid => out.append_value(Uuid::from_bytes(*bits).hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        }
    }
}

/// RFC 4648 base32 in lower case, without padding.
pub(super) fn lower_base32() -> Result<Encoding, EngineError> {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().map_err(|_| EngineError::internal("base32 could not be set up"))
}

/// The messages under one keyed hash, their buffer reused from row to row.
pub(super) struct Message<'a> {
    key: &'a Mac,
    bytes: Vec<u8>,
    head: usize,
}

impl<'a> Message<'a> {
    fn new(key: &'a Mac, from: LogicalType) -> Self {
        Self::headed(key, &[], from)
    }

    /// Messages that begin with more than the type; of one key all heads have one length.
    pub(super) fn headed(key: &'a Mac, head: &[u8], from: LogicalType) -> Self {
        let mut bytes = head.to_vec();
        bytes.extend_from_slice(from.key().as_bytes());
        bytes.push(0);
        Self { key, head: bytes.len(), bytes }
    }

    pub(super) fn tag(&mut self, canonical: &Canonical<'_>, row: usize) -> Option<[u8; 32]> {
        self.bytes.truncate(self.head);
        canonical.write(row, &mut self.bytes).then(|| self.key.tag(&self.bytes))
    }
}

/// The message of a row without a subject: no logical type is called this.
const NO_SUBJECT: &[u8] = b"null\0";

/// The ledger's 64-bit hash of a subject's key.
pub(in super::super) struct SubjectKey {
    key: Mac,
    from: LogicalType,
}

impl SubjectKey {
    pub(in super::super) fn new(key: &[u8; 32], from: LogicalType) -> Self {
        Self { key: Mac::new(key), from }
    }

    /// The hash of a row without a subject.
    pub(in super::super) fn nobody(&self) -> u64 {
        short(&self.key.tag(NO_SUBJECT))
    }

    /// The hash of each key as people write it; none where it is no value of the keys' type.
    pub(in super::super) fn of_texts(&self, keys: &[String]) -> Result<Vec<Option<u64>>, EngineError> {
        let raw: ArrayRef = Arc::new(StringArray::from_iter_values(keys));
        let readable = read::read(&raw, self.from)?;
        let hashes = self.apply(&raw)?;
        let hashes = hashes.as_primitive_opt::<UInt64Type>().ok_or_else(super::unplanned)?;
        Ok((0..keys.len()).map(|row| (!readable.is_null(row)).then(|| hashes.value(row))).collect())
    }

    /// The first 8 bytes, big endian, of each row's hash; a row without a key has the hash of a fixed marker.
    pub(in super::super) fn apply(&self, raw: &ArrayRef) -> Result<ArrayRef, EngineError> {
        let column = read::read(raw, self.from)?;
        let canonical = Canonical::of(&column).ok_or_else(super::unplanned)?;
        let none = self.nobody();
        let mut message = Message::new(&self.key, self.from);
        let hash = |row: usize| {
            let tag = (!column.is_null(row)).then(|| message.tag(&canonical, row)).flatten();
            tag.map_or(none, |tag| short(&tag))
        };
        Ok(Arc::new((0..column.len()).map(hash).collect::<UInt64Array>()))
    }
}

/// The first 8 bytes, big endian.
pub(super) fn short(tag: &[u8]) -> u64 {
    tag.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
