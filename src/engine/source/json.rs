//! JSON objects as rows of text: a number or truth value is the text it is written as, and what is nested is no value.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayBuilder, ArrayRef, BooleanBuilder, RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::seen::{Cell, Seen};
use super::{EngineError, TableColumn, cells};

/// The most columns that sampled rows may have together; names beyond them are not seen.
const MOST_COLUMNS: usize = 2_000;

/// The columns of text of some fields, each followed by the flag that says where it had a value.
pub(super) fn schema(names: &[&str]) -> SchemaRef {
    cells::schema(names.iter().map(|name| (*name, DataType::Utf8)))
}

/// A value as it is written; `None` for null.
fn cell<'a>(raw: &'a RawValue, text: &'a mut String) -> Result<Option<Cell<'a>>, EngineError> {
    let written = raw.get();
    Ok(match written.as_bytes().first() {
        Some(b'"') => {
            *text = serde_json::from_str::<Cow<'_, str>>(written).map_err(|_| EngineError::damaged())?.into_owned();
            Some(Cell::Quoted(text))
        }
        Some(b'{' | b'[') => Some(Cell::Nested),
        Some(b'n') => None,
        Some(_) | None => Some(Cell::Bare(written)),
    })
}

/// What sampled rows hold: names in the order of their first appearance.
#[derive(Default)]
pub(super) struct Sampled {
    columns: Vec<(String, Seen)>,
}

impl Sampled {
    /// Looks at one object.
    pub(super) fn look(&mut self, row: &[u8]) -> Result<(), EngineError> {
        let mut text = String::new();
        walk(row, |name, raw| {
            let cell = cell(raw, &mut text)?;
            let at = match self.columns.iter().position(|(known, _)| known == name) {
                Some(at) => at,
                None if self.columns.len() < MOST_COLUMNS => {
                    self.columns.push((name.to_owned(), Seen::default()));
                    self.columns.len().saturating_sub(1)
                }
                None => return Ok(()),
            };
            if let (Some(cell), Some((_, seen))) = (cell, self.columns.get_mut(at)) {
                seen.look(cell);
            }
            Ok(())
        })
    }

    pub(super) fn columns(self) -> Vec<TableColumn> {
        let column = |(name, seen): (String, Seen)| TableColumn { name, logical: seen.logical(), fits: seen.fits() };
        self.columns.into_iter().map(column).collect()
    }
}

/// Rows being filled.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Filling>,
    text: String,
    count: usize,
}

struct Filling {
    name: String,
    values: StringBuilder,
    present: BooleanBuilder,
    /// Whether the row that is read has said it.
    said: bool,
}

impl Rows {
    pub(super) fn new(names: &[&str]) -> Self {
        let filling =
            |name: &&str| Filling { name: (*name).to_owned(), values: StringBuilder::new(), present: BooleanBuilder::new(), said: false };
        Self { schema: schema(names), columns: names.iter().map(filling).collect(), text: String::new(), count: 0 }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Takes one object. A member that is there twice makes it unreadable: readers differ in which one they take.
    pub(super) fn push(&mut self, row: &[u8]) -> Result<(), EngineError> {
        let Self { columns, text, count, .. } = self;
        walk(row, |name, raw| {
            let Some(column) = columns.iter_mut().find(|column| column.name == name) else { return Ok(()) };
            if std::mem::replace(&mut column.said, true) {
                return Err(EngineError::damaged());
            }
            match cell(raw, text)? {
                Some(Cell::Bare(value) | Cell::Quoted(value)) => column.push(Some(value), true),
                Some(Cell::Nested) => column.push(None, true),
                None => column.push(None, false),
            }
            Ok(())
        })?;
        for column in columns {
            if !std::mem::replace(&mut column.said, false) {
                column.push(None, false);
            }
        }
        *count = count.saturating_add(1);
        Ok(())
    }

    /// The rows so far, with columns that stand for all of them alike behind; then it is empty again.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, EngineError> {
        self.count = 0;
        let columns = self
            .columns
            .iter_mut()
            .flat_map(|column| -> [ArrayRef; 2] { [ArrayBuilder::finish(&mut column.values), ArrayBuilder::finish(&mut column.present)] });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
            .map_err(|_| EngineError::internal("the rows do not have the columns planned"))
    }
}

