//! Server time of what the pages read, at 10,000 vendors and a history of 1 M entries, on SQLite and on PostgreSQL.
//!
//! `cargo bench --bench lists -- --bench [entries]`. Each line is the 50th and 95th hundredth of a number of reads one
//! after the other: over HTTP where there is an address, else by the use case that a page calls.

// A bench that can not go on has nothing to measure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// A bench says what it found on stdout.
#![allow(clippy::print_stdout)]

#[allow(dead_code, reason = "the tests of sources use the rest")]
#[path = "../tests/it/postgres.rs"]
mod postgres;
#[path = "../tests/it/reads/seed.rs"]
mod seed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use tidegate::app::lists::{HistoryFilter, HistoryPage, VendorSort};
use tidegate::app::people::{self, AddPerson};
use tidegate::app::stops::{self, StopOf};
use tidegate::app::vendors::{self, VendorListFilter, VendorListQuery};
use tidegate::app::{App, dashboard, history};
use tidegate::boot;
use tidegate::config::{Config, DatabaseUrl, Overrides};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;
use tidegate::policy::vendor::ReviewState;
use tidegate::store::{Clock, Settings, Store};

const VENDORS: u64 = 10_000;
const ENTRIES: u64 = 1_000_000;
/// Reads of each kind that are timed.
const READS: usize = 60;

/// Pages that are timed over HTTP as a signed-in reviewer, with the milliseconds that they may take.
const PAGES: &[(&str, f64)] = &[
    ("/vendors", 50.0),
    ("/vendors?q=r+99", 50.0),
    ("/vendors?lifecycle=active&sort=tier", 50.0),
    ("/vendors?review=overdue&sort=review", 50.0),
    ("/agreements", 50.0),
    ("/permits", 50.0),
    ("/assessments", 50.0),
    ("/access", 50.0),
    ("/datasets", 50.0),
    ("/vendors/0190a0b0-0002-7000-8000-000000000042", 50.0),
    ("/history", 100.0),
    ("/history?vendor=0190a0b0-0002-7000-8000-000000000042", 100.0),
    ("/history?outcome=refused", 100.0),
    ("/history?gate=quota&dataset=customers", 100.0),
    ("/history?before=500000", 100.0),
    ("/history/500000", 100.0),
    ("/", 100.0),
];

/// Addresses of the API that are timed over HTTP, with the milliseconds that they may take.
const ADDRESSES: &[(&str, f64)] = &[
    ("/api/v1/vendors?limit=50", 50.0),
    ("/api/v1/vendors?limit=50&search=vendor%2099", 50.0),
    ("/api/v1/vendors?limit=50&lifecycle=active", 50.0),
    ("/api/v1/history?limit=50", 100.0),
    ("/api/v1/history?limit=50&vendor=0190a0b0-0002-7000-8000-000000000042", 100.0),
    ("/api/v1/history?limit=50&outcome=refused", 100.0),
    ("/api/v1/history?limit=50&gate=quota", 100.0),
    ("/api/v1/history?limit=50&dataset=customers&kind=act", 100.0),
    ("/api/v1/history?limit=50&cursor=500000", 100.0),
];

fn main() {
    // `cargo test --benches` calls this too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let entries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ENTRIES);
    let directory = tempfile::tempdir().unwrap();
    measure("SQLite", DatabaseUrl::Sqlite(directory.path().join("lists.sqlite")), entries);
    // It is large: gone before the next one is made.
    drop(directory);
    match postgres::database() {
        Some(url) => measure("PostgreSQL", DatabaseUrl::Postgres(url), entries),
        None => println!("PostgreSQL is not installed"),
    }
}

/// Fills a database past the store, whose path would take hours.
fn fill(url: &DatabaseUrl, entries: u64) {
    let now = Clock::system().now();
    let settings = |url| Settings { url, pool: 1 };
    let size = seed::Size { vendors: VENDORS, entries };
    match url {
        DatabaseUrl::Sqlite(path) => {
            drop(Store::open(&settings(tidegate::store::DatabaseUrl::Sqlite(path.clone())), Clock::system()).unwrap());
            let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000").unwrap();
            seed::statements(size, false, now).iter().for_each(|sql| conn.batch_execute(sql).unwrap());
        }
        DatabaseUrl::Postgres(address) => {
            drop(Store::open(&settings(tidegate::store::DatabaseUrl::Postgres(address.clone())), Clock::system()).unwrap());
            let mut conn = PgConnection::establish(address).unwrap();
            seed::statements(size, true, now).iter().for_each(|sql| conn.batch_execute(sql).unwrap());
            conn.batch_execute("VACUUM ANALYZE").unwrap();
        }
    }
}

