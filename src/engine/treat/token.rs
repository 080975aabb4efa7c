//! Tokens that the holder of the agreement's key can turn back, and nobody else: AES-256-SIV (RFC 5297), so that one
//! value has one token.
//!
//! The plain text is the logical type's key, a zero byte and the value's canonical text, filled up to whole blocks so
//! that a token tells its value's length to 16 bytes only.

use std::sync::Arc;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use aws_lc_rs::hmac;
use data_encoding::Encoding;
use datafusion::arrow::array::{Array, ArrayRef, StringBuilder};
use zeroize::Zeroizing;

use super::super::EngineError;
use super::super::canonical::Canonical;
use super::pseudonym::lower_base32;
use crate::domain::dataset::LogicalType;

const BLOCK: usize = 16;
/// Ends the text: the filling that follows it is zeros.
const END: u8 = 0x80;

/// Makes tokens of one domain.
pub(super) struct Tokens {
    key: Zeroizing<[u8; 64]>,
    from: LogicalType,
    encoding: Encoding,
}

impl Tokens {
    pub(super) fn new(key: &[u8; 32], from: LogicalType) -> Result<Self, EngineError> {
        Ok(Self { key: halves(key), from, encoding: lower_base32()? })
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        let canonical = Canonical::of(column)?;
        let mut cipher = cipher(&self.key)?;
        let mut out = StringBuilder::with_capacity(column.len(), column.len() * 80);
        let mut plain = Vec::new();
        for row in 0..column.len() {
            plain.clear();
            plain.extend_from_slice(self.from.key().as_bytes());
            plain.push(0);
            if column.is_null(row) || !canonical.write(row, &mut plain) {
                out.append_null();
                continue;
            }
            plain.push(END);
            plain.resize(plain.len().next_multiple_of(BLOCK), 0);
            let sealed = cipher.encrypt([[]; 0], &plain).ok()?;
            out.append_value(self.encoding.encode(&sealed));
        }
        Some(Arc::new(out.finish()))
    }
}

/// The value of a token, as text; `None` for what is no token of this key.
pub fn reveal(key: &[u8; 32], token: &str) -> Option<String> {
    let sealed = lower_base32().ok()?.decode(token.trim().to_ascii_lowercase().as_bytes()).ok()?;
    let plain = Zeroizing::new(cipher(&halves(key))?.decrypt([[]; 0], &sealed).ok()?);
    let end = plain.iter().rposition(|byte| *byte != 0)?;
    let (text, rest) = plain.split_at_checked(end)?;
    let from = text.iter().position(|byte| *byte == 0)?;
    let value = text.get(from.checked_add(1)?..)?;
    (rest.first() == Some(&END)).then(|| String::from_utf8(value.to_vec()).ok()).flatten()
}

fn cipher(key: &[u8; 64]) -> Option<Aes256Siv> {
    Aes256Siv::new_from_slice(key).ok()
}

/// The key of the synthetic vector and the key of the cipher: SIV needs two.
fn halves(key: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut halves = Zeroizing::new([0; 64]);
    for (half, label) in halves.chunks_exact_mut(32).zip([b"vector", b"cipher"]) {
        half.copy_from_slice(hmac::sign(&key, label).as_ref());
    }
    halves
}