impl Filling {
    fn push(&mut self, value: Option<&str>, present: bool) {
        self.values.append_option(value);
        self.present.append_value(present);
    }
}

/// Calls for each member of an object. Nothing that is not asked for is built, however deep it is nested.
fn walk(row: &[u8], each: impl FnMut(&str, &RawValue) -> Result<(), EngineError>) -> Result<(), EngineError> {
    let mut from = serde_json::Deserializer::from_slice(row);
    let answer = Walk(each).deserialize(&mut from).map_err(|_| EngineError::damaged())?;
    from.end().map_err(|_| EngineError::damaged())?;
    answer
}

struct Walk<Each>(Each);

impl<'de, Each: FnMut(&str, &RawValue) -> Result<(), EngineError>> DeserializeSeed<'de> for Walk<Each> {
    type Value = Result<(), EngineError>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, Each: FnMut(&str, &RawValue) -> Result<(), EngineError>> Visitor<'de> for Walk<Each> {
    type Value = Result<(), EngineError>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<Map: MapAccess<'de>>(mut self, mut members: Map) -> Result<Self::Value, Map::Error> {
        let mut answer = Ok(());
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if answer.is_err() {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw = members.next_value::<&'de RawValue>()?;
            answer = (self.0)(&name, raw);
        }
        Ok(answer)
    }
}

/// The value at a JSON Pointer (RFC 6901) in a document, as it is written there.
pub(super) fn at<'a>(document: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    let mut here = document;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let mut found = None;
        if here.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(here.get()).ok()?;
            found = items.get(name.parse::<usize>().ok()?).copied();
        } else {
            let members: std::collections::BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(here.get()).ok()?;
            found = found.or_else(|| members.get(name.as_str()).copied());
        }
        here = found?;
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, BooleanArray, StringArray};

    use super::*;
    use crate::domain::dataset::LogicalType;

    #[test]
    fn values_are_the_text_they_are_written_as() {
        let mut rows = Rows::new(&["a", "b"]);
        for row in [
            r#"{"a": "x\u00e9", "b": 12345678901234567890, "c": {"deep": [1]}}"#,
            r#"{"b": 1e3, "a": null}"#,
            r#"{"a": true, "b": {"n": 1}}"#,
            "{}",
        ] {
            rows.push(row.as_bytes()).unwrap();
        }
        assert_eq!(rows.count(), 4);
        let batch = rows.finish().unwrap();
        assert_eq!(batch.column(0).as_string::<i32>(), &StringArray::from(vec![Some("xé"), None, Some("true"), None]));
        assert_eq!(batch.column(1).as_boolean(), &BooleanArray::from(vec![true, false, true, false]));
        assert_eq!(batch.column(2).as_string::<i32>(), &StringArray::from(vec![Some("12345678901234567890"), Some("1e3"), None, None]));
        assert_eq!(batch.column(3).as_boolean(), &BooleanArray::from(vec![true, true, true, false]));
    }

    #[test]
    fn what_is_no_object_or_says_a_member_twice_is_refused() {
        for row in ["[]", "1", "{", r#"{"a":1,"a":2}"#, r#"{"a":1} x"#] {
            assert!(Rows::new(&["a"]).push(row.as_bytes()).is_err(), "{row}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}1{},\"b\":1}}", "[".repeat(500_000), "]".repeat(500_000));
        let mut rows = Rows::new(&["a", "b"]);
        rows.push(deep.as_bytes()).unwrap();
        assert_eq!(rows.finish().unwrap().column(2).as_string::<i32>().value(0), "1");
        let mut sampled = Sampled::default();
        sampled.look(deep.as_bytes()).unwrap();
        assert_eq!(sampled.columns()[0].logical, LogicalType::Other);
    }

    #[test]
    fn pointers_find_what_they_name() {
        let document: Box<RawValue> = serde_json::from_str(r#"{"a/b":{"~":[{"x":1},2]},"a":3}"#).unwrap();
        for (pointer, expected) in [("/a~1b/~0/1", Some("2")), ("/a", Some("3")), ("/b", None), ("/a/x", None), ("/a~1b/~0/9", None)] {
            assert_eq!(at(&document, pointer).map(RawValue::get), expected, "{pointer}");
        }
        assert_eq!(at(&document, "").map(RawValue::get), Some(document.get()));
    }
}
