//! Finds e-mail addresses, phone numbers, IBANs, card numbers, IP addresses and URLs in text. Pure: text in, places out.
//!
//! It leans towards finding: a number too much is marked rather than one too few let through. What it does not find:
//! phone numbers in national form without a leading zero, but for the North American 3-3-4; words that spell digits.

mod account;
mod folded;
mod network;
mod phone;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::folded::Folded;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Email,
    Phone,
    /// With its country's length and its check digits right.
    Iban,
    /// 13 to 19 digits that pass Luhn's check.
    Card,
    /// Version 4 or 6.
    Ip,
    Url,
}

impl DataKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Email, Self::Phone, Self::Iban, Self::Card, Self::Ip, Self::Url];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Ip => "ip",
            Self::Url => "url",
        }
    }

    /// What stands in its place once it is redacted.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Email => "[e-mail]",
            Self::Phone => "[phone]",
            Self::Iban => "[iban]",
            Self::Card => "[card]",
            Self::Ip => "[ip]",
            Self::Url => "[url]",
        }
    }

    /// Several of them, for people.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Email => "e-mail addresses",
            Self::Phone => "phone numbers",
            Self::Iban => "IBANs",
            Self::Card => "card numbers",
            Self::Ip => "IP addresses",
            Self::Url => "web addresses",
        }
    }
}

/// A place in a text and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In bytes; both ends lie between characters.
    pub at: Range<usize>,
    pub kind: DataKind,
}

/// The patterns, made once.
pub struct Detector {
    email: Regex,
    url: Regex,
    ipv4: Regex,
    ipv6: Regex,
    iban: Regex,
    digits: Regex,
    phone: Regex,
}

const EMAIL: &str = r#"(?i)(?:[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]+|"[^"\r\n]+")@(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+(?:xn--[a-z0-9-]+|[\p{L}\p{M}]{2,})"#;
const URL: &str = r#"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/)[^\s<>"“”„«»]+"#;

impl Detector {
    fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            email: Regex::new(EMAIL)?,
            url: Regex::new(URL)?,
            ipv4: Regex::new(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")?,
            ipv6: Regex::new(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+")?,
            iban: Regex::new(r"(?i)[a-z]{2}[0-9]{2}")?,
            digits: Regex::new(r"[0-9](?:[ -]?[0-9]){12,}")?,
            phone: Regex::new(r"\+?\(?[0-9][0-9 ()./-]{4,}[0-9]")?,
        })
    }

    /// The one detector; `None` only if its patterns could not be made, and then nothing may go unredacted.
    pub fn get() -> Option<&'static Self> {
        static DETECTOR: LazyLock<Option<Detector>> = LazyLock::new(|| Detector::new().ok());
        DETECTOR.as_ref()
    }

    /// Every place of one kind, from left to right, none overlapping another.
    pub fn find(&self, kind: DataKind, text: &str) -> Vec<Range<usize>> {
        let folded = Folded::of(text);
        self.within(kind, folded.text()).into_iter().map(|at| folded.place(&at)).collect()
    }

    /// Whether a value, spaces around it aside, is one of a kind and nothing else.
    pub fn is(&self, kind: DataKind, value: &str) -> bool {
        let value = value.trim();
        matches!(self.find(kind, value).as_slice(), [only] if *only == (0..value.len()))
    }

    /// What stands where, from left to right. Places that overlap become one, named for what begins first: so whatever
    /// one kind alone would cover is covered whichever others are looked for.
    pub fn find_all(&self, kinds: impl IntoIterator<Item = DataKind>, text: &str) -> Vec<Found> {
        let folded = Folded::of(text);
        let mut found: Vec<Found> = Vec::new();
        for kind in kinds {
            found.extend(self.within(kind, folded.text()).into_iter().map(|at| Found { at: folded.place(&at), kind }));
        }
        // Of two that begin together the longer names the place; of two alike, what is checked by digits.
        let rank = |kind: DataKind| match kind {
            DataKind::Iban => 0,
            DataKind::Card => 1,
            DataKind::Ip => 2,
            DataKind::Email => 3,
            DataKind::Url => 4,
            DataKind::Phone => 5,
        };
        found.sort_by_key(|one| (one.at.start, std::cmp::Reverse(one.at.end), rank(one.kind)));
        let mut merged: Vec<Found> = Vec::with_capacity(found.len());
        for one in found {
            match merged.last_mut() {
                Some(last) if one.at.start < last.at.end => last.at.end = last.at.end.max(one.at.end),
                Some(_) | None => merged.push(one),
            }
        }
        merged
    }

    fn within(&self, kind: DataKind, text: &str) -> Vec<Range<usize>> {
        match kind {
            DataKind::Email => self.email.find_iter(text).map(|found| found.range()).collect(),
            DataKind::Url => self.url.find_iter(text).map(|found| found.start()..network::end_of_url(text, found.range())).collect(),
            DataKind::Ip => {
                let four = self.ipv4.find_iter(text).filter(|found| network::is_ipv4(text, found.range())).map(|found| found.range());
                let six = self.ipv6.find_iter(text).filter_map(|found| network::ipv6(text, found.range()));
                joined(four.chain(six).collect())
            }
            DataKind::Iban => joined(self.iban.find_iter(text).filter_map(|found| account::iban(text, found.start())).collect()),
            DataKind::Card => self.digits.find_iter(text).flat_map(|found| account::cards(text, found.range())).collect(),
            DataKind::Phone => self.phone.find_iter(text).flat_map(|found| phone::phones(text, found.range())).collect(),
        }
    }
}

/// Places in order, those that overlap made one.
fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|at| at.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            Some(_) | None => joined.push(place),
        }
    }
    joined
}

/// The runs of ASCII digits within a part of a text.
fn groups(text: &str, within: Range<usize>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let bytes = text.as_bytes().get(within.clone()).unwrap_or_default();
    for (at, byte) in bytes.iter().enumerate() {
        let at = within.start.saturating_add(at);
        match groups.last_mut() {
            _ if !byte.is_ascii_digit() => {}
            Some(last) if last.end == at => last.end = at.saturating_add(1),
            Some(_) | None => groups.push(at..at.saturating_add(1)),
        }
    }
    groups
}

/// The digits of some groups.
fn digits(text: &str, groups: &[Range<usize>]) -> String {
    groups.iter().filter_map(|group| text.get(group.clone())).collect()
}

/// The place from the first group to the last.
fn place(groups: &[Range<usize>]) -> Option<Range<usize>> {
    Some(groups.first()?.start..groups.last()?.end)
}
