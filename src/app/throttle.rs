//! How often the OAuth endpoints may be asked: who guesses waits, and nobody waits for the guesses of others.
//!
//! Failures count for a client id together with the address that they come from, and for the address. Who has failed too
//! often with one id is not looked at again for a while; who has with many is told to wait. From an address at which a
//! client has proved itself its secret is always looked at, and the right secret always counts: a vendor is not locked out
//! by a guesser, also not by one behind the same address. What a proven client asks is bounded by its own rate alone.
//!
//! The algorithm is GCRA (ITU-T I.371), of the crate `governor`. What is remembered is bounded, and is this broker's own.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::time::Instant;
use crate::keys;
use crate::store::Clock;

use super::memory::Memory;

/// How much the OAuth endpoints take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests of one client in a second, lasting; ten times as many at once. 0: no limit.
    pub requests_per_second: u32,
    /// Failures with one client id from one address in a minute, and as many at once; six times as many from an address
    /// with any ids. 0: no limit.
    pub failures_per_minute: u32,
}

/// Seconds of a client's rate that it may use at once.
const BURST_SECONDS: u32 = 10;
/// How many more failures an address has than one client id at it.
const IDS: u32 = 6;
/// Of each sort the most that is remembered: a few MB.
const MOST: usize = 20_000;

/// How long somebody waits: at least one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub seconds: u64,
}

impl Wait {
    fn of(time: Duration) -> Self {
        let more = u64::from(time.subsec_nanos() > 0);
        Self { seconds: time.as_secs().saturating_add(more).max(1) }
    }
}

/// A client id as it was sent, as its digest, with the network that it came from.
type Pair = (String, IpAddr);

/// What is counted, and who waits.
pub struct Throttle {
    time: Steady,
    requests: Option<Bounded<String>>,
    pairs: Option<Bounded<Pair>>,
    addresses: Option<Bounded<IpAddr>>,
    /// Until when a pair is not looked at, by the steady time.
    waiting: Memory<Pair, Duration, MOST>,
    /// Pairs at which a client has proved itself.
    proven: Memory<Pair, (), MOST>,
}

impl Throttle {
    /// Counts by a clock.
    pub fn new(rates: Rates, clock: Clock) -> Self {
        let time = Steady::new(clock);
        let per_second = NonZeroU32::new(rates.requests_per_second);
        let per_minute = NonZeroU32::new(rates.failures_per_minute);
        let times = |rate: NonZeroU32, by: u32| rate.saturating_mul(NonZeroU32::new(by).unwrap_or(NonZeroU32::MIN));
        Self {
            requests: per_second.map(|rate| Bounded::new(Quota::per_second(rate).allow_burst(times(rate, BURST_SECONDS)), &time)),
            pairs: per_minute.map(|rate| Bounded::new(Quota::per_minute(rate), &time)),
            addresses: per_minute.map(|rate| Bounded::new(Quota::per_minute(times(rate, IDS)), &time)),
            waiting: Memory::default(),
            proven: Memory::default(),
            time,
        }
    }

    /// Whether a secret is looked at now.
    ///
    /// # Errors
    /// Where this id failed too often from there, and never proved itself there.
    pub fn admit(&self, id: &str, from: IpAddr) -> Result<(), Wait> {
        let pair = (digest(id), network(from));
        let Some(until) = self.waiting.get(&pair) else { return Ok(()) };
        let left = until.saturating_sub(self.time.now());
        if left.is_zero() || self.proven.get(&pair).is_some() { Ok(()) } else { Err(Wait::of(left)) }
    }

    /// Counts a request of a client whose secret or signature is right.
    ///
    /// # Errors
    /// Where it asks more often than its rate allows.
    pub fn ask(&self, id: &str) -> Result<(), Wait> {
        self.requests.as_ref().map_or(Ok(()), |requests| requests.count(&digest(id)))
    }

