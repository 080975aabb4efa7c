//! The keys that sign tokens: which one signs is told by the database's clock, so that brokers agree at every instant.
//!
//! A broker holds the keys in memory and reads them again every minute, which leaves it ten tries in the ten minutes that
//! a new key is published before it signs. Neither a slow broker nor a revocation is left to that: who issues a token asks
//! the database whether its key still signs, and who meets an unknown key reads them again before judging. That no token
//! of a revoked key is good is decided with the live state, under the counters, not by what a broker remembers.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant as Moment;
use utoipa::ToSchema;

use crate::domain::id::TokenId;
use crate::domain::person::Actor;
use crate::domain::secret::PlainSecret;
use crate::domain::signing_key::{KeyState, SigningKey, signing};
use crate::domain::text::{Kid, Reason};
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::keys::signing::SigningKey as Pair;
use crate::policy::signing_keys::{self as policy, Fresh};
use crate::store::sealed_keys::{self, SealedKey};
use crate::store::tokens::Ended;
use crate::store::{Scope, StoreError, Tx, signing_keys};
use crate::token::{ActiveKey, Claims, Issuer, LEEWAY_SECONDS, MOST_LIFETIME_SECONDS, Reason as Why, Verified, Verifier};

use super::secrets::context;
use super::{App, AppError, access, append};

const SEALED: &str = "signing/";

/// How long a token may be good after its key signed it, in seconds: its longest life, and how far clocks may differ.
const LASTS_SECONDS: i64 = MOST_LIFETIME_SECONDS + LEEWAY_SECONDS;

/// The keys are read again for unknown ones at most so often: whoever comes in between waits for the next time.
const PAUSE: Duration = Duration::from_secs(1);

/// The signing keys as this broker knows them.
#[derive(Default)]
pub struct Keys {
    loaded: RwLock<Option<Arc<Loaded>>>,
    /// When they were last read for an unknown key.
    read: tokio::sync::Mutex<Option<Moment>>,
}

struct Loaded {
    keys: Vec<SigningKey>,
    private: HashMap<Kid, ActiveKey>,
    verifier: Verifier,
}

impl Keys {
    fn current(&self) -> Result<Arc<Loaded>, AppError> {
        let guard = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        guard.clone().ok_or_else(|| AppError::Unavailable("The signing key is not loaded yet.".to_owned()))
    }
}

/// A signing key as lists show it: never its private half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyLine {
    /// The name under which it is published.
    pub kid: Kid,
    pub state: KeyState,
    /// Since when it is published.
    pub made_at: Instant,
    pub signs_from: Instant,
    /// From when on it signs no more.
    pub retired_at: Option<Instant>,
    /// When its last token is over and it leaves the published set.
    pub leaves_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    pub reason: Option<Reason>,
    /// Tokens of it that are neither expired nor revoked.
    pub tokens: i64,
}

impl KeyLine {
    fn of(key: SigningKey, tokens: i64, now: Instant) -> Self {
        let state = key.state(now);
        let SigningKey { kid, made_at, signs_from, retired_at, leaves_at, revoked, public: _ } = key;
        let (revoked_at, reason) = revoked.map_or((None, None), |revoked| (Some(revoked.at), Some(revoked.reason)));
        Self { kid, state, made_at, signs_from, retired_at, leaves_at, revoked_at, reason, tokens }
    }
}

/// A new pair, sealed.
struct Made {
    fresh: Fresh,
    sealed: Vec<u8>,
}

fn make(app: &App) -> Result<Made, AppError> {
    let pair = Pair::generate()?;
    let kid = Kid::try_from(pair.kid().to_owned()).map_err(|_| AppError::Internal("a key's thumbprint has a wrong form".to_owned()))?;
    let sealed = app.keyring.seal(&context(&sealed_name(&kid)), pair.private_der());
    Ok(Made { fresh: Fresh { kid, public: pair.public().to_json() }, sealed })
}

fn sealed_name(kid: &Kid) -> String {
    format!("{SEALED}{kid}")
}

