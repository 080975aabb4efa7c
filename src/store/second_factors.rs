//! Second factors: a sealed key for each person who set one up, and recovery codes that are good once.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::PersonId;
use crate::domain::secret::SecretDigest;

use super::Tx;
use super::column::instant;
use super::error::StoreError;
use super::schema::{recovery_codes, second_factors};

/// A person's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    pub sealed: Vec<u8>,
    pub created_at: Instant,
    /// From when on it is asked for.
    pub confirmed_at: Option<Instant>,
    /// The time step of the last code taken.
    pub last_step: i64,
}

/// The second factor of a person, confirmed or not.
pub fn find(tx: &mut Tx, person: &PersonId) -> Result<Option<SecondFactor>, StoreError> {
    let row: Option<(Vec<u8>, i64, Option<i64>, i64)> = second_factors::table
        .find(person.as_str())
        .select((second_factors::sealed, second_factors::created_at, second_factors::confirmed_at, second_factors::last_step))
        .first(tx.conn())
        .optional()?;
    Ok(row.map(|(sealed, created_at, confirmed_at, last_step)| SecondFactor {
        sealed,
        created_at: Instant::from_micros(created_at),
        confirmed_at: instant(confirmed_at),
        last_step,
    }))
}

/// Keeps a new second factor in place of any other.
pub fn replace(tx: &mut Tx, person: &PersonId, factor: &SecondFactor) -> Result<(), StoreError> {
    delete(tx, person)?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::person.eq(person.to_string()),
            second_factors::sealed.eq(factor.sealed.clone()),
            second_factors::created_at.eq(factor.created_at.micros()),
            second_factors::confirmed_at.eq(factor.confirmed_at.map(Instant::micros)),
            second_factors::last_step.eq(factor.last_step),
        ))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "second_factor"))
}

/// Takes the code of a time step; of two at once, and of an older step, one is refused.
pub fn take_step(tx: &mut Tx, person: &PersonId, step: i64) -> Result<bool, StoreError> {
    let taken = diesel::update(second_factors::table.find(person.as_str()).filter(second_factors::last_step.lt(step)))
        .set(second_factors::last_step.eq(step))
        .execute(tx.conn())?;
    Ok(taken == 1)
}

/// From now on the factor is asked for.
pub fn confirm(tx: &mut Tx, person: &PersonId, at: Instant) -> Result<(), StoreError> {
    diesel::update(second_factors::table.find(person.as_str())).set(second_factors::confirmed_at.eq(at.micros())).execute(tx.conn())?;
    Ok(())
}

/// Takes a person's factor and recovery codes away.
pub fn delete(tx: &mut Tx, person: &PersonId) -> Result<(), StoreError> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::person.eq(person.as_str()))).execute(tx.conn())?;
    diesel::delete(second_factors::table.find(person.as_str())).execute(tx.conn())?;
    Ok(())
}

/// Keeps a recovery code.
pub fn insert_code(tx: &mut Tx, person: &PersonId, code: &SecretDigest) -> Result<(), StoreError> {
    diesel::insert_into(recovery_codes::table)
        .values((recovery_codes::digest.eq(code.as_str()), recovery_codes::person.eq(person.as_str())))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "recovery_code"))
}

/// Uses a recovery code of a person up; says whether it was good.
pub fn take_code(tx: &mut Tx, person: &PersonId, code: &SecretDigest, at: Instant) -> Result<bool, StoreError> {
    let good = recovery_codes::table
        .find(code.as_str())
        .filter(recovery_codes::person.eq(person.as_str()))
        .filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(good).set(recovery_codes::used_at.eq(at.micros())).execute(tx.conn())? == 1)
}

/// How many recovery codes a person has left.
pub fn count_codes(tx: &mut Tx, person: &PersonId) -> Result<i64, StoreError> {
    let left = recovery_codes::table.filter(recovery_codes::person.eq(person.as_str())).filter(recovery_codes::used_at.is_null());
    Ok(left.count().get_result(tx.conn())?)
}
