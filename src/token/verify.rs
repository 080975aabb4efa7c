//! The one place where a token is judged. Time is a parameter; the signature is checked before any claim is read.

use std::collections::HashMap;

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::text::Slug;

use super::jws::Jws;
use super::members::Members;
use super::public::PublicKey;
use super::{Claims, Confirmation, Issuer, LEEWAY_SECONDS, MOST_BYTES, Reason, Remembered, TokenError};

const HEADERS: [&str; 3] = ["alg", "kid", "typ"];
const CLAIMS: [&str; 10] = ["aud", "client_id", "cnf", "exp", "iat", "iss", "jti", "nbf", "scope", "sub"];
/// About 2 MB of claims at their usual size.
const MOST_REMEMBERED: usize = 4096;

/// A token that is ours and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub claims: Claims,
    /// Whether its time is over, leeway included. Such a token opens nothing; whoever asks decides how to say so.
    pub expired: bool,
}

/// Judges tokens by a set of public keys. Make a new one when the set changes: what the old one remembers goes with it.
#[derive(Debug)]
pub struct Verifier {
    issuer: Issuer,
    keys: HashMap<String, DecodingKey>,
    remembered: Remembered,
}

impl Verifier {
    /// Takes the keys whose tokens are accepted, as the JSON texts kept beside their private halves.
    ///
    /// # Errors
    /// [`Reason::OurKey`] where a key can't be used.
    pub fn new(issuer: Issuer, keys: &[impl AsRef<str>]) -> Result<Self, TokenError> {
        let read = |json: &str| {
            let key = PublicKey::from_json(json)?;
            Ok((key.kid().to_owned(), key.decoding()?))
        };
        let keys = keys.iter().map(|json| read(json.as_ref())).collect::<Result<_, Reason>>()?;
        Ok(Self { issuer, keys, remembered: Remembered::new(MOST_REMEMBERED) })
    }

    /// Judges a token at a time. One that is genuine but past its time is no error: it is answered with `expired` set.
    ///
    /// # Errors
    /// One opaque error for all; its reason is for tests and counters.
    pub fn verify(&self, jwt: &str, now_seconds: i64) -> Result<Verified, TokenError> {
        // Before it is hashed for the memory: a long text costs nothing.
        if jwt.len() > MOST_BYTES {
            return Err(Reason::TooLarge.into());
        }
        let claims = self.genuine(jwt, now_seconds)?;
        check_begun(&claims, now_seconds)?;
        let expired = claims.exp.saturating_add(LEEWAY_SECONDS) <= now_seconds;
        Ok(Verified { claims, expired })
    }

    /// How many tokens need no signature check at the next request.
    pub fn remembered(&self) -> usize {
        self.remembered.len()
    }

    /// The claims of a token that we signed for ourselves, whatever the time.
    fn genuine(&self, jwt: &str, now_seconds: i64) -> Result<Claims, Reason> {
        let name = sha256(jwt)?;
        if let Some(claims) = self.remembered.find(&name) {
            return Ok(claims);
        }
        let payload = self.signed_payload(jwt)?;
        let claims = read_claims(&Members::decode(payload)?, &self.issuer)?;
        self.remembered.insert(name, &claims, now_seconds);
        Ok(claims)
    }

    /// The payload part, once header and signature are good.
    fn signed_payload<'jwt>(&self, jwt: &'jwt str) -> Result<&'jwt str, Reason> {
        let jws = Jws::read(jwt)?;
        jws.check_header(None)?;
        let key = self.key_of(&jws.header)?;
        match jsonwebtoken::crypto::verify(jws.signature, jws.message.as_bytes(), key, Algorithm::ES256) {
            Ok(true) => Ok(jws.payload),
            Ok(false) | Err(_) => Err(Reason::Signature),
        }
    }

    /// The key that a header names. Our headers have three members; any other is refused, whatever it says.
    fn key_of(&self, header: &Members) -> Result<&DecodingKey, Reason> {
        header.only(&HEADERS)?;
        let typ = header.text("typ").map_err(|_| Reason::Type)?;
        // RFC 9068 §4: both spellings name one media type, and media types ignore case.
        if !["at+jwt", "application/at+jwt"].iter().any(|good| typ.eq_ignore_ascii_case(good)) {
            return Err(Reason::Type);
        }
        if header.text("alg") != Ok("ES256") {
            return Err(Reason::Algorithm);
        }
        self.keys.get(header.text("kid")?).ok_or(Reason::UnknownKey)
    }
}

/// The name of the key that a token says it is signed with; nothing of it is verified.
pub fn key_named(jwt: &str) -> Option<String> {
    let (header, _) = jwt.split_once('.').filter(|_| jwt.len() <= MOST_BYTES)?;
    Members::decode(header).ok()?.text("kid").ok().map(str::to_owned)
}

/// Reads the claims: each there, each of its type, none beside them, ours, and not meant to live too long.
fn read_claims(members: &Members, issuer: &Issuer) -> Result<Claims, Reason> {
    members.only(&CLAIMS)?;
    let claims = Claims {
        iss: members.text("iss")?.to_owned(),
        // Only a text: in a list we would be one of several.
        aud: members.text("aud")?.to_owned(),
        sub: members.formed::<VendorId>("sub")?,
        client_id: members.formed::<ClientId>("client_id")?,
        jti: members.formed::<TokenId>("jti")?,
        iat: members.seconds("iat")?,
        nbf: members.seconds("nbf")?,
        exp: members.seconds("exp")?,
        scope: members.text("scope")?.to_owned(),
        cnf: members.value("cnf").map(read_confirmation).transpose()?,
    };
    check_scope(&claims.scope)?;
    if claims.iss != issuer.issuer {
        return Err(Reason::Issuer);
    }
    if claims.aud != issuer.audience {
        return Err(Reason::Audience);
    }
    claims.check_lifetime()?;
    Ok(claims)
}

/// A token that is bound to a key names it and nothing else (RFC 9449 §6.1).
fn read_confirmation(value: &serde_json::Value) -> Result<Confirmation, Reason> {
    serde_json::from_value(value.clone()).map_err(|_| Reason::Form("cnf"))
}

/// One permit key or more, one space between (RFC 6749 §3.3).
pub(super) fn check_scope(text: &str) -> Result<(), Reason> {
    if text.split(' ').all(|key| key.parse::<Slug>().is_ok()) { Ok(()) } else { Err(Reason::Form("scope")) }
}

fn check_begun(claims: &Claims, now_seconds: i64) -> Result<(), Reason> {
    let latest = now_seconds.saturating_add(LEEWAY_SECONDS);
    if claims.nbf > latest || claims.iat > latest { Err(Reason::NotYet) } else { Ok(()) }
}

fn sha256(jwt: &str) -> Result<[u8; 32], Reason> {
    digest::digest(&digest::SHA256, jwt.as_bytes()).as_ref().try_into().map_err(|_| Reason::Malformed)
}