fn keep_private(tx: &mut Tx, kid: &Kid, sealed: Vec<u8>) -> Result<(), AppError> {
    let created_at = tx.now();
    Ok(sealed_keys::insert(tx, &SealedKey { name: sealed_name(kid), sealed, public: None, created_at, retired_at: None })?)
}

fn destroy_private(tx: &mut Tx, kid: &Kid) -> Result<(), AppError> {
    match sealed_keys::destroy(tx, &sealed_name(kid)) {
        // Another broker's timer may have been first.
        Ok(()) | Err(StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the first signing key when there is none, and loads all of them.
pub async fn ensure(app: &App) -> Result<(), AppError> {
    let there = app.store.read(|tx| Ok::<_, AppError>(has_one(tx)?)).await?;
    if !there {
        let Made { fresh, sealed } = make(app)?;
        // The gate is held exclusively, so of several brokers only the first makes a key.
        app.store
            .govern(Scope::All, move |tx| {
                if has_one(tx)? {
                    return Ok::<_, AppError>(());
                }
                let key = policy::first(fresh, tx.now());
                signing_keys::keep(tx, &key)?;
                keep_private(tx, &key.kid, sealed)?;
                append(tx, &Body::Act(Act::new("signing_key", &key.kid, "make", &Actor::System)), None)
            })
            .await?;
    }
    load(app).await
}

fn has_one(tx: &mut Tx) -> Result<bool, StoreError> {
    let now = tx.now();
    Ok(signing(&signing_keys::list(tx)?, now).is_some())
}

/// Reads the keys. Where nothing changed, what is remembered of verified tokens stays.
pub async fn load(app: &App) -> Result<(), AppError> {
    let (keys, sealed, now) = app
        .store
        .read(|tx| {
            let now = tx.now();
            Ok::<_, AppError>((signing_keys::list(tx)?, sealed_keys::list(tx, SEALED)?, now))
        })
        .await?;
    let unusable = |error: crate::token::TokenError| AppError::Internal(error.to_string());
    let known = app.secrets.keys.current().ok();
    if known.is_some_and(|known| known.keys == keys && known.private.len() == sealed.len()) {
        return Ok(());
    }
    if signing(&keys, now).is_none() {
        return Err(AppError::Internal("there is no signing key".to_owned()));
    }
    let mut private = HashMap::new();
    for row in &sealed {
        let name = row.name.trim_start_matches(SEALED).to_owned();
        let kid = Kid::try_from(name).map_err(|_| AppError::Internal("a stored signing key has no name".to_owned()))?;
        let der = app.keyring.open(&context(&row.name), &row.sealed)?;
        let active = ActiveKey::new(kid.to_string(), &der).map_err(unusable)?;
        private.insert(kid, active);
    }
    let public: Vec<&String> = keys.iter().filter(|key| key.is_published(now)).map(|key| &key.public).collect();
    let issuer = Issuer { issuer: app.settings.public_url.clone(), audience: app.settings.public_url.clone() };
    let verifier = Verifier::new(issuer, &public).map_err(unusable)?;
    *app.secrets.keys.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Loaded { keys, private, verifier }));
    Ok(())
}

/// Reads the keys for whoever found at that moment that theirs is not among them. One reads for all who wait.
async fn read_again(app: &App, found: Moment) -> Result<(), AppError> {
    let mut read = app.secrets.keys.read.lock().await;
    if read.is_none_or(|last| last <= found) {
        if let Some(last) = *read {
            tokio::time::sleep_until(last + PAUSE).await;
        }
        *read = Some(Moment::now());
        load(app).await?;
    }
    Ok(())
}

/// The public keys as RFC 7517 says: those that may sign soon, the one that signs, those whose tokens may still be good.
pub fn published(app: &App) -> Result<serde_json::Value, AppError> {
    let (loaded, now) = (app.secrets.keys.current()?, app.clock.now());
    let public: Vec<&String> = loaded.keys.iter().filter(|key| key.is_published(now)).map(|key| &key.public).collect();
    crate::token::jwks(&public).map_err(|error| AppError::Internal(error.to_string()))
}

/// Verifies an access token; `None` when it is not ours, forged or malformed. An expired one is told as it is.
pub async fn verify(app: &App, jwt: &str) -> Result<Option<Verified>, AppError> {
    let found = Moment::now();
    let loaded = app.secrets.keys.current()?;
    match loaded.verifier.verify(jwt, app.clock.now().seconds()) {
        Ok(verified) => Ok(Some(verified)),
        Err(error) if error.reason() == Why::UnknownKey && may_be_new(&loaded, jwt) => {
            read_again(app, found).await?;
            Ok(app.secrets.keys.current()?.verifier.verify(jwt, app.clock.now().seconds()).ok())
        }
        Err(_) => Ok(None),
    }
}

/// Whether the key that a token names could be one that another broker made meanwhile: a name of our form, and none of a
/// key that is known to be over.
fn may_be_new(loaded: &Loaded, jwt: &str) -> bool {
    let kid = crate::token::key_named(jwt).and_then(|name| Kid::try_from(name).ok());
    kid.is_some_and(|kid| loaded.keys.iter().all(|key| key.kid != kid))
}

/// The key that signs now by the database, and when another one begins to. Every act on keys moves the counters, so it may be
/// remembered under them.
pub fn signing_now(tx: &mut Tx) -> Result<(Kid, Option<Instant>), AppError> {
    let now = tx.now();
    let keys = signing_keys::list(tx)?;
    let next = keys.iter().map(|key| key.signs_from).filter(|from| *from > now).min();
    let key = signing(&keys, now).ok_or_else(|| AppError::Internal("there is no signing key".to_owned()))?;
    Ok((key.kid.clone(), next))
}

/// Signs an access token with the key of that name; `None` where this broker does not have it, or has it no more.
pub fn sign(app: &App, kid: &Kid, claims: &Claims) -> Result<Option<PlainSecret>, AppError> {
    let loaded = app.secrets.keys.current()?;
    let Some(private) = loaded.private.get(kid) else { return Ok(None) };
    crate::token::sign(private, claims).map(Some).map_err(|error| AppError::Internal(error.to_string()))
}

/// Reads the keys where this broker does not have the one of that name yet.
pub async fn learn(app: &App, kid: &Kid) -> Result<(), AppError> {
    let found = Moment::now();
    if app.secrets.keys.current()?.private.contains_key(kid) { Ok(()) } else { read_again(app, found).await }
}

/// Whether the key that signed a token is revoked: a part of the live state.
pub fn is_revoked_of(tx: &mut Tx, token: &TokenId) -> Result<bool, AppError> {
    Ok(signing_keys::is_revoked_of(tx, token)?)
}

/// All keys that are remembered, the newest first.
pub async fn list(app: &App) -> Result<Vec<KeyLine>, AppError> {
    app.store.read(lines).await
}

fn lines(tx: &mut Tx) -> Result<Vec<KeyLine>, AppError> {
    let now = tx.now();
    let counted: HashMap<Kid, i64> = signing_keys::outstanding(tx, now)?.into_iter().collect();
    let keys = signing_keys::list(tx)?;
    Ok(keys
        .into_iter()
        .map(|key| (counted.get(&key.kid).copied().unwrap_or(0), key))
        .map(|(tokens, key)| KeyLine::of(key, tokens, now))
        .collect())
}

/// One key.
pub async fn find(app: &App, kid: Kid) -> Result<KeyLine, AppError> {
    app.store.read(move |tx| line(tx, &kid)).await
}

fn line(tx: &mut Tx, kid: &Kid) -> Result<KeyLine, AppError> {
    lines(tx)?.into_iter().find(|line| line.kid == *kid).ok_or(AppError::NotFound("signing key"))
}

/// Makes a new key, which is published at once and signs when all who keep the set have read it again. The one that signs
/// now goes on until then, and verifies until its last token is over.
pub async fn rotate(app: &App, by: &Actor) -> Result<KeyLine, AppError> {
    let (Made { fresh, sealed }, by) = (make(app)?, by.clone());
    let made = app
        .store
        .govern(Scope::All, move |tx| {
            let (now, kid) = (tx.now(), fresh.kid.clone());
            let changed = policy::rotate(&signing_keys::list(tx)?, fresh, now, LASTS_SECONDS)?;
            let mut act = Act::new("signing_key", &kid, "rotate", &by);
            for key in &changed {
                signing_keys::keep(tx, key)?;
                if key.kid == kid {
                    act = act.date("signs_from", key.signs_from);
                }
            }
            keep_private(tx, &kid, sealed)?;
            append(tx, &Body::Act(act), None)?;
            Ok::<_, AppError>(kid)
        })
        .await?;
    load(app).await?;
    find(app, made).await
}

/// Revokes a key that others may have: no token of it is good from the next request on, at any broker. Where it signed,
/// another one does at once.
pub async fn revoke(app: &App, by: &Actor, kid: Kid, reason: Reason) -> Result<KeyLine, AppError> {
    let (Made { fresh, sealed }, by) = (make(app)?, by.clone());
    let revoked = app
        .store
        .govern(Scope::All, move |tx| {
            let (now, made) = (tx.now(), fresh.kid.clone());
            let known = signing_keys::list(tx)?;
            let from = known.iter().find(|key| key.kid == kid).map(|key| key.state(now)).ok_or(AppError::NotFound("signing key"))?;
            let changed = policy::revoke(&known, &kid, fresh, reason.clone(), now);
            if changed.is_empty() {
                return Ok((kid, now));
            }
            for key in &changed {
                signing_keys::keep(tx, key)?;
            }
            destroy_private(tx, &kid)?;
            let act = Act::new("signing_key", &kid, "revoke", &by).moved(word(from), word(KeyState::Revoked));
            append(tx, &Body::Act(act), Some(reason.to_string()))?;
            if changed.iter().any(|key| key.kid == made) {
                keep_private(tx, &made, sealed)?;
                append(tx, &Body::Act(Act::new("signing_key", &made, "make", &by)), None)?;
            }
            Ok::<_, AppError>((kid, now))
        })
        .await?;
    load(app).await?;
    let (kid, now) = revoked;
    access::mark_some(app, Ended::SignedBy(kid.clone()), now).await;
    find(app, kid).await
}

const fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Waiting => "waiting",
        KeyState::Signing => "signing",
        KeyState::Verifying => "verifying",
        KeyState::Over => "over",
        KeyState::Revoked => "revoked",
    }
}

