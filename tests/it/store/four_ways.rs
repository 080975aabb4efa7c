//! The four ways in: what they let happen, what they keep apart, and what a failure leaves behind.

use std::time::Duration;

use tidegate::domain::id::VendorId;
use tidegate::domain::text::Slug;
use tidegate::domain::vendor::Lifecycle;
use tidegate::store::counters::{self, Counters};
use tidegate::store::{Clock, Scope, Store, StoreError, people, quotas, vendors};

use super::history::{act, entry, everything};
use super::samples::{self, START, day, id, text};
use crate::database::Database;

crate::on_both!(
    nothing_is_released_after_a_revocation,
    nothing_is_released_after_a_global_revocation,
    counters_move,
    charges_add_up,
    reads_change_nothing,
    a_failure_leaves_nothing,
    a_swallowed_error_is_no_success,
    reads_see_one_state,
    the_manual_clock_rules,
    the_real_clock_stands_within_a_transaction
);

async fn registered(store: &Store, count: usize) -> Vec<VendorId> {
    store
        .record(move |tx| {
            let owner = samples::person("owner@example.org");
            people::insert(tx, &owner, "hash")?;
            (0..count)
                .map(|at| {
                    let vendor = samples::vendor(&owner.id, &format!("Vendor {at}"));
                    vendors::insert(tx, &vendor).map(|()| vendor.id)
                })
                .collect::<Result<_, StoreError>>()
        })
        .await
        .unwrap()
}

/// Brokers on one database: three on PostgreSQL, one on SQLite, whose file has one writer.
fn brokers(database: &Database) -> Vec<Store> {
    let count = if database.is_postgres() { 3 } else { 1 };
    (0..count).map(|_| database.open(Clock::manual(START))).collect()
}

/// Releases while the vendor is active, pausing between the look and the record, until it is not.
async fn release_until_stopped(store: Store, vendor: VendorId) {
    loop {
        let of = vendor.clone();
        let went = store.release(&vendor, move |tx| {
            if vendors::find(tx, &of)?.lifecycle != Lifecycle::Active {
                return Ok::<_, StoreError>(false);
            }
            std::thread::sleep(Duration::from_micros(500));
            tidegate::store::history::append(tx, &entry(&act(&of, "release", 0), None, START))?;
            Ok(true)
        });
        if !went.await.unwrap() {
            return;
        }
    }
}

