//! SQLite's one writer: a savepoint for each act, one commit for a group, and no answer before that commit.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, current};

use tokio::sync::oneshot;

use super::clock::Clock;
use super::conn::{Statements, Tx, open_sqlite};
use super::error::StoreError;

/// The most acts that one commit may carry.
const MOST_TOGETHER: usize = 256;

/// Tells the caller, once it is known whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Runs an act; says whether to keep what it did.
type Act = Box<dyn FnOnce(&mut Tx) -> (bool, Answer) + Send>;

/// The queue before the writer's thread. Dropping it lets the thread finish what waits, and waits for that.
pub(super) struct Writer {
    queue: Option<Sender<Act>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(tx: Tx, path: PathBuf, clock: Clock, statements: Statements) -> Result<Self, StoreError> {
        let (queue, acts) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(tx, &acts, &path, &clock, &statements))
            .map_err(|_| StoreError::unavailable("its writer could not be started"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Puts an act in the queue and waits until its group is committed.
    pub(super) async fn submit<T, E>(&self, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let stopped = || E::from(StoreError::unavailable("its writer could not take the act"));
        let (answer, answered) = oneshot::channel::<Result<T, E>>();
        let act: Act = Box::new(move |tx| {
            let outcome = tx.guard(f);
            let keep = outcome.is_ok();
            let tell: Answer = Box::new(move |committed| {
                // A caller that went away needs no answer; what it asked for is done all the same.
                let _ = answer.send(committed.map_err(E::from).and(outcome));
            });
            (keep, tell)
        });
        self.queue.as_ref().ok_or_else(stopped)?.send(act).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != current().id()
        {
            // The thread catches the panics of acts; one of its own has been reported on stderr already.
            let _ = thread.join();
        }
    }
}

fn run(mut tx: Tx, acts: &Receiver<Act>, path: &std::path::Path, clock: &Clock, statements: &Statements) {
    while let Ok(first) = acts.recv() {
        let together: Vec<Act> = std::iter::once(first).chain(acts.try_iter().take(MOST_TOGETHER.saturating_sub(1))).collect();
        if tx.is_broken() {
            match open_sqlite(path) {
                Ok(mut conn) => {
                    statements.watch(&mut conn);
                    tx = Tx::own(conn, clock.clone());
                }
                // Dropping the acts answers their callers that they were not done.
                Err(_) => continue,
            }
        }
        let mut answers = Vec::with_capacity(together.len());
        let committed = group(&mut tx, together, &mut answers);
        if committed.is_err() {
            // Fails where SQLite has rolled back by itself; the connection is opened anew in any case.
            let _ = tx.control("ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn group(tx: &mut Tx, acts: Vec<Act>, answers: &mut Vec<Answer>) -> Result<(), StoreError> {
    tx.control("BEGIN IMMEDIATE")?;
    for act in acts {
        tx.control("SAVEPOINT act")?;
        let (keep, answer) = act(tx);
        answers.push(answer);
        tx.control(if keep { "RELEASE act" } else { "ROLLBACK TO act; RELEASE act" })?;
    }
    tx.control("COMMIT")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::store::migrate;
    use crate::store::schema::counters;
    use diesel::prelude::*;

    /// SQLite rolls back a whole transaction by itself when the disk is full. The acts of the group that seemed to
    /// succeed must be told, and the writer must go on.
    #[test]
    fn a_lost_group_answers_nobody_with_success() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sqlite");
        let mut conn = open_sqlite(&path).unwrap();
        migrate::run(&mut conn).unwrap();
        let clock = Clock::system();
        let writer = Writer::start(Tx::own(conn, clock.clone()), path.clone(), clock, Statements::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let set = |scope: &'static str| move |tx: &mut Tx| tx.control(&format!("INSERT INTO counters VALUES ('{scope}', 1)"));
        let (begun, go) = (channel(), channel());
        let outcomes = runtime.block_on(async {
            let hold = writer.submit(move |_| {
                begun.0.send(()).unwrap();
                go.1.recv().unwrap();
                Ok::<_, StoreError>(())
            });
            let group = async {
                begun.1.recv_timeout(Duration::from_secs(60)).unwrap();
                let go = async { go.0.send(()).unwrap() };
                let lost = writer.submit(|tx| tx.control("ROLLBACK"));
                futures::future::join4(writer.submit(set("before")), lost, writer.submit(set("after")), go).await
            };
            let (held, outcomes) = futures::future::join(hold, group).await;
            held.unwrap();
            outcomes
        });
        assert!(outcomes.0.is_err() && outcomes.1.is_err() && outcomes.2.is_err(), "{outcomes:?}");
        runtime.block_on(writer.submit(set("later"))).unwrap();
        drop(writer);
        let mut reader = Tx::own(open_sqlite(&path).unwrap(), Clock::system());
        let kept: Vec<String> = counters::table.select(counters::scope).load(reader.conn()).unwrap();
        assert_eq!(kept, ["later"]);
    }
}