fn measure(name: &str, url: DatabaseUrl, entries: u64) {
    let begun = Instant::now();
    fill(&url, entries);
    println!("\n{name}: {VENDORS} vendors and {entries} entries, made in {:.0} s", begun.elapsed().as_secs_f64());
    let directory = tempfile::tempdir().unwrap();
    let overrides =
        Overrides { data_dir: Some(directory.path().to_owned()), listen: Some("127.0.0.1:0".to_owned()), ..Overrides::default() };
    let mut config = Config::load(overrides, Vec::new().into_iter()).unwrap();
    config.database_url = url;
    let (ready, started) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        boot::block_on(async move {
            let listener = boot::listen(&config).unwrap();
            let address = config.public_url(listener.local_addr().unwrap());
            let app = boot::open(&config, address, Clock::system()).await.unwrap();
            ready.send(Arc::clone(&app)).unwrap();
            boot::run(app, listener, &config, async { drop(stopped.await) }).await.unwrap();
        });
    });
    let app = started.recv().unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        over_http(&app).await;
        by_use_case(&app, entries).await;
    });
    drop(stop);
    thread.join().unwrap();
}

/// Times one kind of read and says how it went; what is over its bound is marked.
async fn time(name: &str, most: f64, read: impl AsyncFn()) {
    // What a page costs is what it costs every day, not on the first call.
    read().await;
    let mut times: Vec<Duration> = Vec::with_capacity(READS);
    for _ in 0..READS {
        let begun = Instant::now();
        read().await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| times[((READS - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    let mark = if at(0.95) > most { "  OVER" } else { "" };
    println!("  {name:<72} p50 {:7.2} ms  p95 {:7.2} ms  (at most {most} ms){mark}", at(0.5), at(0.95));
}

async fn over_http(app: &Arc<App>) {
    let password = people::generated_password();
    let new = AddPerson {
        email: "bench@example.org".parse().unwrap(),
        name: "Bench".parse().unwrap(),
        role: Role::ComplianceReviewer,
        password: PlainSecret::new(password.reveal()),
    };
    let person = people::add(app, &Actor::Operator, new).await.unwrap();
    let (_, key) = people::issue_key(app, &Actor::Operator, person.id, "bench".parse().unwrap(), None).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let cookie = sign_in(app, &http, password.reveal()).await;
    for (path, most) in PAGES {
        let (http, address, cookie) = (http.clone(), format!("{}{path}", app.settings.public_url), cookie.clone());
        let read = async || {
            let answer = http.get(&address).header("cookie", &cookie).header("accept", "text/html").send().await.unwrap();
            assert_eq!(answer.status(), 200, "{address}");
            answer.bytes().await.unwrap();
        };
        time(&format!("GET {path}"), *most, read).await;
    }
    for (path, most) in ADDRESSES {
        let (http, address, key) = (http.clone(), format!("{}{path}", app.settings.public_url), key.clone());
        let read = async || {
            let answer = http.get(&address).bearer_auth(key.reveal()).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{address}");
            answer.bytes().await.unwrap();
        };
        time(&format!("GET {path}"), *most, read).await;
    }
}

/// Signs in as a browser does, and returns its cookie.
async fn sign_in(app: &Arc<App>, http: &reqwest::Client, password: &str) -> String {
    let home = &app.settings.public_url;
    let body = format!("email=bench%40example.org&password={password}");
    let request = http.post(format!("{home}/sign-in")).header("origin", home).header("sec-fetch-site", "same-origin");
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 303, "signing in");
    let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|set| set.to_str().ok()?.split(';').next());
    cookies.collect::<Vec<_>>().join("; ")
}

async fn by_use_case(app: &Arc<App>, entries: u64) {
    list(app).await;
    let actor = |role| Actor::Person { id: seed::id(1, 2).parse().unwrap(), role };
    for role in [Role::VendorManager, Role::PrivacyOfficer, Role::ComplianceReviewer] {
        let name = format!("dashboard: queue of a {}", role.key());
        time(&name, 100.0, async || drop(dashboard::queue(app, &actor(role)).await.unwrap())).await;
    }
    time("dashboard: counts", 50.0, async || drop(dashboard::counts(app).await.unwrap())).await;
    time("dashboard: activity of 30 days", 50.0, async || drop(dashboard::activity(app, 30).await.unwrap())).await;
    let stop = StopOf::Vendor(seed::id(2, 42).parse().unwrap());
    time("what suspending a vendor stops", 50.0, async || drop(Box::new(stops::preview(app, stop.clone()).await.unwrap()))).await;
    in_words(app, entries).await;
}

async fn list(app: &Arc<App>) {
    let ask = |filter: VendorListFilter, sort, after| VendorListQuery { filter, sort, after, limit: 50 };
    for sort in [VendorSort::Name, VendorSort::Newest, VendorSort::Tier, VendorSort::Review] {
        let read = async || drop(vendors::overview(app, ask(VendorListFilter::default(), sort, None)).await.unwrap());
        time(&format!("vendors by {sort:?}"), 50.0, read).await;
        let mut after = None;
        for _ in 0..100 {
            after = vendors::overview(app, ask(VendorListFilter::default(), sort, after)).await.unwrap().next;
        }
        let read = async || drop(vendors::overview(app, ask(VendorListFilter::default(), sort, after.clone())).await.unwrap());
        time(&format!("vendors by {sort:?}, page 101"), 50.0, read).await;
    }
    let filters = [
        ("search", VendorListFilter { search: Some("r 99".into()), ..VendorListFilter::default() }),
        ("search that finds nothing", VendorListFilter { search: Some("zzz".into()), ..VendorListFilter::default() }),
        ("overdue", VendorListFilter { review: Some(ReviewState::Overdue), ..VendorListFilter::default() }),
        ("country", VendorListFilter { country: Some("FR".parse().unwrap()), ..VendorListFilter::default() }),
    ];
    for (name, filter) in filters {
        let read = async || drop(vendors::overview(app, ask(filter.clone(), VendorSort::Review, None)).await.unwrap());
        time(&format!("vendors by Review, {name}"), 50.0, read).await;
    }
}

async fn in_words(app: &Arc<App>, entries: u64) {
    let text = |text: &str| Some(text.to_owned());
    let now = app.clock.now();
    let all = HistoryFilter::default;
    let filters = [
        ("no filter", all()),
        ("vendor", HistoryFilter { vendor: Some(seed::id(2, 42)), ..all() }),
        ("vendor and outcome", HistoryFilter { vendor: Some(seed::id(2, 42)), outcome: text("refused"), ..all() }),
        ("vendor and gate", HistoryFilter { vendor: Some(seed::id(2, 42)), gate: text("quota"), ..all() }),
        ("client", HistoryFilter { client: Some(seed::id(7, 42)), ..all() }),
        ("permit", HistoryFilter { permit: text("permit-42"), ..all() }),
        ("dataset", HistoryFilter { dataset: text("customers"), ..all() }),
        ("purpose", HistoryFilter { purpose: text("service-usage-analytics"), ..all() }),
        ("kind", HistoryFilter { kind: text("refusal"), ..all() }),
        ("outcome", HistoryFilter { outcome: text("refused"), ..all() }),
        ("gate", HistoryFilter { gate: text("quota"), ..all() }),
        ("person", HistoryFilter { person: Some(seed::id(1, 2)), ..all() }),
        ("dataset and gate", HistoryFilter { dataset: text("customers"), gate: text("quota"), ..all() }),
        ("dataset and an outcome that it never had", HistoryFilter { dataset: text("customers"), outcome: text("edit"), ..all() }),
        ("a day three weeks ago", HistoryFilter { from: Some(now.plus_days(-21)), to: Some(now.plus_days(-20)), ..all() }),
        ("nothing since tomorrow", HistoryFilter { from: Some(now.plus_days(1)), ..all() }),
    ];
    for (name, filter) in filters {
        let page = || HistoryPage { before: None, limit: 50 };
        time(&format!("history in words: {name}"), 100.0, async || drop(history::lines(app, filter.clone(), page()).await.unwrap())).await;
        time(&format!("facets: {name}"), 100.0, async || drop(history::facets(app, filter.clone()).await.unwrap())).await;
    }
    let deep = HistoryPage { before: i64::try_from(entries / 2).ok(), limit: 50 };
    time("history in words: deep page", 100.0, async || drop(history::lines(app, all(), deep.clone()).await.unwrap())).await;
}
