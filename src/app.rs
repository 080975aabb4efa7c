//! Use cases: load, decide, save. One function per act, one transaction per use case.

pub mod access;
pub mod agreements;
pub mod assessments;
pub mod catalogue;
pub mod consents;
pub mod dashboard;
pub mod evidence;
pub mod fetching;
pub mod first_run;
pub mod gates;
pub mod hierarchies;
pub mod history;
pub mod key_sets;
pub mod kill_switch;
pub mod lists;
mod memory;
pub mod oauth;
pub mod password_links;
pub mod people;
pub mod permits;
pub mod preview;
pub mod questionnaires;
pub mod release;
pub mod second_factor;
pub mod secrets;
pub mod sent_forms;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod stops;
pub mod throttle;
pub mod vendors;
pub mod vocabulary;

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::Invalid;
use crate::domain::address::AddressRange;
use crate::domain::gate::{Gate, Refusal};
use crate::domain::time::Instant;
use crate::engine::{Engine, EngineError};
use crate::files::{FileError, Files};
use crate::history::{Body, NotRecordable, Randomness, Record, record};
use crate::keys::{KeyError, Keyring};
use crate::outbound::Outbound;
use crate::policy::Denied;
use crate::policy::release::NoPlan;
use crate::store::{Clock, Store, StoreError, Tx};

/// What the use cases need to know of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach this installation; the issuer and audience of its tokens.
    pub public_url: String,
    pub token_lifetime_seconds: i64,
    /// Names this process among brokers on one database.
    pub broker: String,
    /// Folders that sources may lie in.
    pub source_roots: Vec<PathBuf>,
    pub most_upload_bytes: usize,
    /// Proxies whose word on a client's address is believed.
    pub trusted_proxies: Vec<AddressRange>,
}

/// The installation's parts, shared by every request.
pub struct App {
    pub settings: Settings,
    pub store: Store,
    pub clock: Clock,
    pub keyring: Arc<Keyring>,
    pub files: Files,
    pub engine: Engine,
    pub outbound: Outbound,
    pub key_sets: key_sets::KeySets,
    pub grants: oauth::Grants,
    pub secrets: secrets::Secrets,
    pub decisions: release::Decisions,
    pub refusals: history::Refusals,
    pub streams: release::Streams,
    pub throttle: throttle::Throttle,
    pub desk: sign_in::Desk,
    pub viewed: preview::Viewed,
    pub hierarchies: hierarchies::Hierarchies,
    pub consents: consents::Consents,
}

/// Why a use case did not happen. One table in `http` turns it into a status.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppError {
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    #[error("{0} is taken already.")]
    Taken(&'static str),
    #[error("This was changed by someone else since you read it; read it again and repeat your change.")]
    Stale,
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The proof that came with a token was used before; the gate is `token`.
    #[error("{}", oauth::NoProof::Used.sentence())]
    UsedProof,
    #[error("{0}")]
    Invalid(#[from] Invalid),
    #[error("Sign in: send a valid API key as 'Authorization: Bearer tg_ak_…'.")]
    Unauthenticated,
    #[error("{0}")]
    Unavailable(String),
    #[error("Something went wrong on our side; the request id finds it in the log.")]
    Internal(String),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(noun) => Self::NotFound(noun),
            StoreError::Taken(what) => Self::Taken(what),
            StoreError::Stale => Self::Stale,
            StoreError::Damaged(noun) => Self::Internal(format!("a stored {noun} can't be read")),
            StoreError::Unavailable(why) => {
                tracing::error!(cause = %why, "the database is unavailable");
                Self::Unavailable("The database can't be reached just now; nothing was changed.".to_owned())
            }
        }
    }
}

impl From<NoPlan> for AppError {
    fn from(error: NoPlan) -> Self {
        match error {
            NoPlan::Refused(refusal) => Self::Refused(refusal),
            NoPlan::Invalid(invalid) => Self::Invalid(invalid),
        }
    }
}

impl From<NotRecordable> for AppError {
    fn from(error: NotRecordable) -> Self {
        match error {
            NotRecordable::TooLarge => {
                Self::Invalid(Invalid::new("", "is too large to be recorded in the history (65,535 bytes): split it into several"))
            }
            NotRecordable::NotCanonical => Self::Internal(error.to_string()),
        }
    }
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> Self {
        Self::Internal(format!("a key can't be used: {error}"))
    }
}

impl From<FileError> for AppError {
    fn from(error: FileError) -> Self {
        tracing::error!(cause = %error, "the file store failed");
        Self::Unavailable("A file can't be kept or read just now; nothing was changed.".to_owned())
    }
}

impl AppError {
    /// What an engine's failure means to the caller of a release on a dataset.
    pub fn of_engine(error: EngineError, dataset: &str) -> Self {
        match error {
            EngineError::Drift(_) => {
                tracing::warn!(dataset, cause = %error, "a source has drifted");
                Self::Refused(Refusal::new(Gate::DatasetDrift, crate::policy::release::detail(Gate::DatasetDrift)))
            }
            EngineError::Unavailable(_) => {
                tracing::error!(dataset, cause = %error, "a source is unavailable");
                Self::Unavailable(format!("The source of dataset '{dataset}' can't be read just now."))
            }
            EngineError::Overloaded => Self::Unavailable("Too many large releases run just now; try again shortly.".to_owned()),
            EngineError::Unsupported(_) | EngineError::Internal(_) => Self::Internal(error.to_string()),
        }
    }
}

/// Appends an entry within the transaction whose change it records.
pub fn append(tx: &mut Tx, body: &Body, beside: Option<String>) -> Result<(), AppError> {
    let entry = entry(body, beside, tx.now())?;
    Ok(crate::store::history::append(tx, &entry)?)
}

/// Makes an entry with fresh randomness.
pub fn entry(body: &Body, beside: Option<String>, at: Instant) -> Result<Record, AppError> {
    let random = Randomness { blind: crate::keys::random(), salt: crate::keys::random() };
    Ok(record(body, beside, at, &random)?)
}

/// Makes an identifier of any noun.
pub fn new_id<T: TryFrom<String>>() -> Result<T, AppError> {
    T::try_from(crate::keys::new_uuid()).map_err(|_| AppError::Internal("an id could not be made".to_owned()))
}

/// Refuses a change that was based on another version than the one stored.
pub(crate) fn check_version(read: i64, stored: i64) -> Result<(), AppError> {
    if read == stored { Ok(()) } else { Err(AppError::Stale) }
}

/// Makes the id of a request.
pub fn request_id() -> String {
    crate::keys::new_uuid()
}
