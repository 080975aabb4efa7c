//! What confirming a changed source makes of a dataset's fields: exactly the difference that was shown. A column that is
//! gone leaves, another type is taken over, and a new column stays withheld.

use crate::domain::dataset::{ColumnNow, ColumnState, Dataset, Field};
use crate::domain::text::FieldName;

use super::Denied;

/// A dataset's fields as confirmed, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    pub fields: Vec<Field>,
    pub gone: Vec<FieldName>,
    pub retyped: Vec<FieldName>,
}

/// Takes the difference over.
///
/// # Errors
/// Where nothing is to be confirmed, and where nobody could say any more whose rows these are.
pub fn confirm(dataset: &Dataset, columns: &[ColumnNow]) -> Result<Confirmed, Denied> {
    let mut confirmed = Confirmed { fields: Vec::new(), gone: Vec::new(), retyped: Vec::new() };
    for field in &dataset.fields {
        let column = columns.iter().find(|column| column.name == field.name.as_str());
        match column.map(|column| (column.state, column.now)) {
            Some((ColumnState::OtherType, Some(now))) => {
                let advice = field.advice.filter(|advice| advice.fits(now));
                confirmed.fields.push(Field { logical: now, advice, ..field.clone() });
                confirmed.retyped.push(field.name.clone());
            }
            Some((ColumnState::Gone | ColumnState::OtherType, _)) | None => confirmed.gone.push(field.name.clone()),
            Some((ColumnState::AsCatalogued | ColumnState::New, _)) => confirmed.fields.push(field.clone()),
        }
    }
    if confirmed.gone.is_empty() && confirmed.retyped.is_empty() {
        return Err(Denied::state("Nothing is to be confirmed: the catalogued columns are as they were."));
    }
    if confirmed.gone.contains(&dataset.subject.field) {
        return Err(Denied::state(
            "The column that says whose row it is is gone, so nobody could object to a release any more: bring it back, or end the permits \
             and choose another one by editing the fields.",
        ));
    }
    Ok(confirmed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::advice::Advice;
    use crate::domain::dataset::{FieldClass, LogicalType, SubjectMapping};

    fn dataset() -> Dataset {
        let field = |name: &str, logical, advice| Field {
            name: name.parse().unwrap(),
            logical,
            class: FieldClass::Plain,
            category: "account".parse().unwrap(),
            description: None,
            advice,
        };
        Dataset {
            id: "0190a0b0-0000-7000-8000-000000000000".parse().unwrap(),
            name: "people".parse().unwrap(),
            source: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
            table: "people".parse().unwrap(),
            fields: vec![
                field("id", LogicalType::Text, None),
                field("score", LogicalType::Integer, Some(Advice::Round)),
                field("town", LogicalType::Text, Some(Advice::Withhold)),
            ],
            subject: SubjectMapping { field: "id".parse().unwrap(), domain: "customer".parse().unwrap() },
            created_at: crate::domain::Instant::from_micros(0),
            version: 1,
        }
    }

    fn now(columns: &[(&str, ColumnState, Option<LogicalType>)]) -> Vec<ColumnNow> {
        let column = |(name, state, now): &(&str, ColumnState, Option<LogicalType>)| ColumnNow {
            name: (*name).to_owned(),
            catalogued: None,
            now: *now,
            state: *state,
        };
        columns.iter().map(column).collect()
    }

    #[test]
    fn exactly_the_difference_is_taken_over() {
        use ColumnState::{AsCatalogued, Gone, New, OtherType};
        let text = Some(LogicalType::Text);
        let seen = now(&[("id", AsCatalogued, text), ("score", OtherType, text), ("town", Gone, None), ("extra", New, text)]);
        let confirmed = confirm(&dataset(), &seen).unwrap();
        let fields: Vec<_> = confirmed.fields.iter().map(|field| (field.name.as_str(), field.logical, field.advice)).collect();
        assert_eq!(fields, [("id", LogicalType::Text, None), ("score", LogicalType::Text, None)], "what no longer fits is no advice");
        assert_eq!((confirmed.gone.len(), confirmed.retyped.len()), (1, 1));

        let same = now(&[("id", AsCatalogued, text), ("score", AsCatalogued, text), ("town", AsCatalogued, text), ("extra", New, text)]);
        assert!(confirm(&dataset(), &same).is_err(), "a new column alone is nothing to confirm");
        let subject = now(&[("score", AsCatalogued, text), ("town", AsCatalogued, text)]);
        assert!(confirm(&dataset(), &subject).is_err(), "without a subject nobody's objection counts");
    }
}
