//! Measures the debouncer and the ring: nanoseconds per operation and bytes per pending key.
//!
//! `cargo run --release --no-default-features --example handover`. Best of five rounds, because
//! whatever else the machine does can only make a round slower.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "prints its result, has no caller")]

use std::time::Duration;

use currant::clock::Clock;
use currant::debounce::Debouncer;
use currant::ring::Ring;

const KEYS: u32 = 1_000_000;
const ROUNDS: usize = 5;

fn main() {
    let one_key = best(wheel, |wheel| {
        for n in 0..KEYS {
            wheel.push(7, Duration::from_micros(n.into()));
        }
    });
    report("push, 1 key pending", one_key);
    report("push, 1M new keys", best(wheel, fill));
    let again = best(full, |wheel| {
        for n in 0..KEYS {
            wheel.push(scattered(n), Duration::from_millis(60));
        }
    });
    report("push, 1M keys pending, in random order", again);
    report("take_ready in batches of 512, 1M keys due", best(full, drain));
    report("remove, 1M keys pending", best(full, empty));
    println!("{:>10.2} bytes per pending key", full().bytes() as f64 / f64::from(KEYS));
    let alone = best(ring, |ring| {
        for n in 0..KEYS {
            ring.try_push(n).expect("it has room");
            ring.pop();
        }
    });
    report("ring: push and pop, one thread", alone);
    report("ring: push and pop, two threads", best(ring, two_threads));
}

fn wheel() -> Debouncer {
    Debouncer::new(Duration::from_millis(100), Duration::from_secs(2)).expect("valid delays")
}

fn full() -> Debouncer {
    let mut wheel = wheel();
    fill(&mut wheel);
    wheel
}

fn fill(wheel: &mut Debouncer) {
    for n in 0..KEYS {
        wheel.push(n, Duration::from_nanos(u64::from(n) * 50));
    }
}

/// Every number below `KEYS` once, far from its neighbours.
fn scattered(n: u32) -> u32 {
    (u64::from(n) * 618_033 % u64::from(KEYS)) as u32
}

fn drain(wheel: &mut Debouncer) {
    let mut out = Vec::with_capacity(512);
    while !wheel.is_empty() {
        out.clear();
        wheel.take_ready(Duration::from_secs(1), 512, &mut out);
    }
}

fn empty(wheel: &mut Debouncer) {
    for n in 0..KEYS {
        wheel.remove(scattered(n));
    }
}

fn ring() -> Ring<u32> {
    Ring::new(1024)
}

fn two_threads(ring: &mut Ring<u32>) {
    let (ring, limit) = (&*ring, Duration::from_secs(60));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..KEYS {
                ring.push_wait(n, limit).expect("the other side takes");
            }
        });
        for n in 0..KEYS {
            assert_eq!(Some(n), ring.pop_timeout(limit));
        }
    });
}

/// The shortest time of one round, divided by `KEYS`.
fn best<T>(mut prepare: impl FnMut() -> T, mut round: impl FnMut(&mut T)) -> f64 {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut subject = prepare();
        let clock = Clock::start();
        round(&mut subject);
        shortest = shortest.min(clock.now());
    }
    shortest.as_nanos() as f64 / f64::from(KEYS)
}

fn report(what: &str, nanos: f64) {
    println!("{nanos:>10.1} ns  {what}");
}
