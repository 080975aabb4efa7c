//! A permit's row condition in the words of PostgreSQL, as far as both mean the same by it.

use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::Kind;
use crate::domain::condition::{Alternatives, Comparison, Literal, Operator, Test};
use crate::domain::dataset::LogicalType;

/// A comparison in SQL.
pub(super) struct Said {
    pub(super) sql: String,
    /// Whether it lets through exactly the rows that the engine does; else some more.
    pub(super) exact: bool,
}

/// Alternatives in SQL, said only as a whole: what one of them lets through must come. `typed` says how a column is held.
pub(super) fn either(part: &Alternatives, typed: impl Fn(&Comparison) -> Option<(Kind, LogicalType)>) -> Option<Said> {
    let one = |comparison| typed(comparison).and_then(|(kind, logical)| said(comparison, kind, logical));
    let each: Vec<Said> = part.comparisons().iter().map(one).collect::<Option<_>>()?;
    let exact = each.iter().all(|said| said.exact);
    let sql = each.into_iter().map(|said| said.sql).collect::<Vec<_>>().join(" OR ");
    Some(Said { sql: format!("({sql})"), exact })
}

/// None where SQL would let fewer rows through than the engine, or where that is not known.
fn said(comparison: &Comparison, kind: Kind, logical: LogicalType) -> Option<Said> {
    let column = escape_identifier(comparison.field.as_str());
    match &comparison.test {
        Test::Null => Some(Said { sql: format!("{column} IS NULL"), exact: true }),
        // An infinite date is a value that the engine can't read.
        Test::NotNull => {
            Some(Said { sql: format!("{column} IS NOT NULL"), exact: !matches!(logical, LogicalType::Date | LogicalType::Timestamp) })
        }
        Test::Compare(operator, literal) => {
            let (column, exact) = compared(&column, kind, logical, *operator)?;
            Some(Said { sql: format!("{column} {} {}", sign(*operator)?, written(literal, kind)?), exact })
        }
        Test::AnyOf(literals) => {
            let (column, exact) = compared(&column, kind, logical, Operator::Eq)?;
            let list = literals.iter().map(|literal| written(literal, kind)).collect::<Option<Vec<_>>>()?;
            Some(Said { sql: format!("{column} IN ({})", list.join(", ")), exact })
        }
    }
}

/// The column as it is compared. Texts have an order of their own in each collation, so only equality is said.
fn compared(column: &str, kind: Kind, logical: LogicalType, operator: Operator) -> Option<(String, bool)> {
    let equality = matches!(operator, Operator::Eq | Operator::Neq);
    match (kind, logical) {
        (Kind::Text { by_bytes: true }, LogicalType::Text) if equality => Some((column.to_owned(), true)),
        (Kind::AsText, LogicalType::Text) if equality => Some((format!("{column}::pg_catalog.text"), true)),
        (Kind::Integer, LogicalType::Integer) | (Kind::Boolean, LogicalType::Boolean) => Some((column.to_owned(), true)),
        // Infinite ones are beyond every date here and no date there.
        (Kind::Date, LogicalType::Date) | (Kind::Timestamp | Kind::TimestampWithZone, LogicalType::Timestamp) => {
            Some((column.to_owned(), false))
        }
        // To PostgreSQL NaN is the greatest number, and equal to itself.
        (Kind::Numeric { scale: Some(_) }, LogicalType::Decimal) => Some((column.to_owned(), false)),
        (Kind::Float | Kind::Numeric { .. }, LogicalType::Number) => Some((format!("{column}::pg_catalog.float8"), false)),
        _ => None,
    }
}

const fn sign(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Eq => "=",
        Operator::Neq => "<>",
        Operator::Gt => ">",
        Operator::Gte => ">=",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        Operator::In | Operator::Is => return None,
    })
}

fn written(literal: &Literal, kind: Kind) -> Option<String> {
    Some(match literal {
        // PostgreSQL holds no such character, and its literals can't say it.
        Literal::Text(text) if text.contains('\0') => return None,
        Literal::Text(text) => format!("{}::pg_catalog.text", escape_literal(text)),
        Literal::Integer(number) => format!("'{number}'::pg_catalog.int8"),
        Literal::Number(number) => format!("'{number:?}'::pg_catalog.float8"),
        Literal::Decimal(digits) => format!("{}::pg_catalog.numeric", escape_literal(digits)),
        Literal::Boolean(truth) => truth.to_string(),
        Literal::Date(date) => format!("'{date}'::pg_catalog.date"),
        Literal::Timestamp(at) if kind == Kind::Timestamp => {
            format!("'{}'::pg_catalog.timestamp", at.to_string().trim_end_matches('Z'))
        }
        Literal::Timestamp(at) => format!("'{at}'::pg_catalog.timestamptz"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::condition::Condition;

    fn sql(test: Test, kind: Kind, logical: LogicalType) -> Option<(String, bool)> {
        said(&Comparison { field: "a\"b".parse().unwrap(), test }, kind, logical).map(|said| (said.sql, said.exact))
    }

    #[test]
    fn only_what_both_mean_alike_is_said() {
        let text = |text: &str| Literal::Text(text.to_owned());
        let by_bytes = Kind::Text { by_bytes: true };
        let equal = |literal| Test::Compare(Operator::Eq, literal);
        assert_eq!(
            sql(equal(text("O'Neill\\")), by_bytes, LogicalType::Text),
            Some((r#""a""b" =  E'O''Neill\\'::pg_catalog.text"#.to_owned(), true))
        );
        assert_eq!(sql(Test::Compare(Operator::Gt, text("x")), by_bytes, LogicalType::Text), None);
        assert_eq!(sql(equal(text("x")), Kind::Text { by_bytes: false }, LogicalType::Text), None);
        assert_eq!(sql(equal(text("a\0b")), by_bytes, LogicalType::Text), None);
        assert_eq!(
            sql(Test::AnyOf(vec![Literal::Integer(1), Literal::Integer(-2)]), Kind::Integer, LogicalType::Integer),
            Some((r#""a""b" IN ('1'::pg_catalog.int8, '-2'::pg_catalog.int8)"#.to_owned(), true))
        );
        assert!(sql(equal(Literal::Number(0.5)), Kind::Float, LogicalType::Number).is_some_and(|(_, exact)| !exact));
        assert_eq!(sql(Test::Null, Kind::Other, LogicalType::Other), Some((r#""a""b" IS NULL"#.to_owned(), true)));
    }

    #[test]
    fn alternatives_are_said_together_or_not_at_all() {
        let condition: Condition = serde_json::from_str(
            r#"{"all": [{"any": [{"field": "a", "op": "is", "values": ["null"]}, {"field": "b", "op": "gt", "values": ["7"]}]}]}"#,
        )
        .unwrap();
        let parts = |kind: LogicalType| condition.typed(|_| Some(kind)).unwrap();
        let said = |logical, kind| either(&parts(logical)[0], |_| Some((kind, logical))).map(|said| (said.sql, said.exact));
        let whole = Some((r#"("a" IS NULL OR "b" > '7'::pg_catalog.int8)"#.to_owned(), true));
        assert_eq!(said(LogicalType::Integer, Kind::Integer), whole);
        assert!(said(LogicalType::Number, Kind::Float).is_some_and(|(_, exact)| !exact), "one that is not exact makes all so");
        assert_eq!(said(LogicalType::Text, Kind::Text { by_bytes: true }), None, "an order of texts can't be said");
    }
}
