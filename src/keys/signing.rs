//! Signing keys for tokens: P-256, named by the thumbprint of their public half.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyError, sha256};

/// The public half as a JSON Web Key (RFC 7517, RFC 7518 §6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    pub kty: String,
    pub crv: String,
    /// 32 bytes as base64url.
    pub x: String,
    /// 32 bytes as base64url.
    pub y: String,
    /// The RFC 7638 thumbprint.
    pub kid: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub usage: String,
}

/// A key pair for ES256. `Debug` shows the public half only.
pub struct SigningKey {
    private_der: Zeroizing<Vec<u8>>,
    public: PublicJwk,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new pair.
    ///
    /// # Errors
    /// When the library can't make one.
    pub fn generate() -> Result<Self, KeyError> {
        let failed = || KeyError::Library("P-256 key generation");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed())?;
        let private_der = Zeroizing::new(pair.to_pkcs8v1().map_err(|_| failed())?.as_ref().to_vec());
        let public = PublicJwk::from_point(pair.public_key().as_ref()).ok_or_else(failed)?;
        Ok(Self { private_der, public })
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    /// The private half as PKCS#8 version 1, DER; to be sealed before it is kept. Wiped when this is dropped.
    pub fn private_der(&self) -> &[u8] {
        &self.private_der
    }

    /// What the key set publishes.
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }
}

impl PublicJwk {
    /// Reads an uncompressed point (SEC 1 §2.3.3): the byte 4, then 32 bytes each of x and y.
    fn from_point(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4]).filter(|rest| rest.len() == 64)?.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let text = |text: &str| text.to_owned();
        Some(Self { kid: thumbprint(&x, &y), kty: text("EC"), crv: text("P-256"), x, y, alg: text("ES256"), usage: text("sig") })
    }

    /// The key as one line of JSON, as the store keeps it and the key set shows it.
    pub fn to_json(&self) -> String {
        let Self { kty, crv, x, y, kid, alg, usage } = self;
        serde_json::json!({"kty": kty, "crv": crv, "x": x, "y": y, "kid": kid, "alg": alg, "use": usage}).to_string()
    }
}

/// RFC 7638 §3: SHA-256 over the required members in lexical order, without spaces. Base64url needs no escaping.
fn thumbprint(x: &str, y: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        // The key of RFC 9449 §4.1 and its jkt of §6.1.
        let (x, y) = ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
        assert_eq!(thumbprint(x, y), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn a_new_key_is_whole_and_its_public_half_holds_nothing_private() {
        let key = SigningKey::generate().unwrap();
        assert!(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.private_der()).is_ok());
        let json: serde_json::Value = serde_json::from_str(&key.public.to_json()).unwrap();
        let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!(serde_json::from_value::<PublicJwk>(json).unwrap(), key.public);
        assert_eq!(key.kid(), thumbprint(&key.public.x, &key.public.y));
        assert_ne!(key.kid(), SigningKey::generate().unwrap().kid());
        assert!(!format!("{key:?}").contains("private"));
    }
}
