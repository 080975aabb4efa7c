//! The filters and pages of lists, and history rows, as the wires pass them on.

pub use crate::history::words::{KINDS, OUTCOMES};
pub use crate::store::Page;
pub use crate::store::agreements::lines::{LineFilter as AgreementFilter, Stage as AgreementStage, Standing as VersionAt, WaitsFor};
pub use crate::store::history::{EntryRow, Facets, HistoryFilter, HistoryPage};
pub use crate::store::overview::VendorSort;
pub use crate::store::permits::lines::{LineFilter as PermitFilter, Stage as PermitStage};
pub use crate::store::vendors::VendorFilter;
