//! What sampled cells look like, where a source declares no types: the type that all of them have, and those that fit.

use super::Fits;
use crate::domain::dataset::LogicalType;
use crate::engine::{calendar, read};

/// A cell as a source without declared types holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Anything may be meant, as in CSV and in names of folders.
    Bare(&'a str),
    /// A text in quotes: digits in it are a text, as JSON says.
    Quoted(&'a str),
    /// An object or a list.
    Nested,
}

/// What the sampled cells of a column look like.
#[derive(Debug, Default)]
pub(super) struct Seen {
    cells: usize,
    quoted: usize,
    nested: usize,
    /// `true` and `false` in words: digits alone are more likely numbers.
    words: usize,
    booleans: usize,
    integers: usize,
    /// Whole numbers written as a program writes them: without a sign in front or leading zeros, which codes have.
    plain_integers: usize,
    numbers: usize,
    plain_numbers: usize,
    dates: usize,
    plain_dates: usize,
    timestamps: usize,
}

impl Seen {
    pub(super) fn look(&mut self, cell: Cell<'_>) {
        self.cells += 1;
        let text = match cell {
            Cell::Bare(text) => text,
            Cell::Quoted(text) => {
                self.quoted += 1;
                text
            }
            Cell::Nested => {
                self.nested += 1;
                return;
            }
        };
        let plain = is_plain(text);
        let integer = read::read_integer(text).is_some();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let number = read::read_number(text).is_some();
        let boolean = read::read_boolean(text).is_some();
        let date = calendar::read_date(text).is_some();
        self.words += usize::from(boolean && !integer);
        self.booleans += usize::from(boolean);
        self.integers += usize::from(integer);
        self.plain_integers += usize::from(integer && plain);
        self.numbers += usize::from(number);
        // Digits beyond 64 bits are a code: as a number they would lose their last ones.
        self.plain_numbers += usize::from(number && plain && (integer || !digits));
        self.dates += usize::from(date);
        self.plain_dates += usize::from(date && text.len() == 10);
        self.timestamps += usize::from(calendar::read_timestamp(text).is_some());
    }

    /// The narrowest type that every cell has.
    pub(super) fn logical(&self) -> LogicalType {
        if self.nested > 0 {
            return LogicalType::Other;
        }
        let bare = |count: usize| if self.quoted == 0 { count } else { 0 };
        let candidates = [
            (bare(self.words), LogicalType::Boolean),
            (bare(self.plain_integers), LogicalType::Integer),
            (bare(self.plain_numbers), LogicalType::Number),
            (self.plain_dates, LogicalType::Date),
            (self.timestamps, LogicalType::Timestamp),
        ];
        let all = candidates.into_iter().find(|(count, _)| self.cells > 0 && *count == self.cells);
        all.map_or(LogicalType::Text, |(_, logical)| logical)
    }

    /// The types that some cell has, or all when there are no cells.
    pub(super) fn fits(&self) -> Fits {
        let counts = [
            (self.booleans, LogicalType::Boolean),
            (self.integers, LogicalType::Integer),
            (self.numbers, LogicalType::Number),
            (self.dates, LogicalType::Date),
            (self.timestamps, LogicalType::Timestamp),
            // Only ever withheld.
            (self.nested, LogicalType::Other),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0 || self.cells == 0).map(|(_, logical)| logical);
        Fits::OneOf(std::iter::once(LogicalType::Text).chain(some).collect())
    }
}

fn is_plain(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    digits.starts_with(|first: char| first.is_ascii_digit()) && !padded && cell.trim() == cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> LogicalType {
        let mut seen = Seen::default();
        cells.into_iter().for_each(|cell| seen.look(cell));
        seen.logical()
    }

    #[test]
    fn types_are_told_from_cells() {
        for (cells, expected) in [
            (["1", "-20", "0"], LogicalType::Integer),
            (["00123", "1", "2"], LogicalType::Text),
            (["+49", "1", "2"], LogicalType::Text),
            (["1.5", "2", "-1e3"], LogicalType::Number),
            (["0.5", "-0.5", "0"], LogicalType::Number),
            (["12345678901234567890", "1", "2"], LogicalType::Text),
            (["NaN", "1", "2"], LogicalType::Text),
            (["true", "FALSE", "true"], LogicalType::Boolean),
            (["1", "0", "1"], LogicalType::Integer),
            (["2026-07-01", "2024-02-29", "1969-12-31"], LogicalType::Date),
            (["2026-07-01", "2026-07-01 08:00:00", "2026-07-01T08:00:00Z"], LogicalType::Timestamp),
            (["2026-07-01", "2026-02-30", "2026-07-01"], LogicalType::Text),
            (["a", "1", "2"], LogicalType::Text),
        ] {
            assert_eq!(told(cells.map(Cell::Bare)), expected, "{cells:?}");
        }
        assert_eq!(told([]), LogicalType::Text);
    }

    #[test]
    fn quotes_make_a_text_of_digits_and_nesting_can_only_be_withheld() {
        assert_eq!(told([Cell::Quoted("1"), Cell::Quoted("2")]), LogicalType::Text);
        assert_eq!(told([Cell::Quoted("1"), Cell::Bare("2")]), LogicalType::Text);
        assert_eq!(told([Cell::Quoted("2026-07-01")]), LogicalType::Date);
        assert_eq!(told([Cell::Bare("1"), Cell::Nested]), LogicalType::Other);
    }
}
