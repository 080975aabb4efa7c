//! Every interleaving of the release protocol, on a model of it: the gate, the counters, and statements that each see what was
//! committed before them. What holds here holds for the protocol; that the program keeps to it is what `race` tries to break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::sync::{Mutex, RwLock};
use shuttle::thread;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Release,
    Revocation,
}

/// What the database holds, as committed.
#[derive(Default)]
struct Rows {
    revoked: bool,
    counter: u64,
    history: Vec<Entry>,
}

/// What is left out of the protocol, to see that it is missed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The release does not hold the gate.
    Gate,
    /// The release does not read the counters again.
    Counters,
    /// The counter is read before the gate is held.
    Order,
}

struct Model {
    gate: RwLock<()>,
    rows: Mutex<Rows>,
    without: Without,
}

impl Model {
    /// Decides, then records under the gate: once more where rights moved. Answers whether something was released.
    fn pull(&self, chunks: usize) -> bool {
        for _ in 0..2 {
            let (revoked, decided) = self.look();
            if revoked {
                return false;
            }
            let mut paid = 0;
            while paid < chunks && self.pay(decided) {
                paid += 1;
            }
            if paid > 0 {
                return true;
            }
        }
        false
    }

    fn look(&self) -> (bool, u64) {
        let rows = self.rows.lock().unwrap();
        (rows.revoked, rows.counter)
    }

    /// One transaction of `release`: each statement sees what was committed before it.
    fn pay(&self, decided: u64) -> bool {
        let early = (self.without == Without::Order).then(|| self.look().1);
        let held = (self.without != Without::Gate).then(|| self.gate.read().unwrap());
        let counter = early.unwrap_or_else(|| self.look().1);
        if counter != decided && self.without != Without::Counters {
            return false;
        }
        self.rows.lock().unwrap().history.push(Entry::Release);
        drop(held);
        true
    }

    /// One transaction of `govern`.
    fn revoke(&self) {
        let held = self.gate.write().unwrap();
        // They are committed together, before the gate is given back.
        let mut rows = self.rows.lock().unwrap();
        rows.counter += 1;
        rows.revoked = true;
        rows.history.push(Entry::Revocation);
        drop(rows);
        drop(held);
    }
}

/// A pull of so many chunks and one who revokes, in every order that there is; answers how many orders there were, and in how
/// many of them a release stands behind the revocation or was answered after it.
fn explore(without: Without, chunks: usize) -> (usize, usize) {
    let (orders, late) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, found) = (Arc::clone(&orders), Arc::clone(&late));
    let one = move || {
        let model = Arc::new(Model { gate: RwLock::new(()), rows: Mutex::new(Rows::default()), without });
        let pulled = Arc::clone(&model);
        let pull = thread::spawn(move || pulled.pull(chunks));
        model.revoke();
        // What begins after the answer gets nothing.
        let after = model.pull(1);
        pull.join().unwrap();
        let rows = model.rows.lock().unwrap();
        let behind = rows.history.iter().skip_while(|entry| **entry != Entry::Revocation).any(|entry| *entry == Entry::Release);
        counted.fetch_add(1, Ordering::Relaxed);
        found.fetch_add(usize::from(behind || after), Ordering::Relaxed);
    };
    shuttle::check_dfs(one, Some(MOST));
    (orders.load(Ordering::Relaxed), late.load(Ordering::Relaxed))
}

/// More orders than there are: the search ends because it has seen them all.
const MOST: usize = 100_000;

#[test]
fn no_order_lets_a_release_follow_a_revocation() {
    for chunks in [1, 2] {
        let (orders, late) = explore(Without::Nothing, chunks);
        println!("{chunks} chunks: {orders} orders, {late} of them late");
        assert_eq!(late, 0);
        assert!((10..MOST).contains(&orders), "{orders} orders");
    }
}

#[test]
fn each_part_of_the_protocol_is_missed() {
    for (part, without) in [("gate", Without::Gate), ("counters", Without::Counters), ("order", Without::Order)] {
        let (orders, late) = explore(without, 2);
        println!("without the {part}: {late} of {orders} orders are late");
        assert!(late > 0, "without the {part} nothing is late");
    }
}
