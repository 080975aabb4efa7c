//! Every interleaving of the release protocol, on a model of it: the gate, the counters, and statements that each see what was
//! committed before them. What holds here holds for the protocol; that the program keeps to it is what `race` tries to break.

/// What is left out of the protocol, to see that it is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The release does not hold the gate.
    Gate,
    /// The release does not read the counters again.
    Counters,
    /// The counters are read before the gate is held.
    Order,
}

/// What the database holds, as committed, and who holds the gate.
#[derive(Clone, Default)]
struct Database {
    shared: usize,
    alone: bool,
    revoked: bool,
    counter: u64,
    /// Whether the revocation was answered.
    answered: bool,
    /// Whether something was released behind the revocation.
    late: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Look,
    ReadEarly,
    Enter,
    Read,
    Append,
    Leave,
    Done,
}

/// Who pulls so many chunks: decides, then pays for each under the gate; decides once more where rights moved before the first.
#[derive(Clone)]
struct Pull {
    at: At,
    /// Whether it begins only when the revocation was answered.
    after: bool,
    decided: u64,
    seen: u64,
    chunks: usize,
    paid: usize,
    tries: usize,
}

/// Who revokes: enters alone, commits, leaves and answers.
#[derive(Clone)]
struct Revoke(usize);

#[derive(Clone)]
struct World {
    without: Without,
    database: Database,
    pulls: Vec<Pull>,
    revoke: Revoke,
}

impl Pull {
    fn new(chunks: usize, after: bool) -> Self {
        Self { at: At::Look, after, decided: 0, seen: 0, chunks, paid: 0, tries: 0 }
    }

    fn begin(&self, without: Without) -> At {
        if without == Without::Order { At::ReadEarly } else { At::Enter }
    }

    /// One step; whether there was one to take.
    fn step(&mut self, without: Without, database: &mut Database) -> bool {
        self.at = match self.at {
            At::Look if self.after && !database.answered => return false,
            At::Look if database.revoked => At::Done,
            At::Look => {
                self.decided = database.counter;
                self.begin(without)
            }
            At::ReadEarly => {
                self.seen = database.counter;
                At::Enter
            }
            At::Enter if without == Without::Gate => At::Read,
            At::Enter if database.alone => return false,
            At::Enter => {
                database.shared += 1;
                At::Read
            }
            At::Read => {
                if without != Without::Order {
                    self.seen = database.counter;
                }
                At::Append
            }
            At::Append => {
                if self.seen == self.decided || without == Without::Counters {
                    database.late |= database.revoked;
                    self.paid += 1;
                } else {
                    self.tries += 1;
                    self.chunks = self.paid;
                }
                At::Leave
            }
            At::Leave => {
                if without != Without::Gate {
                    database.shared -= 1;
                }
                match self.paid < self.chunks {
                    true => self.begin(without),
                    false if self.paid == 0 && self.tries < 2 => {
                        self.chunks = 1;
                        At::Look
                    }
                    false => At::Done,
                }
            }
            At::Done => return false,
        };
        true
    }
}

impl Revoke {
    fn step(&mut self, database: &mut Database) -> bool {
        match self.0 {
            0 if database.alone || database.shared > 0 => return false,
            0 => database.alone = true,
            1 => {
                database.counter += 1;
                database.revoked = true;
            }
            2 => {
                database.alone = false;
                database.answered = true;
            }
            _ => return false,
        }
        self.0 += 1;
        true
    }
}

impl World {
    fn new(without: Without, chunks: usize) -> Self {
        let pulls = vec![Pull::new(chunks, false), Pull::new(1, true)];
        Self { without, database: Database::default(), pulls, revoke: Revoke(0) }
    }

    /// Takes every order of steps from here; counts the orders, and those in which something was late.
    fn explore(&self, orders: &mut usize, late: &mut usize) {
        let mut stuck = true;
        for who in 0..=self.pulls.len() {
            let mut next = self.clone();
            let stepped = match next.pulls.get_mut(who) {
                Some(pull) => pull.step(self.without, &mut next.database),
                None => next.revoke.step(&mut next.database),
            };
            if stepped {
                stuck = false;
                next.explore(orders, late);
            }
        }
        if stuck {
            assert!(self.pulls.iter().all(|pull| pull.at == At::Done) && self.revoke.0 == 3, "somebody waits for ever");
            *orders += 1;
            *late += usize::from(self.database.late);
        }
    }
}

/// How many orders there are of a pull of so many chunks, a revocation, and a pull that begins when that was answered; and in
/// how many of them something is released behind the revocation.
fn explored(without: Without, chunks: usize) -> (usize, usize) {
    let (mut orders, mut late) = (0, 0);
    World::new(without, chunks).explore(&mut orders, &mut late);
    println!("{without:?}, {chunks} chunks: {late} of {orders} orders are late");
    (orders, late)
}

#[test]
fn no_order_lets_a_release_follow_a_revocation() {
    for chunks in [1, 2, 3] {
        let (orders, late) = explored(Without::Nothing, chunks);
        assert_eq!(late, 0);
        assert!(orders > 10, "{orders} orders");
    }
}

#[test]
fn each_part_of_the_protocol_is_missed() {
    for without in [Without::Gate, Without::Counters, Without::Order] {
        assert!(explored(without, 2).1 > 0, "{without:?} is left out, and nothing is late");
    }
}
