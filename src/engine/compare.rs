//! Comparisons of the domain as DataFusion expressions: NULL satisfies nothing but `is null`, NaN satisfies nothing,
//! and the two zeros are equal.

use datafusion::arrow::datatypes::{DataType, i256};
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::scalar::ScalarValue;

use super::EngineError;
use crate::domain::condition::{Literal, Operator, Test};

/// The digits that Arrow's widest decimal holds.
const WIDEST: u8 = 76;

/// The test of a column that holds `held` in its treated or released type.
pub(super) fn matches(column: &Expr, held: &DataType, test: &Test) -> Result<Expr, EngineError> {
    match test {
        Test::Null => Ok(column.clone().is_null()),
        Test::NotNull => Ok(column.clone().is_not_null()),
        Test::Compare(operator, literal) => compare(column, held, *operator, literal),
        Test::AnyOf(literals) => any_of(column, held, literals),
    }
}

fn compare(column: &Expr, held: &DataType, operator: Operator, literal: &Literal) -> Result<Expr, EngineError> {
    match literal {
        Literal::Number(number) => numbers(column.clone(), operator, *number),
        Literal::Decimal(digits) => {
            let (column, [digits]) = decimals(column, held, [digits])?;
            binary(column, operator, digits)
        }
        Literal::Text(_) | Literal::Integer(_) | Literal::Boolean(_) | Literal::Date(_) | Literal::Timestamp(_) => {
            binary(column.clone(), operator, lit(scalar(literal)?))
        }
    }
}

fn any_of(column: &Expr, held: &DataType, literals: &[Literal]) -> Result<Expr, EngineError> {
    let decimal: Vec<&String> = literals
        .iter()
        .filter_map(|literal| match literal {
            Literal::Decimal(digits) => Some(digits),
            Literal::Text(_)
            | Literal::Integer(_)
            | Literal::Number(_)
            | Literal::Boolean(_)
            | Literal::Date(_)
            | Literal::Timestamp(_) => None,
        })
        .collect();
    if !decimal.is_empty() {
        let tests = decimal.into_iter().map(|digits| {
            let (column, [digits]) = decimals(column, held, [digits])?;
            binary(column, Operator::Eq, digits)
        });
        let tests: Vec<Expr> = tests.collect::<Result<_, _>>()?;
        return any(tests);
    }
    let mut values = Vec::with_capacity(literals.len());
    for literal in literals {
        values.push(lit(scalar(literal)?));
        if let Literal::Number(0.0) = literal {
            values.extend([lit(0.0_f64), lit(-0.0_f64)]);
        }
    }
    if values.is_empty() { Err(nothing()) } else { Ok(column.clone().in_list(values, false)) }
}

/// Joins tests as a balanced tree: plans are walked by recursion, and a thousand levels would overflow the stack.
pub(super) fn any(mut tests: Vec<Expr>) -> Result<Expr, EngineError> {
    while tests.len() > 1 {
        let mut joined = Vec::with_capacity(tests.len().div_ceil(2));
        let mut pairs = tests.into_iter();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => left.or(right),
                None => left,
            });
        }
        tests = joined;
    }
    tests.pop().ok_or_else(nothing)
}

fn nothing() -> EngineError {
    EngineError::internal("a comparison had nothing to compare with")
}

fn binary(column: Expr, operator: Operator, value: Expr) -> Result<Expr, EngineError> {
    Ok(match operator {
        Operator::Eq => column.eq(value),
        Operator::Neq => column.not_eq(value),
        Operator::Gt => column.gt(value),
        Operator::Gte => column.gt_eq(value),
        Operator::Lt => column.lt(value),
        Operator::Lte => column.lt_eq(value),
        Operator::In | Operator::Is => return Err(EngineError::internal("an operator came without its list")),
    })
}

/// Arrow orders numbers totally: -NaN < -∞ < … < -0 < 0 < … < ∞ < NaN. People do not.
fn numbers(column: Expr, operator: Operator, number: f64) -> Result<Expr, EngineError> {
    let no_nan = |test: Expr, column: Expr| test.and(column.clone().gt_eq(lit(f64::NEG_INFINITY))).and(column.lt_eq(lit(f64::INFINITY)));
    let (least, most) = if number == 0.0 { (-0.0, 0.0) } else { (number, number) };
    let (least, most) = (lit(least), lit(most));
    Ok(match operator {
        Operator::Eq => column.clone().gt_eq(least).and(column.lt_eq(most)),
        Operator::Neq => no_nan(column.clone().lt(least).or(column.clone().gt(most)), column),
        Operator::Gt => no_nan(column.clone().gt(most), column),
        Operator::Gte => no_nan(column.clone().gt_eq(least), column),
        Operator::Lt => no_nan(column.clone().lt(least), column),
        Operator::Lte => no_nan(column.clone().lt_eq(most), column),
        Operator::In | Operator::Is => return binary(column, operator, most),
    })
}

/// Column and digits at one scale, in the widest decimal: 38 digits before the point and 38 after always fit.
fn decimals<const N: usize>(column: &Expr, held: &DataType, digits: [&String; N]) -> Result<(Expr, [Expr; N]), EngineError> {
    let DataType::Decimal128(_, held) = held else {
        return Err(EngineError::unsupported("decimals can only be compared in decimal columns"));
    };
    let fraction = |digits: &str| digits.split_once('.').map_or("", |(_, fraction)| fraction).trim_end_matches('0').len();
    let finest = digits.iter().map(|digits| fraction(digits)).max().unwrap_or(0);
    let scale = i8::try_from(finest).unwrap_or(38).max(*held);
    let places = usize::from(scale.max(0).unsigned_abs());
    let value = |digits: &String| {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
        let unscaled = i256::from_string(&format!("{whole}{fraction}"));
        lit(ScalarValue::Decimal256(unscaled, WIDEST, scale))
    };
    Ok((cast(column.clone(), DataType::Decimal256(WIDEST, scale)), digits.map(value)))
}

fn scalar(literal: &Literal) -> Result<ScalarValue, EngineError> {
    Ok(match literal {
        Literal::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        Literal::Integer(number) => ScalarValue::Int64(Some(*number)),
        Literal::Number(number) => ScalarValue::Float64(Some(*number)),
        Literal::Boolean(truth) => ScalarValue::Boolean(Some(*truth)),
        Literal::Date(date) => ScalarValue::Date32(Some(date.days_since_epoch())),
        Literal::Timestamp(at) => ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into())),
        Literal::Decimal(_) => return Err(nothing()),
    })
}
