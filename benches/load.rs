//! What no sampling shows: requests a second of small pulls on 32 connections, and the peak memory of large ones.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
// A bench says what it found on stdout.
#![allow(clippy::print_stdout)]

#[path = "shared/running.rs"]
mod running;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use running::{Demo, client, drain};

const CONNECTIONS: usize = 32;
const SECONDS: u64 = 10;

fn main() {
    // `cargo test --benches` calls this too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        small_pulls(5_000).await;
        small_pulls(1_000_000).await;
        memory().await;
    });
}

/// Pages of 100 rows on 32 connections, each with its history entry.
async fn small_pulls(rows: usize) {
    let demo = Demo::start();
    demo.customers(rows);
    let http = client();
    let (token, address) = demo.access(&http).await;
    let address = format!("{address}?limit=100");
    let (count, mut times) = (Arc::new(AtomicU64::new(0)), Vec::new());
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let workers = (0..CONNECTIONS).map(|_| {
        let (http, token, address, count) = (http.clone(), token.clone(), address.clone(), Arc::clone(&count));
        async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let asked = Instant::now();
                drain(http.get(&address).bearer_auth(&token).send().await.unwrap()).await;
                times.push(asked.elapsed());
                count.fetch_add(1, Ordering::Relaxed);
            }
            times
        }
    });
    for worker in futures::future::join_all(workers).await {
        times.extend(worker);
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let rate = count.load(Ordering::Relaxed) as f64 / seconds;
    println!(
        "100-row JSON pulls over {rows} rows, {CONNECTIONS} connections: {rate:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms",
        at(0.5),
        at(0.99)
    );
}

/// Peak memory of a whole NDJSON pull: of 1 M rows, and of 5 M.
async fn memory() {
    for rows in [1_000_000, 5_000_000] {
        let demo = Demo::start();
        demo.customers(rows);
        let http = client();
        let (token, address) = demo.access(&http).await;
        let before = demo.peak_memory_mib();
        let begun = Instant::now();
        let bytes = drain(http.get(&address).bearer_auth(&token).header("accept", "application/x-ndjson").send().await.unwrap()).await;
        println!(
            "{rows} rows as NDJSON: {:.2} s, {} MB, peak memory {:.0} MiB ({before:.0} MiB before)",
            begun.elapsed().as_secs_f64(),
            bytes / 1_000_000,
            demo.peak_memory_mib()
        );
    }
}
