//! Migrations are twins: what one database gets, the other gets under the same name and with the same columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Columns by table.
type Tables = BTreeMap<String, BTreeSet<String>>;

/// Statements by migration: what `up.sql` creates.
fn migrations(directory: &Path) -> BTreeMap<String, Tables> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())).map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
        let (up, down) = (read("up.sql"), read("down.sql"));
        assert!(!without_comments(&down).trim().is_empty(), "{name}/down.sql undoes nothing");
        found.insert(name, tables(&up));
    }
    found
}

/// Each line's text before `--`; block comments are not used in migrations.
fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The tables that a text creates, with their columns, all in lower case.
fn tables(sql: &str) -> Tables {
    let sql = without_comments(sql).to_lowercase();
    let mut found = Tables::new();
    for statement in sql.split(';') {
        let Some((_, rest)) = statement.split_once("create table") else { continue };
        let rest = rest.trim_start().trim_start_matches("if not exists").trim_start();
        let (name, body) = rest.split_once('(').expect("a table has columns");
        found.insert(bare(name), columns(body));
    }
    found
}

fn columns(body: &str) -> BTreeSet<String> {
    const CONSTRAINTS: [&str; 6] = ["primary", "foreign", "unique", "check", "constraint", "exclude"];
    let mut parts = vec![String::new()];
    let mut depth = 1_usize;
    for sign in body.chars() {
        match sign {
            '(' => depth += 1,
            ')' if depth == 1 => break,
            ')' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(sign);
    }
    let names = parts.iter().filter_map(|part| part.split_whitespace().next()).map(bare);
    names.filter(|name| !CONSTRAINTS.contains(&name.split('(').next().unwrap())).collect()
}

fn bare(name: &str) -> String {
    name.trim().trim_matches('"').to_owned()
}

#[test]
fn migrations_are_twins() {
    let root = super::root().join("migrations");
    let (sqlite, postgres) = (migrations(&root.join("sqlite")), migrations(&root.join("postgres")));
    assert!(!sqlite.is_empty(), "there are no migrations");
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>(), "the folders differ");
    for (name, tables) in &sqlite {
        let others = &postgres[name];
        assert_eq!(tables.keys().collect::<Vec<_>>(), others.keys().collect::<Vec<_>>(), "{name}: the tables differ");
        for (table, columns) in tables {
            assert_eq!(columns, &others[table], "{name}: the columns of {table} differ");
        }
    }
}

#[test]
fn tables_and_columns_are_read_from_sql() {
    let sqlite = "-- create table ghost (a);\nCREATE TABLE vendors (\n  id TEXT PRIMARY KEY NOT NULL, -- a comment, with a comma\n  \"tier\" TEXT CHECK (tier IN ('low', 'high')),\n  UNIQUE(id, tier)\n) STRICT;\nCREATE INDEX i ON vendors (tier);";
    let postgres = "create table if not exists vendors (id text primary key, tier text, extra bigint, primary key (id));";
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(tables(sqlite), Tables::from([("vendors".to_owned(), set(&["id", "tier"]))]));
    assert_eq!(tables(postgres), Tables::from([("vendors".to_owned(), set(&["extra", "id", "tier"]))]));
}
