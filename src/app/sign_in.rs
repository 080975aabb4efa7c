//! Signing in with e-mail address and password, and what a guesser meets: work, waits, and no word on who exists.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::domain::id::PersonId;
use crate::domain::person::Person;
use crate::domain::secret::PlainSecret;
use crate::domain::session::Stage;
use crate::domain::text::Email;
use crate::domain::time::Instant;
use crate::keys::{self, password};
use crate::policy::sign_in::{Failures, Guesser};
use crate::store::sign_in::{self as failures, Row};
use crate::store::{Tx, people, second_factors};

use super::sessions::{self, Opened};
use super::{App, AppError};

/// How many passwords are hashed at once: each costs 19 MiB and tens of milliseconds of a core.
const AT_ONCE: usize = 2;
/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where passwords are checked, so many at a time.
pub struct Desk(Semaphore);

impl Default for Desk {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Desk {
    /// Runs costly work off the request's thread, when there is room.
    pub(super) async fn work<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let busy = |_| AppError::Unavailable("Too many people are signing in just now; try again in a few seconds.".to_owned());
        let turn = tokio::time::timeout(PATIENCE, self.0.acquire()).await.map_err(busy)?;
        let done = tokio::task::spawn_blocking(f).await.map_err(|error| AppError::Internal(error.to_string()));
        drop(turn);
        done
    }
}

/// Where an attempt comes from.
#[derive(Debug, Clone)]
pub struct From {
    pub address: IpAddr,
    /// What the browser calls itself.
    pub browser: String,
    /// The cookie of a browser that signed in before.
    pub device: Option<String>,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// Too many failures: try again in so many seconds.
    Wait(i64),
    /// Address or password is wrong; nobody is told which.
    Wrong,
    /// The code of the second factor is asked for.
    Code(Opened),
    /// Signed in.
    In(Opened),
}

/// Tries an address and a password.
pub async fn attempt(app: &App, email: &str, secret: PlainSecret, from: From) -> Result<Outcome, AppError> {
    let account = account(app, email);
    let known = from.device.as_deref().is_some_and(|cookie| is_device(app, &account, cookie));
    let buckets = match (&from.device, known) {
        (Some(cookie), true) => vec![(Guesser::Device, bucket(app, "device", cookie)), (Guesser::Address, address(app, from.address))],
        _ => vec![(Guesser::Strangers, format!("strangers/{account}")), (Guesser::Address, address(app, from.address))],
    };
    if let Some(seconds) = charge(app, buckets.clone()).await? {
        return Ok(Outcome::Wait(seconds));
    }
    let found = match email.parse::<Email>() {
        Ok(email) => app.store.read(move |tx| Ok::<_, AppError>(people::find_by_email(tx, &email)?)).await?,
        Err(_) => None,
    };
    let (person, good) = app
        .desk
        .work(move || match found {
            Some((person, hash)) if hash != NO_PASSWORD => (Some(person), password::verify(&secret, &hash)),
            Some(_) | None => (None, password::dummy_verify(&secret)),
        })
        .await?;
    let Some(person) = person.filter(|person| good && person.disabled_at.is_none()) else { return Ok(Outcome::Wrong) };
    welcome(app, person, buckets, device(app, &account, known.then_some(from.device).flatten()), from.browser).await
}

/// What stands in place of a password's hash until one was chosen; no password matches it.
pub(super) const NO_PASSWORD: &str = "!";

async fn welcome(
    app: &App,
    person: Person,
    buckets: Vec<(Guesser, String)>,
    device: PlainSecret,
    browser: String,
) -> Result<Outcome, AppError> {
    app.store
        .record(move |tx| {
            forgive(tx, &buckets)?;
            enter(tx, &person, browser, device)
        })
        .await
}

/// Opens a session for somebody who proved who they are: a whole one, or one that waits for the second factor's code.
pub(super) fn enter(tx: &mut Tx, person: &Person, browser: String, device: PlainSecret) -> Result<Outcome, AppError> {
    let code = second_factors::find(tx, &person.id)?.is_some_and(|factor| factor.confirmed_at.is_some());
    let stage = if code { Stage::Code } else { Stage::In };
    let opened = sessions::open(tx, &person.id, stage, browser, Some(device))?;
    Ok(if code { Outcome::Code(opened) } else { Outcome::In(opened) })
}

/// Tries the code of a second factor, or a recovery code, in a session that waits for it. The session is replaced by
/// another one, so that a secret planted before the sign-in is of no use after it.
pub async fn code(app: &App, waiting: &str, code: String, from: From) -> Result<Outcome, AppError> {
    let Some(sessions::Current { session, person, .. }) = sessions::look_up(app, waiting, Stage::Code).await? else {
        return Ok(Outcome::Wrong);
    };
    let buckets = vec![(Guesser::Code, format!("code/{}", person.id))];
    if let Some(seconds) = charge(app, buckets.clone()).await? {
        return Ok(Outcome::Wait(seconds));
    }
    let keyring = std::sync::Arc::clone(&app.keyring);
    app.store
        .record(move |tx| {
            if !super::second_factor::take(tx, &keyring, &person.id, &code)? {
                return Ok(Outcome::Wrong);
            }
            forgive(tx, &buckets)?;
            crate::store::sessions::delete(tx, &person.id, &session.id)?;
            Ok(Outcome::In(sessions::open(tx, &person.id, Stage::In, from.browser, None)?))
        })
        .await
}

