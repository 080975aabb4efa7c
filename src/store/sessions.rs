//! Signed-in browsers; only the digest of a cookie's secret is kept.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::{PersonId, SessionId};
use crate::domain::person::Person;
use crate::domain::secret::SecretDigest;
use crate::domain::session::{Session, Stage};

use super::Tx;
use super::column::{known, parse};
use super::error::StoreError;
use super::people::PersonRow;
use super::schema::{people, sessions};

const NOUN: &str = "session";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: String,
    person: String,
    stage: String,
    browser: String,
    created_at: i64,
    seen_at: i64,
    ends_at: i64,
}

impl SessionRow {
    fn read(self) -> Result<Session, StoreError> {
        Ok(Session {
            id: parse(NOUN, self.id)?,
            person: parse(NOUN, self.person)?,
            stage: known(NOUN, Stage::from_key(&self.stage))?,
            browser: self.browser,
            created_at: Instant::from_micros(self.created_at),
            seen_at: Instant::from_micros(self.seen_at),
            ends_at: Instant::from_micros(self.ends_at),
        })
    }
}

/// Keeps a new session by the digest of its secret.
pub fn insert(tx: &mut Tx, session: &Session, secret: &SecretDigest) -> Result<(), StoreError> {
    let row = SessionRow {
        id: session.id.to_string(),
        person: session.person.to_string(),
        stage: session.stage.key().to_owned(),
        browser: session.browser.clone(),
        created_at: session.created_at.micros(),
        seen_at: session.seen_at.micros(),
        ends_at: session.ends_at.micros(),
    };
    diesel::insert_into(sessions::table)
        .values((row, sessions::digest.eq(secret.as_str())))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "session"))
}

/// The session with that secret, over or not, and whose it is.
pub fn find_by_digest(tx: &mut Tx, secret: &SecretDigest) -> Result<Option<(Session, Person)>, StoreError> {
    let row: Option<(SessionRow, PersonRow)> = sessions::table
        .inner_join(people::table)
        .filter(sessions::digest.eq(secret.as_str()))
        .select((SessionRow::as_select(), PersonRow::as_select()))
        .first(tx.conn())
        .optional()?;
    row.map(|(session, person)| Ok((session.read()?, person.read()?))).transpose()
}

/// A person's sessions, newest first.
pub fn list_by_person(tx: &mut Tx, person: &PersonId) -> Result<Vec<Session>, StoreError> {
    let rows = sessions::table
        .filter(sessions::person.eq(person.as_str()))
        .select(SessionRow::as_select())
        .order(sessions::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(SessionRow::read).collect()
}

/// Notes a request; a session that is gone stays gone.
pub fn seen(tx: &mut Tx, id: &SessionId, at: Instant) -> Result<(), StoreError> {
    diesel::update(sessions::table.find(id.as_str())).set(sessions::seen_at.eq(at.micros())).execute(tx.conn())?;
    Ok(())
}

/// Ends one session of a person; says whether there was one.
pub fn delete(tx: &mut Tx, person: &PersonId, id: &SessionId) -> Result<bool, StoreError> {
    let gone = diesel::delete(sessions::table.find(id.as_str()).filter(sessions::person.eq(person.as_str()))).execute(tx.conn())?;
    Ok(gone > 0)
}

/// Ends all sessions of a person but one; says how many.
pub fn delete_others(tx: &mut Tx, person: &PersonId, but: Option<&SessionId>) -> Result<usize, StoreError> {
    let but = but.map_or(String::new(), ToString::to_string);
    let theirs = sessions::table.filter(sessions::person.eq(person.as_str())).filter(sessions::id.ne(but));
    Ok(diesel::delete(theirs).execute(tx.conn())?)
}

/// Forgets sessions that ended before an instant.
pub fn delete_ended(tx: &mut Tx, before: Instant) -> Result<usize, StoreError> {
    Ok(diesel::delete(sessions::table.filter(sessions::ends_at.lt(before.micros()))).execute(tx.conn())?)
}
