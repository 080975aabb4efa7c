//! How long a revocation takes while 48 clients pull; a signing key's and the stop of everything with many tokens outstanding.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::running::{Demo, client};

/// Between two revocations: each makes all pulls of the vendor be decided anew.
const PAUSE: Duration = Duration::from_millis(20);
/// Tokens outstanding when a key and everything is stopped.
const OUTSTANDING: i64 = 200_000;
/// Clients that pull all the time.
const PULLING: usize = 48;

/// Revokes tokens of one client, one after the other, beside the pulls of the others; says how long each took to answer.
pub fn measure(demo: &Demo, machine: &Machine, seconds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = client();
        let (over, stopped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (pulls, busy) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut pulling = tokio::task::JoinSet::new();
        for _ in 0..PULLING {
            let machine = machine.sibling(demo, &http).await;
            let token = machine.token(&http).await;
            let (http, over, stopped, pulls, busy) =
                (http.clone(), Arc::clone(&over), Arc::clone(&stopped), Arc::clone(&pulls), Arc::clone(&busy));
            let url = machine.records();
            pulling.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let answer = http.get(&url).bearer_auth(&token).send().await.unwrap();
                    let status = answer.status();
                    drop(answer.bytes().await.unwrap());
                    if stopped.load(Ordering::Relaxed) {
                        continue;
                    }
                    // 503: rights moved as often as a pull is decided.
                    assert!(status == 200 || status == 503, "{status}");
                    if status == 200 { &pulls } else { &busy }.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let manager = demo.key("vendor_manager");
        let (begun, mut times) = (Instant::now(), Vec::new());
        while begun.elapsed() < Duration::from_secs(seconds) {
            let _token = machine.token(&http).await;
            let list = format!("{}/api/v1/clients/{}/tokens", demo.url, machine.id);
            let listed: Value = http.get(&list).bearer_auth(&manager).send().await.unwrap().json().await.unwrap();
            let newest = listed["items"][0]["id"].as_str().unwrap().to_owned();
            let revoke = format!("{}/api/v1/tokens/{newest}/revoke", demo.url);
            let asked = Instant::now();
            let answer = http.post(&revoke).bearer_auth(&manager).json(&json!({"reason": "measured"})).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            times.push(asked.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        let rate = pulls.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
        add_tokens(demo, machine);
        stopped.store(true, Ordering::Relaxed);
        let officer = demo.key("privacy_officer");
        let keys: Value =
            http.get(format!("{}/api/v1/signing-keys", demo.url)).bearer_auth(&officer).send().await.unwrap().json().await.unwrap();
        let kid = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap()["kid"].as_str().unwrap();
        for (what, path, body) in [
            ("a signing key", format!("signing-keys/{kid}/revoke"), json!({"reason": "measured"})),
            ("everything", "kill-switch".to_owned(), json!({"reason": "measured", "confirm": "stop everything"})),
        ] {
            let asked = Instant::now();
            let answer = http.post(format!("{}/api/v1/{path}", demo.url)).bearer_auth(&officer).json(&body).send().await.unwrap();
            let status = answer.status();
            assert_eq!(status, 200, "{}", answer.text().await.unwrap());
            println!("{what} stopped with {OUTSTANDING} tokens outstanding: {:.1} ms", asked.elapsed().as_secs_f64() * 1_000.0);
        }
        over.store(true, Ordering::Relaxed);
        while let Some(done) = pulling.join_next().await {
            done.unwrap();
        }
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!(
            "revocations beside {PULLING} pulling clients ({rate:.0} pulls/s, {} told to try again): {} done, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            busy.load(Ordering::Relaxed),
            times.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    });
}

/// Puts tokens of the machine into the table, past the program.
fn add_tokens(demo: &Demo, machine: &Machine) {
    let mut conn = rusqlite::Connection::open(demo.database()).unwrap();
    conn.busy_timeout(Duration::from_secs(30)).unwrap();
    let of = conn.transaction().unwrap();
    of.execute(
        "INSERT INTO tokens (id, client, vendor, scope, issued_at, expires_at, kind, kid) \
         WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?2) \
         SELECT printf('01900000-0000-7000-8000-%012d', number), client, vendor, scope, issued_at, expires_at + 900000000, kind, kid \
         FROM numbers, (SELECT * FROM tokens WHERE client = ?1 AND kind = 'access' ORDER BY id DESC LIMIT 1)",
        (&machine.id, OUTSTANDING),
    )
    .unwrap();
    of.commit().unwrap();
}
