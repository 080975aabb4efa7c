//! The gate: which locks each way in takes, always the global one before a vendor's. State is read after them.
//!
//! PostgreSQL only: on SQLite the one writer is the gate. A lock is held until its transaction ends, and statements
//! after it see all that was committed before it was granted (`READ COMMITTED`).

use crate::domain::id::VendorId;

use super::Scope;

/// Lock of all rights. Positive, as no vendor's is.
const GLOBAL: i64 = 0x7469_6465_0000_0001;

/// Lock of the one broker that gives positions.
pub(super) const SEQUENCER: i64 = 0x7469_6465_0000_0002;

/// Lock of the one process that brings the schema up to date.
pub(super) const MIGRATIONS: i64 = 0x7469_6465_0000_0003;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Both shared.
pub(super) fn release(vendor: &VendorId) -> String {
    format!("{BEGIN}; SELECT pg_advisory_xact_lock_shared({GLOBAL}); SELECT pg_advisory_xact_lock_shared({})", key(vendor))
}

/// A vendor's alone, beside other vendors; or everything alone.
pub(super) fn govern(scope: &Scope) -> String {
    match scope {
        Scope::Vendor(vendor) => {
            format!("{BEGIN}; SELECT pg_advisory_xact_lock_shared({GLOBAL}); SELECT pg_advisory_xact_lock({})", key(vendor))
        }
        Scope::All | Scope::People => format!("{BEGIN}; SELECT pg_advisory_xact_lock({GLOBAL})"),
    }
}

/// No lock.
pub(super) fn record() -> String {
    BEGIN.to_owned()
}

/// The last 64 bits of the vendor's UUID: its variant and 62 random bits. Two vendors with the same ones would only
/// wait for each other.
fn key(vendor: &VendorId) -> i64 {
    let bits = vendor
        .as_str()
        .bytes()
        .filter_map(|byte| char::from(byte).to_digit(16))
        .fold(0_u64, |bits, digit| bits.wrapping_shl(4) | u64::from(digit));
    // The top bit keeps these apart from the locks above.
    (bits | 1 << 63).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_lock_is_its_own() {
        let vendor = |text: &str| text.parse::<VendorId>().map(|id| key(&id)).ok();
        let (one, other) = (vendor("0190a0b0-0000-7000-8000-000000000001"), vendor("0190a0b0-0000-7000-8000-000000000002"));
        assert!(one.is_some_and(|lock| lock < 0));
        assert_ne!(one, other);
        assert!([GLOBAL, SEQUENCER, MIGRATIONS].iter().all(|lock| *lock > 0));
    }
}
