//! Links that set a password once; only the digest of a link's secret is kept, and a used one stays used.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::PersonId;
use crate::domain::secret::SecretDigest;
use crate::domain::session::{LinkKind, PasswordLink};

use super::Tx;
use super::column::{instant, known, parse_some};
use super::error::StoreError;
use super::schema::password_links;

const NOUN: &str = "link";

type Row = (String, Option<String>, i64, i64, Option<i64>);

/// Keeps a new link.
pub fn insert(tx: &mut Tx, link: &PasswordLink, secret: &SecretDigest) -> Result<(), StoreError> {
    diesel::insert_into(password_links::table)
        .values((
            password_links::digest.eq(secret.as_str()),
            password_links::kind.eq(link.kind.key()),
            password_links::person.eq(link.person.as_ref().map(ToString::to_string)),
            password_links::created_at.eq(link.created_at.micros()),
            password_links::ends_at.eq(link.ends_at.micros()),
            password_links::used_at.eq(link.used_at.map(Instant::micros)),
        ))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "link"))
}

/// The link with that secret, used or over or not.
pub fn find(tx: &mut Tx, secret: &SecretDigest) -> Result<Option<PasswordLink>, StoreError> {
    let row: Option<Row> = password_links::table
        .find(secret.as_str())
        .select((
            password_links::kind,
            password_links::person,
            password_links::created_at,
            password_links::ends_at,
            password_links::used_at,
        ))
        .first(tx.conn())
        .optional()?;
    row.map(|(kind, person, created_at, ends_at, used_at)| {
        Ok(PasswordLink {
            kind: known(NOUN, LinkKind::from_key(&kind))?,
            person: parse_some(NOUN, person)?,
            created_at: Instant::from_micros(created_at),
            ends_at: Instant::from_micros(ends_at),
            used_at: instant(used_at),
        })
    })
    .transpose()
}

/// Marks a link as used, unless it was used already.
pub fn take(tx: &mut Tx, secret: &SecretDigest, at: Instant) -> Result<(), StoreError> {
    let taken = diesel::update(password_links::table.find(secret.as_str()).filter(password_links::used_at.is_null()))
        .set(password_links::used_at.eq(at.micros()))
        .execute(tx.conn())?;
    if taken == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// Takes back every link of a person that was not used; with none, those of the first set-up.
pub fn delete_unused(tx: &mut Tx, person: Option<&PersonId>) -> Result<(), StoreError> {
    let unused = password_links::table.filter(password_links::used_at.is_null());
    match person {
        Some(person) => diesel::delete(unused.filter(password_links::person.eq(person.to_string()))).execute(tx.conn())?,
        None => diesel::delete(unused.filter(password_links::person.is_null())).execute(tx.conn())?,
    };
    Ok(())
}
