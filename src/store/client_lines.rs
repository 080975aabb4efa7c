//! Clients of all vendors as a list shows them: one statement for a page, with the tokens that still open something.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::client::{Binding, Client};

use super::column::{comparable, from_json, instant, known, like, parse};
use super::error::StoreError;
use super::raw::{Raw, number};
use super::{Page, Tx};

const NOUN: &str = "client";

/// What the list is narrowed to; nothing given is every client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// A part of the client's name or of the vendor's legal name, case aside, or the whole client id.
    pub search: Option<String>,
    /// Only those that are revoked, or only those that are not.
    pub revoked: Option<bool>,
}

/// A client with what the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedClient {
    pub client: Client,
    pub vendor_name: String,
    /// Tokens that are neither expired nor revoked.
    pub tokens: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    permits: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    addresses: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    old_secret_until: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    revoked_at: Option<i64>,
    #[diesel(sql_type = Text)]
    authentication: String,
    #[diesel(sql_type = Text)]
    dpop: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    vendor_name: String,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
}

impl Row {
    fn read(self) -> Result<ListedClient, StoreError> {
        let client = Client {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            name: parse(NOUN, self.name)?,
            permits: self.permits.map(|text| from_json(NOUN, &text)).transpose()?,
            created_at: Instant::from_micros(self.created_at),
            addresses: self.addresses.map(|text| from_json(NOUN, &text)).transpose()?.unwrap_or_default(),
            revoked_at: instant(self.revoked_at),
            old_secret_until: instant(self.old_secret_until),
            authentication: from_json(NOUN, &self.authentication)?,
            dpop: known(NOUN, Binding::from_key(&self.dpop))?,
            version: self.version,
        };
        Ok(ListedClient { client, vendor_name: self.vendor_name, tokens: self.tokens })
    }
}

/// The clients that fit, newest first.
pub fn page(tx: &mut Tx, filter: &ClientFilter, page: &Page) -> Result<Vec<ListedClient>, StoreError> {
    if !answerable(filter) || page.after.as_deref().is_some_and(|after| !comparable(after)) {
        return Ok(Vec::new());
    }
    let now = tx.now().micros();
    let select = "SELECT c.id, c.vendor, c.name, c.permits, c.addresses, c.old_secret_until, c.authentication, c.dpop, c.created_at, c.revoked_at, c.version, v.legal_name AS vendor_name, \
         CASE WHEN c.revoked_at IS NULL THEN \
         (SELECT count(*) FROM tokens t WHERE t.client = c.id AND t.revoked_at IS NULL AND t.expires_at >";
    let raw = Raw::new(select).number(now).sql(") ELSE 0 END AS tokens");
    let mut raw = fitting(raw, filter);
    if let Some(after) = &page.after {
        raw = raw.sql("AND c.id <").text(after);
    }
    let rows: Vec<Row> = raw.sql("ORDER BY c.id DESC LIMIT").number(page.limit()).load(tx)?;
    rows.into_iter().map(Row::read).collect()
}

/// How many clients fit.
pub fn count(tx: &mut Tx, filter: &ClientFilter) -> Result<i64, StoreError> {
    if answerable(filter) { number(tx, fitting(Raw::new("SELECT count(*) AS value"), filter)) } else { Ok(0) }
}

fn answerable(filter: &ClientFilter) -> bool {
    filter.search.as_deref().is_none_or(comparable)
}

fn fitting(raw: Raw, filter: &ClientFilter) -> Raw {
    let mut raw = raw.sql("FROM clients c JOIN vendors v ON v.id = c.vendor WHERE 1 = 1");
    match filter.revoked {
        Some(true) => raw = raw.sql("AND c.revoked_at IS NOT NULL"),
        Some(false) => raw = raw.sql("AND c.revoked_at IS NULL"),
        None => {}
    }
    if let Some(search) = &filter.search {
        let search = search.split_whitespace().collect::<Vec<_>>().join(" ");
        let part = |text: &str| format!("%{}%", like(text));
        raw = raw.sql("AND (v.name_key LIKE").text(part(&search.to_lowercase())).sql("ESCAPE '\\' OR c.id =").text(&search);
        // One database folds ASCII letters alone, the other all of them: the text is looked for both ways.
        for folded in [search.to_ascii_lowercase(), search.to_lowercase()] {
            raw = raw.sql("OR lower(c.name) LIKE").text(part(&folded)).sql("ESCAPE '\\'");
        }
        raw = raw.sql(")");
    }
    raw
}
