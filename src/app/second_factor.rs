//! The second factor: codes of an authenticator app, each good once, and recovery codes for when the phone is lost.

use crate::domain::Invalid;
use crate::domain::id::PersonId;
use crate::domain::person::Actor;
use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::text::Digest;
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::keys::{self, Keyring, totp};
use crate::policy::Denied;
use crate::store::Tx;
use crate::store::second_factors::{self, SecondFactor};

use super::sessions::Current;
use super::{App, AppError, append, sign_in};

/// How many recovery codes a person gets.
const RECOVERY_CODES: usize = 8;
/// What apps show beside the account.
const ISSUER: &str = "Tidegate";

fn context(person: &PersonId) -> String {
    format!("second_factors|{person}|sealed")
}

/// What a person needs to set an app up.
#[derive(Debug)]
pub struct SetUp {
    /// For typing.
    pub key: PlainSecret,
    /// For the QR code.
    pub uri: PlainSecret,
}

/// How a person's second factor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub since: Option<Instant>,
    pub recovery_codes: i64,
}

/// How a person's second factor stands.
pub async fn state(app: &App, person: PersonId) -> Result<State, AppError> {
    app.store
        .read(move |tx| {
            let since = second_factors::find(tx, &person)?.and_then(|factor| factor.confirmed_at);
            Ok(State { since, recovery_codes: second_factors::count_codes(tx, &person)? })
        })
        .await
}

/// Makes a key, which is asked for only after a code has shown that the app has it. One begun before is begun anew.
pub async fn begin(app: &App, by: &Current) -> Result<SetUp, AppError> {
    let (key, person) = (totp::generate(), by.person.id.clone());
    let sealed = app.keyring.seal(&context(&person), &key);
    app.store
        .record(move |tx| {
            check_none(tx, &person)?;
            let factor = SecondFactor { sealed, created_at: tx.now(), confirmed_at: None, last_step: 0 };
            Ok::<_, AppError>(second_factors::replace(tx, &person, &factor)?)
        })
        .await?;
    let uri = totp::uri(&key, ISSUER, by.person.email.as_str());
    Ok(SetUp { key: PlainSecret::new(totp::base32(&key)), uri: PlainSecret::new(uri) })
}

fn check_none(tx: &mut Tx, person: &PersonId) -> Result<(), AppError> {
    match second_factors::find(tx, person)? {
        Some(factor) if factor.confirmed_at.is_some() => {
            Err(Denied::State("A second factor is set up already; remove it before you set up another one.".to_owned()).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// What was begun, for showing it again after a wrong code.
pub async fn begun(app: &App, by: &Current) -> Result<SetUp, AppError> {
    let person = by.person.id.clone();
    let factor = app.store.read(move |tx| Ok::<_, AppError>(second_factors::find(tx, &person)?)).await?;
    let factor = factor.filter(|factor| factor.confirmed_at.is_none()).ok_or(AppError::NotFound("second factor"))?;
    let key = app.keyring.open(&context(&by.person.id), &factor.sealed)?;
    let uri = totp::uri(&key, ISSUER, by.person.email.as_str());
    Ok(SetUp { key: PlainSecret::new(totp::base32(&key)), uri: PlainSecret::new(uri) })
}

/// Takes the first code of the app; answers recovery codes, shown this once.
pub async fn confirm(app: &App, by: &Current, code: String) -> Result<Vec<PlainSecret>, AppError> {
    let (person, actor, keyring) = (by.person.id.clone(), by.actor(), std::sync::Arc::clone(&app.keyring));
    let codes: Vec<PlainSecret> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let digests: Vec<SecretDigest> =
        codes.iter().map(|code| recovery_digest(app.keyring.as_ref(), code.reveal())).collect::<Result<_, _>>()?;
    app.store
        .record(move |tx| {
            check_none(tx, &person)?;
            let factor = second_factors::find(tx, &person)?.ok_or(AppError::NotFound("second factor"))?;
            if !take_code(tx, &keyring, &person, &factor, &code)? {
                return Err(Invalid::new("code", "must be the six digits that the app shows now").into());
            }
            let now = tx.now();
            second_factors::confirm(tx, &person, now)?;
            for digest in &digests {
                second_factors::insert_code(tx, &person, digest)?;
            }
            append(tx, &Body::Act(Act::new("person", &person, "set_up_second_factor", &actor)), None)
        })
        .await?;
    Ok(codes)
}

/// Takes one's own second factor away, against one's password.
pub async fn remove(app: &App, by: &Current, password: PlainSecret) -> Result<(), AppError> {
    if !sign_in::is_password(app, &by.person.id, password).await? {
        return Err(Invalid::new("password", "must be your password").into());
    }
    remove_of(app, &by.actor(), by.person.id.clone()).await
}

/// Takes anybody's second factor away: for an administrator, when a phone is lost.
pub async fn remove_of(app: &App, by: &Actor, person: PersonId) -> Result<(), AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            if second_factors::find(tx, &person)?.is_none() {
                return Ok(());
            }
            second_factors::delete(tx, &person)?;
            append(tx, &Body::Act(Act::new("person", &person, "remove_second_factor", &by)), None)
        })
        .await
}

/// Takes a code of the app or a recovery code; each is good once.
pub(super) fn take(tx: &mut Tx, keyring: &Keyring, person: &PersonId, code: &str) -> Result<bool, AppError> {
    let Some(factor) = second_factors::find(tx, person)?.filter(|factor| factor.confirmed_at.is_some()) else { return Ok(false) };
    if take_code(tx, keyring, person, &factor, code)? {
        return Ok(true);
    }
    let now = tx.now();
    Ok(second_factors::take_code(tx, person, &recovery_digest(keyring, code)?, now)?)
}

fn take_code(tx: &mut Tx, keyring: &Keyring, person: &PersonId, factor: &SecondFactor, code: &str) -> Result<bool, AppError> {
    let key = keyring.open(&context(person), &factor.sealed)?;
    let Some(step) = totp::check(&key, code, tx.now().seconds()) else { return Ok(false) };
    Ok(second_factors::take_step(tx, person, step)?)
}

/// Sixteen letters and digits that are told apart by eye: 80 bits.
fn recovery_code() -> PlainSecret {
    let text = data_encoding::BASE32_NOPAD.encode(&keys::random::<10>()).to_lowercase();
    let groups: Vec<&str> = [0..4, 4..8, 8..12, 12..16].into_iter().filter_map(|range| text.get(range)).collect();
    PlainSecret::new(groups.join("-"))
}

/// Keyed, since a code is shorter than other secrets.
fn recovery_digest(keyring: &Keyring, code: &str) -> Result<SecretDigest, AppError> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect();
    let hash = keys::keyed_hash(&keyring.derived("recovery codes"), plain.as_bytes());
    let digest = Digest::try_from(data_encoding::HEXLOWER.encode(&hash))?;
    Ok(SecretDigest::new(digest))
}
