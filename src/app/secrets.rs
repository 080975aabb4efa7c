//! Keys of the installation: made once, kept sealed, opened only where they are used.

use crate::domain::id::{AgreementId, SourceId};
use crate::domain::secret::PlainSecret;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::keys::{self, Keyring};
use crate::store::Tx;
use crate::store::sealed_keys::{self, SealedKey};

use super::{App, AppError, signing_keys};

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

/// The associated data that binds a sealed key to its row (`table|row|column`).
pub(super) fn context(name: &str) -> String {
    format!("sealed_keys|{name}|sealed")
}

/// A sealed key without its time of birth, which the transaction gives.
pub struct NewKey {
    name: String,
    sealed: Vec<u8>,
}

impl NewKey {
    /// The row as it is kept.
    pub fn at(self, now: Instant) -> SealedKey {
        SealedKey { name: self.name, sealed: self.sealed, public: None, created_at: now, retired_at: None }
    }
}

/// Makes and seals a random key of 256 bits.
pub fn sealed(app: &App, name: &str) -> Result<NewKey, AppError> {
    let key: [u8; 32] = keys::random();
    Ok(NewKey { name: name.to_owned(), sealed: app.keyring.seal(&context(name), &key) })
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
    NewKey { name: name.to_owned(), sealed: app.keyring.seal(&context(name), secret.reveal().as_bytes()) }
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
    pub(super) keys: signing_keys::Keys,
}

impl Secrets {
    /// Derives what is derived; signing keys are loaded by [`signing_keys::ensure`].
    pub fn new(keyring: &Keyring) -> Self {
        Self { address: keyring.derived("address hash"), keys: signing_keys::Keys::default() }
    }
}
