//! Comparisons over fields: a permit's row condition and a vendor's filter share this form. Never SQL.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::dataset::LogicalType;
use super::text::FieldName;
use super::time::{Date, Instant};

/// How a field is compared. NULL satisfies nothing but `is null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    /// `is` with `null` or `not_null` (and `true` / `false` on booleans).
    Is,
}

impl Operator {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::In => "in",
            Self::Is => "is",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Eq, Self::Neq, Self::Gt, Self::Gte, Self::Lt, Self::Lte, Self::In, Self::Is]
            .into_iter()
            .find(|operator| operator.key() == key)
    }
}

/// A value with its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Integer(i64),
    Number(f64),
    /// An exact decimal in plain digits, such as `-12.50`.
    Decimal(String),
    Boolean(bool),
    Date(Date),
    Timestamp(Instant),
}

/// The most values in one `in` list.
pub const MOST_VALUES: usize = 1_000;

impl Literal {
    /// Reads a value of a type from text; the error never repeats the text.
    pub fn parse(text: &str, logical: LogicalType) -> Result<Self, Invalid> {
        let bad = |reason: &str| Invalid::new("", reason.to_owned());
        match logical {
            LogicalType::Text => {
                if text.chars().count() > 10_000 {
                    return Err(bad("must have at most 10,000 characters"));
                }
                Ok(Self::Text(text.to_owned()))
            }
            LogicalType::Integer => text.parse().map(Self::Integer).map_err(|_| bad("must be a whole number of 64 bits")),
            LogicalType::Number => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Self::Number(number)),
                Ok(_) | Err(_) => Err(bad("must be a number")),
            },
            LogicalType::Decimal => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
                let plain = |part: &str| !part.is_empty() && part.len() <= 38 && part.bytes().all(|b| b.is_ascii_digit());
                if plain(whole) && plain(fraction) {
                    Ok(Self::Decimal(text.to_owned()))
                } else {
                    Err(bad("must be a decimal such as 12.50"))
                }
            }
            LogicalType::Boolean => match text {
                "true" => Ok(Self::Boolean(true)),
                "false" => Ok(Self::Boolean(false)),
                _ => Err(bad("must be true or false")),
            },
            LogicalType::Date => text.parse().map(Self::Date),
            LogicalType::Timestamp => text.parse().map(Self::Timestamp),
            LogicalType::Other => Err(bad("can not be compared")),
        }
    }
}

/// What a comparison compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `eq neq gt gte lt lte`, in the manner of SQL: NULL never matches.
    Compare(Operator, Literal),
    AnyOf(Vec<Literal>),
    Null,
    NotNull,
}

/// A field and its test, typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub field: FieldName,
    pub test: Test,
}

impl Comparison {
    /// The operator as the history names it; the value never appears there.
    pub fn operator(&self) -> Operator {
        match &self.test {
            Test::Compare(operator, _) => *operator,
            Test::AnyOf(_) => Operator::In,
            Test::Null | Test::NotNull => Operator::Is,
        }
    }
}

/// Builds the test from an operator and its values as text.
pub fn test(operator: Operator, values: &[String], logical: LogicalType) -> Result<Test, Invalid> {
    let one = || match values {
        [value] => Ok(value.as_str()),
        _ => Err(Invalid::new("", "must have one value")),
    };
    match operator {
        Operator::In => {
            if values.is_empty() || values.len() > MOST_VALUES {
                return Err(Invalid::new("", format!("must have 1 to {MOST_VALUES} values")));
            }
            values.iter().map(|value| Literal::parse(value, logical)).collect::<Result<_, _>>().map(Test::AnyOf)
        }
        Operator::Is => match (one()?, logical) {
            ("null", _) => Ok(Test::Null),
            ("not_null", _) => Ok(Test::NotNull),
            (word @ ("true" | "false"), LogicalType::Boolean) => Ok(Test::Compare(Operator::Eq, Literal::Boolean(word == "true"))),
            _ => Err(Invalid::new("", "must be null or not_null")),
        },
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte if logical == LogicalType::Boolean => {
            Err(Invalid::new("", "can not be ordered: use eq"))
        }
        Operator::Eq | Operator::Neq | Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
            Ok(Test::Compare(operator, Literal::parse(one()?, logical)?))
        }
    }
}

