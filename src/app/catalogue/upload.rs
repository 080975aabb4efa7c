//! Source files that are handed in: kept below the uploads folder under a name of our own, or not at all.

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::app::{App, AppError, append, new_id};
use crate::domain::Invalid;
use crate::domain::dataset::Source;
use crate::domain::id::SourceId;
use crate::domain::person::Actor;
use crate::domain::text::Name;
use crate::engine::NotTaken;
use crate::history::{Act, Body};
use crate::store::sources;

pub use crate::engine::FileKind;

impl From<NotTaken> for AppError {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::Invalid(invalid) => invalid.into(),
            NotTaken::Engine(error) => {
                tracing::error!(cause = %error, "an uploaded file could not be taken");
                Self::Unavailable("The file can't be kept just now; nothing was changed.".to_owned())
            }
        }
    }
}

/// Reads what a file is said to be. A separator is for CSV alone, where it is a comma when nobody says.
pub fn file_kind(kind: &str, delimiter: Option<char>) -> Result<FileKind, Invalid> {
    match (kind, delimiter) {
        ("csv", delimiter) => Ok(FileKind::Csv(delimiter.unwrap_or(','))),
        ("parquet" | "sqlite" | "ndjson", Some(_)) => Err(Invalid::new("delimiter", "must not be given: only CSV files have one")),
        ("parquet", None) => Ok(FileKind::Parquet),
        ("sqlite", None) => Ok(FileKind::Sqlite),
        ("ndjson", None) => Ok(FileKind::Ndjson),
        _ => Err(Invalid::new("kind", "must be csv, parquet, ndjson or sqlite")),
    }
}

/// The kind that a file's ending stands for, where it is a usual one; `another kind` for what is no source.
pub fn kind_of_ending(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some("csv"),
        "parquet" | "pq" => Some("parquet"),
        "sqlite" | "sqlite3" | "db" => Some("sqlite"),
        "ndjson" | "jsonl" => Some("ndjson"),
        "xlsx" | "xls" | "ods" | "json" | "xml" | "pdf" | "zip" | "gz" | "exe" | "html" => Some("another kind"),
        _ => None,
    }
}

/// Takes a file piece by piece, so that its size costs no memory, and registers it as a source. Whatever is wrong with
/// it, nothing of it stays.
pub async fn upload_source<Pieces>(app: &App, by: &Actor, name: Name, kind: FileKind, mut pieces: Pieces) -> Result<Source, AppError>
where
    Pieces: Stream<Item = Result<Bytes, AppError>> + Unpin,
{
    if kind_of_ending(name.as_str()).is_some_and(|ending| ending != kind.key()) {
        return Err(Invalid::new("kind", "must be what the file's ending says: csv, parquet, ndjson or sqlite").into());
    }
    let id = new_id::<SourceId>()?;
    let most = u64::try_from(app.settings.most_upload_bytes).unwrap_or(u64::MAX);
    let mut incoming = app.engine.receive(kind, id.as_str(), most).await?;
    while let Some(piece) = pieces.next().await {
        incoming = app.engine.take(incoming, piece?).await?;
    }
    let arrived = app.engine.arrived(incoming).await?;
    let by = by.clone();
    app.store
        .record(move |tx| {
            let source = Source { id, name, location: arrived.location.clone(), created_at: tx.now(), version: 1 };
            sources::insert(tx, &source)?;
            let act = Act::new("source", &source.id, "upload", &by)
                .fact("type", source.location.kind())
                .fact("bytes", arrived.bytes)
                .fact("sha256", &arrived.sha256);
            append(tx, &Body::Act(act), None)?;
            // Before the commit, of which a caller that went away never hears: a row without its file must not exist, and
            // a file without a row does no harm.
            arrived.keep();
            Ok(source)
        })
        .await
}
