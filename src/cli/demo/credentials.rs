//! What the demo, and only the demo, keeps of its secrets: so that a second start prints the same.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::CliError;

const FILE: &str = "demo-credentials.json";

/// Everybody's secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub staff: Vec<Staff>,
    pub vendors: Vec<VendorAccess>,
}

/// A person of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Staff {
    pub email: String,
    pub password: String,
    pub role: String,
    pub api_key: String,
}

/// A vendor of the demo; one without access has no client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VendorAccess {
    pub name: String,
    pub lifecycle: String,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub permits: Vec<String>,
}

impl Credentials {
    /// What an earlier start kept.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, CliError> {
        let path = data_dir.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_| CliError::Demo(format!("{} is damaged; remove the demo's directory and start again", path.display()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CliError::Demo(format!("{} can't be read: {}", path.display(), error.kind()))),
        }
    }

    /// Keeps them, readable by their owner alone. It is the last thing written, so a file that is there means a full demo.
    pub fn write(&self, data_dir: &Path) -> Result<(), CliError> {
        let path = data_dir.join(FILE);
        let failed = |error: std::io::Error| CliError::Demo(format!("{} can't be written: {}", path.display(), error.kind()));
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| CliError::Demo(error.to_string()))?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)
    }
}
