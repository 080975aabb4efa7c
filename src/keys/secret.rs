//! Generated secrets: recognisable by prefix and checksum, uniform in between, kept as a digest only.

use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::text::Digest;

use super::{or_stop, random, sha256_hex};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 30 characters of 62 hold 178 bits.
const RANDOM: usize = 30;
/// 62^6 is above 2^32, so six characters hold any CRC32.
const CHECK: usize = 6;

/// What a secret is for; its first characters tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// Of an OAuth client.
    ClientSecret,
    /// A plain bearer token for a vendor without OAuth.
    AccessToken,
    /// Of a member of the staff.
    ApiKey,
    /// Of a signed-in browser.
    Session,
    /// Of a link that sets a password.
    PasswordLink,
    /// Of a link that shows a client's secret or a token, once.
    ActivationLink,
}

impl Prefix {
    /// The characters themselves.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ClientSecret => "tg_cs_",
            Self::AccessToken => "tg_at_",
            Self::ApiKey => "tg_ak_",
            Self::Session => "tg_se_",
            Self::PasswordLink => "tg_pl_",
            Self::ActivationLink => "tg_al_",
        }
    }
}

/// Makes a secret: prefix, 30 random base62 characters, CRC32 of both as 6 base62 characters.
pub fn generate(prefix: Prefix) -> PlainSecret {
    let mut text = String::with_capacity(prefix.text().len() + RANDOM + CHECK);
    text.push_str(prefix.text());
    while text.len() < prefix.text().len() + RANDOM {
        text.extend(random::<RANDOM>().into_iter().filter_map(uniform).take(prefix.text().len() + RANDOM - text.len()));
    }
    let check = checksum(&text);
    text.push_str(&check);
    PlainSecret::new(text)
}

/// Whether a text has the shape and checksum of such a secret. Asked before any look-up: a typing error or a
/// scanner's guess costs no query. Says nothing on whether the secret was ever issued.
pub fn well_formed(text: &str, prefix: Prefix) -> bool {
    let Some(random) = text.strip_prefix(prefix.text()).and_then(|rest| rest.get(..RANDOM)) else {
        return false;
    };
    let (body, check) = text.split_at(prefix.text().len() + RANDOM);
    random.bytes().all(|byte| byte.is_ascii_alphanumeric()) && check == checksum(body)
}

/// What the store keeps of a secret, and looks it up by.
pub fn digest(secret: &(impl Revealed + ?Sized)) -> SecretDigest {
    // The text of a SHA-256 always is a digest.
    SecretDigest::new(or_stop(Digest::try_from(sha256_hex(secret.text().as_bytes()))))
}

/// The digest to look a secret up by that a request brought; `None` for what is none by its shape.
pub fn read(text: &str, prefix: Prefix) -> Option<SecretDigest> {
    well_formed(text, prefix).then(|| digest(text))
}

/// A secret as it was generated or as a request brought it.
pub trait Revealed {
    /// The characters.
    fn text(&self) -> &str;
}

impl Revealed for PlainSecret {
    fn text(&self) -> &str {
        self.reveal()
    }
}

impl Revealed for str {
    fn text(&self) -> &str {
        self
    }
}

/// Maps a byte to a character, or to none: 248 is the greatest multiple of 62 that a byte can hold, and taking
/// the rest modulo 62 above it would favour the first characters.
fn uniform(byte: u8) -> Option<char> {
    (byte < 248).then(|| character(u32::from(byte)))
}

fn character(number: u32) -> char {
    let at = usize::try_from(number % 62).unwrap_or_default();
    char::from(ALPHABET.get(at).copied().unwrap_or(b'0'))
}

fn checksum(text: &str) -> String {
    let sum = crc32fast::hash(text.as_bytes());
    (0..CHECK as u32).rev().map(|place| character((u64::from(sum) / 62_u64.pow(place) % 62) as u32)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const ALL: [Prefix; 6] =
        [Prefix::ClientSecret, Prefix::AccessToken, Prefix::ApiKey, Prefix::Session, Prefix::PasswordLink, Prefix::ActivationLink];

    #[test]
    fn a_secret_has_its_prefix_length_and_checksum_and_no_other() {
        for prefix in ALL {
            let secret = generate(prefix);
            assert!(secret.reveal().starts_with(prefix.text()));
            assert_eq!(secret.reveal().len(), 42);
            for other in ALL {
                assert_eq!(well_formed(secret.reveal(), other), prefix == other);
            }
        }
    }

    #[test]
    fn the_checksum_is_crc32_in_base62_of_all_that_stands_before() {
        // CRC-32/ISO-HDLC of "123456789" is 0xCBF43926 = 3421780262.
        assert_eq!(checksum("123456789"), "3jZRME");
        let number = "3jZRME".bytes().fold(0_u64, |sum, byte| sum * 62 + ALPHABET.iter().position(|c| *c == byte).unwrap() as u64);
        assert_eq!(number, 0xCBF4_3926);
    }

    #[test]
    fn every_character_occurs_about_equally_often() {
        let mut counts = BTreeMap::new();
        for byte in 0..=255_u8 {
            if let Some(c) = uniform(byte) {
                *counts.entry(c).or_insert(0) += 1;
            }
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| *count == 4));
    }

    proptest! {
        #[test]
        fn one_changed_character_is_noticed(at in 0_usize..42, to in "[0-9A-Za-z_]") {
            let text = generate(Prefix::ApiKey).reveal().to_owned();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(well_formed(&changed, Prefix::ApiKey), changed == text);
        }

        #[test]
        fn any_text_is_judged_without_panic(text in ".{0,60}") {
            prop_assert!(!well_formed(&text, Prefix::ClientSecret));
            let with_prefix = format!("tg_cs_{text}");
            prop_assert!(!well_formed(&with_prefix, Prefix::ClientSecret));
        }
    }

    #[test]
    fn the_digest_is_the_same_for_the_secret_and_its_text() {
        let secret = generate(Prefix::ClientSecret);
        assert_eq!(digest(&secret), digest(secret.reveal()));
        assert_eq!(digest("abc").as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
