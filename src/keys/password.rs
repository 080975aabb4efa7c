//! Passwords are kept as argon2id hashes; an unknown account costs as much as a wrong password.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::domain::Invalid;
use crate::domain::secret::PlainSecret;

use super::{KeyError, random};

/// The OWASP Password Storage Cheat Sheet's argon2id choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Fewest and most characters of a password.
const LEAST: usize = 12;
const MOST: usize = 256;

/// A hash of the same cost that no password has: all of its output bits are zero.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a text may become a password: 12 to 256 characters, any of them.
///
/// # Errors
/// Names the field `password`; never repeats the text.
pub fn check_password(text: &str) -> Result<(), Invalid> {
    if (LEAST..=MOST).contains(&text.chars().count()) {
        Ok(())
    } else {
        Err(Invalid::new("password", format!("must have {LEAST} to {MOST} characters")))
    }
}

/// Hashes a password with a fresh salt into a PHC string. Takes tens of milliseconds: not on an async thread.
///
/// # Errors
/// When the memory for it can't be had.
pub fn hash(password: &PlainSecret) -> Result<String, KeyError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| KeyError::Library("argon2 parameters"))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.reveal().as_bytes(), &random::<16>())
        .map(|hash| hash.to_string())
        .map_err(|_| KeyError::Library("argon2 hashing"))
}

/// Whether the password is the one that was hashed. A damaged hash matches nothing. Takes as long as [`hash`].
pub fn verify(password: &PlainSecret, hash: &str) -> bool {
    // The cost is read from the hash, so older hashes stay good after the constants rise.
    Argon2::default().verify_password(password.reveal().as_bytes(), hash).is_ok()
}

/// Spends the time of [`verify`] where there is no account, so that the answer's time does not tell. Always false.
pub fn dummy_verify(password: &PlainSecret) -> bool {
    std::hint::black_box(verify(password, NOBODY));
    false
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHash;

    use super::*;

    #[test]
    fn the_right_password_matches_and_no_other() {
        let password = PlainSecret::new("correct horse battery");
        let hashed = hash(&password).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(&password, &hashed));
        assert!(!verify(&PlainSecret::new("correct horse batterY"), &hashed));
        assert_ne!(hash(&password).unwrap(), hashed, "salts differ");
    }

    #[test]
    fn a_damaged_hash_matches_nothing() {
        for damaged in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$AAAA"] {
            assert!(!verify(&PlainSecret::new("plain"), damaged));
        }
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let real = hash(&PlainSecret::new("correct horse battery")).unwrap();
        let (real, nobody) = (PasswordHash::new(&real).unwrap(), PasswordHash::new(NOBODY).unwrap());
        assert_eq!((real.algorithm, real.version, real.params), (nobody.algorithm, nobody.version, nobody.params));
        assert_eq!(real.hash.map(|hash| hash.len()), nobody.hash.map(|hash| hash.len()));
        assert_eq!(real.salt.map(|salt| salt.len()), nobody.salt.map(|salt| salt.len()));
        assert!(!dummy_verify(&PlainSecret::new("anything at all")));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let check = |text: &str, good: bool| assert_eq!(check_password(text).is_ok(), good, "{} characters", text.chars().count());
        check(&"a".repeat(11), false);
        check(&"a".repeat(12), true);
        check(&"ä".repeat(11), false);
        check(&"ä".repeat(256), true);
        check(&"a".repeat(257), false);
    }
}
