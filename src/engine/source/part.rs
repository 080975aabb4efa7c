//! The files of a table: one or many, on this machine or in an object store, and what their folders' names say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{self, ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::runtime::Handle;

use super::EngineError;

/// The files of one table, in the order in which they are read: by path.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Files {
    /// The table's name.
    pub(super) name: String,
    /// The columns that folders name, as in `country=DE/`.
    pub(super) keys: Vec<String>,
    pub(in crate::engine) parts: Vec<Part>,
    /// Where they lie, as the runtime knows the store; this machine's files have none.
    pub(super) store: Option<ObjectStoreUrl>,
}

/// One file.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Part {
    pub(super) at: At,
    pub(in crate::engine) meta: ObjectMeta,
    /// A value for each key; the empty folder of Hive is NULL.
    pub(super) values: Vec<Option<String>>,
}

#[derive(Debug, Clone)]
pub(in crate::engine) enum At {
    Local(PathBuf),
    Object(Arc<dyn ObjectStore>),
}

/// What Hive writes for a partition without a value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

impl Files {
    /// A single file on this machine.
    pub(in crate::engine) fn of_one(path: PathBuf) -> Result<Self, EngineError> {
        let meta = local_meta(&path)?;
        let name = stem(&path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default());
        Ok(Self { name, keys: Vec::new(), parts: vec![Part { at: At::Local(path), meta, values: Vec::new() }], store: None })
    }

    /// Files below a folder, by the path of each below it. The folders of every file must name the same columns.
    pub(in crate::engine) fn of_many(
        name: String,
        mut found: Vec<(String, At, ObjectMeta)>,
        store: Option<ObjectStoreUrl>,
    ) -> Result<Self, EngineError> {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let mut keys = None;
        let mut parts = Vec::with_capacity(found.len());
        for (below, at, meta) in found {
            let (folders, _) = below.rsplit_once('/').unwrap_or_default();
            let folders: Vec<(String, Option<String>)> = folders.split('/').filter_map(partition).collect();
            let (named, values): (Vec<_>, Vec<_>) = folders.into_iter().unzip();
            if *keys.get_or_insert_with(|| named.clone()) != named {
                return Err(EngineError::Drift("the folders of its files name different columns".to_owned()));
            }
            parts.push(Part { at, meta, values });
        }
        if parts.is_empty() {
            return Err(EngineError::Unavailable("the folder has no file of this kind".to_owned()));
        }
        Ok(Self { name, keys: keys.unwrap_or_default(), parts, store })
    }

    /// The path, where it is one file of this machine.
    pub(super) fn only_local(&self) -> Option<&Path> {
        match self.parts.as_slice() {
            [Part { at: At::Local(path), .. }] if self.keys.is_empty() => Some(path),
            _ => None,
        }
    }

    pub(super) fn first(&self) -> Result<&Part, EngineError> {
        self.parts.first().ok_or_else(EngineError::damaged)
    }
}

/// `country=DE` as a column and its value, percent-decoded as Hive writes it.
fn partition(folder: &str) -> Option<(String, Option<String>)> {
    let (key, value) = folder.split_once('=')?;
    let decoded = |text: &str| percent_decoded(text).unwrap_or_else(|| text.to_owned());
    let value = if value == NO_VALUE || value.is_empty() { None } else { Some(decoded(value)) };
    Some((decoded(key), value))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, others) = rest.split_at_checked(2)?;
        rest = others;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// What a file of this machine is to those who read object stores.
pub(in crate::engine) fn local_meta(path: &Path) -> Result<ObjectMeta, EngineError> {
    let file = std::fs::metadata(path).map_err(|_| EngineError::damaged())?;
    Ok(ObjectMeta {
        location: StorePath::from_absolute_path(path).map_err(|_| EngineError::damaged())?,
        last_modified: file.modified().map_err(|_| EngineError::damaged())?.into(),
        size: file.len(),
        e_tag: None,
        version: None,
    })
}

/// The name of a file's one table: the file's name without its endings.
pub(in crate::engine) fn stem(name: &str) -> String {
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    Path::new(plain).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Part {
    /// A column that the file's folder names.
    pub(super) fn constant(&self, keys: &[String], name: &str, rows: usize) -> Result<ArrayRef, EngineError> {
        let at = keys.iter().position(|key| key == name).ok_or_else(|| EngineError::Drift("a column is gone".to_owned()))?;
        let value = self.values.get(at).and_then(Option::as_deref);
        Ok(Arc::new(std::iter::repeat_n(value, rows).collect::<StringArray>()))
    }

    /// The file's bytes, decompressed where its ending says so. Blocks, so it belongs on a thread of its own.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead + Send>, EngineError> {
        const AHEAD: usize = 256 * 1024;
        let name = self.meta.location.as_ref();
        let (gzip, zstd) = (name.ends_with(".gz"), name.ends_with(".zst"));
        let raw: Box<dyn BufRead + Send> = match &self.at {
            At::Local(path) => Box::new(BufReader::with_capacity(AHEAD, File::open(path).map_err(|_| EngineError::damaged())?)),
            At::Object(store) => {
                let handle = Handle::try_current().map_err(|_| EngineError::internal("a file was read outside the engine"))?;
                let got = handle.block_on(store.get(&self.meta.location))?;
                Box::new(BufReader::with_capacity(AHEAD, Streamed { handle, pieces: got.into_stream(), piece: Bytes::new() }))
            }
        };
        Ok(if gzip {
            // Files that were appended to have several members.
            Box::new(BufReader::with_capacity(AHEAD, flate2::bufread::MultiGzDecoder::new(raw)))
        } else if zstd {
            let decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(|_| EngineError::damaged())?;
            Box::new(BufReader::with_capacity(AHEAD, decoder))
        } else {
            raw
        })
    }
}

impl From<object_store::Error> for EngineError {
    fn from(error: object_store::Error) -> Self {
        // The store's own words name keys, buckets and hosts.
        Self::Unavailable(match error {
            object_store::Error::NotFound { .. } => "the object store has no such bucket or file".to_owned(),
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                "the object store refuses the access key or the secret".to_owned()
            }
            _ => "the object store can't be reached, has no such bucket, or did not answer as one".to_owned(),
        })
    }
}

/// The pieces of an object as they come, for readers that block.
struct Streamed {
    handle: Handle,
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Streamed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.handle.block_on(self.pieces.next()) {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(|_| io::Error::other("the object store stopped sending"))?,
            }
        }
        let count = to.len().min(self.piece.len());
        let (to, _) = to.split_at_mut(count);
        self.piece.copy_to_slice(to);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_columns() {
        assert_eq!(partition("country=DE"), Some(("country".to_owned(), Some("DE".to_owned()))));
        assert_eq!(partition("a%20b=c%3Dd"), Some(("a b".to_owned(), Some("c=d".to_owned()))));
        assert_eq!(partition("day=__HIVE_DEFAULT_PARTITION__"), Some(("day".to_owned(), None)));
        assert_eq!(partition("2026"), None);
        assert_eq!(partition("a=%zz"), Some(("a".to_owned(), Some("%zz".to_owned()))));
    }

    #[test]
    fn endings_are_no_part_of_the_name() {
        assert_eq!(stem("customers.csv.gz"), "customers");
        assert_eq!(stem("customers.2026.parquet"), "customers.2026");
    }
}
