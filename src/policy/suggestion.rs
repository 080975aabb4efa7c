//! What a column's name and sampled values suggest of its class, category and treatment, with the evidence in words: a
//! beginning that a steward confirms, never a decision. No sentence here holds a value.

mod kind;
mod name;
mod shapes;
mod tally;
#[cfg(test)]
mod tests;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::advice::Advice;
use crate::domain::dataset::{FieldClass, LogicalType};
use crate::domain::time::Date;

pub use self::kind::Kind;
pub use self::tally::{MOST_CHARACTERS, Tally};

/// What is suggested for a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// None where neither name nor values say anything: the steward chooses.
    pub class: Option<FieldClass>,
    /// Key of the vocabulary.
    pub category: Option<&'static str>,
    pub advice: Option<Advice>,
    /// Why, in sentences; no value is in them.
    pub evidence: Vec<String>,
}

/// Of how many values in a hundred something must hold before the column is said to be it.
const MOST: usize = 80;
/// The fewest values that tell of a column by being different, or by the years they lie in.
const FEWEST: usize = 20;

/// What a column suggests. Values that say what they are come before the name; a name that they speak against still
/// counts, since it is the more cautious of the two, and the evidence says both.
pub fn suggest(name: &str, logical: LogicalType, tally: &Tally, today: Date) -> Suggestion {
    let named = name::kind(name, logical);
    let mut evidence: Vec<String> = named.map(|kind| format!("The name says {}.", kind.singular())).into_iter().collect();
    let told = told(named, logical, tally, today, &mut evidence);
    if told.is_none()
        && let Some(said) = named.and_then(|kind| against(kind, tally))
    {
        evidence.push(said);
    }
    let unique = tally.all_differ() && tally.values() >= FEWEST;
    if unique {
        evidence.push(format!("Each of {} is different.", sampled(tally)));
    }
    let key = unique && matches!(logical, LogicalType::Text | LogicalType::Integer) && !tally.is_prose();
    match told.or(named).or_else(|| key.then_some(Kind::RecordKey)) {
        Some(kind) => of(kind, logical, evidence),
        None => Suggestion { class: None, category: None, advice: None, evidence },
    }
}

fn of(kind: Kind, logical: LogicalType, evidence: Vec<String>) -> Suggestion {
    let advice = if kind.advice(logical).fits(logical) { kind.advice(logical) } else { Advice::Withhold };
    Suggestion { class: Some(kind.class()), category: Some(kind.category()), advice: Some(advice), evidence }
}

/// What the values say, and why.
fn told(named: Option<Kind>, logical: LogicalType, tally: &Tally, today: Date, evidence: &mut Vec<String>) -> Option<Kind> {
    if tally.values() == 0 {
        evidence.push(if tally.rows() == 0 { "No row was there to look at.".to_owned() } else { nothing(tally) });
        return None;
    }
    let mut say = |kind: Kind, many: usize| {
        evidence.push(format!("{} are {}.", share(many, tally), kind.plural()));
        Some(kind)
    };
    if let Some((kind, many)) = tally.kinds().into_iter().find(|(kind, many)| most(*many, tally) && kind.is_told(named)) {
        return say(kind, many);
    }
    if let Some((from, to)) = tally.years().filter(|_| most(tally.days(), tally)) {
        say(Kind::Day, tally.days());
        return Some(day(named, from, to, today, tally, evidence));
    }
    if logical != LogicalType::Text {
        return None;
    }
    if most(tally.genders(), tally) && tally.distinct() <= 8 {
        return say(Kind::Gender, tally.genders());
    }
    if most(tally.postal(named == Some(Kind::PostalCode)), tally) {
        return say(Kind::PostalCode, tally.postal(named == Some(Kind::PostalCode)));
    }
    if tally.looks_like_names() {
        let many = tally.given_names();
        evidence.push(format!("{} hold a common given name.", share(many, tally)));
        return Some(Kind::PersonName);
    }
    let within = tally.within();
    for (kind, many) in &within {
        evidence.push(format!("{} hold {} within other text.", share(*many, tally), kind.plural()));
    }
    if tally.is_prose() {
        evidence.push("Most of the sampled values are sentences or lists of words.".to_owned());
    }
    (tally.is_prose() || !within.is_empty()).then_some(Kind::FreeText)
}

/// Birth dates are told by their name, or by lying in the years in which those lie who are alive and grown up.
fn day(named: Option<Kind>, from: i32, to: i32, today: Date, tally: &Tally, evidence: &mut Vec<String>) -> Kind {
    if named == Some(Kind::BirthDate) {
        return Kind::BirthDate;
    }
    let this = tally::year(&today).unwrap_or(to);
    let long = to.saturating_sub(from) >= 25 && from >= this.saturating_sub(115);
    if long && to <= this.saturating_sub(14) && tally.values() >= FEWEST && named != Some(Kind::Day) {
        evidence.push(format!("They lie between {from} and {to}, as birth dates do."));
        return Kind::BirthDate;
    }
    Kind::Day
}

fn most(many: usize, tally: &Tally) -> bool {
    many > 0 && many.saturating_mul(100) >= tally.values().saturating_mul(MOST)
}

/// What the values say against a name.
fn against(kind: Kind, tally: &Tally) -> Option<String> {
    let looked_for = kind.is_looked_for() && tally.values() > 0;
    looked_for.then(|| match tally.of(kind) {
        0 => format!("None of {} {}.", sampled(tally), kind.looks()),
        many => format!("Only {} are {}.", share(many, tally), kind.plural()),
    })
}

fn nothing(tally: &Tally) -> String {
    format!("None of {} sampled rows has a value.", super::words::separated(tally.rows() as u64))
}

fn sampled(tally: &Tally) -> String {
    match tally.values() {
        1 => "1 sampled value".to_owned(),
        many => format!("{} sampled values", super::words::separated(many as u64)),
    }
}

/// `97 % of 1,000 sampled values`; never 100 where one is not, never 0 where one is.
fn share(many: usize, tally: &Tally) -> String {
    let all = tally.values().max(1);
    let percent = many.saturating_mul(100).checked_div(all).unwrap_or_default();
    match percent {
        _ if many == all => format!("All of {}", sampled(tally)),
        0 => format!("{} of {}", super::words::separated(many as u64), sampled(tally)),
        percent => format!("{percent} % of {}", sampled(tally)),
    }
}
