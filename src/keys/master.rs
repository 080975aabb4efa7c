//! The master key is read from one private place, is never printed, and is never made where one should be.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

/// The bits by which group and others could reach the file.
const OTHERS: u32 = 0o077;
/// More than this is no key file.
const MOST_BYTES: u64 = 256;

/// Where the master key comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum MasterKeySource {
    /// Base64 of 32 bytes, as `TIDEGATE_MASTER_KEY` held it.
    Environment(String),
    /// A file of the same text; a relative path starts at the data directory.
    File(PathBuf),
}

impl fmt::Debug for MasterKeySource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(_) => out.write_str("Environment(..)"),
            Self::File(path) => out.debug_tuple("File").field(path).finish(),
        }
    }
}

/// The key that wraps every other key. Its `Debug` prints `MasterKey(..)`; it is wiped when dropped.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// Reads the key that must be there.
    ///
    /// # Errors
    /// When it is absent, malformed, unreadable, or a file that group or others can reach.
    pub fn load(source: &MasterKeySource, data_dir: &Path) -> Result<Self, KeyError> {
        match source {
            MasterKeySource::Environment(text) => {
                parse(text).ok_or_else(|| KeyError::Malformed { origin: "TIDEGATE_MASTER_KEY".to_owned() })
            }
            MasterKeySource::File(path) => read(&data_dir.join(path)),
        }
    }

    /// Reads the key, or makes the file (mode 0600, 32 random bytes) where none is. Only a caller that knows
    /// the data directory to be new may do so: a second key could not open what the first has sealed.
    ///
    /// # Errors
    /// As [`MasterKey::load`], and when the file can't be written.
    pub fn load_or_create(source: &MasterKeySource, data_dir: &Path) -> Result<Self, KeyError> {
        match (Self::load(source, data_dir), source) {
            (Err(KeyError::Missing { .. }), MasterKeySource::File(path)) => {
                create(&data_dir.join(path))?;
                Self::load(source, data_dir)
            }
            (outcome, _) => outcome,
        }
    }

    /// The key itself, for the ring that wraps with it.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn parse(text: &str) -> Option<MasterKey> {
    let decoded = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    let bytes: [u8; 32] = decoded.as_slice().try_into().ok()?;
    Some(MasterKey(Zeroizing::new(bytes)))
}

fn read(path: &Path) -> Result<MasterKey, KeyError> {
    let shown = || path.display().to_string();
    let unreadable = |source| KeyError::Unreadable { path: shown(), source };
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyError::Missing { path: shown() },
        _ => unreadable(error),
    })?;
    // The open file is asked, not the path: nobody can swap it in between.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeyError::Exposed { path: shown(), mode });
    }
    let mut text = Zeroizing::new(Vec::new());
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    std::str::from_utf8(&text).ok().and_then(parse).ok_or_else(|| KeyError::Malformed { origin: format!("master key file {}", shown()) })
}

fn create(path: &Path) -> Result<(), KeyError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    write_new(path, folder).map_err(|source| KeyError::Unwritable { path: path.display().to_string(), source })
}

fn write_new(path: &Path, folder: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(Zeroizing::new(super::random::<32>()))));
    // Temporary files are made with mode 0600. The name appears only once the key is whole on disk.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        // Another broker was first: its key is the key.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> MasterKeySource {
        MasterKeySource::File(PathBuf::from("master.key"))
    }

    fn write(dir: &Path, text: &str, mode: u32) {
        let path = dir.join("master.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_file_is_made_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(MasterKey::load(&file(), dir.path()), Err(KeyError::Missing { .. })));
        assert!(!dir.path().join("master.key").exists());

        let made = MasterKey::load_or_create(&file(), dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join("master.key")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(MasterKey::load(&file(), dir.path()).unwrap().bytes(), made.bytes());
        assert_eq!(MasterKey::load_or_create(&file(), dir.path()).unwrap().bytes(), made.bytes());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn a_file_that_others_can_reach_is_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o620, 0o666] {
            write(dir.path(), &STANDARD.encode([7; 32]), mode);
            let error = MasterKey::load_or_create(&file(), dir.path()).unwrap_err();
            assert!(matches!(error, KeyError::Exposed { .. }), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        write(dir.path(), &STANDARD.encode([7; 32]), 0o400);
        assert_eq!(MasterKey::load(&file(), dir.path()).unwrap().bytes(), &[7; 32]);
    }

    #[test]
    fn malformed_keys_are_refused_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "short", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33]), &"A".repeat(9_000)] {
            write(dir.path(), text, 0o600);
            let from_file = MasterKey::load_or_create(&file(), dir.path()).unwrap_err();
            let from_environment = MasterKey::load(&MasterKeySource::Environment(text.to_owned()), dir.path()).unwrap_err();
            for error in [from_file, from_environment] {
                assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
                assert!(text.is_empty() || !format!("{error}{error:?}").contains(text));
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let text = STANDARD.encode([7; 32]);
        let source = MasterKeySource::Environment(text.clone());
        let key = MasterKey::load(&source, Path::new("/")).unwrap();
        assert_eq!(format!("{key:?} {source:?}"), "MasterKey(..) Environment(..)");
    }
}
