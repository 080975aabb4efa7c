//! The house's rules, kept by a test and not by memory: who may import whom, and how files look.

mod imports;
mod migrations;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::imports::{OUTSIDE, RINGS, violations};
use self::source::Source;

/// Lines that no file of `src` may exceed.
const MOST_LINES: usize = 600;
/// What half of the files stay below.
const MEDIAN_LINES: usize = 250;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a directory, with its path as seen from there.
fn rust_files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(directory).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust files in {}", directory.display());
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    rust_files(&root().join("src"))
}

#[track_caller]
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn imports_go_inward_only() {
    let found: Vec<String> = sources().iter().flat_map(|(path, text)| violations(path, text)).collect();
    assert_none("imports that the table of tests/it/house/imports.rs does not allow", &found);
}

#[test]
fn every_module_has_a_ring_and_every_ring_a_module() {
    let mut modules: BTreeSet<String> = BTreeSet::new();
    for (path, _) in sources() {
        modules.insert(imports::ring_of(&path));
    }
    let rings: BTreeSet<String> = RINGS.iter().map(|(ring, _)| (*ring).to_owned()).collect();
    let homeless: Vec<String> = modules.difference(&rings).cloned().collect();
    assert_none("modules without a row in RINGS", &homeless);
    // `outbound` is drawn in the plan of the house but not built yet.
    let empty: Vec<String> = rings.difference(&modules).filter(|ring| ring.as_str() != "outbound").cloned().collect();
    assert_none("rows of RINGS without a module", &empty);
}

/// Texts that break a rule, each with what must be said of it; and texts that only look as if they did.
#[test]
fn forged_imports_are_caught() {
    let caught = [
        ("policy/permit.rs", "use crate::store::permits;", "crate::store::permits"),
        ("domain.rs", "use super::app::App;", "crate::app::App"),
        ("domain/vendor.rs", "fn f() { crate::policy::access::check() }", "crate::policy::access::check"),
        ("domain/vendor.rs", "use super::super::http;", "crate::http"),
        ("store/vendors.rs", "use crate::{\n  domain::id::{VendorId, self},\n  app::vendors as other,\n};", "crate::app::vendors"),
        ("keys.rs", "#[cfg(test)] mod tests { use super::super::token::*; }", "crate::token"),
        ("http/data.rs", "use crate::engine::sources::open;", "crate::engine::sources::open"),
        ("http/data.rs", "use crate::engine::{Released, sources};", "crate::engine::sources"),
        ("cli/demo.rs", "use crate::engine::plan;", "crate::engine::plan"),
        ("main.rs", "fn main() { tidegate::store::open() }", "crate::store::open"),
        ("app/vendors.rs", "use diesel::prelude::*;", "diesel"),
        ("app/vendors.rs", "fn f() -> ::diesel::QueryResult<()> { Ok(()) }", "diesel"),
        ("app/vendors.rs", "fn f() -> u8 { return ::diesel::f() }", "diesel"),
        ("app/vendors.rs", "extern crate diesel;", "diesel"),
        ("store/rows.rs", "use {datafusion::arrow, std::fmt};", "datafusion"),
        ("cli/demo/rows.rs", "use rusqlite as db;", "rusqlite"),
        ("http.rs", "use jsonwebtoken::decode;", "jsonwebtoken"),
        ("app.rs", "use actix_web::HttpResponse;", "actix_web"),
        ("config.rs", "use clap::Parser;", "clap"),
        ("app.rs", "fn f() { argon2::Argon2::default(); aws_lc_rs::rand::fill(&mut []) }", "aws_lc_rs"),
        ("boot.rs", "fn f() { std::env::var(\"HOME\") }", "std::env"),
        ("boot.rs", "use std::{fs, env::{self, args}};", "std::env"),
        ("boot.rs", "fn f() { std :: /* quiet */ env :: vars(); }", "std::env"),
    ];
    for (path, text, expected) in caught {
        let found = violations(Path::new(path), text);
        assert!(found.iter().any(|one| one.contains(expected)), "{path}: {text}\n  gave {found:?}");
    }
    let innocent = [
        ("domain.rs", "// use crate::store;\n/* crate::app /* crate::http */ crate::app */"),
        ("domain.rs", "const A: &str = \"crate::store::open\"; const B: &str = r#\"use crate::\"app\";\"#; const C: char = '\"';"),
        ("domain.rs", "/// See [`crate::store`].\nfn f<'a>(x: &'a str) -> &'a str { x }"),
        ("domain/vendor.rs", "use super::id::VendorId; use crate::domain::text::Slug; use self::inner::X;"),
        ("policy/permit.rs", "use crate::domain::{self, permit::Permit};\nmod tests { use super::*; use super::super::access; }"),
        ("http/data.rs", "use crate::engine::Released;"),
        ("cli/demo/write.rs", "use crate::engine::sample::{SampleColumn, write_parquet};"),
        ("app/vendors.rs", "fn f(diesel: u8, x: T) { x.clap(); x.env; let std = diesel; }"),
        ("main.rs", "fn main() -> std::process::ExitCode { tidegate::cli::run() }"),
        ("store/vendors.rs", "use diesel::prelude::*; #[diesel(table_name = vendors)] struct R;"),
    ];
    for (path, text) in innocent {
        assert_none(&format!("{path}: {text}"), &violations(Path::new(path), text));
    }
}

#[test]
fn every_file_opens_by_saying_what_it_keeps_true() {
    let mut silent = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//! ") {
            silent.push(path.display().to_string());
        }
    }
    assert_none("files whose first line is not a `//!` sentence", &silent);
}

#[test]
fn no_module_hides_in_a_mod_file() {
    let mut hidden = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for (path, _) in rust_files(&root().join(directory)) {
            if path.ends_with("mod.rs") {
                hidden.push(format!("{directory}/{}", path.display()));
            }
        }
    }
    assert_none("name the file after its module", &hidden);
}

#[test]
fn files_stay_short() {
    let mut lengths: Vec<(usize, PathBuf)> = sources().into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    let long: Vec<String> =
        lengths.iter().filter(|(lines, _)| *lines > MOST_LINES).map(|(lines, path)| format!("{} has {lines}", path.display())).collect();
    assert_none(&format!("files of more than {MOST_LINES} lines"), &long);
    let (median, _) = &lengths[lengths.len() / 2];
    println!("{} files, median {median} lines, longest {}", lengths.len(), lengths.last().unwrap().0);
    assert!(*median <= MEDIAN_LINES, "the median file has {median} lines, more than {MEDIAN_LINES}");
}

#[test]
fn nothing_prints_from_the_library() {
    const PRINTING: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| {
            Source::new(text)
                .macros()
                .into_iter()
                .filter(|name| PRINTING.contains(&name.as_str()))
                .map(move |name| format!("{}: {name}!", path.display()))
        })
        .collect();
    assert_none("print through the writer that the caller gives", &found);
    assert_eq!(Source::new("fn f() { println!(\"a\") /* dbg!() */ }").macros(), ["println"]);
}

#[test]
fn crates_that_are_kept_in_one_place_are_named_as_cargo_names_them() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    // Not dependencies yet, or only through another crate's re-export.
    let later = ["arrow", "object_store", "tokio_postgres"];
    for (name, _) in OUTSIDE.iter().filter(|(name, _)| !name.contains("::") && !later.contains(name)) {
        let listed = manifest
            .lines()
            .any(|line| line.starts_with(&format!("{} = ", name.replace('_', "-"))) || line.starts_with(&format!("{name} = ")));
        assert!(listed, "{name} is in OUTSIDE but not in Cargo.toml");
    }
}