    /// Notes that a client proved itself there.
    pub fn proved(&self, id: &str, from: IpAddr) {
        let pair = (digest(id), network(from));
        self.waiting.forget(&pair);
        self.proven.get_or_default(pair);
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// Where there were too many: how long to wait.
    pub fn failed(&self, id: &str, from: IpAddr) -> Result<(), Wait> {
        let pair = (digest(id), network(from));
        let of_pair = self.pairs.as_ref().map_or(Ok(()), |pairs| pairs.count(&pair));
        let of_address = self.addresses.as_ref().map_or(Ok(()), |addresses| addresses.count(&pair.1));
        if let Err(wait) = of_pair {
            self.waiting.put(pair, self.time.now().saturating_add(Duration::from_secs(wait.seconds)));
        }
        of_pair.and(of_address)
    }
}

fn digest(id: &str) -> String {
    keys::sha256_hex(id.as_bytes())
}

/// The network that is counted: who has one address of IPv6 has 2⁶⁴ of them (RFC 4291 §2.5.4).
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

type Limiter<Key> = RateLimiter<Key, HashMapStateStore<Key>, Steady, NoOpMiddleware<Duration>>;

/// A limiter by key that forgets before it grows too large.
struct Bounded<Key: Hash + Eq + Clone> {
    quota: Quota,
    time: Steady,
    limiter: RwLock<Limiter<Key>>,
}

impl<Key: Hash + Eq + Clone> Bounded<Key> {
    fn new(quota: Quota, time: &Steady) -> Self {
        Self { quota, time: time.clone(), limiter: RwLock::new(limiter(quota, time)) }
    }

    fn count(&self, key: &Key) -> Result<(), Wait> {
        self.make_room();
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        limiter.check_key(key).map_err(|early| Wait::of(early.wait_time_from(self.time.now())))
    }

    /// Those who have waited long enough leave first; where that is not enough, all are forgotten.
    fn make_room(&self) {
        let full = |limiter: &Limiter<Key>| limiter.len() >= MOST;
        if !full(&self.limiter.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
        known.retain_recent();
        if full(&known) {
            *known = limiter(self.quota, &self.time);
        }
    }
}

fn limiter<Key: Hash + Eq + Clone>(quota: Quota, time: &Steady) -> Limiter<Key> {
    RateLimiter::new(quota, HashMapStateStore::default(), time.clone())
}

/// Time that never runs backwards: where the clock is set back, it stands still for a moment and goes on.
#[derive(Clone)]
struct Steady {
    clock: Clock,
    /// What the clock said last, and the time that has passed.
    last: Arc<Mutex<(Instant, Duration)>>,
}

impl Steady {
    fn new(clock: Clock) -> Self {
        let last = Arc::new(Mutex::new((clock.now(), Duration::ZERO)));
        Self { clock, last }
    }
}

impl governor::clock::Clock for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let passed = u64::try_from(now.micros().saturating_sub(last.0.micros())).unwrap_or(0);
        *last = (now, last.1.saturating_add(Duration::from_micros(passed)));
        last.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { requests_per_second: 5, failures_per_minute: 10 };

