//! The history: bytes kept as hashed, found by what they are about, in contiguous positions.

use std::collections::BTreeMap;

use tidegate::domain::Instant;
use tidegate::domain::gate::Gate;
use tidegate::domain::id::{ReleaseId, VendorId};
use tidegate::domain::person::Actor;
use tidegate::history::entry::{Act, Body, Outcome, Receiver, Refused, Released, What};
use tidegate::history::leaf::{Randomness, Record, leaf_hash, record};
use tidegate::store::history::{self, EntryRow, HistoryFilter, HistoryPage};
use tidegate::store::{Clock, Scope, Store, StoreError, counters};

use super::samples::{START, digest, id, text};
use crate::database::Database;

crate::on_both!(entries_come_back, filters_and_pages, positions_follow_rights, a_refused_act_leaves_no_gap);

pub fn entry(body: &Body, beside: Option<&str>, at: Instant) -> Record {
    let random = Randomness { blind: *b"0123456789abcdef0123456789abcdef", salt: [7; 32] };
    record(body, beside.map(str::to_owned), at, &random).unwrap()
}

/// An act on a vendor with one fact.
pub fn act(vendor: &VendorId, verb: &'static str, fact: i64) -> Body {
    Body::Act(Act::new("vendor", vendor, verb, &Actor::System).of(vendor).fact("seen", fact))
}

pub fn release(vendor: &VendorId, dataset: &str) -> (Body, ReleaseId) {
    let release: ReleaseId = id();
    let to = Receiver { vendor: vendor.clone(), client: id(), token: digest("t"), address: "0".repeat(32), request: "r".into() };
    let what = What {
        release: release.clone(),
        permit: text("mail"),
        revision: 1,
        policy: digest("p"),
        dataset: text(dataset),
        purpose: text("direct_marketing"),
        source: "s".into(),
        fields: vec![text("id")],
        filter: vec![(text("id"), "eq")],
        format: "json",
        consent: None,
    };
    let outcome = Outcome {
        rows: 1,
        bytes: 2,
        subjects: 1,
        content: Some(digest("c")),
        segments: vec![],
        ledger: digest("l"),
        withheld: BTreeMap::new(),
    };
    (Body::Release(Released { to, what, outcome }), release)
}

/// Runs the sequencer until nothing is pending.
pub async fn settle(store: &Store) {
    while store.read(history::oldest_pending).await.unwrap().is_some() {
        store.sequence().await.unwrap();
    }
}

pub async fn everything(store: &Store) -> Vec<EntryRow> {
    settle(store).await;
    let page = HistoryPage { before: None, limit: 1_000_000 };
    let mut entries = store.read(move |tx| history::list(tx, &HistoryFilter::default(), &page)).await.unwrap();
    entries.reverse();
    entries
}

async fn append(store: &Store, record: Record) {
    store.record(move |tx| history::append(tx, &record)).await.unwrap();
}

async fn entries_come_back(database: Database) {
    let store = database.open(Clock::manual(START));
    let (body, of) = release(&id(), "customers");
    let kept = entry(&body, Some("name eq 'O\u{0}Neil' ü"), START);
    append(&store, kept.clone()).await;
    if database.is_postgres() {
        assert_eq!(store.read(history::head).await, Ok(0), "pending entries have no position");
        assert_eq!(store.read(history::oldest_pending).await, Ok(Some(START)));
        assert_eq!(store.read(|tx| history::find(tx, 0)).await, Err(StoreError::NotFound("history entry")));
        assert_eq!(store.sequence().await, Ok(1));
    }
    assert_eq!(store.sequence().await, Ok(0));
    assert_eq!(store.read(history::head).await, Ok(1));
    assert_eq!(store.read(history::oldest_pending).await, Ok(None));
    let found = store.read(|tx| history::find(tx, 0)).await.unwrap();
    assert_eq!(found.bytes, kept.leaf.bytes, "bytes are kept as they were hashed");
    assert_eq!((leaf_hash(&found.bytes), &found.hash), (found.hash.clone(), &kept.leaf.hash));
    assert_eq!(found.beside.as_deref(), Some("name eq 'O\u{0}Neil' ü"));
    assert_eq!((found.at, found.position), (START, 0));
    assert_eq!(store.read(move |tx| history::find_by_release(tx, &of)).await, Ok(vec![found.clone()]));
    store.record(|tx| history::erase_beside(tx, 0)).await.unwrap();
    let erased = store.read(|tx| history::find(tx, 0)).await.unwrap();
    assert_eq!(erased, EntryRow { beside: None, ..found });
    assert_eq!(store.record(|tx| history::erase_beside(tx, 1)).await, Err(StoreError::NotFound("history entry")));
}

