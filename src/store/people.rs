//! The staff, with their passwords' hashes; one person an e-mail address.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::PersonId;
use crate::domain::person::{Person, Role};
use crate::domain::text::Email;

use super::Tx;
use super::column::{instant, known, parse};
use super::error::StoreError;
use super::schema::people;

const NOUN: &str = "person";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = people, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct PersonRow {
    id: String,
    email: String,
    name: String,
    role: String,
    created_at: i64,
    disabled_at: Option<i64>,
    version: i64,
}

impl PersonRow {
    fn of(person: &Person, version: i64) -> Self {
        Self {
            id: person.id.to_string(),
            email: person.email.to_string(),
            name: person.name.to_string(),
            role: person.role.key().to_owned(),
            created_at: person.created_at.micros(),
            disabled_at: person.disabled_at.map(Instant::micros),
            version,
        }
    }

    pub(super) fn read(self) -> Result<Person, StoreError> {
        Ok(Person {
            id: parse(NOUN, self.id)?,
            email: parse(NOUN, self.email)?,
            name: parse(NOUN, self.name)?,
            role: known(NOUN, Role::from_key(&self.role))?,
            created_at: Instant::from_micros(self.created_at),
            disabled_at: instant(self.disabled_at),
            version: self.version,
        })
    }
}

/// Keeps a new person with the hash of their password.
pub fn insert(tx: &mut Tx, person: &Person, password_hash: &str) -> Result<(), StoreError> {
    diesel::insert_into(people::table)
        .values((PersonRow::of(person, person.version), people::password_hash.eq(password_hash)))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "email"))
}

/// The person of that id.
pub fn find(tx: &mut Tx, id: &PersonId) -> Result<Person, StoreError> {
    let row = people::table.find(id.as_str()).select(PersonRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// Who signs in with that address, and the hash of their password.
pub fn find_by_email(tx: &mut Tx, email: &Email) -> Result<Option<(Person, String)>, StoreError> {
    let row: Option<(PersonRow, String)> = people::table
        .filter(people::email.eq(email.as_str()))
        .select((PersonRow::as_select(), people::password_hash))
        .first(tx.conn())
        .optional()?;
    row.map(|(row, hash)| Ok((row.read()?, hash))).transpose()
}

/// The hash of a person's password.
pub fn password_hash(tx: &mut Tx, id: &PersonId) -> Result<String, StoreError> {
    let hash = people::table.find(id.as_str()).select(people::password_hash).first(tx.conn()).optional()?;
    hash.ok_or(StoreError::NotFound(NOUN))
}

/// Everybody, by name.
pub fn list(tx: &mut Tx) -> Result<Vec<Person>, StoreError> {
    let rows = people::table.select(PersonRow::as_select()).order((people::name, people::id)).load(tx.conn())?;
    rows.into_iter().map(PersonRow::read).collect()
}

/// Those of a role who may sign in, by name; at most a thousand.
pub fn list_by_role(tx: &mut Tx, role: Role) -> Result<Vec<Person>, StoreError> {
    let rows = people::table
        .filter(people::role.eq(role.key()))
        .filter(people::disabled_at.is_null())
        .select(PersonRow::as_select())
        .order((people::name, people::id))
        .limit(1_000)
        .load(tx.conn())?;
    rows.into_iter().map(PersonRow::read).collect()
}

/// Saves what was read as `person.version`; answers the new version.
pub fn save(tx: &mut Tx, person: &Person) -> Result<i64, StoreError> {
    let next = person.version.saturating_add(1);
    let saved = diesel::update(people::table.find(person.id.as_str()).filter(people::version.eq(person.version)))
        .set(PersonRow::of(person, next))
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "email"))?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// Replaces the hash of a password.
pub fn set_password(tx: &mut Tx, id: &PersonId, password_hash: &str) -> Result<(), StoreError> {
    let set = diesel::update(people::table.find(id.as_str())).set(people::password_hash.eq(password_hash)).execute(tx.conn())?;
    if set == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}
