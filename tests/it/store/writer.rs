//! SQLite's writer: acts that share a commit do not share their failures.

use std::sync::mpsc::channel;

use tidegate::domain::id::VendorId;
use tidegate::store::{Clock, StoreError, Tx, history, people};

use super::history::{act, entry, everything};
use super::samples::{self, START, id};
use crate::database::{Database, run};

/// Inserts a person and an entry, then ends as told.
fn insert(tx: &mut Tx, at: usize, end: fn() -> Result<(), StoreError>) -> Result<(), StoreError> {
    people::insert(tx, &samples::person(&format!("p{at}@example.org")), "hash")?;
    let vendor: VendorId = id();
    history::append(tx, &entry(&act(&vendor, "review", at as i64), None, START))?;
    end()
}

#[test]
fn a_failing_act_leaves_its_neighbours_alone() {
    run(async {
        let database = Database::sqlite();
        let store = database.open(Clock::manual(START));
        // The writer is held up until the others wait, so that one commit takes them all.
        let (begun, go) = (channel(), channel());
        let holder = store.clone();
        let holding = tokio::spawn(async move {
            let held = holder.record(move |_| {
                begun.0.send(()).unwrap();
                go.1.recv().unwrap();
                Ok::<_, StoreError>(())
            });
            held.await
        });
        tokio::task::spawn_blocking(move || begun.1.recv().unwrap()).await.unwrap();
        let ends: [fn() -> Result<(), StoreError>; 5] =
            [|| Ok(()), || Err(StoreError::Stale), || Ok(()), || panic!("a fault of the program, on purpose"), || Ok(())];
        let waiting: Vec<_> = ends.into_iter().enumerate().map(|(at, end)| store.record(move |tx| insert(tx, at, end))).collect();
        let mut waiting = Box::pin(futures::future::join_all(waiting));
        assert!(futures::poll!(&mut waiting).is_pending(), "no answer before the commit");
        go.0.send(()).unwrap();
        holding.await.unwrap().unwrap();
        let outcomes = waiting.await;
        assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true]);
        assert_eq!(outcomes[1], Err(StoreError::Stale));
        let mut emails: Vec<String> = store.read(people::list).await.unwrap().iter().map(|person| person.email.to_string()).collect();
        emails.sort();
        assert_eq!(emails, ["p0@example.org", "p2@example.org", "p4@example.org"]);
        let entries = everything(&store).await;
        assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [0, 1, 2], "numbers were given back");
    });
}