/// Comparisons of which at least one must hold; there is always one.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternatives(Vec<Comparison>);

impl Alternatives {
    pub fn comparisons(&self) -> &[Comparison] {
        &self.0
    }
}

/// A row condition as it is written in a permit: every part must hold. Empty releases every row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub all: Vec<Part>,
}

/// A part of a condition: a clause that must hold, or clauses of which at least one must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, try_from = "Wire")]
pub enum Part {
    Clause(Clause),
    Any { any: Vec<Clause> },
}

/// One comparison of a condition; values are text and are read by the field's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    pub field: FieldName,
    pub op: Operator,
    /// One value, but for `in`.
    pub values: Vec<String>,
}

/// A part as it is sent. Read by its members, so that an error names what is wrong and not that nothing fits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    field: Option<FieldName>,
    op: Option<Operator>,
    values: Option<Vec<String>>,
    any: Option<Vec<Clause>>,
}

impl TryFrom<Wire> for Part {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        match wire {
            Wire { field: None, op: None, values: None, any: Some(any) } => Ok(Self::Any { any }),
            Wire { any: Some(_), .. } => Err("`any` stands alone: its clauses have the `field`, `op` and `values`"),
            Wire { field: Some(field), op: Some(op), values: Some(values), any: None } => Ok(Self::Clause(Clause { field, op, values })),
            Wire { .. } => Err("must have `field`, `op` and `values`, or `any` with such clauses"),
        }
    }
}

/// The most clauses a condition may have, alternatives counted one by one.
pub const MOST_CLAUSES: usize = 50;

impl Part {
    /// The clauses of which one must hold.
    pub fn clauses(&self) -> &[Clause] {
        match self {
            Self::Clause(clause) => std::slice::from_ref(clause),
            Self::Any { any } => any,
        }
    }

    /// Whether this holds for no row for which the other does not.
    fn implies(&self, other: &Self) -> bool {
        self.clauses().iter().all(|clause| other.clauses().contains(clause))
    }
}

impl Condition {
    /// Every clause, whatever it is an alternative to.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.all.iter().flat_map(Part::clauses)
    }

    /// Reads every clause by the types of the fields; `type_of` gives `None` for an unknown field.
    pub fn typed(&self, type_of: impl Fn(&FieldName) -> Option<LogicalType>) -> Result<Vec<Alternatives>, Invalid> {
        if self.clauses().count() > MOST_CLAUSES {
            return Err(Invalid::new("condition.all", format!("must be at most {MOST_CLAUSES} clauses")));
        }
        let typed = |path: String, clause: &Clause| {
            let logical = type_of(&clause.field).ok_or_else(|| Invalid::new(format!("{path}.field"), "is not a field of the dataset"))?;
            let test = test(clause.op, &clause.values, logical).map_err(|error| error.within(&format!("{path}.values")))?;
            Ok(Comparison { field: clause.field.clone(), test })
        };
        let part = |(at, part): (usize, &Part)| match part {
            Part::Clause(clause) => Ok(Alternatives(vec![typed(format!("condition.all[{at}]"), clause)?])),
            Part::Any { any } if any.len() < 2 => {
                Err(Invalid::new(format!("condition.all[{at}].any"), "must be 2 or more clauses; write one clause without `any`"))
            }
            Part::Any { any } => {
                let each = any.iter().enumerate().map(|(one, clause)| typed(format!("condition.all[{at}].any[{one}]"), clause));
                each.collect::<Result<_, _>>().map(Alternatives)
            }
        };
        self.all.iter().enumerate().map(part).collect()
    }

    /// Whether this releases no row that `other` would not, and tells by its choice of rows nothing that the receiver does
    /// not see anyway: each part of `other` follows from a part of this one, and the parts that `other` does not have are
    /// about fields that `told` says go out clear.
    pub fn narrows(&self, other: &Self, told: impl Fn(&FieldName) -> bool) -> bool {
        let kept = other.all.iter().all(|theirs| self.all.iter().any(|ours| ours.implies(theirs)));
        let open = |part: &Part| part.clauses().iter().all(|clause| told(&clause.field));
        kept && self.all.iter().all(|part| other.all.contains(part) || open(part))
    }
}

#[cfg(test)]
mod tests;