/// Releases of several vendors on several brokers against one revocation each.
async fn race(database: Database, scope: fn(&VendorId) -> Scope) {
    let stores = brokers(&database);
    let vendors = registered(&stores[0], 4).await;
    let mut tasks = tokio::task::JoinSet::new();
    for (at, vendor) in vendors.iter().enumerate() {
        for pull in 0..3 {
            tasks.spawn(release_until_stopped(stores[(at + pull) % stores.len()].clone(), vendor.clone()));
        }
        let (store, vendor, scope) = (stores[at % stores.len()].clone(), vendor.clone(), scope(vendor));
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(20 * (at as u64 + 1))).await;
            store
                .govern(scope, move |tx| {
                    let mut found = vendors::find(tx, &vendor)?;
                    found.lifecycle = Lifecycle::Suspended;
                    vendors::save(tx, &found)?;
                    tidegate::store::history::append(tx, &entry(&act(&vendor, "suspend", 0), None, START))
                })
                .await
                .unwrap();
        });
    }
    let sequencer = stores[0].clone();
    let sequencing = tokio::spawn(async move {
        loop {
            sequencer.sequence().await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    sequencing.abort();
    let _ = sequencing.await;
    let entries = everything(&stores[0]).await;
    for vendor in &vendors {
        let verbs: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.vendor.as_deref() == Some(vendor.as_str()))
            .filter_map(|entry| entry.outcome.as_deref())
            .collect();
        let stopped = verbs.iter().position(|verb| *verb == "suspend").unwrap();
        assert_eq!(stopped, verbs.len() - 1, "a release has a later position than the revocation");
    }
    assert!(entries.len() > vendors.len(), "nothing was released at all");
}

async fn nothing_is_released_after_a_revocation(database: Database) {
    race(database, |vendor| Scope::Vendor(vendor.clone())).await;
}

async fn nothing_is_released_after_a_global_revocation(database: Database) {
    race(database, |_| Scope::All).await;
}

async fn counters_move(database: Database) {
    let store = database.open(Clock::manual(START));
    let (one, other): (VendorId, VendorId) = (id(), id());
    let table = [
        (None, (0, 0), (0, 0)),
        (Some(Scope::Vendor(one.clone())), (0, 1), (0, 0)),
        (Some(Scope::All), (1, 1), (1, 0)),
        (Some(Scope::Vendor(one.clone())), (1, 2), (1, 0)),
        (Some(Scope::Vendor(other.clone())), (1, 2), (1, 1)),
    ];
    for (scope, first, second) in table {
        if let Some(scope) = scope {
            store.govern(scope, |_| Ok::<_, StoreError>(())).await.unwrap();
        }
        for (vendor, (all, own)) in [(&one, first), (&other, second)] {
            let of = vendor.clone();
            assert_eq!(store.read(move |tx| counters::read(tx, &of)).await, Ok(Counters { all, vendor: own }));
        }
    }
    let refused = store.govern(Scope::All, |_| Err::<(), _>(StoreError::Stale)).await;
    assert_eq!(refused, Err(StoreError::Stale));
    let (of, released) = (one.clone(), one.clone());
    store.release(&released, |_| Ok::<_, StoreError>(())).await.unwrap();
    store.record(|_| Ok::<_, StoreError>(())).await.unwrap();
    assert_eq!(store.read(move |tx| counters::read(tx, &of)).await, Ok(Counters { all: 1, vendor: 2 }), "only govern moves them");
}

async fn charges_add_up(database: Database) {
    let stores = brokers(&database);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_usize {
        let store = stores[task % stores.len()].clone();
        tasks.spawn(async move {
            for _ in 0..25 {
                store.release(&id(), |tx| quotas::charge(tx, &text::<Slug>("mail"), day("2026-07-01"), 3)).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(stores[0].read(|tx| quotas::used(tx, &text("mail"), day("2026-07-01"))).await, Ok(600));
}

async fn reads_change_nothing(database: Database) {
    let store = database.open(Clock::manual(START));
    let tried = store.read(|tx| people::insert(tx, &samples::person("a@example.org"), "hash")).await;
    assert_eq!(tried, Err(StoreError::Unavailable("only reading is allowed here".into())));
    assert_eq!(store.read(people::list).await, Ok(vec![]));
    store.record(|tx| people::insert(tx, &samples::person("a@example.org"), "hash")).await.unwrap();
}

async fn a_failure_leaves_nothing(database: Database) {
    let store = database.open(Clock::manual(START));
    let insert = |tx: &mut tidegate::store::Tx, email: &str| people::insert(tx, &samples::person(email), "hash");
    let erred: Result<(), StoreError> = store
        .record(move |tx| {
            insert(tx, "a@example.org")?;
            Err(StoreError::Stale)
        })
        .await;
    assert_eq!(erred, Err(StoreError::Stale));
    let panicked: Result<(), StoreError> = store
        .record(move |tx| {
            insert(tx, "b@example.org")?;
            panic!("a fault of the program, on purpose");
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Unavailable(_))));
    assert_eq!(store.read(people::list).await, Ok(vec![]));
    // Every connection of the pool still works.
    for at in 0..10 {
        store.record(move |tx| insert(tx, &format!("c{at}@example.org"))).await.unwrap();
    }
    assert_eq!(store.read(people::list).await.unwrap().len(), 10);
}

/// PostgreSQL turns COMMIT into a silent rollback after an error. Whoever swallows one must not be told that all is
/// kept when it is not; on SQLite only the failed statement is undone, and the rest is.
async fn a_swallowed_error_is_no_success(database: Database) {
    let store = database.open(Clock::manual(START));
    let told: Result<(), StoreError> = store
        .record(|tx| {
            people::insert(tx, &samples::person("a@example.org"), "hash")?;
            assert_eq!(people::insert(tx, &samples::person("a@example.org"), "hash"), Err(StoreError::Taken("email")));
            Ok(())
        })
        .await;
    let kept = store.read(people::list).await.unwrap().len();
    assert_eq!(told.is_ok(), kept == 1, "told {told:?} with {kept} kept");
    assert_eq!(told.is_ok(), !database.is_postgres());
}

async fn reads_see_one_state(database: Database) {
    let store = database.open(Clock::manual(START));
    let (looked, go) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let reader = store.clone();
    let reading = tokio::spawn(async move {
        reader
            .read(move |tx| {
                let before = people::list(tx)?.len();
                looked.0.send(()).unwrap();
                go.1.recv().unwrap();
                Ok::<_, StoreError>((before, people::list(tx)?.len()))
            })
            .await
    });
    tokio::task::spawn_blocking(move || looked.1.recv().unwrap()).await.unwrap();
    store.record(|tx| people::insert(tx, &samples::person("a@example.org"), "hash")).await.unwrap();
    go.0.send(()).unwrap();
    assert_eq!(reading.await.unwrap(), Ok((0, 0)));
}

async fn the_manual_clock_rules(database: Database) {
    let clock = Clock::manual(START);
    let store = database.open(clock.clone());
    assert_eq!(store.record(|tx| Ok::<_, StoreError>(tx.now())).await, Ok(START));
    clock.advance_seconds(5);
    assert_eq!(store.read(|tx| Ok::<_, StoreError>(tx.now())).await, Ok(START.plus_seconds(5)));
    let hand = clock.clone();
    let within = store.record(move |tx| {
        let first = tx.now();
        hand.set(START);
        Ok::<_, StoreError>((first, tx.now()))
    });
    assert_eq!(within.await, Ok((START.plus_seconds(5), START.plus_seconds(5))), "time stands within a transaction");
}

async fn the_real_clock_stands_within_a_transaction(database: Database) {
    let store = database.open(Clock::system());
    let before = Clock::system().now();
    let (first, second) = store.release(&id(), |tx| Ok::<_, StoreError>((tx.now(), tx.now()))).await.unwrap();
    assert_eq!(first, second);
    assert!(before.plus_seconds(-5) <= first && first <= Clock::system().now().plus_seconds(5));
    let later = store.read(|tx| Ok::<_, StoreError>(tx.now())).await.unwrap();
    assert!(first <= later, "the next transaction asks anew");
}
