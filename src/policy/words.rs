//! The words of treatments, bases, conditions and limits: what a page, a diff and the API say is said alike.

mod answer;
#[cfg(test)]
mod tests;
mod treatment;

pub use answer::answer;
pub use treatment::{help, treatment};

use crate::domain::agreement::{EndWay, SubProcessors, TransferMechanism};
use crate::domain::condition::{Clause, Condition, Operator, Part};
use crate::domain::dataset::{FieldClass, LogicalType};
use crate::domain::permit::{LegalBasis, OpenHours, Weekday};
use crate::domain::text::Slug;
use crate::domain::vocabulary::Vocabulary;

use super::release::Limits;

/// A legal basis with its place in the law.
pub const fn legal_basis(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Consent => "consent (Art. 6(1)(a))",
        LegalBasis::Contract => "contract (Art. 6(1)(b))",
        LegalBasis::LegalObligation => "legal obligation (Art. 6(1)(c))",
        LegalBasis::VitalInterests => "vital interests (Art. 6(1)(d))",
        LegalBasis::PublicTask => "public task (Art. 6(1)(e))",
        LegalBasis::LegitimateInterests => "legitimate interests (Art. 6(1)(f))",
    }
}

/// The title of a purpose; its key where the vocabulary no longer knows it.
pub fn purpose(vocabulary: &Vocabulary, key: &Slug) -> String {
    vocabulary.purpose(key).map_or_else(|| key.to_string(), |purpose| purpose.term.title.to_string())
}

/// The title of a data category; its key where the vocabulary no longer knows it.
pub fn category(vocabulary: &Vocabulary, key: &Slug) -> String {
    vocabulary.category(key).map_or_else(|| key.to_string(), |category| category.term.title.to_string())
}

/// How far a field leads to a person.
pub const fn class(class: FieldClass) -> &'static str {
    match class {
        FieldClass::DirectIdentifier => "direct identifier",
        FieldClass::QuasiIdentifier => "quasi-identifier",
        FieldClass::Sensitive => "sensitive",
        FieldClass::Plain => "plain",
    }
}

/// What a column holds.
pub const fn logical(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Text => "text",
        LogicalType::Integer => "whole number",
        LogicalType::Number => "number",
        LogicalType::Decimal => "decimal number",
        LogicalType::Boolean => "yes or no",
        LogicalType::Date => "date",
        LogicalType::Timestamp => "date and time",
        LogicalType::Other => "a type that can only be withheld",
    }
}

/// Which rows are released.
pub fn condition(condition: &Condition) -> String {
    if condition.all.is_empty() {
        return "every row".to_owned();
    }
    // Brackets only where both words meet, so that neither can be read as the stronger.
    let alone = condition.all.len() == 1;
    let part = |part: &Part| match part {
        Part::Clause(one) => clause(one),
        Part::Any { any } => {
            let either = any.iter().map(clause).collect::<Vec<_>>().join(" or ");
            if alone { either } else { format!("({either})") }
        }
    };
    let parts: Vec<String> = condition.all.iter().map(part).collect();
    format!("rows where {}", parts.join(" and "))
}

/// One clause of a row condition.
pub fn clause(clause: &Clause) -> String {
    let (field, values) = (&clause.field, clause.values.join(", "));
    match clause.op {
        Operator::Eq => format!("{field} is {values}"),
        Operator::Neq => format!("{field} is not {values}"),
        Operator::Gt => format!("{field} is more than {values}"),
        Operator::Gte => format!("{field} is {values} or more"),
        Operator::Lt => format!("{field} is less than {values}"),
        Operator::Lte => format!("{field} is {values} or less"),
        Operator::In => format!("{field} is one of {values}"),
        Operator::Is => match values.as_str() {
            "null" => format!("{field} has no value"),
            "not_null" => format!("{field} has a value"),
            _ => format!("{field} is {values}"),
        },
    }
}

/// A daily quota.
pub fn quota(rows: u64) -> String {
    if rows == 1 { "1 row a day".to_owned() } else { format!("{} rows a day", separated(rows)) }
}

/// Every limit of a permit.
pub fn limits(limits: &Limits) -> Vec<String> {
    let further = further_limits(limits.daily_subjects, limits.requests_per_minute, limits.open_hours.as_ref());
    std::iter::once(quota(limits.daily_rows)).chain(further).collect()
}

/// The limits of a permit besides its rows a day, in the order people read them; none where there are none.
pub fn further_limits(daily_subjects: Option<u64>, requests_per_minute: Option<u64>, hours: Option<&OpenHours>) -> Vec<String> {
    let people = daily_subjects.map(people_a_day);
    let requests = requests_per_minute.map(requests_a_minute);
    people.into_iter().chain(requests).chain(hours.map(open_hours)).collect()
}

/// How many people may leave in a day.
pub fn people_a_day(limit: u64) -> String {
    format!("{} a day", counted(limit, "person", "people"))
}

/// How many requests are answered in a minute.
pub fn requests_a_minute(limit: u64) -> String {
    format!("{} a minute", counted(limit, "request", "requests"))
}

/// When releases may leave, such as `Monday to Friday, 08:00 to 18:00 UTC`.
pub fn open_hours(hours: &OpenHours) -> String {
    let days: Vec<Weekday> = hours.days.iter().copied().collect();
    let whole_row = |first: &Weekday, last: &Weekday| Weekday::ALL.iter().filter(|day| (first..=last).contains(day)).count() == days.len();
    let said = match days.as_slice() {
        all if all.len() == Weekday::ALL.len() => "every day".to_owned(),
        [first, _, .., last] if whole_row(first, last) => format!("{} to {}", first.name(), last.name()),
        some => some.iter().map(|day| day.name()).collect::<Vec<_>>().join(", "),
    };
    format!("{said}, {} to {} UTC", hours.from, hours.to)
}

/// A whole number with separators: `1,000,000`.
pub fn separated(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 day`, `30 days`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", separated(number)) }
}

pub(super) fn days(number: u32) -> String {
    counted(number.into(), "day", "days")
}

/// Which sub-processors may be used (Art. 28(2) and (4)).
pub fn sub_processors(clause: &SubProcessors) -> String {
    match clause {
        SubProcessors::Forbidden => "none may be used".to_owned(),
        SubProcessors::General { notice_days, objection_days } => {
            format!("any, announced {} ahead, with {} to object", days(*notice_days), days(*objection_days))
        }
        SubProcessors::Specific { named } if named.is_empty() => "only those named: none yet".to_owned(),
        SubProcessors::Specific { named } => {
            let names: Vec<&str> = named.iter().map(crate::domain::text::Name::as_str).collect();
            format!("only those named: {}", names.join(", "))
        }
    }
}

/// What happens to the data at the end (Art. 28(3)(g)).
pub const fn end_way(way: EndWay) -> &'static str {
    match way {
        EndWay::Delete => "delete",
        EndWay::Return => "return",
    }
}

/// What a transfer rests on (Chapter V).
pub const fn transfer(mechanism: TransferMechanism) -> &'static str {
    match mechanism {
        TransferMechanism::SccModule1 => "standard contractual clauses, module 1",
        TransferMechanism::SccModule2 => "standard contractual clauses, module 2",
        TransferMechanism::SccModule3 => "standard contractual clauses, module 3",
        TransferMechanism::SccModule4 => "standard contractual clauses, module 4",
        TransferMechanism::BindingCorporateRules => "binding corporate rules",
        TransferMechanism::Derogation => "a derogation (Art. 49)",
    }
}
