//! Texts of the database become domain values again, or the noun is damaged: never a panic.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::{Date, Instant};

use super::error::StoreError;

/// A structured part as it is stored.
pub(super) fn json<T: Serialize>(noun: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged(noun))
}

/// A structured part as it was stored.
pub(super) fn from_json<T: DeserializeOwned>(noun: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged(noun))
}

/// An id or a checked text.
pub(super) fn parse<T: TryFrom<String>>(noun: &'static str, text: String) -> Result<T, StoreError> {
    T::try_from(text).map_err(|_| StoreError::Damaged(noun))
}

/// An id or a checked text that may be missing.
pub(super) fn parse_some<T: TryFrom<String>>(noun: &'static str, text: Option<String>) -> Result<Option<T>, StoreError> {
    text.map(|text| parse(noun, text)).transpose()
}

/// A key of a closed list.
pub(super) fn known<T>(noun: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Damaged(noun))
}

/// A calendar day.
pub(super) fn day(noun: &'static str, text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged(noun))
}

/// A point in time that may be missing.
pub(super) fn instant(micros: Option<i64>) -> Option<Instant> {
    micros.map(Instant::from_micros)
}

/// A count, which the database keeps with a sign.
pub(super) fn count(noun: &'static str, stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|_| StoreError::Damaged(noun))
}

/// A count as the database keeps it.
pub(super) fn stored(noun: &'static str, count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Damaged(noun))
}

/// Whether PostgreSQL can compare with this text at all: it has no NUL, so that nothing stored equals one with it.
pub(super) fn comparable(text: &str) -> bool {
    !text.contains('\0')
}

/// The pattern of `LIKE … ESCAPE '\'` for a text itself.
pub(super) fn like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