/// Whether a password is a person's: asked again before what matters. Failures wait as at sign-in.
pub(super) async fn is_password(app: &App, person: &PersonId, secret: PlainSecret) -> Result<bool, AppError> {
    let buckets = vec![(Guesser::Device, format!("password/{person}"))];
    if let Some(seconds) = charge(app, buckets.clone()).await? {
        return Err(AppError::Unavailable(format!("Too many wrong passwords; try again in {seconds} seconds.")));
    }
    let id = person.clone();
    let hash = app.store.read(move |tx| Ok::<_, AppError>(people::password_hash(tx, &id)?)).await?;
    let good = app.desk.work(move || hash != NO_PASSWORD && password::verify(&secret, &hash)).await?;
    if good {
        app.store.record(move |tx| forgive(tx, &buckets)).await?;
    }
    Ok(good)
}

/// Counts an attempt in every bucket; says how long to wait where one is not open, and counts nothing then.
async fn charge(app: &App, buckets: Vec<(Guesser, String)>) -> Result<Option<i64>, AppError> {
    app.store
        .record(move |tx| {
            let now = tx.now();
            let mut charged = Vec::new();
            for (guesser, bucket) in &buckets {
                // Accounts are locked before addresses, so no two attempts wait for each other.
                failures::lock(tx, bucket)?;
                match known(tx, bucket, now)?.attempt(*guesser, now) {
                    Ok(after) => charged.push((bucket, after)),
                    Err(seconds) => return Ok(Some(seconds)),
                }
            }
            for (bucket, after) in charged {
                failures::save(tx, bucket, &Row { failures: after.count, last_at: after.last_at, open_at: after.open_at })?;
            }
            Ok(None)
        })
        .await
}

fn known(tx: &mut Tx, bucket: &str, now: Instant) -> Result<Failures, AppError> {
    let row = failures::find(tx, bucket)?;
    Ok(row.map_or(Failures::none(now), |row| Failures { count: row.failures, last_at: row.last_at, open_at: row.open_at }))
}

/// A success ends the series of an account or device. That of an address only loses this attempt: one good account
/// must not pay for guesses at others.
fn forgive(tx: &mut Tx, buckets: &[(Guesser, String)]) -> Result<(), AppError> {
    let now = tx.now();
    for (guesser, bucket) in buckets {
        failures::lock(tx, bucket)?;
        match guesser {
            Guesser::Strangers | Guesser::Device | Guesser::Code => failures::delete(tx, bucket)?,
            Guesser::Address => {
                let before = known(tx, bucket, now)?;
                let row = Row { failures: before.count.saturating_sub(1).max(0), last_at: before.last_at, open_at: now };
                failures::save(tx, bucket, &row)?;
            }
        }
    }
    Ok(())
}

/// The name of an account in buckets and device cookies, whether it exists or not.
fn account(app: &App, email: &str) -> String {
    bucket(app, "account", &email.trim().to_lowercase())
}

fn address(app: &App, address: IpAddr) -> String {
    let text = match address {
        IpAddr::V4(address) => address.to_string(),
        // One customer has a whole /64.
        IpAddr::V6(address) => format!("{:x}", u128::from(address) >> 64),
    };
    bucket(app, "address", &text)
}

fn bucket(app: &App, kind: &str, text: &str) -> String {
    let hash = keys::keyed_hash(&app.keyring.derived("sign-in buckets"), text.as_bytes());
    format!("{kind}/{}", data_encoding::HEXLOWER.encode(&hash))
}

fn device_mac(app: &App, account: &str, nonce: &str) -> String {
    let hash = keys::keyed_hash(&app.keyring.derived("device cookies"), format!("{account}|{nonce}").as_bytes());
    data_encoding::HEXLOWER.encode(&hash)
}

fn is_device(app: &App, account: &str, cookie: &str) -> bool {
    cookie.split_once('.').is_some_and(|(nonce, mac)| keys::equal(device_mac(app, account, nonce).as_bytes(), mac.as_bytes()))
}

/// The cookie by which a browser is known to an account from now on: the one it has, or a new one.
fn device(app: &App, account: &str, had: Option<String>) -> PlainSecret {
    PlainSecret::new(had.unwrap_or_else(|| {
        let nonce = keys::new_uuid();
        let mac = device_mac(app, account, &nonce);
        format!("{nonce}.{mac}")
    }))
}

/// A new device cookie for whoever holds an account's password link: the way in while strangers guess at it.
pub(super) fn device_of(app: &App, email: &Email) -> PlainSecret {
    device(app, &account(app, email.as_str()), None)
}

/// Forgets failures, sessions and sent forms that are long over.
pub async fn forget_old(app: &App) -> Result<(), AppError> {
    app.store
        .record(|tx| {
            let day_ago = tx.now().plus_days(-1);
            failures::delete_old(tx, day_ago)?;
            crate::store::sessions::delete_ended(tx, day_ago)?;
            crate::store::sent_forms::delete_old(tx, day_ago)?;
            Ok(())
        })
        .await
}
