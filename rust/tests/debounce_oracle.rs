//! The debouncer against the simplest thing that could be right: two binary heaps, one entry per key.
//!
//! On the grid of ticks the two must agree to the last detail. Off the grid the wheel may be late by
//! up to one tick, so there the oracle follows: it checks each emission and what was left behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use currant::clock::Now;
use currant::debounce::{Debouncer, Ready};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
struct Pending {
    first: Now,
    last: Now,
    serial: u64,
    /// Due whatever is pushed later.
    fired: bool,
    /// Was due when something was taken, for less than a tick: the wheel may count it as fired.
    may_be_fired: bool,
}

/// The oracle, with the interface of [`Debouncer`].
#[derive(Debug)]
struct HeapDebouncer {
    quiet: Now,
    max_delay: Now,
    serial: u64,
    pending: BTreeMap<u32, Pending>,
    /// By due time; entries of keys that were pushed again or taken back are found out when popped.
    waiting: BinaryHeap<Reverse<(Now, u32, u64)>>,
    ready: BinaryHeap<Reverse<(Now, u64, u32)>>,
}

impl HeapDebouncer {
    fn new(quiet: Now, max_delay: Now) -> Self {
        let (pending, waiting, ready) = Default::default();
        Self { quiet, max_delay, serial: 0, pending, waiting, ready }
    }

    fn due(&self, entry: &Pending) -> Now {
        (entry.last + self.quiet).min(entry.first + self.max_delay)
    }

    fn push(&mut self, key: u32, now: Now) -> bool {
        if let Some(entry) = self.pending.get_mut(&key) {
            entry.last = now;
            return false;
        }
        let entry = Pending {
            first: now,
            last: now,
            serial: self.serial,
            fired: false,
            may_be_fired: false,
        };
        self.serial += 1;
        self.waiting.push(Reverse((self.due(&entry), key, entry.serial)));
        self.pending.insert(key, entry);
        true
    }

    fn push_due(&mut self, key: u32, now: Now) -> bool {
        let new = self.push(key, now);
        self.fire(key);
        new
    }

    fn fire(&mut self, key: u32) {
        let entry = self.pending.get_mut(&key).unwrap();
        if !std::mem::replace(&mut entry.fired, true) {
            self.ready.push(Reverse((entry.first, entry.serial, key)));
        }
    }

    fn fire_all(&mut self) {
        let keys: Vec<u32> = self.pending.keys().copied().collect();
        for key in keys {
            self.fire(key);
        }
    }

    fn remove(&mut self, key: u32) -> bool {
        self.pending.remove(&key).is_some()
    }

    fn clear(&mut self) -> usize {
        std::mem::take(&mut self.pending).len()
    }

    fn take_ready(&mut self, now: Now, max: usize, out: &mut Vec<Ready>) {
        while let Some(&Reverse((due, key, serial))) = self.waiting.peek()
            && due <= now
        {
            self.waiting.pop();
            let Some(entry) = self.pending.get(&key).filter(|entry| entry.serial == serial) else {
                continue;
            };
            if self.due(entry) <= now {
                self.fire(key);
            } else {
                self.waiting.push(Reverse((self.due(entry), key, serial)));
            }
        }
        let mut taken = 0;
        while taken < max {
            let Some(Reverse((_, serial, key))) = self.ready.pop() else { break };
            let Some(entry) = self.pending.get(&key).filter(|entry| entry.serial == serial) else {
                continue;
            };
            out.push(Ready { key, first: entry.first, last: entry.last });
            self.pending.remove(&key);
            taken += 1;
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(u32),
    PushDue(u32),
    Remove(u32),
    FireAll,
    Clear,
    Take(usize),
    /// Let this many ticks (on the grid) or microseconds (off it) go by.
    Pass(u64),
}

fn steps(keys: u32, gaps: impl Strategy<Value = u64>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..keys).prop_map(Step::Push),
        2 => (0..keys).prop_map(Step::PushDue),
        3 => (0..keys).prop_map(Step::Remove),
        1 => Just(Step::FireAll),
        1 => prop_oneof![Just(Step::Clear), Just(Step::FireAll)],
        4 => prop_oneof![0..4usize, Just(usize::MAX)].prop_map(Step::Take),
        8 => gaps.prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..300)
}

