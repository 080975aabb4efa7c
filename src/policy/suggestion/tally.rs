//! What sampled values look like, counted: no value is kept, so that a tally can go where a value may not.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::dataset::LogicalType;
use crate::domain::detect::{DataKind, Detector};
use crate::domain::time::Date;

use super::kind::Kind;
use super::shapes::{self, Postal};

/// The most characters of a value that are looked at.
pub const MOST_CHARACTERS: usize = 2_000;

/// Counts over the sampled values of one column.
#[derive(Debug, Clone)]
pub struct Tally {
    logical: LogicalType,
    rows: usize,
    values: usize,
    /// Hashes, not values.
    distinct: BTreeSet<u64>,
    /// For each kind of `DataKind::ALL`: values that are one, and values that hold one within other text.
    whole: [usize; 6],
    within: [usize; 6],
    days: usize,
    years: Option<(i32, i32)>,
    postal: usize,
    postal_perhaps: usize,
    genders: usize,
    genders_named: usize,
    names: usize,
    given: usize,
    prose: usize,
}

impl Tally {
    /// Nothing is counted yet.
    pub fn new(logical: LogicalType) -> Self {
        Self {
            logical,
            rows: 0,
            values: 0,
            distinct: BTreeSet::new(),
            whole: [0; 6],
            within: [0; 6],
            days: 0,
            years: None,
            postal: 0,
            postal_perhaps: 0,
            genders: 0,
            genders_named: 0,
            names: 0,
            given: 0,
            prose: 0,
        }
    }

    /// Counts a value; none and empty texts are rows without one.
    pub fn add(&mut self, value: Option<&str>) {
        self.rows = self.rows.saturating_add(1);
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return };
        self.values = self.values.saturating_add(1);
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.distinct.insert(hasher.finish());
        let end = value.char_indices().nth(MOST_CHARACTERS).map_or(value.len(), |(at, _)| at);
        let value = value.get(..end).unwrap_or_default();
        match self.logical {
            LogicalType::Text => self.add_text(value),
            LogicalType::Integer => self.add_kinds(value, &[DataKind::Card]),
            LogicalType::Date | LogicalType::Timestamp => self.add_day(value),
            LogicalType::Number | LogicalType::Decimal | LogicalType::Boolean | LogicalType::Other => {}
        }
    }

    fn add_text(&mut self, value: &str) {
        self.add_day(value);
        self.add_kinds(value, &DataKind::ALL);
        let count = |counter: &mut usize, holds: bool| *counter = counter.saturating_add(usize::from(holds));
        let (postal, gender) = (shapes::postal(value), shapes::gender(value));
        count(&mut self.postal, postal == Postal::Sure);
        count(&mut self.postal_perhaps, postal == Postal::Perhaps);
        count(&mut self.genders, gender);
        count(&mut self.genders_named, gender && shapes::names_a_gender(value));
        let name = shapes::name_like(value);
        count(&mut self.names, name);
        count(&mut self.given, name && shapes::has_given_name(value));
        count(&mut self.prose, value.split_whitespace().count() >= 5);
    }

    fn add_day(&mut self, value: &str) {
        let Some(date) = shapes::day(value) else { return };
        self.days = self.days.saturating_add(1);
        if let Some(year) = year(&date) {
            let (from, to) = self.years.unwrap_or((year, year));
            self.years = Some((from.min(year), to.max(year)));
        }
    }

    fn add_kinds(&mut self, value: &str, kinds: &[DataKind]) {
        let Some(detector) = Detector::get() else { return };
        for (at, kind) in DataKind::ALL.into_iter().enumerate().filter(|(_, kind)| kinds.contains(kind)) {
            let found = detector.find(kind, value);
            let whole = matches!(found.as_slice(), [only] if *only == (0..value.len()));
            // A row of digits is a number of some kind; a phone number is written like one.
            let written = kind != DataKind::Phone || value.contains(|sign: char| !sign.is_ascii_digit());
            let counter = if whole { self.whole.get_mut(at) } else { self.within.get_mut(at) };
            if let Some(counter) = counter.filter(|_| !found.is_empty() && written) {
                *counter = counter.saturating_add(1);
            }
        }
    }

    /// Rows looked at.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Rows that had a value.
    pub fn values(&self) -> usize {
        self.values
    }

    /// How many different values.
    pub fn distinct(&self) -> usize {
        self.distinct.len()
    }

    /// Whether no value is there twice.
    pub fn all_differ(&self) -> bool {
        self.values > 0 && self.distinct.len() == self.values
    }

    /// Values that are one of a kind and nothing else, the kinds that are checked by digits first.
    pub fn kinds(&self) -> Vec<(Kind, usize)> {
        let order = [DataKind::Iban, DataKind::Card, DataKind::Ip, DataKind::Email, DataKind::Url, DataKind::Phone];
        order.into_iter().map(|kind| (Kind::Found(kind), count_of(&self.whole, kind))).collect()
    }

    /// Values that hold something within other text, where any do. Digits in other text pass for phone numbers too often
    /// to count alone.
    pub fn within(&self) -> Vec<(Kind, usize)> {
        let told = [DataKind::Email, DataKind::Iban, DataKind::Card, DataKind::Ip, DataKind::Url, DataKind::Phone];
        let prose = self.is_prose();
        let wanted = |kind: &DataKind| prose || !matches!(kind, DataKind::Phone | DataKind::Ip | DataKind::Card);
        let counted = |kind: DataKind| count_of(&self.within, kind).saturating_add(count_of(&self.whole, kind));
        let found = told.into_iter().filter(wanted).map(|kind| (Kind::Found(kind), counted(kind)));
        found.filter(|(_, many)| *many > 0).collect()
    }

    /// Values that are of a kind.
    pub fn of(&self, kind: Kind) -> usize {
        match kind {
            Kind::Found(kind) => count_of(&self.whole, kind),
            Kind::PostalCode => self.postal(true),
            Kind::Gender => self.genders,
            _ if matches!(kind, Kind::BirthDate | Kind::Day) => self.days,
            _ => 0,
        }
    }

    pub fn days(&self) -> usize {
        self.days
    }

    /// The first and the last year of the days.
    pub fn years(&self) -> Option<(i32, i32)> {
        self.years
    }

    /// Postal codes; with those that only a name tells from other numbers.
    pub fn postal(&self, named: bool) -> usize {
        if named { self.postal.saturating_add(self.postal_perhaps) } else { self.postal }
    }

    /// Words for a gender, where some of them leave no doubt.
    pub fn genders(&self) -> usize {
        if self.genders_named.saturating_mul(2) >= self.genders { self.genders } else { 0 }
    }

    pub fn given_names(&self) -> usize {
        self.given
    }

    /// Whether nearly all look like names, and enough of them are common ones. One word for all is no column of names.
    pub fn looks_like_names(&self) -> bool {
        let part = |many: usize, percent: usize| many.saturating_mul(100) >= self.values.saturating_mul(percent);
        self.values > 0 && part(self.names, 80) && part(self.given, 20) && part(self.distinct(), 10)
    }

    /// Whether most values are sentences or lists of words.
    pub fn is_prose(&self) -> bool {
        self.prose.saturating_mul(2) > self.values
    }
}

fn count_of(counts: &[usize; 6], kind: DataKind) -> usize {
    let at = DataKind::ALL.into_iter().position(|known| known == kind);
    at.and_then(|at| counts.get(at)).copied().unwrap_or_default()
}

/// The year of a date.
pub fn year(date: &Date) -> Option<i32> {
    date.to_string().split('-').next().and_then(|year| year.parse().ok())
}
