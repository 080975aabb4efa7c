//! Numbers of accounts and cards: their check digits tell them from other numbers.

use std::ops::Range;

use super::{digits, groups, place};

/// Countries and the length of their IBANs (ISO 13616 registry).
const IBANS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// The IBAN that begins at a place, written in one or in groups.
pub(super) fn iban(text: &str, start: usize) -> Option<Range<usize>> {
    let country = text.get(start..start.checked_add(2)?)?.to_ascii_uppercase();
    let (_, length) = IBANS.iter().find(|(known, _)| *known == country)?;
    let mut signs = String::with_capacity(*length);
    let mut parted = false;
    for (at, sign) in text.get(start..)?.char_indices() {
        if sign.is_ascii_alphanumeric() {
            signs.push(sign.to_ascii_uppercase());
            parted = false;
        } else if matches!(sign, ' ' | '-' | '.') && !parted {
            parted = true;
        } else {
            return None;
        }
        if signs.len() == *length {
            return checks(&signs).then(|| start..start.saturating_add(at).saturating_add(1));
        }
    }
    None
}

/// ISO 7064, mod 97-10: the country and the check digits at the end, letters as 10 to 35.
fn checks(iban: &str) -> bool {
    let Some((front, rest)) = iban.split_at_checked(4) else { return false };
    let mut left = 0_u32;
    for sign in rest.chars().chain(front.chars()) {
        let Some(value) = sign.to_digit(36) else { return false };
        let places = if value < 10 { 10 } else { 100 };
        left = left.saturating_mul(places).saturating_add(value) % 97;
    }
    left == 1
}

/// The most digits of a card number, and so the most groups.
const MOST_DIGITS: usize = 19;

/// The card numbers in a run of digits, each made of whole groups.
pub(super) fn cards(text: &str, within: Range<usize>) -> Vec<Range<usize>> {
    let groups = groups(text, within);
    let mut found = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let mut ends = (from.saturating_add(1)..=groups.len().min(from.saturating_add(MOST_DIGITS))).rev();
        let card = ends.find(|to| groups.get(from..*to).is_some_and(|groups| is_card(&digits(text, groups))));
        match card {
            Some(to) => {
                found.extend(groups.get(from..to).and_then(place));
                from = to;
            }
            None => from = from.saturating_add(1),
        }
    }
    found
}

/// The length of a card number, the first digit of an issuer, and Luhn's check (ISO/IEC 7812-1).
fn is_card(digits: &str) -> bool {
    if !(13..=MOST_DIGITS).contains(&digits.len()) || !digits.starts_with(['2', '3', '4', '5', '6']) {
        return false;
    }
    let value = |(place, digit): (usize, u32)| match (place % 2, digit) {
        (1, 5..) => digit.saturating_mul(2).saturating_sub(9),
        (1, _) => digit.saturating_mul(2),
        _ => digit,
    };
    let sum: u32 = digits.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate().map(value).sum();
    sum.is_multiple_of(10)
}