    fn throttle(rates: Rates) -> (Throttle, Clock) {
        let clock = Clock::manual(Instant::from_seconds(1_800_000_000));
        (Throttle::new(rates, clock.clone()), clock)
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    /// How many of so many guesses are looked at.
    fn guess(throttle: &Throttle, id: &str, at: IpAddr, guesses: usize) -> usize {
        let looked = |_: &usize| throttle.admit(id, at).is_ok_and(|()| throttle.failed(id, at).is_ok() || throttle.admit(id, at).is_err());
        (0..guesses).filter(looked).count()
    }

    #[test]
    fn who_guesses_waits_and_may_try_again() {
        let (throttle, clock) = throttle(RATES);
        assert_eq!(guess(&throttle, "acme", from(1), 100), 11, "the burst, and the one that is told to wait");
        let wait = throttle.admit("acme", from(1)).unwrap_err();
        assert_eq!(wait.seconds, 6, "ten a minute");
        clock.advance_seconds(5);
        assert_eq!(throttle.admit("acme", from(1)), Err(Wait { seconds: 1 }));
        clock.advance_seconds(1);
        assert_eq!(throttle.admit("acme", from(1)), Ok(()));
        clock.advance_seconds(3_600);
        assert_eq!(guess(&throttle, "acme", from(1), 100), 11);
    }

    #[test]
    fn nobody_waits_for_the_guesses_of_others() {
        let (throttle, _) = throttle(RATES);
        guess(&throttle, "acme", from(1), 100);
        assert_eq!(throttle.admit("acme", from(2)), Ok(()), "from its own address");
        assert_eq!(throttle.admit("beta", from(1)), Ok(()), "another one behind the same address");
        for id in 0..200 {
            guess(&throttle, &format!("nobody-{id}"), from(1), 20);
        }
        assert_eq!(throttle.admit("beta", from(1)), Ok(()));
        throttle.proved("beta", from(1));
        // Where it has proved itself, the guesses of somebody else with its own id do not keep it out either.
        for _ in 0..100 {
            let _ = throttle.failed("beta", from(1));
        }
        assert_eq!(throttle.admit("beta", from(1)), Ok(()));
        assert!(throttle.failed("beta", from(1)).is_err(), "and a guess is told to wait all the same");
    }

    #[test]
    fn many_ids_from_one_address_are_one_guesser() {
        let (throttle, _) = throttle(RATES);
        let told: Vec<bool> = (0..100).map(|id| throttle.failed(&format!("nobody-{id}"), from(1)).is_err()).collect();
        assert_eq!(told.iter().filter(|waits| !**waits).count(), 60);
        let home = |text: &str| text.parse::<IpAddr>().unwrap();
        for at in 0..100 {
            let _ = throttle.failed("acme", home(&format!("2001:db8::{at:x}")));
        }
        assert!(throttle.admit("acme", home("2001:db8::ffff")).is_err(), "a whole network is one address");
        assert!(throttle.admit("acme", home("2001:db8:0:1::1")).is_ok());
        assert_eq!(network(home("::ffff:203.0.113.1")), from(1));
    }

    #[test]
    fn a_proven_client_has_a_rate_of_its_own() {
        let (throttle, clock) = throttle(RATES);
        let good = |id: &str, times: usize| (0..times).filter(|_| throttle.ask(id).is_ok()).count();
        assert_eq!((good("acme", 100), good("beta", 100)), (50, 50), "ten seconds' worth at once");
        clock.advance_seconds(2);
        assert_eq!(good("acme", 100), 10);
        // A clock that is set back an hour holds nobody up for an hour.
        clock.advance_seconds(-3_600);
        assert_eq!(good("acme", 100), 0);
        clock.advance_seconds(2);
        assert_eq!(good("acme", 100), 10);
    }

    #[test]
    fn nought_is_no_limit() {
        let (throttle, _) = throttle(Rates { requests_per_second: 0, failures_per_minute: 0 });
        assert!((0..10_000).all(|_| throttle.ask("acme").is_ok() && throttle.failed("acme", from(1)).is_ok()));
        assert_eq!(throttle.admit("acme", from(1)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (throttle, _) = throttle(RATES);
        for id in 0..3 * MOST {
            let _ = throttle.failed(&id.to_string(), from(1));
            let _ = throttle.ask(&id.to_string());
            throttle.proved(&id.to_string(), from(1));
        }
        let kept = |len: usize| assert!(len <= MOST, "{len}");
        kept(throttle.proven.len());
        kept(throttle.waiting.len());
        kept(throttle.pairs.as_ref().unwrap().limiter.read().unwrap().len());
        kept(throttle.requests.as_ref().unwrap().limiter.read().unwrap().len());
    }
}
