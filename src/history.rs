//! The sharing history: what an entry says and the exact bytes that are kept and hashed. Pure.
//!
//! An entry's bytes are RFC 8785 canonical JSON, kept as hashed and never serialised again; the leaf hash is
//! SHA-256 over `0x00 ‖ bytes` (RFC 6962 §2.1). Nothing in a leaf is personal: people are opaque ids, addresses
//! keyed hashes; reasons and filter values stand beside the leaf, bound by a salted hash, and can be erased.

pub mod entry;
pub mod leaf;
pub mod policy;
pub mod words;

pub use entry::{Act, Body, Closed, Cut, Index, Opened, Outcome, Receiver, Refused, Released, What};
pub use leaf::{Leaf, NotRecordable, Randomness, Record, record};
