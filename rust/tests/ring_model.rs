//! The sleeping protocol of `ring.rs`, walked through in every interleaving.
//!
//! The model has the steps of the drawing in that file's header: a queue of a few values, the counter
//! of sleepers, one lock, one condition variable. Every thread takes one step at a time, and a search
//! visits every state that any order of steps can reach. Two things must hold: no end state with a
//! thread asleep for good although there is something for it, and no end state with the lock held.
//! The last test leaves out one step after the other: the search must then find the lost wake-up, or
//! it would prove nothing.

use std::collections::HashSet;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    queued: u8,
    sleepers: u8,
    lock_held: bool,
    threads: Vec<Thread>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Thread {
    /// Takes `left` values, sleeping when there is none.
    Consumer { left: u8, at: Sleep },
    /// Puts `left` values in.
    Producer { left: u8, at: Wake, saw: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sleep {
    TryFirst,
    Lock,
    Count,
    TryAgain,
    Wait,
    Asleep,
    Woken,
    Uncount,
    Unlock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wake {
    Push,
    Look,
    Lock,
    Unlock,
    Notify,
}

/// A step of the protocol to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The sleeper goes to sleep after counting itself, without trying again.
    NoSecondTry,
    /// The sleeper counts itself only when it is about to sleep, after the second try.
    CountsTooLate,
    /// The waker notifies without having had the lock.
    NoLockBeforeNotify,
    /// The waker looks for sleepers before it changes the queue.
    LooksTooEarly,
}

impl State {
    fn new(consumers: &[u8], producers: &[u8]) -> Self {
        let consumers =
            consumers.iter().map(|&left| Thread::Consumer { left, at: Sleep::TryFirst });
        let producers =
            producers.iter().map(|&left| Thread::Producer { left, at: Wake::Push, saw: false });
        let threads = consumers.chain(producers).collect();
        Self { queued: 0, sleepers: 0, lock_held: false, threads }
    }

    /// Every state after one step of thread `who`; empty when it cannot move.
    fn after(&self, who: usize, broken: Broken) -> Vec<Self> {
        let mut next = self.clone();
        match self.threads[who] {
            Thread::Consumer { left: 0, at: Sleep::TryFirst }
            | Thread::Producer { left: 0, .. } => {
                return vec![];
            }
            Thread::Consumer { left, at } => {
                let Some((left, at)) = next.consume(left, at, broken) else { return vec![] };
                next.threads[who] = Thread::Consumer { left, at };
            }
            Thread::Producer { left, at: Wake::Notify, saw } => {
                next.threads[who] = Thread::Producer { left: left - 1, at: Wake::Push, saw };
                return next.notified();
            }
            Thread::Producer { left, at, saw } => {
                let Some(thread) = next.produce(left, at, saw, broken) else { return vec![] };
                next.threads[who] = thread;
            }
        }
        vec![next]
    }

    fn consume(&mut self, left: u8, at: Sleep, broken: Broken) -> Option<(u8, Sleep)> {
        Some(match at {
            Sleep::TryFirst if self.queued > 0 => {
                self.queued -= 1;
                (left - 1, Sleep::TryFirst)
            }
            Sleep::TryFirst => (left, Sleep::Lock),
            // Taking the lock again on waking up is the same step as taking it at first.
            Sleep::Lock | Sleep::Woken if self.lock_held => return None,
            Sleep::Lock => {
                self.lock_held = true;
                (left, if broken == Broken::CountsTooLate { Sleep::TryAgain } else { Sleep::Count })
            }
            Sleep::Woken => {
                self.lock_held = true;
                (left, Sleep::TryAgain)
            }
            Sleep::Count => {
                self.sleepers += 1;
                match broken {
                    Broken::NoSecondTry | Broken::CountsTooLate => (left, Sleep::Wait),
                    _ => (left, Sleep::TryAgain),
                }
            }
            Sleep::TryAgain if self.queued > 0 => {
                self.queued -= 1;
                (left - 1, Sleep::Uncount)
            }
            Sleep::TryAgain if broken == Broken::CountsTooLate => (left, Sleep::Count),
            Sleep::TryAgain => (left, Sleep::Wait),
            // Sleeping and giving the lock back are one step: that is what a condition variable is.
            Sleep::Wait => {
                self.lock_held = false;
                (left, Sleep::Asleep)
            }
            Sleep::Asleep => return None,
            Sleep::Uncount => {
                self.sleepers = self.sleepers.saturating_sub(1);
                (left, Sleep::Unlock)
            }
            Sleep::Unlock => {
                self.lock_held = false;
                (left, Sleep::TryFirst)
            }
        })
    }

    fn produce(&mut self, left: u8, at: Wake, saw: bool, broken: Broken) -> Option<Thread> {
        let early = broken == Broken::LooksTooEarly;
        let (at, saw) = match at {
            Wake::Push if early => (Wake::Look, self.sleepers > 0),
            Wake::Push => {
                self.queued += 1;
                (Wake::Look, saw)
            }
            Wake::Look => {
                let saw = if early { saw } else { self.sleepers > 0 };
                self.queued += u8::from(early);
                match (saw, broken) {
                    (false, _) => {
                        return Some(Thread::Producer { left: left - 1, at: Wake::Push, saw });
                    }
                    (true, Broken::NoLockBeforeNotify) => (Wake::Notify, saw),
                    (true, _) => (Wake::Lock, saw),
                }
            }
            Wake::Lock if self.lock_held => return None,
            Wake::Lock => {
                self.lock_held = true;
                (Wake::Unlock, saw)
            }
            Wake::Unlock => {
                self.lock_held = false;
                (Wake::Notify, saw)
            }
            Wake::Notify => unreachable!("has several outcomes: see `after`"),
        };
        Some(Thread::Producer { left, at, saw })
    }

    /// One sleeper wakes up, any one; nobody, when nobody sleeps.
    fn notified(&self) -> Vec<Self> {
        let mut outcomes = Vec::new();
        for (who, thread) in self.threads.iter().enumerate() {
            if let Thread::Consumer { left, at: Sleep::Asleep } = *thread {
                let mut next = self.clone();
                next.threads[who] = Thread::Consumer { left, at: Sleep::Woken };
                outcomes.push(next);
            }
        }
        if outcomes.is_empty() { vec![self.clone()] } else { outcomes }
    }

    /// What is wrong with a state that no step leaves, if anything.
    fn verdict(&self) -> Result<(), String> {
        let stuck = |thread: &&Thread| match thread {
            Thread::Producer { left, .. } => *left > 0,
            // Asleep with nothing to take is where a consumer belongs.
            Thread::Consumer { left: 0, at } => *at != Sleep::TryFirst,
            Thread::Consumer { at, .. } => *at != Sleep::Asleep || self.queued > 0,
        };
        match self.threads.iter().find(stuck) {
            None if !self.lock_held => Ok(()),
            thread => Err(format!("{thread:?} can never go on in {self:?}")),
        }
    }
}

/// Visit every reachable state; the number of them, or the first bad end.
fn search(start: State, broken: Broken) -> Result<usize, String> {
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        let after: Vec<State> =
            (0..state.threads.len()).flat_map(|who| state.after(who, broken)).collect();
        if after.is_empty() {
            state.verdict()?;
        }
        for next in after {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_interleaving_loses_a_wakeup() {
    for (consumers, producers) in [
        (&[3][..], &[3][..]),
        (&[2, 2], &[4]),
        (&[4], &[2, 2]),
        (&[2, 2], &[2, 2]),
        (&[1, 1, 1], &[2, 1]),
        (&[1, 1, 2], &[4]),
    ] {
        let states = search(State::new(consumers, producers), Broken::Nothing);
        assert!(states.as_ref().is_ok_and(|states| *states > 50), "{states:?}");
    }
}

#[test]
fn every_step_of_the_protocol_is_needed() {
    for broken in [
        Broken::NoSecondTry,
        Broken::CountsTooLate,
        Broken::NoLockBeforeNotify,
        Broken::LooksTooEarly,
    ] {
        let states = search(State::new(&[2], &[2]), broken);
        assert!(states.is_err(), "{broken:?} was not noticed in {states:?} states");
    }
}
