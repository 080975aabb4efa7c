//! The subject ledger: per page or toll, the sorted keyed hashes of the subjects in it, named by digest.
//!
//! A segment is the magic `TGSEG001` and 64-bit big-endian hashes in rising order, each once. Small ones lie in
//! the database, so a page costs no file; large ones in the file store.

use std::sync::Arc;

use crate::domain::text::Digest;
use crate::store::{Tx, segments};

use super::super::{App, AppError};
use super::digest_of;

const MAGIC: &[u8; 8] = b"TGSEG001";

/// Segments up to this many bytes are kept in the database, within the transaction of their release.
const MOST_INLINE: usize = 32 * 1024;

/// A segment that is ready to be named by a release.
#[derive(Debug, Clone)]
pub struct Segment {
    pub digest: Digest,
    /// Distinct subjects in it.
    pub subjects: u64,
    inline: Option<Vec<u8>>,
}

/// Sorts and dedups subjects and prepares their segment; a large one is written to the file store here.
pub async fn prepare(app: &App, mut subjects: Vec<u64>) -> Result<(Arc<Vec<u64>>, Segment), AppError> {
    subjects.sort_unstable();
    subjects.dedup();
    let mut bytes = Vec::with_capacity(MAGIC.len().saturating_add(subjects.len().saturating_mul(8)));
    bytes.extend_from_slice(MAGIC);
    for subject in &subjects {
        bytes.extend_from_slice(&subject.to_be_bytes());
    }
    let (count, subjects) = (u64::try_from(subjects.len()).unwrap_or(u64::MAX), Arc::new(subjects));
    if bytes.len() <= MOST_INLINE {
        return Ok((subjects, Segment { digest: digest_of(&bytes)?, subjects: count, inline: Some(bytes) }));
    }
    let digest = app.files.put_segment(bytes).await?;
    Ok((subjects, Segment { digest, subjects: count, inline: None }))
}

/// Keeps a small segment within the transaction that names it.
pub fn keep(tx: &mut Tx, segment: &Segment) -> Result<(), AppError> {
    match &segment.inline {
        Some(bytes) => Ok(segments::insert(tx, &segment.digest, bytes)?),
        None => Ok(()),
    }
}

/// Reads a segment back, wherever it lies.
pub async fn read(app: &App, digest: Digest) -> Result<Vec<u64>, AppError> {
    let wanted = digest.clone();
    let inline = app.store.read(move |tx| Ok::<_, AppError>(segments::find(tx, &wanted)?)).await?;
    let bytes = match inline {
        Some(bytes) => bytes,
        None => app.files.get_segment(&digest).await?,
    };
    let hashes = bytes.strip_prefix(MAGIC).ok_or_else(|| AppError::Internal("a ledger segment is damaged".to_owned()))?;
    let (hashes, rest) = hashes.as_chunks::<8>();
    if rest.is_empty() {
        Ok(hashes.iter().map(|hash| u64::from_be_bytes(*hash)).collect())
    } else {
        Err(AppError::Internal("a ledger segment is damaged".to_owned()))
    }
}

/// The digest over the names of segments, in order.
pub fn digest_of_names(names: &[Digest]) -> Result<Digest, AppError> {
    let joined: String = names.iter().map(Digest::as_str).collect();
    digest_of(joined.as_bytes())
}

/// The segments as an entry names them. Above a hundred the list itself is kept beside the segments, under the digest
/// that the entry bears as `ledger`.
pub async fn named(app: &App, names: &[Digest]) -> Result<Vec<Digest>, AppError> {
    if names.len() <= 100 {
        return Ok(names.to_vec());
    }
    let joined: String = names.iter().map(Digest::as_str).collect();
    app.files.put_segment(joined.into_bytes()).await?;
    Ok(Vec::new())
}
