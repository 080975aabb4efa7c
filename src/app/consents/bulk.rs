//! Many records at once, line by line as they come: what is kept of one part stays kept when a later line can't be read.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::consent::Signal;
use crate::domain::person::Actor;
use crate::domain::text::Slug;

use super::super::{App, AppError};
use super::{MOST_AT_ONCE, Report, Taken, record};

/// The longest line, in bytes.
const MOST_LINE: usize = 16 * 1024;
/// Errors that are told one by one; all are counted.
const MOST_TOLD: usize = 100;

/// How the lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFormat {
    /// One JSON object a line.
    Ndjson,
    /// A header, then one record a line.
    Csv,
}

/// What became of a file of records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Imported {
    /// Records that count from now on.
    pub counts: u64,
    /// Records that are kept, and that a later event overtook.
    pub overtaken: u64,
    /// Records that were here already.
    pub repeated: u64,
    /// Lines that could not be taken. The others were.
    pub refused: u64,
    /// The first hundred of them.
    pub errors: Vec<LineError>,
    /// The number of the last record that is kept.
    pub watermark: i64,
}

/// Why a line was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineError {
    /// From 1; a header counts.
    pub line: u64,
    pub field: String,
    pub reason: String,
}

/// Records each line of a file. Sent again, what was kept is told as repeated, so a file that broke off is sent whole.
pub async fn import(
    app: &App,
    by: &Actor,
    domain: Slug,
    format: LineFormat,
    mut pieces: impl Stream<Item = Result<Bytes, AppError>> + Unpin,
) -> Result<Imported, AppError> {
    let mut import = Import { app, by, domain, reader: Reader::new(format), part: Vec::new(), done: Imported::default() };
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = pieces.next().await {
        rest.extend_from_slice(&piece?);
        let mut begin = 0_usize;
        while let Some(length) = rest.get(begin..).and_then(|left| left.iter().position(|byte| *byte == b'\n')) {
            let end = begin.saturating_add(length);
            import.line(rest.get(begin..end).unwrap_or_default()).await?;
            begin = end.saturating_add(1);
        }
        rest.drain(..begin);
        if rest.len() > MOST_LINE {
            return Err(Invalid::new("", format!("must have lines of at most {MOST_LINE} bytes; the records before are kept")).into());
        }
    }
    import.line(&rest).await?;
    import.keep().await?;
    Ok(import.done)
}

struct Import<'a> {
    app: &'a App,
    by: &'a Actor,
    domain: Slug,
    reader: Reader,
    /// Records that are not kept yet, with the lines they stood on.
    part: Vec<(u64, Report)>,
    done: Imported,
}

impl Import<'_> {
    async fn line(&mut self, line: &[u8]) -> Result<(), AppError> {
        let number = self.reader.lines.saturating_add(1);
        match self.reader.read(line)? {
            None => return Ok(()),
            Some(Ok(report)) => self.part.push((number, report)),
            Some(Err(error)) => self.refuse(number, error),
        }
        if self.part.len() == MOST_AT_ONCE { self.keep().await } else { Ok(()) }
    }

    async fn keep(&mut self) -> Result<(), AppError> {
        let (lines, reports): (Vec<u64>, Vec<Report>) = std::mem::take(&mut self.part).into_iter().unzip();
        let recorded = record(self.app, self.by, self.domain.clone(), reports).await?;
        self.done.watermark = recorded.watermark;
        for (line, taken) in lines.into_iter().zip(recorded.taken) {
            match taken {
                Ok(Taken::Counts) => self.done.counts = self.done.counts.saturating_add(1),
                Ok(Taken::Overtaken) => self.done.overtaken = self.done.overtaken.saturating_add(1),
                Ok(Taken::Repeated) => self.done.repeated = self.done.repeated.saturating_add(1),
                Err(error) => self.refuse(line, error),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, error: Invalid) {
        self.done.refused = self.done.refused.saturating_add(1);
        if self.done.errors.len() < MOST_TOLD {
            self.done.errors.push(LineError { line, field: error.field, reason: error.reason });
        }
    }
}

/// Reads one line after the other.
struct Reader {
    format: LineFormat,
    header: Option<csv::StringRecord>,
    lines: u64,
}

/// A line of a CSV file: what is empty is not given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cells {
    record: String,
    subject: String,
    signal: Signal,
    #[serde(default)]
    purpose: String,
    stands: bool,
    event_time: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default)]
    notice: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    jurisdiction: String,
}

impl Reader {
    const fn new(format: LineFormat) -> Self {
        Self { format, header: None, lines: 0 }
    }

    /// The record of a line; none for an empty line and for the header.
    fn read(&mut self, line: &[u8]) -> Result<Option<Result<Report, Invalid>>, AppError> {
        self.lines = self.lines.saturating_add(1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.lines == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        match self.format {
            LineFormat::Ndjson => Ok(Some(object(line))),
            LineFormat::Csv => match &self.header {
                Some(header) => Ok(Some(cells(line, header))),
                None => {
                    self.header = Some(header(line)?);
                    Ok(None)
                }
            },
        }
    }
}

fn object(line: &[u8]) -> Result<Report, Invalid> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let report = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        Invalid::new(if path == "." { String::new() } else { path.chars().take(100).collect() }, "must be a record as the API describes it")
    })?;
    reader.end().map_err(|_| Invalid::new("", "must be one JSON object"))?;
    Ok(report)
}

fn parsed(line: &[u8]) -> Option<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut record = csv::StringRecord::new();
    matches!(reader.read_record(&mut record), Ok(true)).then_some(record)
}

fn header(line: &[u8]) -> Result<csv::StringRecord, Invalid> {
    let header = parsed(line).ok_or_else(|| Invalid::new("", "must begin with a header in UTF-8"))?;
    let known = ["record", "subject", "signal", "purpose", "stands", "event_time", "ends_at", "notice", "channel", "jurisdiction"];
    let needed = ["record", "subject", "signal", "stands", "event_time"];
    if header.iter().all(|name| known.contains(&name)) && needed.iter().all(|name| header.iter().any(|given| given == *name)) {
        Ok(header)
    } else {
        Err(Invalid::new(
            "",
            format!("must begin with a header that names {}, and of the others only {}", needed.join(", "), known.join(", ")),
        ))
    }
}

fn cells(line: &[u8], header: &csv::StringRecord) -> Result<Report, Invalid> {
    let cells = parsed(line).ok_or_else(|| Invalid::new("", "must be one line of CSV in UTF-8"))?;
    if cells.len() != header.len() {
        return Err(Invalid::new("", "must have as many cells as the header"));
    }
    let cells: Cells = cells
        .deserialize(Some(header))
        .map_err(|_| Invalid::new("", "must have a known word in signal, true or false in stands, and each column once"))?;
    fn some<T: std::str::FromStr<Err = Invalid>>(field: &str, text: &str) -> Result<Option<T>, Invalid> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|error: Invalid| error.within(field)) }
    }
    Ok(Report {
        record: cells.record.parse().map_err(|error: Invalid| error.within("record"))?,
        subject: cells.subject,
        signal: cells.signal,
        purpose: some("purpose", &cells.purpose)?,
        stands: cells.stands,
        event_time: cells.event_time.parse().map_err(|error: Invalid| error.within("event_time"))?,
        ends_at: some("ends_at", &cells.ends_at)?,
        notice: some("notice", &cells.notice)?,
        channel: some("channel", &cells.channel)?,
        jurisdiction: some("jurisdiction", &cells.jurisdiction)?,
    })
}
