//! Addresses of networks: what a pattern found is looked at again by the rules of the address.

use std::net::Ipv6Addr;
use std::ops::Range;

/// Where a URL ends: signs that close a sentence are not its own.
pub(super) fn end_of_url(text: &str, at: Range<usize>) -> usize {
    let mut kept = text.get(at.clone()).unwrap_or_default();
    // A bracket that nothing within opened belongs to the sentence. Counted once: a text may hold a million of them.
    let mut unopened = kept.matches(')').count().saturating_sub(kept.matches('(').count());
    loop {
        let bracket = kept.strip_suffix(')').filter(|_| unopened > 0);
        unopened = unopened.saturating_sub(usize::from(bracket.is_some()));
        match bracket.or_else(|| kept.strip_suffix(['.', ',', ';', ':', '!', '?', '\'', '…', ']', '}'])) {
            Some(shorter) => kept = shorter,
            None => return at.start.saturating_add(kept.len()),
        }
    }
}

/// Whether four numbers are octets, and no part of a longer row of numbers.
pub(super) fn is_ipv4(text: &str, at: Range<usize>) -> bool {
    let octets = text.get(at.clone()).is_some_and(|found| found.split('.').all(|octet| octet.parse::<u8>().is_ok()));
    let before = text.get(..at.start).unwrap_or_default();
    let mut after = text.get(at.end..).unwrap_or_default().chars();
    let longer = match (after.next(), after.next()) {
        (Some('.'), Some(next)) => next.is_ascii_digit(),
        (Some(next), _) => next.is_ascii_digit(),
        (None, _) => false,
    };
    octets && !longer && !before.ends_with(|sign: char| sign.is_ascii_digit() || sign == '.')
}

/// The longest text of an IPv6 address: one that ends in an IPv4 address.
const LONGEST: usize = 45;

/// The address at the beginning of what was found; no part of a word.
pub(super) fn ipv6(text: &str, at: Range<usize>) -> Option<Range<usize>> {
    if text.get(..at.start)?.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
        return None;
    }
    let found = text.get(at.clone())?;
    // An address may end in two colons; whatever else closes it belongs to the sentence.
    let least = found.trim_end_matches(['.', ':']).len();
    let ends = [least.saturating_add(2), least.saturating_add(1), least].into_iter();
    ends.filter(|end| *end <= LONGEST).find_map(|end| {
        let address = found.get(..end)?;
        let whole = address.contains(|sign: char| sign.is_ascii_hexdigit()) && address.parse::<Ipv6Addr>().is_ok();
        let end = at.start.saturating_add(end);
        let alone = !text.get(end..)?.starts_with(char::is_alphanumeric);
        (whole && alone).then_some(at.start..end)
    })
}
