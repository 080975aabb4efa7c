//! The speed and the memory of releases beside those of others, both sides in one run on one machine.
//!
//! `cargo bench --bench speed -- --bench [pulls] [database] [memory] [pages] [rows=N] [more=N] [rounds=N]
//! [seconds=N]`: all four parts where none is named. `benches/README.md` says what is measured and what it showed.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
// A bench says what it found on stdout.
#![allow(clippy::print_stdout)]

#[path = "speed/customers.rs"]
mod customers;
#[path = "speed/database.rs"]
mod database;
#[path = "speed/permit.rs"]
mod permit;
#[path = "../tests/it/postgres.rs"]
mod postgres;
#[path = "speed/rivals.rs"]
mod rivals;
#[path = "shared/running.rs"]
mod running;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use database::Customers;
use permit::Access;
use reqwest::Client;
use rivals::{Load, Pull, Rivals, load};
use running::{Demo, client};
use serde_json::json;

const FORMATS: [(&str, &str); 3] = [("parquet", "application/vnd.apache.parquet"), ("csv", "text/csv"), ("ndjson", "application/x-ndjson")];

struct Wanted {
    rows: usize,
    more: usize,
    rounds: usize,
    seconds: u64,
    named: Vec<String>,
}

impl Wanted {
    fn read() -> Self {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str, usual: usize| {
            given.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse().ok()).unwrap_or(usual)
        };
        Self {
            rows: number("rows", 5_000_000),
            more: number("more", 20_000_000),
            rounds: number("rounds", 5),
            seconds: number("seconds", 10) as u64,
            named: given.iter().filter(|argument| !argument.contains(['=', '-'])).cloned().collect(),
        }
    }

    fn wants(&self, part: &str) -> bool {
        self.named.is_empty() || self.named.iter().any(|named| named == part)
    }
}

fn main() {
    // `cargo test --benches` calls this too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let wanted = Wanted::read();
    let rivals = Rivals::install();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("speed.parquet");
    customers::write(&file, wanted.rows);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        if wanted.wants("pulls") {
            pulls(&wanted, rivals.as_ref(), &file, folder.path()).await;
        }
        if wanted.wants("database") {
            database(&wanted, rivals.as_ref(), &file, folder.path()).await;
        }
        if wanted.wants("pages") {
            pages(&wanted, rivals.as_ref(), &file).await;
        }
        if wanted.wants("memory") {
            memory(&wanted, &file, folder.path()).await;
        }
    });
}

/// A server of its own over a file, with the permit.
struct Serving {
    demo: Demo,
    http: Client,
    access: Access,
}

impl Serving {
    async fn over(file: &Path) -> Self {
        let (demo, http) = (Demo::start(), client());
        std::fs::hard_link(file, demo.sources().join("speed.parquet"))
            .or_else(|_| std::fs::copy(file, demo.sources().join("speed.parquet")).map(drop))
            .unwrap();
        let location = json!({"kind": "parquet", "path": "speed.parquet"});
        let access = permit::permitted(&demo, &http, location, None).await;
        Self { demo, http, access }
    }

    async fn over_database(customers: &Customers) -> Self {
        let (demo, http) = (Demo::start(), client());
        let access = permit::permitted(&demo, &http, customers.location(), Some(database::SECRET)).await;
        Self { demo, http, access }
    }

