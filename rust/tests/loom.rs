//! The hand-overs between threads under loom: the code of `ring`, `signal` and `source::handover` itself, in
//! every order of its steps and with every stale value that a load may return, up to a bound of preemptions.
//!
//! A lost wake-up shows as a deadlock, which loom reports: in a model no wait ever times out. What the drawing
//! in `ring.rs` needs each of its steps for is in `ring_model.rs`, with more threads than loom can afford.
//! Run by `cargo test --no-default-features --features loom --test loom`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::time::Duration;

use currant::ring::Ring;
use currant::signal::Signal;
use currant::source::Item;
use currant::source::handover::{Handover, Outbox};
use loom::sync::Arc;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Never reached: see above.
const LIMIT: Duration = Duration::from_secs(3600);

/// Most known bugs of this kind need two preemptions; more are affordable only for the small models.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    builder.check(model);
}

#[test]
fn every_value_wakes_the_consumer_that_sleeps_for_it() {
    explore(3, || {
        let ring = Arc::new(Ring::new(1));
        let other = Arc::clone(&ring);
        let producer = thread::spawn(move || {
            other.push_wait(1, LIMIT).unwrap();
            other.push_wait(2, LIMIT).unwrap();
        });
        assert_eq!(ring.pop_timeout(LIMIT), Some(1));
        assert_eq!(ring.pop_timeout(LIMIT), Some(2));
        producer.join().unwrap();
    });
}

