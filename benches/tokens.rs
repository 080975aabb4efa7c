//! Tokens: how many are issued a second beside oidc-provider, what verifying one costs, whether the time tells which clients
//! there are, how long a revocation takes while 48 clients pull, and what ten million tokens leave behind.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]
// A bench says what it found on stdout.
#![allow(clippy::print_stdout)]

#[path = "tokens/lookups.rs"]
mod lookups;
#[path = "tokens/machine.rs"]
mod machine;
#[path = "tokens/revoking.rs"]
mod revoking;
#[path = "tokens/rivals.rs"]
mod rivals;
#[path = "shared/running.rs"]
mod running;

use std::time::Instant;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use tidegate::app::AppError;
use tidegate::domain::client::{Authentication, Binding, Client, Token, TokenKind};
use tidegate::domain::time::Instant as Stamp;
use tidegate::keys::signing::SigningKey;
use tidegate::store::{Clock, DatabaseUrl, Settings, Store, tokens};
use tidegate::token::proof::{self, Proving};
use tidegate::token::{ActiveKey, Claims, Issuer, Verifier};

use machine::Machine;
use rivals::Provider;
use running::{Demo, client};

const CONNECTIONS: [usize; 2] = [16, 64];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` calls this too; measuring is for `cargo bench`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let number = |name: &str, otherwise: u64| {
        let given = arguments.iter().find_map(|argument| argument.strip_prefix(&format!("{name}=")));
        given.map_or(otherwise, |given| given.parse().unwrap())
    };
    let parts = ["issue", "verify", "lookup", "revoke", "many"];
    let chosen: Vec<&str> = parts.into_iter().filter(|part| arguments.iter().any(|argument| argument == part)).collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.contains(&part);
    let (seconds, rounds) = (number("seconds", 8), number("rounds", 3));
    if wanted("verify") {
        verify();
    }
    if wanted("issue") {
        issue(seconds, rounds);
    }
    if wanted("lookup") {
        let demo = Demo::start();
        block_on(async { lookups::measure(&demo, &Machine::of(&demo, &client()).await, 3_000).await });
    }
    if wanted("revoke") {
        let demo = Demo::start();
        let machine = block_on(Machine::of(&demo, &client()));
        revoking::measure(&demo, &machine, seconds * 2);
    }
    if wanted("many") {
        block_on(many(number("tokens", 10_000_000)));
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Both by HTTP with a secret, both signed with ES256; turn by turn.
fn issue(seconds: u64, rounds: u64) {
    let demo = Demo::start();
    let machine = block_on(Machine::of(&demo, &client()));
    let Some(provider) = Provider::start(&machine.id, &machine.secret) else { return };
    let basic = STANDARD.encode(format!("{}:{}", machine.id, machine.secret));
    let permit = demo.permit();
    for connections in CONNECTIONS {
        let mut ratios = Vec::new();
        for round in 0..=rounds {
            // The first is for warming up.
            let seconds = if round == 0 { 2 } else { seconds };
            let ours = rivals::tokens_a_second(&format!("{}/oauth/token", demo.url), &basic, &permit, connections, seconds);
            let theirs = rivals::tokens_a_second(&format!("{}/token", provider.url), &basic, "people", connections, seconds);
            let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
            if round > 0 {
                println!(
                    "{connections} connections: Tidegate {ours:.0} tokens/s, oidc-provider {theirs:.0} tokens/s, ratio {:.2}",
                    ours / theirs
                );
                ratios.push(ours / theirs);
            }
        }
        ratios.sort_unstable_by(f64::total_cmp);
        println!("{connections} connections: median ratio {:.2}", ratios[ratios.len() / 2]);
    }
}

/// What a request costs before its rights are asked: a token seen for the first time, one seen before, a proof.
fn verify() {
    const NOW: i64 = 1_800_000_000;
    const URL: &str = "https://gate.example";
    let made = SigningKey::generate().unwrap();
    let key = ActiveKey::new(made.kid().to_owned(), made.private_der()).unwrap();
    let issuer = Issuer { issuer: URL.to_owned(), audience: URL.to_owned() };
    let verifier = Verifier::new(issuer, &[made.public().to_json()]).unwrap();
    let issued: Vec<_> = (0..4_000)
        .map(|at| {
            let id = |last: u32| format!("0190a000-0000-7000-8000-{last:012x}");
            let claims = Claims {
                iss: URL.to_owned(),
                aud: URL.to_owned(),
                sub: id(1),
                client_id: id(2),
                jti: id(at + 3),
                iat: NOW,
                nbf: NOW,
                exp: NOW + 300,
                scope: "newsletter shipping".to_owned(),
                cnf: None,
            };
            tidegate::token::sign(&key, &claims).unwrap()
        })
        .collect();
    let each = |what: &str, count: usize, run: &mut dyn FnMut(usize)| {
        let begun = Instant::now();
        (0..count).for_each(run);
        println!("{what}: {:.1} µs", begun.elapsed().as_secs_f64() * 1e6 / count as f64);
    };
    each("a token seen for the first time", issued.len(), &mut |at| drop(verifier.verify(issued[at].reveal(), NOW).unwrap()));
    each("a token seen before", issued.len(), &mut |at| drop(verifier.verify(issued[at].reveal(), NOW).unwrap()));
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!(
        "{}.{}",
        part(json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk})),
        part(json!({"htm": "GET", "htu": URL, "iat": NOW, "jti": "one"}))
    );
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();
    let text = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    let request = Proving { method: "GET", url: URL, token: None };
    each("a DPoP proof", 2_000, &mut |_| drop(proof::verify(&text, request, Stamp::from_seconds(NOW)).unwrap()));
}

/// Issues many tokens that expire, as the housekeeping meets them, and says what is left and how an insert does before and
/// after. Straight into the store: what is measured is the table, not HTTP.
async fn many(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Stamp::from_seconds(1_800_000_000));
    let path = folder.path().join("tokens.db");
    let store = Store::open(&Settings { url: DatabaseUrl::Sqlite(path.clone()), pool: 2 }, clock.clone()).unwrap();
    let client = sample(&path);
    let fresh = timed_inserts(&store, &client, clock.now()).await;
    let begun = Instant::now();
    let (mut left, mut largest) = (count, 0);
    while left > 0 {
        let now = clock.now();
        // One second of issuing, and once a minute the housekeeping.
        let (of, client) = (left.min(10_000), client.clone());
        let issue = move |tx: &mut tidegate::store::Tx| {
            for _ in 0..of {
                tokens::insert(tx, &token(&client, now), None)?;
            }
            Ok::<_, AppError>(())
        };
        store.record(issue).await.unwrap();
        left -= of;
        clock.advance_seconds(1);
        if clock.now().seconds() % 60 == 0 {
            largest = largest.max(in_table(&path));
            forget(&store).await;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    clock.advance_seconds(900);
    forget(&store).await;
    let rest = in_table(&path);
    let after = timed_inserts(&store, &client, clock.now()).await;
    println!(
        "{count} tokens issued and forgotten in {seconds:.0} s: {largest} rows at the most, {rest} left, file {} MB; an insert {fresh:.1} µs before, {after:.1} µs after",
        std::fs::metadata(&path).unwrap().len() / 1_000_000
    );
}

/// The housekeeping's batches, as the timer makes them.
async fn forget(store: &Store) {
    let batch = |tx: &mut tidegate::store::Tx| {
        let before = tx.now().plus_seconds(-60);
        Ok::<_, AppError>(tokens::delete_expired(tx, before, 1_000)?)
    };
    while store.record(batch).await.unwrap() == 1_000 {}
}

fn in_table(path: &std::path::Path) -> i64 {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0)).unwrap()
}

/// Microseconds for each of ten thousand inserts in one transaction.
async fn timed_inserts(store: &Store, client: &Client, now: Stamp) -> f64 {
    let client = client.clone();
    let begun = Instant::now();
    let insert = move |tx: &mut tidegate::store::Tx| {
        for _ in 0..10_000 {
            tokens::insert(tx, &token(&client, now), None)?;
        }
        Ok::<_, AppError>(())
    };
    store.record(insert).await.unwrap();
    begun.elapsed().as_secs_f64() * 1e6 / 10_000.0
}

fn token(client: &Client, now: Stamp) -> Token {
    Token {
        id: tidegate::keys::new_uuid().parse().unwrap(),
        kind: TokenKind::Access,
        client: client.id.clone(),
        vendor: client.vendor.clone(),
        scope: vec!["newsletter".parse().unwrap()],
        bound_to: None,
        issued_at: now,
        expires_at: now.plus_seconds(300),
        revoked_at: None,
    }
}

/// A client to hang tokens on. It has no vendor: a table of tokens does not ask for one.
fn sample(path: &std::path::Path) -> Client {
    let client = Client {
        id: tidegate::keys::new_uuid().parse().unwrap(),
        vendor: tidegate::keys::new_uuid().parse().unwrap(),
        name: "machine".parse().unwrap(),
        permits: None,
        addresses: Vec::new(),
        authentication: Authentication::Secret,
        dpop: Binding::Optional,
        created_at: Stamp::from_seconds(0),
        revoked_at: None,
        old_secret_until: None,
        version: 1,
    };
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let text = "INSERT INTO clients (id, vendor, name, created_at, version) VALUES (?1, ?2, 'machine', 0, 1)";
    conn.execute(text, [client.id.as_str(), client.vendor.as_str()]).unwrap();
    client
}
