//! The demo's catalogue: the shop's customers and orders, each field classed, the customer mapped as subject.

use crate::app::catalogue::{Cataloguing, add_source, catalogue, discover};
use crate::app::{App, AppError};
use crate::domain::dataset::{Field, FieldClass as C, SourceLocation, SubjectMapping};
use crate::domain::person::Actor;

const CUSTOMERS: &[(&str, C, &str, &str)] = &[
    ("customer_id", C::DirectIdentifier, "technical", "The shop's number for the customer"),
    ("first_name", C::QuasiIdentifier, "identifying", "Given name"),
    ("last_name", C::DirectIdentifier, "identifying", "Family name"),
    ("email", C::DirectIdentifier, "contact", "E-mail address"),
    ("phone", C::DirectIdentifier, "contact", "Phone number"),
    ("birth_date", C::QuasiIdentifier, "demographic", "Date of birth"),
    ("street", C::QuasiIdentifier, "contact", "Street and house number"),
    ("city", C::QuasiIdentifier, "location", "City"),
    ("postal_code", C::QuasiIdentifier, "location", "Postal code"),
    ("country", C::QuasiIdentifier, "location", "Country"),
    ("gender", C::QuasiIdentifier, "demographic", "Gender"),
    ("loyalty_tier", C::Plain, "account", "Tier of the loyalty programme"),
    ("lifetime_value", C::Sensitive, "financial", "Revenue with the customer so far, in euros"),
    ("marketing_email", C::Plain, "preference", "Agreed to advertising by e-mail"),
    ("marketing_phone", C::Plain, "preference", "Agreed to advertising by phone"),
    ("note", C::Sensitive, "communication", "Note of the service desk"),
];

const ORDERS: &[(&str, C, &str, &str)] = &[
    ("order_id", C::DirectIdentifier, "technical", "Number of the order"),
    ("customer_id", C::DirectIdentifier, "technical", "The shop's number for the customer"),
    ("ordered_at", C::QuasiIdentifier, "transactional", "When it was ordered"),
    ("status", C::Plain, "transactional", "How far it is"),
    ("items", C::Plain, "transactional", "Number of items"),
    ("total", C::Sensitive, "transactional", "Amount in euros"),
    ("shipping_country", C::QuasiIdentifier, "location", "Country it goes to"),
    ("shipping_postal_code", C::QuasiIdentifier, "location", "Postal code it goes to"),
    ("carrier_reference", C::DirectIdentifier, "technical", "The carrier's number"),
];

/// Registers the customers as Parquet and the orders as SQLite, as the data steward.
pub async fn fill(app: &App, steward: &Actor) -> Result<(), AppError> {
    let parquet = SourceLocation::Parquet { path: "customers.parquet".parse()?, store: None };
    add(app, steward, "Shop export (Parquet)", parquet, "customers", CUSTOMERS).await?;
    let sqlite = SourceLocation::Sqlite { path: "shop.db".parse()? };
    add(app, steward, "Shop database (SQLite)", sqlite, "orders", ORDERS).await
}

async fn add(
    app: &App,
    steward: &Actor,
    source: &str,
    location: SourceLocation,
    table: &str,
    known: &[(&str, C, &str, &str)],
) -> Result<(), AppError> {
    let source = add_source(app, steward, source.parse()?, location, None).await?;
    let tables = discover(app, source.id.clone()).await?;
    let found = tables.into_iter().find(|candidate| candidate.name == table).ok_or(AppError::NotFound("table"))?;
    let mut fields = Vec::new();
    for column in found.columns {
        let (_, class, category, description) = known.iter().find(|row| row.0 == column.name).ok_or(AppError::NotFound("column"))?;
        fields.push(Field {
            name: column.name.parse()?,
            logical: column.logical,
            class: *class,
            category: category.parse()?,
            description: Some(description.parse()?),
            advice: None,
        });
    }
    let subject = SubjectMapping { field: "customer_id".parse()?, domain: "customer".parse()? };
    let new = Cataloguing { name: table.parse()?, source: source.id, table: table.parse()?, fields, subject };
    catalogue(app, steward, new).await.map(drop)
}