#[test]
fn two_producers_share_one_place() {
    explore(3, || {
        let ring = Arc::new(Ring::new(1));
        let producers: Vec<_> = [1, 2]
            .map(|value| {
                let ring = Arc::clone(&ring);
                thread::spawn(move || ring.push_wait(value, LIMIT).unwrap())
            })
            .into();
        let got = [ring.pop_timeout(LIMIT).unwrap(), ring.pop_timeout(LIMIT).unwrap()];
        assert_eq!(got.iter().sum::<i32>(), 3);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn two_consumers_get_one_value_each() {
    explore(3, || {
        let ring = Arc::new(Ring::new(2));
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let ring = Arc::clone(&ring);
                thread::spawn(move || ring.pop_timeout(LIMIT).unwrap())
            })
            .collect();
        ring.try_push(1).unwrap();
        ring.try_push(2).unwrap();
        let got: i32 = consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum();
        assert_eq!(got, 3);
    });
}

/// The wake-up for a value may reach a thread that only looks; it must go on to one that takes.
#[test]
fn a_thread_that_only_looks_keeps_no_wakeup() {
    explore(3, || {
        let ring = Arc::new(Ring::new(2));
        let (looking, taking) = (Arc::clone(&ring), Arc::clone(&ring));
        let looker = thread::spawn(move || looking.wait(LIMIT));
        let taker = thread::spawn(move || taking.pop_timeout(LIMIT));
        ring.try_push(1).unwrap();
        assert_eq!(taker.join().unwrap(), Some(1));
        ring.close(); // the looker may have come too late for the value
        looker.join().unwrap();
    });
}

#[test]
fn closing_wakes_producers_and_consumers_and_keeps_what_is_in_it() {
    explore(3, || {
        let ring = Arc::new(Ring::new(1));
        let (full, empty) = (Arc::clone(&ring), Arc::new(Ring::<i32>::new(1)));
        ring.try_push(1).unwrap();
        let also_empty = Arc::clone(&empty);
        let producer = thread::spawn(move || full.push_wait(2, LIMIT));
        let consumer = thread::spawn(move || also_empty.pop_timeout(LIMIT));
        ring.close();
        empty.close();
        assert_eq!(producer.join().unwrap(), Err(2));
        assert_eq!(consumer.join().unwrap(), None);
        assert_eq!(ring.pop_timeout(LIMIT), Some(1));
    });
}

/// "Closed" is the end only for a consumer that found nothing after it.
#[test]
fn what_was_pushed_before_closing_is_found() {
    explore(3, || {
        let ring = Arc::new(Ring::new(1));
        let other = Arc::clone(&ring);
        let producer = thread::spawn(move || {
            other.try_push(1).unwrap();
            other.close();
        });
        assert_eq!(ring.pop_timeout(LIMIT), Some(1));
        assert_eq!(ring.pop_timeout(LIMIT), None);
        producer.join().unwrap();
    });
}

#[test]
fn a_raised_signal_is_never_slept_through_and_shows_what_was_done_before_it() {
    explore(3, || {
        let signal = Arc::new(Signal::default());
        let done = Arc::new(AtomicUsize::new(0));
        let raisers: Vec<_> = (0..2)
            .map(|_| {
                let (signal, done) = (Arc::clone(&signal), Arc::clone(&done));
                thread::spawn(move || {
                    done.fetch_add(1, Ordering::Relaxed);
                    signal.raise();
                })
            })
            .collect();
        // Two raises may be one wake-up, but the last wake-up must show both.
        while done.load(Ordering::Relaxed) < 2 {
            assert!(signal.wait(None));
        }
        raisers.into_iter().for_each(|raiser| raiser.join().unwrap());
    });
}

/// What the kernel would be: a queue that the reader empties. Its lock is the kernel's own.
#[derive(Default)]
struct Kernel(Mutex<Vec<u8>>);

impl Kernel {
    fn write(&self, event: u8) {
        self.0.lock().unwrap().push(event);
    }

    fn read(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// One turn of the reader, as `inotify::read_loop` takes it.
fn turn(kernel: &Kernel, shared: &Handover, outbox: &mut Outbox, wake: &Signal) {
    let asked = shared.asked();
    let read = kernel.read();
    outbox.add(&read);
    outbox.give(shared, wake);
    outbox.answer(asked, shared, wake);
}

/// What the engine knows after some drains.
#[derive(Default)]
struct Engine {
    seen: Vec<u8>,
    overflowed: bool,
    barrier: u64,
}

impl Engine {
    fn take(&mut self, shared: &Handover) {
        let mut items = Vec::new();
        shared.drain(&mut items);
        for item in items {
            match item {
                Item::Buffer(bytes) => self.seen.extend(bytes),
                Item::Overflow => self.overflowed = true,
                Item::Barrier(token) => self.barrier = token,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// `limit`: how much the reader holds; with 0 whatever does not fit at once is lost.
fn everything_before_a_barrier(limit: usize, places: usize, events: u8, preemptions: usize) {
    explore(preemptions, move || {
        let kernel = Arc::new(Kernel::default());
        let shared = Arc::new(Handover::new(places));
        let wake = Arc::new(Signal::default());
        let poke = Arc::new(Signal::default());
        let stop = Arc::new(AtomicUsize::new(0));
        let mut outbox = Outbox::new(limit);
        // The first event is handed over before the two sides part: fewer preemptions reach the rest.
        kernel.write(0);
        turn(&kernel, &shared, &mut outbox, &wake);
        let reader = {
            let (kernel, shared, wake, poke, stop) = (
                Arc::clone(&kernel),
                Arc::clone(&shared),
                Arc::clone(&wake),
                Arc::clone(&poke),
                Arc::clone(&stop),
            );
            thread::spawn(move || {
                while stop.load(Ordering::Acquire) == 0 {
                    turn(&kernel, &shared, &mut outbox, &wake);
                    if outbox.is_waiting(&shared) {
                        thread::yield_now(); // there: up to five milliseconds in poll()
                    } else {
                        poke.wait(None);
                    }
                }
            })
        };
        let mut engine = Engine::default();
        for event in 1..events {
            kernel.write(event);
            poke.raise();
        }
        shared.ask(7);
        poke.raise();
        while engine.barrier != 7 {
            wake.wait(None);
            engine.take(&shared);
        }
        let all: Vec<u8> = (0..events).collect();
        assert!(engine.overflowed || engine.seen == all, "{:?} of {all:?}", engine.seen);
        assert!(engine.seen.is_sorted(), "{:?}", engine.seen);
        stop.store(1, Ordering::Release);
        poke.raise();
        reader.join().unwrap();
    });
}

#[test]
fn a_barrier_comes_after_every_event_before_it() {
    everything_before_a_barrier(64, 2, 2, 3);
}

#[test]
fn a_barrier_finds_room_when_the_engine_made_some() {
    everything_before_a_barrier(64, 1, 2, 3);
}

#[test]
fn what_is_lost_is_said_to_be_lost_before_the_barrier_counts() {
    everything_before_a_barrier(0, 1, 2, 3);
}

/// The same without sleeping, so that every order can be tried, with any number of preemptions: some turns of
/// the reader beside some drains, of which one may see the barrier.
#[test]
fn no_drain_gives_a_barrier_without_what_was_lost_before_it() {
    loom::model(|| {
        let kernel = Arc::new(Kernel::default());
        let shared = Arc::new(Handover::new(1));
        let wake = Arc::new(Signal::default());
        let mut outbox = Outbox::new(0);
        kernel.write(0);
        turn(&kernel, &shared, &mut outbox, &wake);
        kernel.write(1);
        shared.ask(7);
        let reader = {
            let (kernel, shared, wake) =
                (Arc::clone(&kernel), Arc::clone(&shared), Arc::clone(&wake));
            thread::spawn(move || {
                turn(&kernel, &shared, &mut outbox, &wake);
                turn(&kernel, &shared, &mut outbox, &wake);
            })
        };
        let mut engine = Engine::default();
        for _ in 0..2 {
            engine.take(&shared);
            assert!(
                engine.barrier != 7 || engine.overflowed || engine.seen == [0, 1],
                "{:?}",
                engine.seen
            );
        }
        reader.join().unwrap();
    });
}
