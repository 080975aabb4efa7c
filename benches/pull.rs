//! Whole pulls through HTTP, protocol and history included: 1 M rows as NDJSON and CSV, and pages of 100 rows.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "shared/running.rs"]
mod running;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use running::{Demo, client, drain};

const ROWS: usize = 1_000_000;

fn pulls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let demo = Demo::start();
    demo.customers(ROWS);
    let http = client();
    let mut group = criterion.benchmark_group("pull");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    for (name, accept) in [("ndjson", "application/x-ndjson"), ("csv", "text/csv")] {
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(async || {
                // A token is part of each pull: they are short-lived.
                let (token, address) = demo.access(&http).await;
                drain(http.get(&address).bearer_auth(&token).header("accept", accept).send().await.unwrap()).await
            });
        });
    }
    group.throughput(Throughput::Elements(100));
    let (token, address) = runtime.block_on(demo.access(&http));
    let address = format!("{address}?limit=100");
    group.bench_function("page of 100", |bencher| {
        bencher.to_async(&runtime).iter(async || drain(http.get(&address).bearer_auth(&token).send().await.unwrap()).await);
    });
    group.finish();
}

criterion_group!(benches, pulls);
criterion_main!(benches);
