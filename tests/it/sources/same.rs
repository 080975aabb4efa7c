//! One permit, one dataset that moves from source to source: every release has the same bytes.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet};

use super::web::{Paged, Server};
use super::{add, csv, house, moved, objects, pulled};
use crate::database::run;
use crate::harness::{people_columns, permit, usual};
use crate::postgres::{PASSWORD, SourceDatabase, source_database};

const ROWS: usize = 1_234;

pub fn postgres_at(database: &SourceDatabase) -> Value {
    json!({
        "kind": "postgres", "host": "127.0.0.1", "port": database.port, "database": database.name, "user": "reader",
        "certificate": database.certificate
    })
}

/// Fills a table, wherever its values come from, in batches.
fn insert(conn: &mut PgConnection, table: &str, columns: &[SampleColumn]) {
    let literal = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    };
    for rows in objects(columns).chunks(500) {
        let row = |row: &Value| format!("({})", columns.iter().map(|column| literal(&row[column.name])).collect::<Vec<_>>().join(","));
        let rows = rows.iter().map(row).collect::<Vec<_>>().join(",");
        conn.batch_execute(&format!("INSERT INTO {table} VALUES {rows}")).unwrap();
    }
}

#[test]
fn the_same_people_from_every_kind_of_source() {
    run(async {
        let house = house().await;
        house.catalogue_people(ROWS).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let expected = pulled(&house, &vendor, "people").await;
        assert_eq!(expected[0].lines().count(), ROWS);
        let columns = people_columns(ROWS);

        moved(&house, "people", "people", &json!({"kind": "sqlite", "path": "shop.db"}), None).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected, "SQLite");
        std::fs::write(house.sources().join("people.csv"), csv(&columns)).unwrap();
        moved(&house, "people", "people", &json!({"kind": "csv", "path": "people.csv"}), None).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected, "CSV");
        let lines: String = objects(&columns).iter().map(|row| format!("{row}\n")).collect();
        std::fs::write(house.sources().join("people.ndjson"), lines).unwrap();
        let file = format!("file://{}", house.sources().canonicalize().unwrap().join("people.ndjson").display());
        moved(&house, "people", "people", &json!({"kind": "ndjson", "path": file}), None).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected, "NDJSON");

        let server = Server::start(Paged::ByLink { rows: objects(&columns), size: 100 });
        let at = json!({
            "kind": "http_json", "url": server.url("/v1/people?per_page=100"), "sends": {"as": "bearer"},
            "rows": "/data/items", "paging": {"by": "link_header"}
        });
        moved(&house, "people", "people", &at, Some(super::web::SECRET)).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected, "JSON over HTTP");

        if let Some(database) = source_database() {
            let mut conn = PgConnection::establish(&database.url).unwrap();
            let types =
                "id text PRIMARY KEY, email varchar(80), name text, born date, city char(4), score int, spent numeric(12,2), secret text";
            conn.batch_execute(&format!("CREATE TABLE people ({types})")).unwrap();
            insert(&mut conn, "people", &columns);
            moved(&house, "people", "people", &postgres_at(&database), Some(PASSWORD)).await;
            assert_eq!(pulled(&house, &vendor, "people").await, expected, "PostgreSQL");
        }
        if let Some(store) = super::bucket::Store::start().await {
            let scratch = tempfile::tempdir().unwrap();
            let half = |from: usize, to: usize| -> Vec<SampleColumn> {
                columns.iter().map(|column| SampleColumn { name: column.name, values: part(&column.values, from, to) }).collect()
            };
            for (name, rows) in [("part-0", half(0, 600)), ("part-1", half(600, ROWS))] {
                write_parquet(&scratch.path().join(name), &rows).unwrap();
                store.put(&format!("crm/people/{name}.parquet"), std::fs::read(scratch.path().join(name)).unwrap()).await;
                store.put(&format!("crm/text/{name}.csv"), csv(&rows).into_bytes()).await;
            }
            for (kind, path) in [("parquet", "s3://exports/crm/people/"), ("csv", "s3://exports/crm/text")] {
                let table = path.trim_end_matches('/').rsplit('/').next().unwrap();
                moved(&house, "people", table, &store.at(kind, path), Some(super::bucket::SECRET)).await;
                assert_eq!(pulled(&house, &vendor, "people").await, expected, "{kind} in an object store");
            }
        }
        // Six moves at least, each an act; and no secret in any of them.
        let acts = house.history("kind=act").await;
        let moves = acts.iter().filter(|entry| entry["leaf"]["act"] == "move").count();
        assert!(moves >= 4, "{moves}");
        assert!(!json!(acts).to_string().contains(super::web::SECRET));
    });
}

fn part(values: &SampleValues, from: usize, to: usize) -> SampleValues {
    match values {
        SampleValues::Text(cells) => SampleValues::Text(cells[from..to].to_vec()),
        SampleValues::Integer(cells) => SampleValues::Integer(cells[from..to].to_vec()),
        SampleValues::Number(cells) => SampleValues::Number(cells[from..to].to_vec()),
        SampleValues::Boolean(cells) => SampleValues::Boolean(cells[from..to].to_vec()),
        SampleValues::Date(cells) => SampleValues::Date(cells[from..to].to_vec()),
        SampleValues::Timestamp(cells) => SampleValues::Timestamp(cells[from..to].to_vec()),
    }
}

