//! The customers in PostgreSQL, and psql beside the release: the same columns of the same rows, raw, by one COPY.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::{Value, json};

use super::customers::COUNTRIES;
use super::postgres::{PASSWORD, SourceDatabase, source_database};
use super::rivals::Rivals;

/// The columns of the release, in the order of the table.
const RELEASED: &str = "customer_id, email, birth_date, signed_up, postal_code, country, loyalty_tier, lifetime_value";

/// A database of its own with a table of customers.
pub struct Customers {
    database: SourceDatabase,
    certificate: PathBuf,
}

impl Customers {
    /// Fills one from the file; none, said loudly, where PostgreSQL or DuckDB is missing.
    pub fn of(file: &Path, rivals: Option<&Rivals>, folder: &Path) -> Option<Self> {
        let (Some(rivals), Some(database)) = (rivals, source_database()) else {
            println!("\n!! SKIPPED: the database as a source needs PostgreSQL with psql, and DuckDB to fill it. !!\n");
            return None;
        };
        let certificate = folder.join("server.pem");
        std::fs::write(&certificate, &database.certificate).unwrap();
        let rows = folder.join("customers.csv");
        rivals.rows(file, &rows);
        let mut conn = PgConnection::establish(&database.url).unwrap();
        conn.batch_execute(
            "CREATE TABLE speed (customer_id text PRIMARY KEY, first_name text, last_name text, email text, phone text, birth_date date,
                 signed_up date, city text, postal_code text, country text, loyalty_tier text, lifetime_value double precision);
             GRANT SELECT ON speed TO reader",
        )
        .unwrap();
        let customers = Self { database, certificate };
        let filled = Command::new("psql")
            .args(["-X", "-q", "-d", &customers.database.url, "-c", "\\copy speed FROM pstdin CSV HEADER", "-c", "VACUUM ANALYZE speed"])
            .stdin(File::open(&rows).unwrap())
            .status()
            .unwrap();
        assert!(filled.success());
        std::fs::remove_file(&rows).unwrap();
        Some(customers)
    }

    /// Where the table is, for Tidegate: over TCP and TLS.
    pub fn location(&self) -> Value {
        json!({
            "kind": "postgres", "host": "127.0.0.1", "port": self.database.port, "database": self.database.name, "user": "reader",
            "certificate": self.database.certificate
        })
    }

    /// Seconds of psql's COPY of the same columns of the same rows to a file, over TCP and TLS.
    pub fn copy(&self, ordered: bool, to: &Path) -> f64 {
        let countries = COUNTRIES[..4].iter().map(|country| format!("'{country}'")).collect::<Vec<_>>().join(", ");
        let order = if ordered { " ORDER BY customer_id" } else { "" };
        let select = format!("SELECT {RELEASED} FROM speed WHERE country IN ({countries}){order}");
        let reached = format!(
            "host=127.0.0.1 port={} dbname={} user=reader sslmode=verify-full sslrootcert={}",
            self.database.port,
            self.database.name,
            self.certificate.display()
        );
        let begun = Instant::now();
        let copied = Command::new("psql")
            .args(["-X", "-q", "-d", &reached, "-c", &format!("COPY ({select}) TO STDOUT")])
            .env("PGPASSWORD", PASSWORD)
            .stdout(Stdio::from(File::create(to).unwrap()))
            .status()
            .unwrap();
        assert!(copied.success());
        begun.elapsed().as_secs_f64()
    }
}

/// The secret of the location.
pub const SECRET: &str = PASSWORD;
