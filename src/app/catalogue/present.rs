//! What the source folders hold just now, read when somebody asks: files that could be registered.

use crate::app::{App, AppError};

pub use crate::engine::{FoundFile, FoundFiles};

/// What is said where a source can't be read.
pub(super) const UNREADABLE: &str = "What holds its rows is missing or damaged or can't be reached, or the table is not in it any more. Releases from it are refused until it is back.";

/// The files below the source roots that could be registered.
pub async fn found_files(app: &App) -> Result<FoundFiles, AppError> {
    app.engine.found_files().await.map_err(|error| AppError::of_engine(error, "(roots)"))
}
