//! Who a bearer token stands for. The rights are asked of the live state, never of the token.

use std::net::IpAddr;

use crate::domain::client::{Token, TokenKind};
use crate::domain::client_key::Once;
use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::keys::secret;
use crate::store::tokens;
use crate::token::proof::{self, Proving};

use super::super::{App, AppError, signing_keys};
use super::NoProof;

/// Who a good bearer token stands for.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub token: Token,
    /// From where it was sent.
    pub from: IpAddr,
    /// The proof that came with it: it is used up by the transaction that records what leaves.
    pub once: Option<Once>,
}

/// How a token was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449: with a proof.
    Dpop,
}

/// A token as a request presents it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub scheme: Scheme,
    pub token: &'a str,
    /// The headers `DPoP`.
    pub proofs: &'a [&'a str],
    pub method: &'a str,
    /// The path as it was asked for; the rest of the address is the public URL's.
    pub path: &'a str,
    pub from: IpAddr,
}

/// Why a token stands for nobody.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoBearer {
    /// It is missing, forged, malformed, or sent in another way than it is bound.
    #[error("the token is not good")]
    Token(Scheme),
    #[error("{}", .0.sentence())]
    Proof(NoProof),
    #[error(transparent)]
    App(#[from] AppError),
}

/// Reads a bearer token and the proof that comes with it. An expired one is read as it is.
pub async fn bearer(app: &App, presented: Presented<'_>) -> Result<Bearer, NoBearer> {
    let scheme = presented.scheme;
    let token = read(app, presented.token).await?.ok_or(NoBearer::Token(scheme))?;
    let once = match (scheme, &token.bound_to) {
        (Scheme::Bearer, None) => None,
        // A stolen bound token is of no use as a plain one (RFC 9449 §7.2), and a proof adds nothing to one that is not bound.
        (Scheme::Bearer, Some(_)) | (Scheme::Dpop, None) => return Err(NoBearer::Token(Scheme::Dpop)),
        (Scheme::Dpop, Some(key)) => {
            let proof = match presented.proofs {
                [] => return Err(NoBearer::Proof(NoProof::Missing)),
                [proof] => proof,
                _ => return Err(NoBearer::Proof(NoProof::Several)),
            };
            let url = format!("{}{}", app.settings.public_url, presented.path);
            let request = Proving { method: presented.method, url: &url, token: Some(presented.token) };
            let proof = proof::verify(proof, request, app.clock.now()).map_err(|_| NoBearer::Proof(NoProof::Wrong))?;
            if proof.key != *key {
                return Err(NoBearer::Proof(NoProof::Wrong));
            }
            Some(proof.once)
        }
    };
    Ok(Bearer { token, from: presented.from, once })
}

/// Reads a token of either kind: `None` when it is forged or malformed.
pub(super) async fn read(app: &App, text: &str) -> Result<Option<Token>, AppError> {
    if text.starts_with(secret::Prefix::AccessToken.text()) { plain(app, text).await } else { access(app, text).await }
}

/// A plain token. That a secret names this token never changes; what it opens is judged by the live state.
async fn plain(app: &App, text: &str) -> Result<Option<Token>, AppError> {
    let Some(digest) = secret::read(text, secret::Prefix::AccessToken) else { return Ok(None) };
    if let Some(token) = app.decisions.plain(&digest) {
        return Ok(Some(token));
    }
    let looked_up = digest.clone();
    let found = app.store.read(move |tx| Ok::<_, AppError>(tokens::find_by_secret(tx, &looked_up)?)).await?;
    if let Some(token) = &found {
        app.decisions.remember_plain(&digest, token);
    }
    Ok(found)
}

async fn access(app: &App, jwt: &str) -> Result<Option<Token>, AppError> {
    let Some(verified) = signing_keys::verify(app, jwt).await? else { return Ok(None) };
    let claims = verified.claims;
    let parsed = (claims.jti.parse::<TokenId>(), claims.client_id.parse::<ClientId>(), claims.sub.parse::<VendorId>());
    let (Ok(id), Ok(client), Ok(vendor)) = parsed else { return Ok(None) };
    let scope: Result<Vec<Slug>, _> = claims.scope.split(' ').filter(|key| !key.is_empty()).map(str::parse).collect();
    let Ok(scope) = scope else { return Ok(None) };
    let token = Token {
        id,
        kind: TokenKind::Access,
        client,
        vendor,
        scope,
        bound_to: claims.cnf.map(|confirmation| confirmation.jkt),
        issued_at: Instant::from_seconds(claims.iat),
        expires_at: Instant::from_seconds(claims.exp),
        revoked_at: None,
    };
    Ok(Some(token))
}