async fn filters_and_pages(database: Database) {
    let store = database.open(Clock::manual(START));
    let (one, other): (VendorId, VendorId) = (id(), id());
    let (customers, first) = release(&one, "customers");
    let (orders, _) = release(&other, "orders");
    let refused = |vendor: &VendorId| {
        let (client, permit) = (id(), Some(text("post")));
        Body::Refusal(Refused { vendor: vendor.clone(), client, permit, dataset: None, purpose: None, gate: Gate::Quota, count: 3 })
    };
    let bodies = [customers, orders, act(&one, "suspend", 0), refused(&one), refused(&other)];
    for (at, body) in bodies.iter().enumerate() {
        append(&store, entry(body, None, START.plus_seconds(at as i64))).await;
    }
    settle(&store).await;
    let all = HistoryFilter::default;
    let some = |value: &str| Some(value.to_owned());
    let table: [(HistoryFilter, &[i64]); 16] = [
        (all(), &[4, 3, 2, 1, 0]),
        (HistoryFilter { vendor: some(one.as_str()), ..all() }, &[3, 2, 0]),
        (HistoryFilter { dataset: some("orders"), ..all() }, &[1]),
        (HistoryFilter { purpose: some("direct_marketing"), ..all() }, &[1, 0]),
        (HistoryFilter { kind: some("refusal"), ..all() }, &[4, 3]),
        (HistoryFilter { outcome: some("released"), ..all() }, &[1, 0]),
        (HistoryFilter { gate: some("quota"), ..all() }, &[4, 3]),
        (HistoryFilter { person: some("system"), ..all() }, &[2]),
        (HistoryFilter { permit: some("post"), ..all() }, &[4, 3]),
        (HistoryFilter { release: some(first.as_str()), ..all() }, &[0]),
        (HistoryFilter { from: Some(START.plus_seconds(3)), ..all() }, &[4, 3]),
        (HistoryFilter { to: Some(START.plus_seconds(3)), ..all() }, &[2, 1, 0]),
        (HistoryFilter { vendor: some(one.as_str()), gate: some("quota"), ..all() }, &[3]),
        (HistoryFilter { vendor: some("' OR 1=1 --"), ..all() }, &[]),
        (HistoryFilter { kind: some("a\u{0}ct"), ..all() }, &[]),
        (HistoryFilter { gate: some("consent"), ..all() }, &[]),
    ];
    for (filter, expected) in table {
        let asked = filter.clone();
        let page = HistoryPage { before: None, limit: 10 };
        let found = store.read(move |tx| history::list(tx, &asked, &page)).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.position).collect::<Vec<_>>(), expected, "{filter:?}");
        // The same, two at a time.
        let mut paged = Vec::new();
        loop {
            let (asked, page) = (filter.clone(), HistoryPage { before: paged.last().copied(), limit: 2 });
            let part = store.read(move |tx| history::list(tx, &asked, &page)).await.unwrap();
            paged.extend(part.iter().map(|entry| entry.position));
            if part.len() < 2 {
                break;
            }
        }
        assert_eq!(paged, expected, "paged {filter:?}");
    }
}

/// Eight writers on two brokers, govern and release by turns. A release notes the vendor's counter that it saw: along
/// the positions the noted counters never go back, and the positions have no gap.
async fn positions_follow_rights(database: Database) {
    let clock = Clock::manual(START);
    let stores = if database.is_postgres() {
        vec![database.open(clock.clone()), database.open(clock.clone())]
    } else {
        vec![database.open(clock.clone())]
    };
    let vendors: Vec<VendorId> = (0..3).map(|_| id()).collect();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8_usize {
        let (store, vendors) = (stores[writer % stores.len()].clone(), vendors.clone());
        writers.spawn(async move {
            for turn in 0..30_usize {
                let vendor = vendors[(writer + turn) % vendors.len()].clone();
                let noted = vendor.clone();
                let note = move |tx: &mut tidegate::store::Tx, verb| {
                    let seen = counters::read(tx, &noted)?.vendor;
                    let now = tx.now();
                    history::append(tx, &entry(&act(&noted, verb, seen), None, now))
                };
                if (writer * 7 + turn) % 5 == 0 {
                    store.govern(Scope::Vendor(vendor), move |tx| note(tx, "suspend")).await.unwrap();
                } else {
                    store.release(&vendor, move |tx| note(tx, "release")).await.unwrap();
                }
                store.sequence().await.unwrap();
            }
            Ok::<_, StoreError>(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap().unwrap();
    }
    let entries = everything(&stores[0]).await;
    assert_eq!(entries.len(), 240);
    assert_eq!(stores[0].read(history::head).await, Ok(240));
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry.position, at as i64, "positions are contiguous");
        let leaf: serde_json::Value = serde_json::from_slice(&entry.bytes).unwrap();
        let counter: i64 = leaf["facts"]["seen"].as_str().unwrap().parse().unwrap();
        let before = seen.entry(entry.vendor.clone().unwrap()).or_default();
        let (least, verb) = if entry.outcome.as_deref() == Some("suspend") { (*before + 1, "suspend") } else { (*before, "release") };
        assert_eq!(counter, least, "a {verb} at {at} contradicts the order of rights");
        *before = counter;
    }
}

async fn a_refused_act_leaves_no_gap(database: Database) {
    let store = database.open(Clock::manual(START));
    let vendor: VendorId = id();
    for turn in 0..6 {
        let vendor = vendor.clone();
        let done: Result<(), StoreError> = store
            .record(move |tx| {
                history::append(tx, &entry(&act(&vendor, "review", turn), None, START))?;
                if turn % 2 == 0 { Ok(()) } else { Err(StoreError::Stale) }
            })
            .await;
        assert_eq!(done.is_ok(), turn % 2 == 0);
    }
    let positions: Vec<i64> = everything(&store).await.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [0, 1, 2]);
}