/// Mostly around the quiet period, now and then hours: many turns of the wheel.
fn gaps(quiet: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..=quiet / 4 + 1,
        6 => 0..=quiet * 2 + 1,
        1 => quiet..=quiet * 40 + 40,
        1 => (1..5u64).prop_map(|hours| hours * 3_600_000_000 / 16),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn equals_the_oracle_on_the_grid_of_ticks(
        tick in 1..20u64,
        max_ticks in 16..100u64,
        keys in 1..60u32,
        steps in (1..60u32).prop_flat_map(|keys| steps(keys, gaps(16))),
    ) {
        let tick = Duration::from_millis(tick);
        let (quiet, max_delay) = (tick * 16, tick * max_ticks as u32);
        let mut wheel = Debouncer::new(quiet, max_delay).unwrap();
        let mut oracle = HeapDebouncer::new(quiet, max_delay);
        prop_assert_eq!(tick, wheel.tick());
        let mut now = Duration::ZERO;
        let (mut got, mut expected) = (Vec::new(), Vec::new());
        // The last two steps take everything that was ever pushed.
        for step in steps.into_iter().chain([Step::FireAll, Step::Take(usize::MAX)]) {
            match step {
                Step::Push(key) => prop_assert_eq!(oracle.push(key, now), wheel.push(key, now)),
                Step::PushDue(key) => prop_assert_eq!(oracle.push_due(key, now), wheel.push_due(key, now)),
                Step::Remove(key) => prop_assert_eq!(oracle.remove(key), wheel.remove(key)),
                Step::FireAll => {
                    oracle.fire_all();
                    wheel.fire_all(now);
                }
                Step::Clear => prop_assert_eq!(oracle.clear(), wheel.clear()),
                Step::Take(max) => {
                    wheel.take_ready(now, max, &mut got);
                    oracle.take_ready(now, max, &mut expected);
                    for ready in got.iter_mut().chain(&mut expected) {
                        ready.last = ready.last.min(ready.first + 2 * max_delay);
                    }
                    prop_assert_eq!(&expected, &got);
                }
                Step::Pass(ticks) => now += Duration::from_nanos(tick.as_nanos() as u64 * ticks),
            }
            prop_assert_eq!(oracle.pending.len(), wheel.len());
            for key in 0..keys {
                prop_assert_eq!(oracle.pending.contains_key(&key), wheel.contains(key));
            }
        }
        prop_assert!(wheel.is_empty());
    }

    #[test]
    fn keeps_its_promises_at_any_time(
        quiet in prop_oneof![Just(0u64), 1..3_000u64, 1_000..300_000u64],
        extra in prop_oneof![Just(0u64), 0..3_000_000u64, Just(600_000_000u64), Just(80_000_000_000u64)],
        steps in (1..40u32, 1_000..200_000u64).prop_flat_map(|(keys, quiet)| steps(keys, gaps(quiet))),
        by_deadline in any::<bool>(),
    ) {
        let mut pair = Follower::new(Duration::from_micros(quiet), Duration::from_micros(quiet + extra), by_deadline);
        for step in steps {
            match step {
                Step::Pass(micros) => {
                    let until = pair.now + Duration::from_micros(micros);
                    if by_deadline {
                        pair.run_until(until)?;
                    }
                    pair.now = until;
                }
                other => pair.apply(&other)?,
            }
            pair.check_deadline()?;
        }
        // Everything that is left comes out by its own deadlines, then nothing is left.
        let end = pair.now + pair.oracle.max_delay + pair.wheel.tick();
        pair.run_until(end)?;
        prop_assert_eq!(0, pair.wheel.len());
        prop_assert_eq!(0, pair.oracle.pending.len());
        prop_assert_eq!(None, pair.wheel.deadline());
    }
}

/// The wheel, and an oracle that is told what the wheel did and says whether it was allowed to.
struct Follower {
    wheel: Debouncer,
    oracle: HeapDebouncer,
    /// How far `Ready::last` may be rounded.
    unit: Duration,
    now: Now,
    /// Every deadline is kept, as the engine does it.
    by_deadline: bool,
}

