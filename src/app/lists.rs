//! The filters and pages of lists, and history rows, as the wires pass them on.

pub use crate::history::words::{KINDS, OUTCOMES};
pub use crate::store::Page;
pub use crate::store::history::{EntryRow, HistoryFilter, HistoryPage};
pub use crate::store::vendors::VendorFilter;