/// Chinook's names in its PostgreSQL script are in snake case; its SQLite file has them in another.
const RENAMED: &str = r#"
ALTER TABLE customer RENAME TO "Customer";
ALTER TABLE "Customer" RENAME customer_id TO "CustomerId";
ALTER TABLE "Customer" RENAME first_name TO "FirstName";
ALTER TABLE "Customer" RENAME last_name TO "LastName";
ALTER TABLE "Customer" RENAME company TO "Company";
ALTER TABLE "Customer" RENAME country TO "Country";
ALTER TABLE "Customer" RENAME postal_code TO "PostalCode";
ALTER TABLE "Customer" RENAME phone TO "Phone";
ALTER TABLE "Customer" RENAME email TO "Email";
ALTER TABLE "Customer" RENAME support_rep_id TO "SupportRepId";
ALTER TABLE invoice RENAME TO "Invoice";
ALTER TABLE "Invoice" RENAME invoice_id TO "InvoiceId";
ALTER TABLE "Invoice" RENAME customer_id TO "CustomerId";
ALTER TABLE "Invoice" RENAME invoice_date TO "InvoiceDate";
ALTER TABLE "Invoice" RENAME billing_country TO "BillingCountry";
ALTER TABLE "Invoice" RENAME total TO "Total";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
"#;

#[test]
fn chinook_from_postgresql_and_from_sqlite() {
    let Some(file) = crate::realdata::shared("chinook/chinook.sqlite") else { return };
    let Some(script) = crate::realdata::shared("chinook/chinook_postgresql.sql") else { return };
    let Some(database) = source_database() else { return };
    let script = std::fs::read_to_string(script).unwrap();
    let (_, tables) = script.split_once("\\c chinook;").unwrap();
    let mut conn = PgConnection::establish(&database.url).unwrap();
    conn.batch_execute(tables).unwrap();
    conn.batch_execute(RENAMED).unwrap();
    run(async {
        let house = house().await;
        std::fs::copy(&file, house.sources().join("chinook.sqlite")).unwrap();
        let source = add(&house, &json!({"kind": "sqlite", "path": "chinook.sqlite"}), None).await.good()["id"].clone();
        let field =
            |name: &str, kind: &str, class: &str, category: &str| json!({"name": name, "type": kind, "class": class, "category": category});
        let customers = json!([
            field("CustomerId", "integer", "direct_identifier", "technical"),
            field("FirstName", "text", "direct_identifier", "identifying"),
            field("LastName", "text", "direct_identifier", "identifying"),
            field("Company", "text", "plain", "account"),
            field("Country", "text", "quasi_identifier", "location"),
            field("PostalCode", "text", "quasi_identifier", "location"),
            field("Phone", "text", "direct_identifier", "contact"),
            field("Email", "text", "direct_identifier", "contact"),
            field("SupportRepId", "integer", "plain", "account")
        ]);
        let invoices = json!([
            field("InvoiceId", "integer", "plain", "account"),
            field("CustomerId", "integer", "direct_identifier", "technical"),
            field("InvoiceDate", "timestamp", "plain", "account"),
            field("BillingCountry", "text", "quasi_identifier", "location"),
            field("Total", "number", "plain", "financial")
        ]);
        for (name, table, fields) in [("customers", "Customer", &customers), ("invoices", "Invoice", &invoices)] {
            let body = json!({
                "name": name, "source": source, "table": table, "fields": fields,
                "subject": {"field": "CustomerId", "domain": "customer"}
            });
            house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
        }
        let clear = || json!({"kind": "clear"});
        let of_customers = permit(
            "customers",
            json!({
                "CustomerId": {"kind": "pseudonym", "format": "base32"}, "Company": clear(), "Country": clear(), "SupportRepId": clear(),
                "FirstName": {"kind": "mask", "prefix": 1, "suffix": 0, "pad": 3}, "LastName": {"kind": "mask", "prefix": 2, "suffix": 0, "pad": 1},
                "PostalCode": {"kind": "truncate", "length": 2}, "Email": {"kind": "pseudonym", "format": "uuid"}
            }),
        );
        let mut of_invoices = permit(
            "invoices",
            json!({
                "CustomerId": {"kind": "pseudonym", "format": "base32"}, "InvoiceId": clear(), "Total": clear(), "BillingCountry": clear(),
                "InvoiceDate": {"kind": "generalise_date", "unit": "month"}
            }),
        );
        let clauses = json!([{"field": "Total", "op": "gt", "values": ["1.5"]}, {"field": "BillingCountry", "op": "in", "values": ["USA", "Germany"]}]);
        of_invoices["condition"] = json!({"all": clauses});
        let vendor = house.vendor("Acme", &[("acme-customers", of_customers), ("acme-invoices", of_invoices)]).await;
        let of_sqlite = [pulled(&house, &vendor, "customers").await, pulled(&house, &vendor, "invoices").await];
        assert_eq!(of_sqlite[0][0].lines().count(), 59);
        assert!((50..412).contains(&of_sqlite[1][0].lines().count()));
        let at = postgres_at(&database);
        moved(&house, "customers", "Customer", &at, Some(PASSWORD)).await;
        moved(&house, "invoices", "Invoice", &at, Some(PASSWORD)).await;
        assert_eq!([pulled(&house, &vendor, "customers").await, pulled(&house, &vendor, "invoices").await], of_sqlite);
    });
}
