//! Mask and truncate: text in NFC, lengths in graphemes, and a mask never tells the length.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::super::canonical::is_nfc;

/// Keeps the ends and pads between with a fixed number of signs.
pub(super) struct Mask {
    prefix: usize,
    suffix: usize,
    pad: String,
    email_domain: bool,
}

impl Mask {
    pub(super) fn new(prefix: u8, suffix: u8, pad: u8, email_domain: bool) -> Self {
        Self { prefix: prefix.into(), suffix: suffix.into(), pad: "*".repeat(pad.into()), email_domain }
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        let cells = column.as_string_opt::<i32>()?;
        Some(each(cells, |text, out| {
            let (masked, domain) = match text.rfind('@') {
                Some(at) if self.email_domain => text.split_at(at),
                _ => (text, ""),
            };
            let (prefix, suffix) = self.ends(masked).unwrap_or(("", ""));
            for part in [prefix, &self.pad, suffix, domain] {
                push(out, part);
            }
        }))
    }

    /// The prefix and the suffix; `None` when nothing would lie between them.
    fn ends<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        if is_simple(text) {
            let between = text.len().checked_sub(self.prefix + self.suffix)?;
            return if between == 0 { None } else { Some((text.get(..self.prefix)?, text.get(text.len() - self.suffix..)?)) };
        }
        let mut graphemes = text.grapheme_indices(true);
        let mut start = 0;
        for _ in 0..self.prefix {
            let (at, grapheme) = graphemes.next()?;
            start = at + grapheme.len();
        }
        let mut end = text.len();
        for _ in 0..self.suffix {
            end = graphemes.next_back()?.0;
        }
        graphemes.next()?;
        Some((text.get(..start)?, text.get(end..)?))
    }
}

/// The first graphemes.
pub(super) fn truncate(column: &ArrayRef, length: usize) -> Option<ArrayRef> {
    let cells = column.as_string_opt::<i32>()?;
    Some(each(cells, |text, out| {
        let end =
            if is_simple(text) { length.min(text.len()) } else { text.grapheme_indices(true).nth(length).map_or(text.len(), |(at, _)| at) };
        push(out, text.get(..end).unwrap_or_default());
    }))
}

/// Whether every byte is a grapheme: ASCII without carriage returns (CR LF is one grapheme).
fn is_simple(text: &str) -> bool {
    text.is_ascii() && !text.as_bytes().contains(&b'\r')
}

/// Writes each text that is not NULL, given in NFC.
pub(super) fn each(cells: &StringArray, write: impl Fn(&str, &mut StringBuilder)) -> ArrayRef {
    let mut out = StringBuilder::with_capacity(cells.len(), cells.values().len().min(cells.len() * 64));
    for cell in cells {
        let Some(text) = cell else {
            out.append_null();
            continue;
        };
        let normal = if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
        write(&normal, &mut out);
        out.append_value("");
    }
    Arc::new(out.finish())
}

/// Appends to the value being built; writing to memory can't fail.
pub(super) fn push(out: &mut StringBuilder, part: &str) {
    let written = std::fmt::Write::write_str(out, part);
    debug_assert!(written.is_ok());
}
