//! What people said costs: pulls before anyone said anything, and with ten million people of whom one million object.
//!
//! `cargo bench --bench consent -- --bench [people]`. Each line is a ratio to the same pull of the same run before.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
// A bench says what it found on stdout.
#![allow(clippy::print_stdout)]

#[path = "shared/running.rs"]
mod running;

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use running::{Demo, client, drain};

const PEOPLE: u64 = 10_000_000;
const ROWS: usize = 1_000_000;
/// Small pulls that are timed one after the other.
const PAGES: usize = 200;

fn main() {
    // `cargo test --benches` calls this too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let people = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(PEOPLE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let demo = Demo::start();
        demo.customers(ROWS);
        let before = (page(&demo).await, whole(&demo).await, demo.peak_memory_mib());
        let begun = Instant::now();
        said(&demo, people);
        println!("{people} people, a tenth of whom object, made in {:.0} s", begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        once(&demo).await;
        println!("first pull, which reads those who object: {:.2} s", begun.elapsed().as_secs_f64());
        let after = (page(&demo).await, whole(&demo).await, demo.peak_memory_mib());
        let told = |name: &str, before: Duration, after: Duration| {
            let (before, after) = (before.as_secs_f64() * 1_000.0, after.as_secs_f64() * 1_000.0);
            println!("{name}: {before:.2} ms before, {after:.2} ms after: {:.2} times", after / before);
        };
        told("page of 100 rows, median", before.0, after.0);
        told("whole pull of 1 M rows as NDJSON, best of 3", before.1, after.1);
        println!("peak memory: {:.0} MiB before, {:.0} MiB after", before.2, after.2);
        let one = changed(&demo).await;
        told("page of 100 rows, each after one more person objected, median", before.0, one);
    });
}

async fn once(demo: &Demo) {
    let http = client();
    let (token, address) = demo.access(&http).await;
    drain(http.get(format!("{address}?limit=100")).bearer_auth(&token).send().await.unwrap()).await;
}

async fn page(demo: &Demo) -> Duration {
    timed(demo, |_| ()).await
}

async fn changed(demo: &Demo) -> Duration {
    let mut conn = open(demo);
    timed(demo, |at| {
        let sql = format!(
            "BEGIN IMMEDIATE; UPDATE consent_head SET watermark = watermark + 1; \
             INSERT INTO consent_standings SELECT 'customer', 'objection', 'service-usage-analytics', {at}, 1, 0, NULL, watermark FROM consent_head; COMMIT"
        );
        conn.batch_execute(&sql).unwrap();
    })
    .await
}

async fn timed(demo: &Demo, mut before: impl FnMut(usize)) -> Duration {
    let http = client();
    let (token, address) = demo.access(&http).await;
    let address = format!("{address}?limit=100");
    let mut times = Vec::new();
    for at in 0..PAGES {
        before(at);
        let begun = Instant::now();
        drain(http.get(&address).bearer_auth(&token).send().await.unwrap()).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[PAGES / 2]
}

async fn whole(demo: &Demo) -> Duration {
    let http = client();
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let (token, address) = demo.access(&http).await;
        let begun = Instant::now();
        drain(http.get(&address).bearer_auth(&token).header("accept", "application/x-ndjson").send().await.unwrap()).await;
        best = best.min(begun.elapsed());
    }
    best
}

fn open(demo: &Demo) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(demo.database().to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000").unwrap();
    conn
}

/// Fills in what people said past the program, whose path would take long.
fn said(demo: &Demo, people: u64) {
    let mut conn = open(demo);
    let statement = format!(
        "BEGIN IMMEDIATE; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {people}) \
         INSERT OR IGNORE INTO consent_standings SELECT 'customer', 'objection', 'service-usage-analytics', random(), i % 10 = 0, 0, NULL, i FROM n; \
         UPDATE consent_head SET watermark = {people}; \
         INSERT INTO consent_counts VALUES ('customer', 'objection', 'service-usage-analytics', {people}, {people} / 10); COMMIT"
    );
    conn.batch_execute(&statement).unwrap();
}
