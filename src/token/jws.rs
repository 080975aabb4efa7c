//! The parts of a signed text (RFC 7515 §7.1), and the signature over them; which key may verify is for the caller to say.

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::domain::client_key::{ClientKey, KeyAlgorithm};

use super::members::Members;
use super::{MOST_BYTES, Reason};

/// Headers by which a text would bring or point to the key that verifies it (RFC 7515 §4.1.2 to §4.1.6).
const KEY_SOURCES: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// A signed text whose signature is not yet checked.
pub(super) struct Jws<'a> {
    pub(super) header: Members,
    pub(super) message: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Jws<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Reason> {
        if text.len() > MOST_BYTES {
            return Err(Reason::TooLarge);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = message.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(Reason::Malformed)?;
        Ok(Self { header: Members::decode(header)?, message, payload, signature })
    }

    /// The payload's members. What they say is believed only after [`Self::is_signed_by`].
    pub(super) fn payload(&self) -> Result<Members, Reason> {
        Members::decode(self.payload)
    }

    /// Checks headers of others: extensions that must be understood are not, and a key comes from where we know it only;
    /// `but` is the one that a text may bring.
    pub(super) fn check_header(&self, but: Option<&str>) -> Result<(), Reason> {
        if self.header.has("crit") {
            return Err(Reason::Critical);
        }
        let brings = |name: &str| self.header.has(name) && but != Some(name);
        if KEY_SOURCES.iter().any(|name| brings(name)) { Err(Reason::EmbeddedKey) } else { Ok(()) }
    }

    /// The algorithm that the header names, where it is one that is taken: no `none`, nothing with a shared key.
    pub(super) fn algorithm(&self) -> Result<KeyAlgorithm, Reason> {
        self.header.text("alg").ok().and_then(KeyAlgorithm::from_key).ok_or(Reason::Algorithm)
    }

    /// Whether a key signed it. Keys of another algorithm than the header's did not.
    pub(super) fn is_signed_by(&self, key: &ClientKey) -> Result<bool, Reason> {
        if self.algorithm()? != key.alg {
            return Ok(false);
        }
        let (key, algorithm) = (decoding(key)?, library(key.alg));
        Ok(jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), &key, algorithm).unwrap_or(false))
    }
}

fn decoding(key: &ClientKey) -> Result<DecodingKey, Reason> {
    let made = match (key.kty.as_str(), &key.x, &key.y, &key.n, &key.e) {
        ("EC", Some(x), Some(y), _, _) => DecodingKey::from_ec_components(x, y),
        ("OKP", Some(x), ..) => DecodingKey::from_ed_components(x),
        ("RSA", _, _, Some(n), Some(e)) => DecodingKey::from_rsa_components(n, e),
        _ => return Err(Reason::TheirKey),
    };
    made.map_err(|_| Reason::TheirKey)
}

const fn library(algorithm: KeyAlgorithm) -> Algorithm {
    match algorithm {
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::ES384 => Algorithm::ES384,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::PS256 => Algorithm::PS256,
    }
}

/// SHA-256 of texts with a separator that none of them can hide in.
pub(super) fn hashed(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
