//! Public keys are read strictly: P-256 for ES256 signatures and nothing else, so each key has one algorithm.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Reason, TokenError};

/// The key set as `/.well-known/jwks.json` answers it (RFC 7517 §5), from the JSON texts of its keys.
///
/// # Errors
/// [`Reason::OurKey`] where a text is no public key of ours; above all a private one is not published.
pub fn jwks(keys: &[impl AsRef<str>]) -> Result<serde_json::Value, TokenError> {
    let keys = keys.iter().map(|key| PublicKey::from_json(key.as_ref())).collect::<Result<Vec<_>, _>>()?;
    Ok(serde_json::json!({ "keys": keys }))
}

/// A public signing key (RFC 7517) that was checked to be one of ours in form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicKey {
    kty: String,
    crv: String,
    x: String,
    y: String,
    kid: String,
    alg: String,
    #[serde(rename = "use")]
    usage: String,
}

impl PublicKey {
    /// Reads the JSON text that the store keeps beside the sealed private half.
    ///
    /// # Errors
    /// [`Reason::OurKey`] for any other kind of key, and for a private one.
    pub(super) fn from_json(json: &str) -> Result<Self, Reason> {
        let key: Self = serde_json::from_str(json).map_err(|_| Reason::OurKey)?;
        let is_coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32);
        let good = key.kty == "EC"
            && key.crv == "P-256"
            && key.alg == "ES256"
            && key.usage == "sig"
            && !key.kid.is_empty()
            && is_coordinate(&key.x)
            && is_coordinate(&key.y);
        if good { Ok(key) } else { Err(Reason::OurKey) }
    }

    /// The key's name.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn decoding(&self) -> Result<jsonwebtoken::DecodingKey, Reason> {
        jsonwebtoken::DecodingKey::from_ec_components(&self.x, &self.y).map_err(|_| Reason::OurKey)
    }
}
