//! Imports go inward only: the table of rings, and the check of one file against it.

use std::path::Path;

use super::source::Source;

/// A module and what it may import: whole modules, or with `::` a part of one. Every module may import itself.
pub const RINGS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("policy", &["domain"]),
    ("engine", &["policy", "domain"]),
    ("history", &["policy", "domain"]),
    ("keys", &["domain"]),
    // Files are sealed, and the tests of tokens sign with real keys.
    ("files", &["keys", "domain"]),
    ("token", &["keys::signing", "domain"]),
    ("outbound", &["domain"]),
    ("store", &["history", "domain"]),
    ("app", &["engine", "history", "store", "keys", "files", "token", "outbound", "policy", "domain"]),
    ("work", &["app"]),
    ("http", &["app", "policy", "domain", "config", "engine::Released", "engine::encode"]),
    // Where the master key comes from is a setting.
    ("config", &["keys::MasterKeySource", "outbound::AllowedHost", "domain"]),
    ("boot", &["config", "http", "work", "app", "engine", "history", "store", "keys", "files", "token", "outbound", "policy", "domain"]),
    ("cli", &["app", "history", "config", "boot", "domain", "engine::sample"]),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates, and one part of the standard library, that live in named modules only.
pub const OUTSIDE: &[(&str, &[&str])] = &[
    ("diesel", &["store"]),
    ("diesel_migrations", &["store"]),
    ("datafusion", &["engine"]),
    ("arrow", &["engine"]),
    ("parquet", &["engine"]),
    ("object_store", &["engine"]),
    ("rusqlite", &["engine"]),
    ("tokio_postgres", &["engine"]),
    ("tokio_postgres_rustls", &["engine"]),
    ("deadpool_postgres", &["engine"]),
    ("rustls", &["engine"]),
    ("jsonwebtoken", &["token"]),
    ("reqwest", &["outbound"]),
    ("actix_web", &["http", "boot"]),
    ("actix_multipart", &["http"]),
    ("clap", &["cli"]),
    ("argon2", &["keys", "token", "history", "engine", "files"]),
    ("aws_lc_rs", &["keys", "token", "history", "engine", "files"]),
    ("aes_siv", &["engine"]),
    ("hmac", &["engine", "keys"]),
    ("ipnet", &["domain"]),
    ("sha2", &["engine"]),
    ("spki", &["token"]),
    ("url", &["token"]),
    ("geohash", &["engine"]),
    ("governor", &["app"]),
    ("h3o", &["engine"]),
    ("regex", &["domain"]),
    ("totp_rs", &["keys"]),
    ("askama", &["http"]),
    ("std::env", &["config"]),
];

/// The ring of a file: the first part of its path below `src`, without the ending.
pub fn ring_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// What a file, by its path below `src`, imports although it may not.
pub fn violations(path: &Path, text: &str) -> Vec<String> {
    let ring = ring_of(path);
    let Some((_, inward)) = RINGS.iter().find(|(name, _)| *name == ring) else {
        return vec![format!("{}: `{ring}` has no row in RINGS", path.display())];
    };
    let mut found = Vec::new();
    for line_and_path in Source::new(text).paths(&module_of(path)) {
        let (line, parts) = line_and_path;
        if let Some(said) = fault(&ring, inward, &parts) {
            found.push(format!("{}:{line}: {said}", path.display()));
        }
    }
    found
}

fn fault(ring: &str, inward: &[&str], parts: &[String]) -> Option<String> {
    let full = parts.join("::");
    if let Some(inside) = full.strip_prefix("crate::") {
        let own = begins(inside, ring);
        let allowed = own || inward.iter().any(|allowed| begins(inside, allowed));
        // A path of one part that is no ring is an item of the crate's root, such as a macro.
        let known = RINGS.iter().any(|(name, _)| begins(inside, name));
        return (known && !allowed).then(|| format!("`{ring}` must not import `{full}`"));
    }
    let (name, homes) = OUTSIDE.iter().find(|(name, _)| begins(&full, name))?;
    (!homes.contains(&ring)).then(|| format!("`{name}` lives in {} only, not in `{ring}`", homes.join(", ")))
}

/// Whether a path is another one or lies below it.
fn begins(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The module that a file is, as parts below the crate's root: `app/vendors.rs` is `app`, `vendors`.
fn module_of(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let parts: Vec<String> = parts.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    match parts.as_slice() {
        [only] if only == "main" || only == "lib" => Vec::new(),
        _ => parts,
    }
}