    async fn pull(&self, accept: &str, to: &Path, rate: Option<&str>) -> Pull {
        let token = self.access.token(&self.http).await;
        Pull::begin(&self.access.records(), &token, accept, to, rate)
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Whole pulls, written to a file, turn by turn with DuckDB's. Its Parquet is coded with Snappy unless it is told; ours is
/// coded with Zstandard.
async fn pulls(wanted: &Wanted, rivals: Option<&Rivals>, file: &Path, folder: &Path) {
    let serving = Serving::over(file).await;
    println!("\n| whole pull of {} rows, half of them released | Tidegate | DuckDB | Tidegate / DuckDB |\n|---|---|---|---|", wanted.rows);
    for (format, accept) in FORMATS {
        let (ours, theirs) = (folder.join(format!("ours.{format}")), folder.join(format!("theirs.{format}")));
        let turns: &[&str] = if format == "parquet" { &["parquet", "parquet-zstd"] } else { &[format] };
        let (mut our_seconds, mut their_seconds) = (Vec::new(), vec![Vec::new(); turns.len()]);
        for _ in 0..wanted.rounds {
            let (whole, status, seconds) = serving.pull(accept, &ours, None).await.end();
            assert!(whole && status == 200, "{format}: {status}");
            our_seconds.push(seconds);
            for (turn, seconds) in turns.iter().zip(&mut their_seconds) {
                seconds.extend(rivals.map(|rivals| rivals.copy(turn, file, &theirs)));
            }
        }
        let Some(rivals) = rivals else {
            println!("| {format} | {:.2} s | skipped | |", median(our_seconds));
            continue;
        };
        assert_eq!(rivals.count(&ours), rivals.count(&theirs), "{format}: not the same rows");
        for (turn, seconds) in turns.iter().zip(their_seconds) {
            let ratio = median(our_seconds.iter().zip(&seconds).map(|(ours, theirs)| ours / theirs).collect());
            println!("| {turn} | {:.2} s | {:.2} s | {ratio:.2} |", median(our_seconds.clone()), median(seconds));
        }
        [ours, theirs].iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}

/// Whole pulls of a PostgreSQL table, turn by turn with psql's COPY of the same columns of the same rows, untreated.
async fn database(wanted: &Wanted, rivals: Option<&Rivals>, file: &Path, folder: &Path) {
    let Some(customers) = Customers::of(file, rivals, folder) else { return };
    let serving = Serving::over_database(&customers).await;
    println!("\n| whole pull from PostgreSQL, {} rows in the table | seconds | rows/s, psql's COPY = 1 |\n|---|---|---|", wanted.rows);
    let (ours, theirs) = (folder.join("ours"), folder.join("theirs"));
    let mut seconds = vec![Vec::new(); 2 + FORMATS.len()];
    for _ in 0..wanted.rounds {
        seconds[0].push(customers.copy(false, &theirs));
        seconds[1].push(customers.copy(true, &theirs));
        for (at, (format, accept)) in FORMATS.iter().enumerate() {
            let (whole, status, took) = serving.pull(accept, &ours, None).await.end();
            assert!(whole && status == 200, "{format}: {status}");
            seconds[2 + at].push(took);
            if *format == "ndjson" {
                assert_eq!(lines(&ours), lines(&theirs), "not the same rows");
            }
        }
    }
    let names = ["psql, COPY (SELECT …) TO STDOUT", "psql, the same with ORDER BY the key"].map(str::to_owned).into_iter();
    let names = names.chain(FORMATS.iter().map(|(format, _)| format!("Tidegate, {format}")));
    for (name, took) in names.zip(&seconds) {
        let ratio = median(seconds[0].iter().zip(took).map(|(plain, took)| plain / took).collect());
        println!("| {name} | {:.2} | {ratio:.2} |", median(took.clone()));
    }
    [ours, theirs].iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

fn lines(file: &Path) -> usize {
    BufReader::new(File::open(file).unwrap()).split(b'\n').count()
}

/// Pages of 100 rows on 32 connections, turn by turn with roapi's, then beside an export.
async fn pages(wanted: &Wanted, rivals: Option<&Rivals>, file: &Path) {
    let serving = Serving::over(file).await;
    let url = format!("{}?limit=100", serving.access.records());
    let roapi = rivals.map(|rivals| rivals.roapi(file));
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..wanted.rounds {
        let token = serving.access.token(&serving.http).await;
        let Some(our) = load(&url, Some(&token), wanted.seconds) else { return };
        ours.push(our);
        if let Some(their) = roapi.as_ref().and_then(|roapi| load(&roapi.page(), None, wanted.seconds)) {
            ratios.push(our.rate / their.rate);
            theirs.push(their);
        }
    }
    drop(roapi);
    println!("\n| 100 rows as JSON, 32 connections | requests/s | p50 | p99 |\n|---|---|---|---|");
    let told = |name: &str, loads: &[Load]| {
        let of = |each: fn(&Load) -> f64| median(loads.iter().map(each).collect());
        println!("| {name} | {:.0} | {:.1} ms | {:.1} ms |", of(|load| load.rate), of(|load| load.p50), of(|load| load.p99));
    };
    told("Tidegate: token, treatments, history", &ours);
    if !theirs.is_empty() {
        told("roapi: as it is", &theirs);
        println!("| Tidegate / roapi | {:.2} | | |", median(ratios));
    }
    let beside = beside_an_export(wanted, &serving, &url).await;
    told("Tidegate beside whole pulls as NDJSON", &beside);
    let p99 = |loads: &[Load]| median(loads.iter().map(|load| load.p99).collect());
    println!("| p99 beside / p99 alone | | | {:.2} |", p99(&beside) / p99(&ours));
}

async fn beside_an_export(wanted: &Wanted, serving: &Serving, url: &str) -> Vec<Load> {
    let mut loads = Vec::new();
    for _ in 0..wanted.rounds {
        let (token, other) = (serving.access.token(&serving.http).await, serving.access.token(&serving.http).await);
        let (over, records, seconds) = (AtomicBool::new(false), serving.access.records(), wanted.seconds);
        let found = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    let mut pull = Pull::begin(&records, &other, FORMATS[2].1, Path::new("/dev/null"), None);
                    while !over.load(Ordering::Acquire) && !pull.is_over() {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    pull.stop();
                }
            });
            let found = load(url, Some(&token), seconds);
            over.store(true, Ordering::Release);
            found
        });
        loads.extend(found);
    }
    loads
}

