//! The ring under real threads: what goes in comes out once, in order per producer, and nobody
//! sleeps through a wake-up. No test measures time: a lost wake-up shows as a failed assertion when
//! the (long) limit of a wait is over.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail like tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use currant::ring::Ring;

/// Never reached unless something is broken.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn gives_back_what_does_not_fit() {
    let ring = Ring::new(2);
    assert_eq!((Ok(()), Ok(()), Err(3)), (ring.try_push(1), ring.try_push(2), ring.try_push(3)));
    assert_eq!(Some(1), ring.pop());
    assert_eq!(Ok(()), ring.try_push(3));
    assert_eq!((2, 2), (ring.len(), ring.capacity()));
    assert_eq!([Some(2), Some(3), None], [ring.pop(), ring.pop(), ring.pop()]);
}

#[test]
fn has_room_for_one_at_least() {
    assert_eq!(1, Ring::<u8>::new(0).capacity());
}

#[test]
fn a_closed_ring_refuses_and_still_drains() {
    let ring = Ring::new(4);
    ring.try_push("in time").unwrap();
    ring.close();
    assert_eq!(Err("late"), ring.try_push("late"));
    assert_eq!(Err("later"), ring.push_wait("later", LIMIT));
    assert_eq!(Some("in time"), ring.pop_timeout(LIMIT));
    assert_eq!(None, ring.pop_timeout(LIMIT));
    assert!(!ring.wait(LIMIT));
    ring.close();
    assert!(ring.is_closed());
}

#[test]
fn a_wait_of_no_time_does_not_wait() {
    let ring = Ring::new(1);
    assert_eq!(None, ring.pop_timeout(Duration::ZERO));
    assert_eq!(Ok(()), ring.push_wait(1, Duration::ZERO));
    assert_eq!(Err(2), ring.push_wait(2, Duration::ZERO));
    assert_eq!(Err(2), ring.push_wait(2, Duration::from_millis(1)));
    assert!(ring.wait(Duration::ZERO));
}

#[test]
fn values_left_over_are_dropped_with_the_ring() {
    let value = std::sync::Arc::new(());
    let ring = Ring::new(3);
    ring.try_push(value.clone()).unwrap();
    drop(ring);
    assert_eq!(1, std::sync::Arc::strong_count(&value));
}

#[test]
fn closing_wakes_everyone() {
    let ring = Ring::new(1);
    ring.try_push(0).unwrap();
    let empty = Ring::<u32>::new(1);
    thread::scope(|scope| {
        let producers: Vec<_> = (1..4)
            .map(|n| {
                let ring = &ring;
                scope.spawn(move || ring.push_wait(n, LIMIT))
            })
            .collect();
        let consumers: Vec<_> = (0..3).map(|_| scope.spawn(|| empty.pop_timeout(LIMIT))).collect();
        let watcher = scope.spawn(|| empty.wait(LIMIT));
        ring.close();
        empty.close();
        for producer in producers {
            assert!(producer.join().unwrap().is_err());
        }
        for consumer in consumers {
            assert_eq!(None, consumer.join().unwrap());
        }
        assert!(!watcher.join().unwrap());
    });
}

/// Two threads that can only go on by turns: each step is a sleep and a wake-up, so one that is lost
/// stops the game.
#[test]
fn ping_pong_loses_no_wakeup() {
    let (ping, pong) = (Ring::new(1), Ring::new(1));
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Some(n) = ping.pop_timeout(LIMIT) {
                pong.push_wait(n + 1, LIMIT).unwrap();
            }
        });
        for n in 0..50_000u32 {
            ping.push_wait(n, LIMIT).unwrap();
            assert_eq!(Some(n + 1), pong.pop_timeout(LIMIT));
        }
        ping.close();
    });
}

/// Producers and consumers of every kind on a ring that is nearly always full or empty.
#[test]
fn what_goes_in_comes_out_once_and_in_order() {
    for (capacity, producers, consumers) in [(1, 1, 1), (1, 3, 2), (2, 2, 3), (7, 4, 1), (64, 2, 2)]
    {
        stress(capacity, producers, consumers, 20_000);
    }
}

fn stress(capacity: usize, producers: usize, consumers: usize, each: u64) {
    let ring = Ring::new(capacity);
    let running = AtomicUsize::new(producers);
    let taken: Vec<Vec<(usize, u64)>> = thread::scope(|scope| {
        for producer in 0..producers {
            let (ring, running) = (&ring, &running);
            scope.spawn(move || {
                for n in 0..each {
                    // Both ways in; a busy ring gives the value back and it is offered again.
                    let left =
                        if n % 3 == 0 { ring.try_push((producer, n)) } else { Err((producer, n)) };
                    if let Err(value) = left {
                        ring.push_wait(value, LIMIT).expect("a wake-up was lost");
                    }
                }
                if running.fetch_sub(1, Ordering::SeqCst) == 1 {
                    ring.close();
                }
            });
        }
        let consumers: Vec<_> = (0..consumers)
            .map(|consumer| {
                let ring = &ring;
                scope.spawn(move || {
                    let mut taken = Vec::new();
                    loop {
                        // Every other consumer looks before it takes, as `Engine.wait` does.
                        if consumer % 2 == 1 {
                            ring.wait(LIMIT);
                        }
                        match ring.pop_timeout(LIMIT) {
                            Some(value) => taken.push(value),
                            None => break,
                        }
                    }
                    assert!(ring.is_closed(), "a wake-up was lost");
                    taken
                })
            })
            .collect();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    });
    for one in &taken {
        for producer in 0..producers {
            let numbers: Vec<u64> =
                one.iter().filter(|(from, _)| *from == producer).map(|(_, n)| *n).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "out of order at capacity {capacity}");
        }
    }
    let mut all: Vec<_> = taken.into_iter().flatten().collect();
    all.sort_unstable();
    let expected: Vec<_> =
        (0..producers).flat_map(|producer| (0..each).map(move |n| (producer, n))).collect();
    assert_eq!(expected, all);
}
