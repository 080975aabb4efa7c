//! The demo: made-up rows and vendors in all stages, made through the same use cases as everything else.

mod answers;
mod catalogue;
mod credentials;
mod fill;
mod greet;
pub mod places;
mod pulls;
pub mod rows;
mod vendors;
pub mod write;

use std::path::Path;

use crate::boot::{self, Clock};
use crate::config::{Config, DatabaseUrl};

use super::CliError;
use credentials::Credentials;

/// Fills the data directory, unless it holds a demo already, says what is there, and serves it.
pub fn run(config: &Config, json: bool) -> Result<(), CliError> {
    boot::block_on(async {
        let listener = boot::listen(config)?;
        let bound = listener.local_addr().map_err(boot::BootError::Server)?;
        let url = config.public_url(bound);
        let credentials = match Credentials::read(&config.data_dir)? {
            Some(credentials) => credentials,
            None => {
                check_empty(config)?;
                let made = fill::fill(config, &url).await?;
                made.write(&config.data_dir)?;
                made
            }
        };
        let app = boot::open(config, url.clone(), Clock::system()).await?;
        greet::greet(&credentials, &url, &config.data_dir, json)?;
        Ok(boot::run(app, listener, config, boot::told_to_stop()).await?)
    })
}

/// A directory that holds something else than a demo is left alone.
fn check_empty(config: &Config) -> Result<(), CliError> {
    let used = match &config.database_url {
        DatabaseUrl::Sqlite(path) => path.exists(),
        DatabaseUrl::Postgres(_) => config.data_dir.join("master.key").exists(),
    };
    if !used {
        return Ok(());
    }
    let data_dir: &Path = &config.data_dir;
    Err(CliError::Demo(format!(
        "{} holds an installation that is no finished demo; name another directory with --data-dir, or remove this one if nothing in it is needed",
        data_dir.display()
    )))
}
