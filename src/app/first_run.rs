//! How far an installation has come towards its first pull, told from what is there and from nothing else.

use crate::policy::first_run::{self as policy, Found};
use crate::store::{first_run, queue};

use super::{App, AppError};

pub use policy::{FirstStep, StepState, steps};

/// What is there already.
pub async fn found(app: &App) -> Result<Found, AppError> {
    app.store
        .read(|tx| {
            let now = tx.now();
            Ok(Found {
                roles: first_run::roles(tx)?,
                dataset: first_run::dataset(tx)?,
                vendor: first_run::vendor(tx)?,
                reviewed: first_run::reviewed(tx, now)?,
                permit: queue::permits_in_force(tx, now)? > 0,
                client: first_run::client(tx)?,
                release: first_run::release(tx)?,
            })
        })
        .await
}
