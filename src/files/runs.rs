//! Sorted runs of subject hashes, merged on disk: distinct subjects are counted in constant memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};

use super::FileError;

/// Sorted runs in one nameless temporary file, which is gone with the value.
#[derive(Default)]
pub struct Runs {
    file: Option<File>,
    /// Length of each run in hashes.
    lengths: Vec<u64>,
    /// The only run, while there is just one: a small stream touches no disk.
    first: Option<Vec<u64>>,
}

/// Bytes that each run's reader buffers.
const READ_AHEAD: usize = 16 * 1024;

impl Runs {
    /// No runs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a run, sorted and without doubles.
    ///
    /// # Errors
    /// [`FileError::Unavailable`] where the temporary folder can't be written.
    pub async fn push(&mut self, run: Vec<u64>) -> Result<(), FileError> {
        if self.first.is_none() && self.file.is_none() {
            self.first = Some(run);
            return Ok(());
        }
        let before = self.first.take();
        let file = self.file.take();
        let (file, lengths) = blocking(move || {
            let mut file = match file {
                Some(file) => file,
                None => tempfile::tempfile()?,
            };
            let mut lengths = Vec::new();
            for run in before.into_iter().chain([run]) {
                let bytes: Vec<u8> = run.iter().flat_map(|hash| hash.to_le_bytes()).collect();
                file.write_all(&bytes)?;
                lengths.push(u64::try_from(run.len()).unwrap_or(u64::MAX));
            }
            Ok((file, lengths))
        })
        .await?;
        self.file = Some(file);
        self.lengths.extend(lengths);
        Ok(())
    }

    /// How many distinct hashes all runs hold.
    ///
    /// # Errors
    /// [`FileError::Unavailable`] where the temporary file can't be read back.
    pub async fn distinct(self) -> Result<u64, FileError> {
        match (self.first, self.file) {
            (Some(only), _) => Ok(u64::try_from(only.len()).unwrap_or(u64::MAX)),
            (None, None) => Ok(0),
            (None, Some(file)) => {
                let lengths = self.lengths;
                blocking(move || merge(&file, &lengths)).await
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, FileError> + Send + 'static) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(FileError::Unavailable(ErrorKind::Other)))
}

/// A part of the file, read from its own place: all readers share one file and its cursor.
struct Part<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let Some(room) = buffer.get_mut(..wanted) else { return Ok(0) };
        self.file.seek(SeekFrom::Start(self.at))?;
        let read = self.file.read(room)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

fn merge(file: &File, lengths: &[u64]) -> Result<u64, FileError> {
    let mut at = 0_u64;
    let mut readers = Vec::with_capacity(lengths.len());
    for length in lengths {
        let end = at.saturating_add(length.saturating_mul(8));
        readers.push(BufReader::with_capacity(READ_AHEAD, Part { file, at, end }));
        at = end;
    }
    let mut heads = BinaryHeap::new();
    for (number, reader) in readers.iter_mut().enumerate() {
        heads.extend(next(reader)?.map(|hash| Reverse((hash, number))));
    }
    let (mut count, mut last) = (0_u64, None);
    while let Some(Reverse((hash, number))) = heads.pop() {
        if last != Some(hash) {
            count = count.saturating_add(1);
            last = Some(hash);
        }
        if let Some(reader) = readers.get_mut(number) {
            heads.extend(next(reader)?.map(|hash| Reverse((hash, number))));
        }
    }
    Ok(count)
}

fn next(reader: &mut BufReader<Part<'_>>) -> Result<Option<u64>, FileError> {
    let mut bytes = [0_u8; 8];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn distinct_counts_across_runs_as_a_set_would() {
        let mut all = std::collections::HashSet::new();
        let mut runs = Runs::new();
        let mut state = 7_u64;
        for length in [0_usize, 1, 5_000, 3_000, 70_000] {
            let mut run: Vec<u64> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    state >> 46
                })
                .collect();
            run.sort_unstable();
            run.dedup();
            all.extend(run.iter().copied());
            runs.push(run).await.unwrap();
        }
        assert_eq!(runs.distinct().await.unwrap(), u64::try_from(all.len()).unwrap());
    }
}
