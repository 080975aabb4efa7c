//! A text in plain signs: wide digits, odd spaces and dashes become the ASCII ones and signs without width go, and each
//! place in it leads back to the place it came from.

use std::borrow::Cow;
use std::ops::Range;

/// The folded text, and for each of its bytes where that came from.
pub(super) struct Folded<'a> {
    text: Cow<'a, str>,
    /// Empty where nothing was folded.
    from: Vec<usize>,
    length: usize,
}

impl<'a> Folded<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        if text.chars().all(|sign| plain(sign) == Some(sign)) {
            return Self { text: Cow::Borrowed(text), from: Vec::new(), length: text.len() };
        }
        let mut folded = String::with_capacity(text.len());
        let mut from = Vec::with_capacity(text.len());
        for (at, sign) in text.char_indices() {
            let Some(sign) = plain(sign) else { continue };
            folded.push(sign);
            from.resize(folded.len(), at);
        }
        Self { text: Cow::Owned(folded), from, length: text.len() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the text as it came. Signs without width at the end of a place belong to it.
    pub(super) fn place(&self, at: &Range<usize>) -> Range<usize> {
        if matches!(self.text, Cow::Borrowed(_)) {
            return at.clone();
        }
        let back = |at: usize| self.from.get(at).copied().unwrap_or(self.length);
        back(at.start)..back(at.end)
    }
}

/// The plain sign; `None` for one without width.
fn plain(sign: char) -> Option<char> {
    let shifted = |by: u32, to: u32| char::from_u32(u32::from(sign).saturating_sub(by).saturating_add(to));
    match sign {
        _ if sign.is_ascii() => Some(sign),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        // Fullwidth forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => shifted(0xff01, 0x21),
        '\u{660}'..='\u{669}' => shifted(0x660, 0x30),
        '\u{6f0}'..='\u{6f9}' => shifted(0x6f0, 0x30),
        '\u{966}'..='\u{96f}' => shifted(0x966, 0x30),
        _ if sign.is_whitespace() => Some(' '),
        _ => Some(sign),
    }
}