/// The most memory that a server of its own held, case by case.
async fn memory(wanted: &Wanted, file: &Path, folder: &Path) {
    println!("\n| case | ended | most memory |\n|---|---|---|");
    let nowhere = Path::new("/dev/null");
    for (format, accept) in FORMATS {
        let serving = Serving::over(file).await;
        serving.demo.forget_peak();
        let (whole, status, seconds) = serving.pull(accept, nowhere, None).await.end();
        told(&format!("{} rows as {format}", wanted.rows), &format!("{status}, whole: {whole}, {seconds:.1} s"), &serving.demo);
    }
    let serving = Serving::over(file).await;
    serving.demo.forget_peak();
    let slow = serving.pull(FORMATS[2].1, nowhere, Some("2M")).await;
    std::thread::sleep(Duration::from_secs(wanted.seconds));
    told(&format!("{} rows as ndjson, read at 2 MB/s", wanted.rows), "stopped", &serving.demo);
    slow.stop();
    drop(serving);
    for (format, accept) in FORMATS {
        let serving = Serving::over(file).await;
        serving.demo.forget_peak();
        let begun = Instant::now();
        let mut running = Vec::new();
        for _ in 0..8 {
            running.push(serving.pull(accept, nowhere, None).await);
        }
        let ended: Vec<(bool, u16, f64)> = running.into_iter().map(Pull::end).collect();
        let whole = ended.iter().filter(|(whole, status, _)| *whole && *status == 200).count();
        let refused = ended.iter().filter(|(_, status, _)| *status == 503).count();
        let seconds = begun.elapsed().as_secs_f64();
        told(&format!("8 at once as {format}"), &format!("{whole} whole, {refused} refused (503), {seconds:.1} s"), &serving.demo);
    }
    let many: PathBuf = folder.join("many.parquet");
    customers::write(&many, wanted.more);
    let serving = Serving::over(&many).await;
    serving.demo.forget_peak();
    let (whole, status, seconds) = serving.pull(FORMATS[2].1, nowhere, None).await.end();
    told(&format!("{} rows as ndjson", wanted.more), &format!("{status}, whole: {whole}, {seconds:.1} s"), &serving.demo);
}

fn told(case: &str, ended: &str, demo: &Demo) {
    println!("| {case} | {ended} | {:.0} MiB |", demo.peak_memory_mib());
}
