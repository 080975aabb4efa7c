//! Statements put together from parts, for what the pages read: each value is a bind, so nothing that was sent becomes SQL.

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

use super::Tx;
use super::conn::MultiBackend;
use super::error::StoreError;

enum Bind {
    Text(String),
    Number(i64),
}

/// A statement under construction.
pub(super) struct Raw {
    sql: String,
    binds: Vec<Bind>,
}

impl Raw {
    /// Begins with a text of ours.
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), binds: Vec::new() }
    }

    /// Goes on with a text of ours.
    pub(super) fn sql(mut self, sql: &str) -> Self {
        self.sql.push(' ');
        self.sql.push_str(sql);
        self
    }

    /// A text as a value.
    pub(super) fn text(self, value: impl ToString) -> Self {
        self.bind(Bind::Text(value.to_string()))
    }

    /// A number as a value.
    pub(super) fn number(self, value: i64) -> Self {
        self.bind(Bind::Number(value))
    }

    /// A text as a value, or NULL.
    pub(super) fn some_text(self, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self.sql("NULL"),
        }
    }

    /// A number as a value, or NULL.
    pub(super) fn some_number(self, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.number(value),
            None => self.sql("NULL"),
        }
    }

    /// `IN (…)` of numbers; of none it holds for nothing.
    pub(super) fn among_numbers(self, values: impl IntoIterator<Item = i64>) -> Self {
        self.list(values.into_iter().map(Bind::Number))
    }

    /// `IN (…)` of texts; of none it holds for nothing.
    pub(super) fn among<T: ToString>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.list(values.into_iter().map(|value| Bind::Text(value.to_string())))
    }

    fn list(self, values: impl Iterator<Item = Bind>) -> Self {
        let mut raw = self.sql("IN (");
        for (at, value) in values.enumerate() {
            raw = if at == 0 { raw } else { raw.sql(",") }.bind(value);
        }
        // A list must not be empty; nothing equals NULL.
        if raw.sql.ends_with('(') { raw.sql("NULL)") } else { raw.sql(")") }
    }

    fn bind(mut self, value: Bind) -> Self {
        self.binds.push(value);
        let place = format!("${}", self.binds.len());
        self.sql(&place)
    }

    /// Carries out what answers nothing; how many rows it touched.
    pub(super) fn execute(self, tx: &mut Tx) -> Result<usize, StoreError> {
        Ok(self.bound().execute(tx.conn())?)
    }

    /// Carries it out.
    pub(super) fn load<T: QueryableByName<MultiBackend> + 'static>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        Ok(self.bound().load(tx.conn())?)
    }

    fn bound(self) -> BoxedSqlQuery<'static, MultiBackend, SqlQuery> {
        let mut query = sql_query(self.sql).into_boxed::<MultiBackend>();
        for bind in self.binds {
            query = match bind {
                Bind::Text(text) => query.bind::<Text, _>(text),
                Bind::Number(number) => query.bind::<BigInt, _>(number),
            };
        }
        query
    }
}

/// One number, named `value` in the statement.
#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) value: i64,
}

/// The only number of a statement that answers one; 0 when it answers nothing.
pub(super) fn number(tx: &mut Tx, raw: Raw) -> Result<i64, StoreError> {
    Ok(raw.load::<Number>(tx)?.first().map_or(0, |row| row.value))
}
