//! The query of a pull: reserved words, and everything else a filter in the manner of PostgREST.

use crate::domain::Invalid;
use crate::domain::condition::Operator;
use crate::policy::release::{Asked, Order};

/// A parsed query.
#[derive(Debug, Default, PartialEq)]
pub struct RecordsQuery {
    pub asked: Asked,
    pub permit: Option<String>,
    pub limit: Option<u64>,
    pub cursor: Option<String>,
    /// `csv_safe=1`: see [`crate::engine::encode::Wire`].
    pub csv_safe: bool,
}

/// The most filters of one request.
const MOST_FILTERS: usize = 50;

/// Reads a query string; names of fields are judged later, by the permit.
pub fn parse(raw: &str) -> Result<RecordsQuery, Invalid> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(raw).map_err(|_| Invalid::new("query", "can't be read"))?;
    let mut query = RecordsQuery::default();
    let mut csv_safe = None;
    for (name, value) in pairs {
        match name.as_str() {
            "select" => once(&name, &mut query.asked.select, names(&value))?,
            "permit" => once(&name, &mut query.permit, value)?,
            "purpose" => once(&name, &mut query.asked.purpose, value)?,
            "cursor" => once(&name, &mut query.cursor, value)?,
            "limit" => {
                let limit = value.parse().map_err(|_| Invalid::new("limit", "must be a whole number"))?;
                once(&name, &mut query.limit, limit)?;
            }
            "order" => {
                if !query.asked.order.is_empty() {
                    return Err(Invalid::new("order", "must not be given twice"));
                }
                query.asked.order = names(&value).into_iter().map(order).collect();
            }
            "csv_safe" => {
                let safe = match value.as_str() {
                    "1" => true,
                    "0" => false,
                    _ => return Err(Invalid::new("csv_safe", "must be 1 or 0")),
                };
                once(&name, &mut csv_safe, safe)?;
            }
            _ => {
                if query.asked.filter.len() == MOST_FILTERS {
                    return Err(Invalid::new("query", format!("must have at most {MOST_FILTERS} filters")));
                }
                let (operator, values) = filter(&value);
                query.asked.filter.push((name, operator, values));
            }
        }
    }
    query.csv_safe = csv_safe.unwrap_or(false);
    Ok(query)
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Invalid> {
    if place.replace(value).is_some() { Err(Invalid::new(name, "must not be given twice")) } else { Ok(()) }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// `field.desc.nullslast` → its parts. NULL counts as more than any value where nothing is said of it, as PostgreSQL has it.
fn order(name: String) -> Order {
    let (rest, nulls_first) = match name.rsplit_once('.') {
        Some((rest, "nullsfirst")) => (rest, Some(true)),
        Some((rest, "nullslast")) => (rest, Some(false)),
        _ => (name.as_str(), None),
    };
    let (field, descending) = match rest.rsplit_once('.') {
        Some((field, "desc")) => (field, true),
        Some((field, "asc")) => (field, false),
        _ => (rest, false),
    };
    Order { field: field.to_owned(), descending, nulls_first: nulls_first.unwrap_or(descending) }
}

/// `eq.DE` → the operator and its values. What is no operator becomes an `in` without values, which the field's own
/// check refuses: so an unknown field is named before a wrong operator, and a withheld one answers as an unknown.
fn filter(text: &str) -> (Operator, Vec<String>) {
    let Some((operator, rest)) = text.split_once('.') else { return (Operator::In, Vec::new()) };
    match Operator::from_key(operator) {
        Some(Operator::In) => (Operator::In, list(rest)),
        Some(operator) => (operator, vec![rest.to_owned()]),
        None => (Operator::In, Vec::new()),
    }
}

/// `(a,b,"c,d")` → its values; a quote within quotes is written `\"`.
fn list(text: &str) -> Vec<String> {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return Vec::new() };
    let mut values = Vec::new();
    let (mut value, mut quoted, mut chars) = (String::new(), false, inner.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => value.extend(chars.next()),
            ',' if !quoted => values.push(std::mem::take(&mut value)),
            _ => value.push(c),
        }
    }
    values.push(value);
    if quoted { Vec::new() } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_as_postgrest_writes_them() {
        let query = parse("country=in.(DE,AT)&name=eq.a.b&note=is.null&select=a,b&order=a.desc,b&limit=5").unwrap();
        let text = |word: &str| word.to_owned();
        assert_eq!(
            query.asked.filter,
            vec![
                (text("country"), Operator::In, vec![text("DE"), text("AT")]),
                (text("name"), Operator::Eq, vec![text("a.b")]),
                (text("note"), Operator::Is, vec![text("null")]),
            ]
        );
        assert_eq!(query.asked.select, Some(vec![text("a"), text("b")]));
        let order = |field: &str, descending, nulls_first| Order { field: text(field), descending, nulls_first };
        assert_eq!(query.asked.order, vec![order("a", true, true), order("b", false, false)]);
        assert_eq!(query.limit, Some(5));
        let query = parse("order=a.desc.nullslast,b.asc.nullsfirst,c.nullsfirst,d.e&csv_safe=1").unwrap();
        let expected = [order("a", true, false), order("b", false, true), order("c", false, true), order("d.e", false, false)];
        assert_eq!((query.asked.order.as_slice(), query.csv_safe), (&expected[..], true));
    }

    #[test]
    fn lists_may_hold_commas_and_quotes() {
        assert_eq!(list(r#"(a,"b,c","d\"e")"#), vec!["a", "b,c", "d\"e"]);
        assert!(list("(a").is_empty());
        assert!(list(r#"("a)"#).is_empty());
    }

    #[test]
    fn nothing_is_given_twice() {
        for raw in ["limit=1&limit=2", "select=a&select=b", "order=a&order=b", "cursor=x&cursor=y", "csv_safe=1&csv_safe=1", "csv_safe=yes"]
        {
            assert!(parse(raw).is_err(), "{raw}");
        }
        assert!(parse("limit=-1").is_err());
        assert!(parse("limit=99999999999999999999999").is_err());
    }
}
