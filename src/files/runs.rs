//! Sorted runs of subject hashes, merged on disk: distinct subjects are counted in constant memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

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

/// Half of all hashes begin below it, as they are spread evenly.
const MIDDLE: u64 = 1 << 63;

#[derive(Debug, Clone, Copy)]
enum Side {
    Lower,
    Upper,
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
                let runs = Arc::new((file, self.lengths));
                let (lower, upper) = (Arc::clone(&runs), runs);
                // Both halves are counted side by side: the end of a stream waits for it.
                let lower = blocking(move || merge(&lower.0, &lower.1, Side::Lower));
                let upper = blocking(move || merge(&upper.0, &upper.1, Side::Upper));
                let (lower, upper) = tokio::join!(lower, upper);
                Ok(lower?.saturating_add(upper?))
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, FileError> + Send + 'static) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(FileError::Unavailable(ErrorKind::Other)))
}

/// A part of the file, read from its own place: the file's cursor is nobody's.
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
        let read = self.file.read_at(room, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

/// The first place of a run whose hash is the bound or beyond.
fn first_from(file: &File, begin: u64, length: u64, bound: u64) -> Result<u64, FileError> {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low.midpoint(high);
        let mut bytes = [0_u8; 8];
        file.read_exact_at(&mut bytes, begin.saturating_add(middle.saturating_mul(8)))?;
        if u64::from_le_bytes(bytes) < bound { low = middle.saturating_add(1) } else { high = middle }
    }
    Ok(low)
}

/// Counts the distinct hashes of all runs on one side of the middle.
fn merge(file: &File, lengths: &[u64], side: Side) -> Result<u64, FileError> {
    let mut begin = 0_u64;
    let mut readers = Vec::with_capacity(lengths.len());
    for length in lengths {
        let middle = begin.saturating_add(first_from(file, begin, *length, MIDDLE)?.saturating_mul(8));
        let end = begin.saturating_add(length.saturating_mul(8));
        let (at, end) = match side {
            Side::Lower => (begin, middle),
            Side::Upper => (middle, end),
        };
        readers.push(BufReader::with_capacity(READ_AHEAD, Part { file, at, end }));
        begin = begin.saturating_add(length.saturating_mul(8));
    }
    let mut heads = BinaryHeap::new();
    for (number, reader) in readers.iter_mut().enumerate() {
        heads.extend(next(reader)?.map(|hash| Reverse((hash, number))));
    }
    let (mut count, mut last) = (0_u64, None);
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((hash, number)) = *head;
        if last != Some(hash) {
            count = count.saturating_add(1);
            last = Some(hash);
        }
        // The next of the same run takes its place, which costs half of taking it out and putting another in.
        match readers.get_mut(number).map(next).transpose()?.flatten() {
            Some(hash) => *head = Reverse((hash, number)),
            None => drop(PeekMut::pop(head)),
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
                    // Doubles, on both sides of the middle.
                    (state >> 46) << 46
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