/// The timer's work: destroys private halves that sign no more, forgets keys whose last token is over, marks the tokens of revoked
/// ones, reads the rest. Revoked keys stay in the list, as what was done about them is asked for later.
pub async fn tend(app: &App) -> Result<(), AppError> {
    let (known, any_due) = app
        .store
        .read(|tx| {
            let known = signing_keys::list(tx)?;
            let any = !due(tx, &known)?.is_empty();
            Ok::<_, AppError>((known, any))
        })
        .await?;
    if any_due {
        // Whoever rotates or revokes meanwhile holds the same gate: what is destroyed is judged where it is done.
        app.store
            .govern(Scope::All, |tx| {
                let known = signing_keys::list(tx)?;
                for (kid, state) in due(tx, &known)? {
                    destroy_private(tx, &kid)?;
                    if state == KeyState::Over {
                        signing_keys::forget(tx, &kid)?;
                    }
                }
                Ok::<_, AppError>(())
            })
            .await?;
    }
    for key in known {
        if let Some(revoked) = key.revoked {
            access::mark_all(app, Ended::SignedBy(key.kid), revoked.at).await?;
        }
    }
    load(app).await
}

/// Keys whose private half has no use any more, or whose last token is over.
fn due(tx: &mut Tx, known: &[SigningKey]) -> Result<Vec<(Kid, KeyState)>, AppError> {
    let now = tx.now();
    let sealed = sealed_keys::list(tx, SEALED)?;
    let kept = |key: &SigningKey| sealed.iter().any(|row| row.name == sealed_name(&key.kid));
    let done = |key: &&SigningKey| match key.state(now) {
        KeyState::Over => true,
        KeyState::Verifying | KeyState::Revoked => kept(key),
        KeyState::Waiting | KeyState::Signing => false,
    };
    Ok(known.iter().filter(done).map(|key| (key.kid.clone(), key.state(now))).collect())
}
