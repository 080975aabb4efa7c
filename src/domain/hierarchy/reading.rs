//! A hierarchy's file: read whole and checked whole, or refused with the row that is wrong, whose values stay unsaid.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use unicode_normalization::UnicodeNormalization;

use super::{Hierarchy, Level, MOST_BYTES, MOST_LEVELS, MOST_ROWS, SHOWN};
use crate::domain::Invalid;

/// The most characters of a value or a text.
const MOST_CHARACTERS: usize = 500;

/// The field of a form or a request that the file came in.
const FILE: &str = "file";

impl Hierarchy {
    /// Reads a CSV file without a header: in each row a raw value, then its text at each level, the finest first.
    /// Semicolons or commas stand between cells, whichever the first row shows.
    pub fn read(file: &[u8]) -> Result<Self, Invalid> {
        if file.len() > MOST_BYTES {
            return Err(wrong("must not be larger than 20 MB: split the values over several hierarchies"));
        }
        let text = std::str::from_utf8(file).map_err(|_| wrong("must be text in UTF-8: save it in that encoding"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(text)).from_reader(text.as_bytes());
        let mut building = Building::default();
        let mut cells = csv::StringRecord::new();
        while reader.read_record(&mut cells).map_err(|_| wrong("must be a CSV file"))? {
            building.add(&cells)?;
        }
        building.whole()
    }
}

/// A semicolon where the first row has one outside quotation marks, else a comma.
fn separator(text: &str) -> u8 {
    let mut quoted = false;
    for sign in text.bytes() {
        match sign {
            b'"' => quoted = !quoted,
            b';' if !quoted => return b';',
            b'\n' if !quoted => return b',',
            _ => {}
        }
    }
    b','
}

fn wrong(reason: impl Into<String>) -> Invalid {
    Invalid::new(FILE, reason)
}

/// What was read so far.
#[derive(Default)]
struct Building {
    values: HashMap<Box<str>, u32>,
    levels: Vec<Interned>,
    beginning: Vec<Vec<String>>,
}

/// The texts of a level, each once.
#[derive(Default)]
struct Interned {
    places: HashMap<Box<str>, u32>,
    coarser: Vec<u32>,
}

impl Building {
    fn add(&mut self, cells: &csv::StringRecord) -> Result<(), Invalid> {
        let row = self.values.len().saturating_add(1);
        if row == 1 {
            let levels = cells.len().saturating_sub(1);
            if levels == 0 || levels > MOST_LEVELS {
                return Err(wrong(format!("must have 2 to {} columns: the raw value, then one for each level", MOST_LEVELS + 1)));
            }
            self.levels.resize_with(levels, Interned::default);
        }
        if row > MOST_ROWS {
            return Err(wrong("must have at most 200,000 rows: split the values over several hierarchies"));
        }
        if cells.len() != self.levels.len().saturating_add(1) {
            return Err(wrong(format!("must have as many columns in every row: row {row} has another number than the first")));
        }
        if cells.iter().flat_map(str::chars).any(char::is_control) {
            return Err(wrong(format!("must hold no control characters: row {row} has one")));
        }
        if cells.iter().any(|cell| cell.chars().count() > MOST_CHARACTERS) {
            return Err(wrong(format!("must have at most {MOST_CHARACTERS} characters in a cell: row {row} has more")));
        }
        if self.beginning.len() < SHOWN {
            self.beginning.push(cells.iter().map(str::to_owned).collect());
        }
        let mut cells = cells.iter().map(|cell| cell.nfc().collect::<String>().into_boxed_str());
        let value = cells.next().unwrap_or_default();
        let first = self.climb(cells.collect(), row)?;
        match self.values.entry(value) {
            Entry::Occupied(_) => Err(wrong(format!("must name each value once: row {row} repeats the value of an earlier row"))),
            Entry::Vacant(vacant) => {
                vacant.insert(first);
                Ok(())
            }
        }
    }

    /// Takes a row's texts from the coarsest down; answers the place of the finest.
    fn climb(&mut self, texts: Vec<Box<str>>, row: usize) -> Result<u32, Invalid> {
        let mut above = 0;
        for ((at, level), text) in self.levels.iter_mut().enumerate().zip(texts).rev() {
            if text.is_empty() {
                return Err(wrong(format!("must have a text at every level: row {row} has none at level {}", at.saturating_add(1))));
            }
            let next = u32::try_from(level.coarser.len()).unwrap_or(u32::MAX);
            let place = *level.places.entry(text).or_insert(next);
            if place == next {
                level.coarser.push(above);
            }
            let known = usize::try_from(place).ok().and_then(|place| level.coarser.get(place));
            if known != Some(&above) {
                let (at, next) = (at.saturating_add(1), at.saturating_add(2));
                return Err(wrong(format!(
                    "must lead from each text of level {at} to one text of level {next}: row {row} leads to another than an earlier row"
                )));
            }
            above = place;
        }
        Ok(above)
    }

    fn whole(self) -> Result<Hierarchy, Invalid> {
        if self.values.is_empty() {
            return Err(wrong("must have at least one row"));
        }
        let last = self.levels.len().saturating_sub(1);
        let levels = self.levels.into_iter().enumerate().map(|(at, level)| {
            let mut texts: Vec<(Box<str>, u32)> = level.places.into_iter().collect();
            texts.sort_unstable_by_key(|(_, place)| *place);
            let coarser = if at == last { Vec::new() } else { level.coarser };
            Level { texts: texts.into_iter().map(|(text, _)| text).collect(), coarser }
        });
        Ok(Hierarchy { levels: levels.collect(), values: self.values, beginning: self.beginning })
    }
}
