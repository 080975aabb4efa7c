//! Keys of the installation: made once, kept sealed, opened only where they are used.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::id::{AgreementId, SourceId};
use crate::domain::person::Actor;
use crate::domain::secret::PlainSecret;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::keys::{self, Keyring, signing::SigningKey};
use crate::store::sealed_keys::{self, SealedKey};
use crate::store::{Scope, Tx};
use crate::token::{ActiveKey, Claims, Issuer, Verified, Verifier};

use super::{App, AppError, append};

/// Where an agreement's pseudonym key is kept.
pub fn agreement_key(agreement: &AgreementId) -> String {
    format!("agreement/{agreement}")
}

/// Where a subject domain's ledger key is kept.
pub fn ledger_key(domain: &Slug) -> String {
    format!("ledger/{domain}")
}

/// Where the secret of a source is kept.
pub fn source_secret(source: &SourceId) -> String {
    format!("source/{source}")
}

const SIGNING: &str = "signing/";

/// The associated data that binds a sealed key to its row (`table|row|column`).
fn context(name: &str) -> String {
    format!("sealed_keys|{name}|sealed")
}

/// A sealed key without its time of birth, which the transaction gives.
pub struct NewKey {
    name: String,
    sealed: Vec<u8>,
    public: Option<String>,
}

impl NewKey {
    /// The row as it is kept.
    pub fn at(self, now: Instant) -> SealedKey {
        SealedKey { name: self.name, sealed: self.sealed, public: self.public, created_at: now, retired_at: None }
    }
}

/// Makes and seals a random key of 256 bits.
pub fn sealed(app: &App, name: &str) -> Result<NewKey, AppError> {
    let key: [u8; 32] = keys::random();
    Ok(NewKey { name: name.to_owned(), sealed: app.keyring.seal(&context(name), &key), public: None })
}

/// Opens a symmetric key within a transaction; `None` when it was destroyed or never made.
pub fn opened(tx: &mut Tx, keyring: &Keyring, name: &str) -> Result<Option<[u8; 32]>, AppError> {
    let Some(row) = sealed_keys::find(tx, name)? else { return Ok(None) };
    let plain = keyring.open(&context(name), &row.sealed)?;
    let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| AppError::Internal("a sealed key has a wrong length".to_owned()))?;
    Ok(Some(key))
}

/// Seals a secret that others gave us.
pub fn sealed_text(app: &App, name: &str, secret: &PlainSecret) -> NewKey {
    NewKey { name: name.to_owned(), sealed: app.keyring.seal(&context(name), secret.reveal().as_bytes()), public: None }
}

/// Opens such a secret; `None` when there is none.
pub fn opened_text(tx: &mut Tx, keyring: &Keyring, name: &str) -> Result<Option<PlainSecret>, AppError> {
    let Some(row) = sealed_keys::find(tx, name)? else { return Ok(None) };
    let plain = keyring.open(&context(name), &row.sealed)?;
    let text = String::from_utf8(plain).map_err(|_| AppError::Internal("a sealed secret is no text".to_owned()))?;
    Ok(Some(PlainSecret::new(text)))
}

/// The keys that every request needs, held in memory.
pub struct Secrets {
    /// Keys the hash of peers' addresses in the history.
    pub address: [u8; 32],
    signing: RwLock<Option<Arc<Signing>>>,
}

struct Signing {
    active: ActiveKey,
    verifier: Verifier,
    published: serde_json::Value,
}

impl Secrets {
    /// Derives what is derived; signing keys are loaded by [`ensure_signing_key`].
    pub fn new(keyring: &Keyring) -> Self {
        Self { address: keyring.derived("address hash"), signing: RwLock::new(None) }
    }

    fn current(&self) -> Result<Arc<Signing>, AppError> {
        let guard = self.signing.read().unwrap_or_else(PoisonError::into_inner);
        guard.clone().ok_or_else(|| AppError::Unavailable("The signing key is not loaded yet.".to_owned()))
    }
}

/// Makes the first signing key when there is none, and loads all of them.
pub async fn ensure_signing_key(app: &App) -> Result<(), AppError> {
    let there = app.store.read(|tx| Ok::<_, AppError>(sealed_keys::list(tx, SIGNING)?.iter().any(|key| key.retired_at.is_none()))).await?;
    if there {
        return load_signing_keys(app).await;
    }
    let fresh = SigningKey::generate()?;
    let name = format!("{SIGNING}{}", fresh.kid());
    let sealed = app.keyring.seal(&context(&name), fresh.private_der());
    let new = NewKey { name, sealed, public: Some(fresh.public().to_json()) };
    // The gate is held exclusively, so of several brokers only the first makes a key.
    app.store
        .govern(Scope::All, move |tx| {
            if sealed_keys::list(tx, SIGNING)?.iter().any(|key| key.retired_at.is_none()) {
                return Ok::<_, AppError>(());
            }
            let now = tx.now();
            let id = new.name.trim_start_matches(SIGNING).to_owned();
            sealed_keys::insert(tx, &new.at(now))?;
            append(tx, &Body::Act(Act::new("signing_key", id, "make", &Actor::System)), None)
        })
        .await?;
    load_signing_keys(app).await
}

/// Loads the signing keys; the newest that is not retired signs, all of them verify.
pub async fn load_signing_keys(app: &App) -> Result<(), AppError> {
    let rows = app.store.read(|tx| Ok::<_, AppError>(sealed_keys::list(tx, SIGNING)?)).await?;
    let newest = rows
        .iter()
        .filter(|row| row.retired_at.is_none())
        .max_by_key(|row| row.created_at)
        .ok_or_else(|| AppError::Internal("there is no signing key".to_owned()))?;
    let private = app.keyring.open(&context(&newest.name), &newest.sealed)?;
    let kid = newest.name.trim_start_matches(SIGNING).to_owned();
    let public: Vec<String> = rows.iter().filter_map(|row| row.public.clone()).collect();
    let issuer = Issuer { issuer: app.settings.public_url.clone(), audience: app.settings.public_url.clone() };
    let verifier = Verifier::new(issuer, &public).map_err(|error| AppError::Internal(error.to_string()))?;
    let published = crate::token::jwks(&public).map_err(|error| AppError::Internal(error.to_string()))?;
    let active = ActiveKey::new(kid, &private).map_err(|error| AppError::Internal(error.to_string()))?;
    let signing = Signing { active, verifier, published };
    *app.secrets.signing.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(signing));
    Ok(())
}

/// Signs an access token.
pub fn sign(app: &App, claims: &Claims) -> Result<PlainSecret, AppError> {
    crate::token::sign(&app.secrets.current()?.active, claims).map_err(|error| AppError::Internal(error.to_string()))
}

/// Verifies an access token; `None` when it is not ours, forged or malformed. An expired one is told as it is.
pub fn verify(app: &App, jwt: &str) -> Result<Option<Verified>, AppError> {
    Ok(app.secrets.current()?.verifier.verify(jwt, app.clock.now().seconds()).ok())
}

/// The public keys as RFC 7517 says.
pub fn jwks(app: &App) -> Result<serde_json::Value, AppError> {
    Ok(app.secrets.current()?.published.clone())
}
