//! Phone numbers: international ones, national ones with their leading zero, and North American ones.

use std::ops::Range;

use super::{digits, groups, place};

/// The most digits of a phone number (ITU-T E.164), and so the most groups.
const MOST_DIGITS: usize = 15;

/// The phone numbers in a run of digits and what people write between them.
pub(super) fn phones(text: &str, within: Range<usize>) -> Vec<Range<usize>> {
    if text.get(..within.start).is_some_and(|before| before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')) {
        return Vec::new();
    }
    let international = text.get(within.clone()).is_some_and(|found| found.starts_with('+'));
    let groups = groups(text, within.clone());
    let mut found = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let fits = |to: &usize| {
            let part = groups.get(from..*to).unwrap_or_default();
            is_phone(&digits(text, part), &sizes(part), international && from == 0, part.first().is_some_and(|one| dotted(text, one)))
        };
        let ends: Vec<usize> = (from.saturating_add(1)..=groups.len().min(from.saturating_add(MOST_DIGITS))).rev().filter(fits).collect();
        // The next number begins with a zero of its own: a run of two is cut there, else after as many as fit.
        let cut = |to: &&usize| groups.get(**to).is_none_or(|next| text.get(next.clone()).is_some_and(|next| next.starts_with('0')));
        match ends.iter().find(cut).or(ends.first()) {
            Some(to) => {
                let at = groups.get(from..*to).and_then(place);
                found.extend(at.map(|at| if from == 0 { within.start..at.end } else { at }));
                from = *to;
            }
            None => from = from.saturating_add(1),
        }
    }
    found
}

fn sizes(groups: &[Range<usize>]) -> Vec<usize> {
    groups.iter().map(ExactSizeIterator::len).collect()
}

/// Whether a group is followed by a point, as the whole part of a decimal number is.
fn dotted(text: &str, group: &Range<usize>) -> bool {
    text.get(group.end..).is_some_and(|rest| rest.starts_with('.'))
}

fn is_phone(digits: &str, sizes: &[usize], international: bool, dotted: bool) -> bool {
    if !(7..=MOST_DIGITS).contains(&digits.len()) {
        return false;
    }
    if international || (digits.starts_with("00") && digits.len() >= 9) {
        return true;
    }
    let decimal = dotted && matches!(sizes, [1, _]);
    if digits.starts_with('0') {
        return digits.len() >= 8 && !decimal && !is_date(digits, sizes);
    }
    matches!(sizes, [3, 3, 4]) || (matches!(sizes, [1, 3, 3, 4]) && digits.starts_with('1'))
}

/// Two digits, two digits and four, the first two a day and a month in either order.
fn is_date(digits: &str, sizes: &[usize]) -> bool {
    let number = |at: Range<usize>| digits.get(at).and_then(|part| part.parse::<u32>().ok());
    match (sizes, number(0..2), number(2..4)) {
        ([2, 2, 4], Some(one), Some(other)) => one.max(other) <= 31 && one.min(other) <= 12,
        _ => false,
    }
}
