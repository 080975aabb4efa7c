//! Sessions: opened by a sign-in, looked up at every page, ended by their person, by time, or by a new password.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::{PersonId, SessionId};
use crate::domain::kill_switch::KillSwitch;
use crate::domain::person::{Actor, Person};
use crate::domain::secret::PlainSecret;
use crate::domain::session::{Session, Stage};
use crate::keys::{self, secret};
use crate::policy::sign_in::{ABSOLUTE_SECONDS, SEEN_SECONDS, holds};
use crate::store::{Tx, kill_switch, sessions};

use super::{App, AppError, new_id};

/// A new session with its secret, for the browser's cookie.
#[derive(Debug)]
pub struct Opened {
    pub secret: PlainSecret,
    /// By which the browser is known to the account from now on.
    pub device: Option<PlainSecret>,
}

/// Who looks at a page, in which session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    pub session: Session,
    pub person: Person,
    /// The stop of everything, while it lasts: every page says so.
    pub stopped: Option<KillSwitch>,
}

impl Current {
    /// The person as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Person { id: self.person.id.clone(), role: self.person.role }
    }
}

/// The most characters that are kept of a browser's name.
const MOST_BROWSER: usize = 200;

/// Opens a session within the transaction that checked who it is.
pub(super) fn open(tx: &mut Tx, person: &PersonId, stage: Stage, browser: String, device: Option<PlainSecret>) -> Result<Opened, AppError> {
    let (plain, now) = (secret::generate(secret::Prefix::Session), tx.now());
    let session = Session {
        id: new_id::<SessionId>()?,
        person: person.clone(),
        stage,
        browser: browser.chars().filter(|sign| !sign.is_control()).take(MOST_BROWSER).collect(),
        created_at: now,
        seen_at: now,
        ends_at: now.plus_seconds(ABSOLUTE_SECONDS),
    };
    sessions::insert(tx, &session, &secret::digest(plain.reveal()))?;
    Ok(Opened { secret: plain, device })
}

/// The session of that secret, if it is good now and has come to that stage.
pub(super) async fn look_up(app: &App, secret: &str, stage: Stage) -> Result<Option<Current>, AppError> {
    let Some(digest) = secret::read(secret, secret::Prefix::Session) else { return Ok(None) };
    app.store
        .read(move |tx| {
            let now = tx.now();
            let found = sessions::find_by_digest(tx, &digest)?;
            let good =
                |(session, person): &(Session, Person)| session.stage == stage && holds(session, now) && person.disabled_at.is_none();
            let Some((session, person)) = found.filter(good) else { return Ok(None) };
            let stopped = kill_switch::find(tx)?.filter(KillSwitch::lasts);
            Ok(Some(Current { session, person, stopped }))
        })
        .await
}

/// Who is signed in with that cookie. Notes the visit, once a minute at most.
pub async fn find(app: &App, secret: &str) -> Result<Option<Current>, AppError> {
    let Some(current) = look_up(app, secret, Stage::In).await? else { return Ok(None) };
    let (session, now) = (&current.session, app.clock.now());
    if session.seen_at.plus_seconds(SEEN_SECONDS) <= now {
        let id = session.id.clone();
        app.store.record(move |tx| Ok::<_, AppError>(sessions::seen(tx, &id, now)?)).await?;
    }
    Ok(Some(current))
}

/// Everywhere a person is signed in, newest first.
pub async fn list(app: &App, by: &Current) -> Result<Vec<Session>, AppError> {
    let person = by.person.id.clone();
    app.store
        .read(move |tx| {
            let now = tx.now();
            let all = sessions::list_by_person(tx, &person)?;
            Ok(all.into_iter().filter(|session| session.stage == Stage::In && holds(session, now)).collect())
        })
        .await
}

/// Ends one of the person's own sessions; one that is over already is no error.
pub async fn end(app: &App, by: &Current, id: SessionId) -> Result<(), AppError> {
    let person = by.person.id.clone();
    app.store.record(move |tx| sessions::delete(tx, &person, &id).map(drop).map_err(AppError::from)).await
}

/// Ends every session of the person but, on request, this one.
pub async fn end_all(app: &App, by: &Current, but_this: bool) -> Result<usize, AppError> {
    let (person, this) = (by.person.id.clone(), but_this.then(|| by.session.id.clone()));
    app.store.record(move |tx| Ok(sessions::delete_others(tx, &person, this.as_ref())?)).await
}

/// Bytes of the value that forms of a session bear, and of the pad over it.
const FORM_BYTES: usize = 32;

fn form_value(app: &App, session: &Session) -> [u8; FORM_BYTES] {
    keys::keyed_hash(&app.keyring.derived("form tokens"), session.id.as_str().as_bytes())
}

/// A token for the forms of one page: a random pad, and the session's own value hidden under it. It is another one in
/// every answer, so the length of a compressed answer does not tell it (BREACH).
pub fn form_token(app: &App, session: &Session) -> String {
    let (pad, value) = (keys::random::<FORM_BYTES>(), form_value(app, session));
    let bytes: Vec<u8> = pad.into_iter().chain(value.iter().zip(pad).map(|(value, pad)| value ^ pad)).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether a token was made for this session.
pub fn is_form_token(app: &App, session: &Session, token: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let Some((pad, masked)) = bytes.split_at_checked(FORM_BYTES).filter(|(_, masked)| masked.len() == FORM_BYTES) else { return false };
    let value: Vec<u8> = masked.iter().zip(pad).map(|(masked, pad)| masked ^ pad).collect();
    keys::equal(&value, &form_value(app, session))
}
