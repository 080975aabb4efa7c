//! Secrets at rest are sealed, derived, hashed and compared here alone; no other module touches a cipher.

use aws_lc_rs::{constant_time, digest, hmac, rand};

mod master;
pub mod password;
mod seal;
pub mod secret;
pub mod signing;
pub mod totp;

pub use master::{MasterKey, MasterKeySource};
pub use seal::Keyring;

/// Why a key can't be had or a record can't be opened. Names paths for the operator, never key bytes.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is absent and may not be made now.
    #[error(
        "there is no master key file {path}: without the key that sealed this data directory nothing in it can be read; restore the file"
    )]
    Missing { path: String },
    /// Somebody else on the machine could read it.
    #[error("master key file {path} has mode {mode:04o}, so others can read or change it: run `chmod 600 {path}`")]
    Exposed { path: String, mode: u32 },
    /// Not 32 bytes of base64.
    #[error("{origin} must hold 32 bytes as base64 (44 characters, as `openssl rand -base64 32` prints)")]
    Malformed { origin: String },
    /// The file can't be read.
    #[error("master key file {path} can't be read")]
    Unreadable { path: String, source: std::io::Error },
    /// The file can't be written.
    #[error("master key file {path} can't be created")]
    Unwritable { path: String, source: std::io::Error },
    /// Wrong key, wrong context or changed bytes; which of them can't be told.
    #[error("a sealed record can't be opened: another master key, another place, or damage")]
    Sealed,
    /// The library refused to hash a password or to make a key.
    #[error("the cryptographic library refused: {0}")]
    Library(&'static str),
}

/// Bytes from the operating system's secure generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    or_stop(rand::fill(&mut bytes));
    bytes
}

/// HKDF-SHA-256 without salt, first block (RFC 5869 §2.2 and §2.3): one key for one use, named by `info`.
pub fn derive(key: &[u8; 32], info: &str) -> [u8; 32] {
    hkdf(key, info.as_bytes())
}

/// HMAC-SHA-256 (RFC 2104).
pub fn keyed_hash(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    hmac_sha256(key, &[bytes])
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&sha256(bytes))
}

/// Whether two byte strings are the same, in a time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// A UUIDv7 (RFC 9562 §5.7) as lower-case text; later calls in one process sort later.
pub fn new_uuid() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    first_32(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hkdf(secret: &[u8], info: &[u8]) -> [u8; 32] {
    let pseudorandom = hmac_sha256(&[0; 32], &[secret]);
    hmac_sha256(&pseudorandom, &[info, &[1]])
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    first_32(context.sign().as_ref())
}

fn first_32(bytes: &[u8]) -> [u8; 32] {
    or_stop(bytes.try_into())
}

/// Ends the process where the cipher library fails at what can't fail with sound inputs and memory: going on
/// with a key that is not random, or keeping a record that nobody can open, would be worse.
fn or_stop<T, E>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|_| {
        tracing::error!("the cryptographic library failed at an operation that can't fail; stopping");
        std::process::abort()
    })
}

/// SHA-256 of what comes in pieces.
pub struct Hasher(digest::Context);

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// Begins an empty one.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all pieces, as 64 lower-case hexadecimal digits.
    pub fn finish(self) -> String {
        data_encoding::HEXLOWER.encode(self.0.finish().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    #[test]
    fn hkdf_matches_rfc_5869_test_case_3() {
        // Empty salt and info; the first 32 of the 42 octets.
        assert_eq!(hkdf(&[0x0b; 22], b"").as_slice(), bytes("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"));
    }

    #[test]
    fn derived_keys_differ_by_use_and_by_key() {
        assert_ne!(derive(&[1; 32], "a"), derive(&[1; 32], "b"));
        assert_ne!(derive(&[1; 32], "a"), derive(&[2; 32], "a"));
    }

    #[test]
    fn keyed_hash_is_hmac_sha_256() {
        // RFC 4231 test case 2, its key padded with the zeros that HMAC itself would add.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let expected = bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(keyed_hash(&key, b"what do ya want for nothing?").as_slice(), expected);
    }

    #[test]
    fn sha256_of_nothing() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn random_bytes_do_not_repeat() {
        assert_ne!(random::<32>(), random::<32>());
    }

    #[test]
    fn uuids_sort_as_they_were_made() {
        let made: Vec<String> = (0..2_000).map(|_| new_uuid()).collect();
        assert!(made.is_sorted_by(|earlier, later| earlier < later));
        assert!(made.iter().all(|id| id.parse::<crate::domain::id::VendorId>().is_ok()));
    }

    #[test]
    fn equality_needs_the_same_length_and_bytes() {
        assert!(equal(b"same", b"same"));
        assert!(!equal(b"same", b"sama"));
        assert!(!equal(b"same", b"sam"));
    }
}