impl Follower {
    fn new(quiet: Now, max_delay: Now, by_deadline: bool) -> Self {
        let wheel = Debouncer::new(quiet, max_delay).unwrap();
        let unit = Duration::from_nanos((max_delay.as_nanos() as u64).div_ceil(1 << 31).max(1) - 1);
        Self {
            wheel,
            oracle: HeapDebouncer::new(quiet, max_delay),
            unit,
            now: Duration::ZERO,
            by_deadline,
        }
    }

    fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Push(key) => {
                prop_assert_eq!(self.oracle.push(key, self.now), self.wheel.push(key, self.now));
            }
            Step::PushDue(key) => {
                prop_assert_eq!(
                    self.oracle.push_due(key, self.now),
                    self.wheel.push_due(key, self.now)
                );
            }
            Step::Remove(key) => prop_assert_eq!(self.oracle.remove(key), self.wheel.remove(key)),
            Step::FireAll => {
                self.oracle.fire_all();
                self.wheel.fire_all(self.now);
            }
            Step::Clear => prop_assert_eq!(self.oracle.clear(), self.wheel.clear()),
            Step::Take(max) => self.take(max, false)?,
            Step::Pass(_) => unreachable!("the caller moves the time"),
        }
        prop_assert_eq!(self.oracle.pending.len(), self.wheel.len());
        Ok(())
    }

    /// Do what the engine does: call `take_ready` when the deadline says so, and at no other time.
    fn run_until(&mut self, until: Now) -> Result<(), TestCaseError> {
        let mut wakes = 0;
        while let Some(deadline) = self.wheel.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.take(usize::MAX, self.by_deadline)?;
            if let Some(next) = self.wheel.deadline() {
                prop_assert!(next > self.now, "the deadline does not move");
            }
            wakes += 1;
            // Every entry is looked at once, and put back once per quiet period at most; nothing is
            // pushed here, so two rounds of the wheel end it.
            prop_assert!(wakes <= 64, "wakes up for nothing");
        }
        Ok(())
    }

    /// `prompt`: every deadline was kept so far, so nothing may be a tick late.
    fn take(&mut self, max: usize, prompt: bool) -> Result<(), TestCaseError> {
        let (now, tick) = (self.now, self.wheel.tick());
        let mut out = Vec::new();
        self.wheel.take_ready(now, max, &mut out);
        prop_assert!(out.len() <= max);
        let mut before = None;
        for ready in &out {
            let entry = self.oracle.pending.remove(&ready.key);
            let Some(entry) = entry else {
                return Err(TestCaseError::fail(format!("{ready:?} was not pending")));
            };
            prop_assert_eq!(entry.first, ready.first);
            // What is past the cap need not be told apart: see `Ready::last`.
            let cap = entry.first + 2 * self.oracle.max_delay;
            prop_assert!(ready.last >= entry.last.min(cap));
            prop_assert!(ready.last <= entry.last + self.unit);
            let due = entry.fired || entry.may_be_fired || self.oracle.due(&entry) <= now;
            prop_assert!(due, "{:?} is early", ready);
            let known = entry.fired || entry.may_be_fired;
            let in_time = known || self.oracle.due(&entry) + tick > now;
            prop_assert!(!prompt || in_time, "{:?} is late", ready);
            let order = (entry.first, entry.serial);
            prop_assert!(before < Some(order), "{:?} is out of order", ready);
            before = Some(order);
        }
        let (quiet, max_delay) = (self.oracle.quiet, self.oracle.max_delay);
        for (key, entry) in &mut self.oracle.pending {
            let due = (entry.last + quiet).min(entry.first + max_delay);
            entry.may_be_fired |= due <= now;
            entry.fired |= due + tick <= now;
            if entry.fired {
                prop_assert_eq!(max, out.len(), "key {} was forgotten", key);
                prop_assert!(
                    before < Some((entry.first, entry.serial)),
                    "key {} was passed over",
                    key
                );
            }
        }
        Ok(())
    }

    fn check_deadline(&self) -> Result<(), TestCaseError> {
        let due = self.oracle.pending.values().map(|entry| {
            let due = self.oracle.due(entry);
            if entry.fired { due.min(self.now) } else { due }
        });
        match (due.min(), self.wheel.deadline()) {
            (None, None) => Ok(()),
            (Some(due), Some(deadline)) => {
                // What is overdue already is to be taken now, not in the past.
                prop_assert!(deadline <= (due + self.wheel.tick()).max(self.now), "too late");
                Ok(())
            }
            other => Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }
}
