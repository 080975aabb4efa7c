//! Envelope encryption: each record has a data key of its own and opens only in the place it was sealed for.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::{KeyError, MasterKey, derive, or_stop, random};

/// Layout 1: this byte, the wrapped data key (nonce, 32 bytes, tag), then the body (nonce, text, tag).
const LAYOUT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const WRAPPED: usize = NONCE + 32 + TAG;

/// Seals records and opens them. Its `Debug` shows nothing.
pub struct Keyring {
    master: MasterKey,
    wrapping: RandomizedNonceKey,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keyring(..)")
    }
}

impl Keyring {
    /// Takes the master key; the wrapping key is derived from it.
    pub fn new(master: MasterKey) -> Self {
        let wrapping = Zeroizing::new(derive(master.bytes(), "tidegate keyring wrap 1"));
        let wrapping = cipher(&wrapping);
        Self { master, wrapping }
    }

    /// Encrypts a record with AES-256-GCM under a fresh data key. `context` names its place (`table|row|column`)
    /// and must be given again to open it.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let data_key = Zeroizing::new(random::<32>());
        let mut sealed = Vec::with_capacity(1 + WRAPPED + NONCE + plain.len() + TAG);
        sealed.push(LAYOUT);
        encrypt(&self.wrapping, &bound("key", context), data_key.as_slice(), &mut sealed);
        encrypt(&cipher(&data_key), &bound("body", context), plain, &mut sealed);
        sealed
    }

    /// Decrypts what [`Keyring::seal`] made for the same context.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] for another master key, another context, an unknown layout or any changed byte.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (&layout, rest) = sealed.split_first().ok_or(KeyError::Sealed)?;
        let (wrapped, body) = rest.split_at_checked(WRAPPED).ok_or(KeyError::Sealed)?;
        if layout != LAYOUT {
            return Err(KeyError::Sealed);
        }
        let data_key = Zeroizing::new(decrypt(&self.wrapping, &bound("key", context), wrapped)?);
        let data_key = Zeroizing::new(<[u8; 32]>::try_from(data_key.as_slice()).map_err(|_| KeyError::Sealed)?);
        decrypt(&cipher(&data_key), &bound("body", context), body)
    }

    /// A key for one use that must be the same after a restart and on every broker, such as sealing cursors.
    pub fn derived(&self, info: &str) -> [u8; 32] {
        // A prefix of its own keeps callers from naming the wrapping key.
        derive(self.master.bytes(), &format!("tidegate use|{info}"))
    }
}

/// What a ciphertext is bound to: the layout, its part in the record and the record's place.
fn bound(part: &str, context: &str) -> String {
    format!("tidegate sealed {LAYOUT}|{part}|{context}")
}

fn cipher(key: &[u8; 32]) -> RandomizedNonceKey {
    or_stop(RandomizedNonceKey::new(&AES_256_GCM, key))
}

fn encrypt(key: &RandomizedNonceKey, bound: &str, plain: &[u8], out: &mut Vec<u8>) {
    let mut text = plain.to_vec();
    let nonce = or_stop(key.seal_in_place_append_tag(Aad::from(bound), &mut text));
    out.extend_from_slice(nonce.as_ref());
    out.extend_from_slice(&text);
}

fn decrypt(key: &RandomizedNonceKey, bound: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (nonce, text) = sealed.split_at_checked(NONCE).ok_or(KeyError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Sealed)?;
    let mut text = text.to_vec();
    let length = key.open_in_place(nonce, Aad::from(bound), &mut text).map_err(|_| KeyError::Sealed)?.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine;
    use proptest::prelude::*;

    use super::*;
    use crate::keys::MasterKeySource;

    fn ring(byte: u8) -> Keyring {
        let text = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
        Keyring::new(MasterKey::load(&MasterKeySource::Environment(text), Path::new("/")).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_hides(plain in proptest::collection::vec(any::<u8>(), 0..300), context in ".{0,40}") {
            let sealed = ring(1).seal(&context, &plain);
            prop_assert_eq!(ring(1).open(&context, &sealed).unwrap(), plain.clone());
            prop_assert!(plain.len() < 8 || !sealed.windows(plain.len()).any(|part| part == plain));
        }

        #[test]
        fn no_byte_can_be_changed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut sealed = ring(1).seal("t|r|c", b"a pseudonym key");
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(matches!(ring(1).open("t|r|c", &sealed), Err(KeyError::Sealed)));
        }

        #[test]
        fn no_end_can_be_cut(keep in any::<prop::sample::Index>()) {
            let sealed = ring(1).seal("t|r|c", b"a pseudonym key");
            let keep = keep.index(sealed.len());
            prop_assert!(matches!(ring(1).open("t|r|c", &sealed[..keep]), Err(KeyError::Sealed)));
        }
    }

    #[test]
    fn a_record_opens_in_its_own_place_only() {
        let sealed = ring(1).seal("keys|a|private", b"secret");
        assert!(matches!(ring(1).open("keys|b|private", &sealed), Err(KeyError::Sealed)));
        assert!(matches!(ring(2).open("keys|a|private", &sealed), Err(KeyError::Sealed)));
    }

    #[test]
    fn a_body_does_not_open_under_the_data_key_of_another_record() {
        let (first, second) = (ring(1).seal("c", b"first!"), ring(1).seal("c", b"second"));
        let mixed = [&first[..=WRAPPED], &second[1 + WRAPPED..]].concat();
        assert!(matches!(ring(1).open("c", &mixed), Err(KeyError::Sealed)));
    }

    #[test]
    fn sealing_twice_shares_no_bytes_but_the_layout() {
        let (first, second) = (ring(1).seal("c", b"same"), ring(1).seal("c", b"same"));
        assert_eq!(first.first(), Some(&LAYOUT));
        assert_ne!(first[1..=NONCE], second[1..=NONCE]);
        assert_ne!(first[1 + WRAPPED..], second[1 + WRAPPED..]);
    }

    #[test]
    fn derived_keys_are_stable_and_apart() {
        assert_eq!(ring(1).derived("cursor"), ring(1).derived("cursor"));
        assert_ne!(ring(1).derived("cursor"), ring(1).derived("other"));
        assert_ne!(ring(1).derived("cursor"), ring(2).derived("cursor"));
    }
}
