//! The debouncer's behaviours, as files under `cases/`, and its bounds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use currant::debounce::{Debouncer, DelayError};

const MS: Duration = Duration::from_millis(1);

#[test]
fn behaves_as_the_case_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "case") {
            Case::run(
                &path.file_name().unwrap().to_string_lossy(),
                &std::fs::read_to_string(&path).unwrap(),
            );
            count += 1;
        }
    }
    assert!(count >= 10, "only {count} case files found");
}

/// One case file under way. Keys are numbered in the order in which they are named.
struct Case {
    wheel: Debouncer,
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Case {
    fn run(file: &str, text: &str) {
        let mut delays = HashMap::new();
        let mut case: Option<Self> = None;
        let mut before = Duration::ZERO;
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
            let place = format!("{file}:{}: {line}", number + 1);
            match words[..] {
                [] => {}
                ["quiet" | "max_delay", delay] => {
                    delays.insert(words[0], time(delay));
                }
                [at, step, ref rest @ ..] => {
                    let case = case.get_or_insert_with(|| Self {
                        wheel: Debouncer::new(delays["quiet"], delays["max_delay"]).unwrap(),
                        names: Vec::new(),
                        numbers: HashMap::new(),
                    });
                    assert!(time(at) >= before, "time goes back at {place}");
                    before = time(at);
                    case.step(step, rest, before, &place);
                }
                _ => panic!("not a step: {place}"),
            }
        }
    }

    fn step(&mut self, step: &str, rest: &[&str], now: Duration, place: &str) {
        match step {
            "push" => {
                for name in rest {
                    let key = self.key(name);
                    let new = !self.wheel.contains(key);
                    assert_eq!(new, self.wheel.push(key, now), "{place}");
                }
            }
            "push_due" => {
                for name in rest {
                    let key = self.key(name);
                    let new = !self.wheel.contains(key);
                    assert_eq!(new, self.wheel.push_due(key, now), "{place}");
                }
            }
            "remove" => {
                for name in rest {
                    let key = self.key(name);
                    assert!(self.wheel.remove(key), "{place}");
                    assert!(!self.wheel.remove(key), "{place}");
                }
            }
            "fire_all" => self.wheel.fire_all(now),
            "clear" => {
                let count = self.wheel.len();
                assert_eq!(count, self.wheel.clear(), "{place}");
            }
            "take" => self.take(usize::MAX, rest, now, place),
            "take_at_most" => self.take(rest[0].parse().unwrap(), &rest[1..], now, place),
            "pending" => assert_eq!(rest[0].parse(), Ok(self.wheel.len()), "{place}"),
            "deadline" => {
                let expected = (rest[0] != "none").then(|| time(rest[0]));
                match (expected, self.wheel.deadline()) {
                    // In the past means at once.
                    (Some(expected), Some(got)) if got <= now => {
                        assert!(expected <= now, "{place}: {got:?}")
                    }
                    (expected, got) => assert_eq!(expected, got, "{place}"),
                }
            }
            _ => panic!("no such step: {place}"),
        }
    }

    fn take(&mut self, max: usize, expected: &[&str], now: Duration, place: &str) {
        let mut out = Vec::new();
        self.wheel.take_ready(now, max, &mut out);
        let got: Vec<&str> =
            out.iter().map(|ready| self.names[ready.key as usize].as_str()).collect();
        assert_eq!(expected, got, "{place}");
    }

    fn key(&mut self, name: &str) -> u32 {
        let next = self.names.len() as u32;
        let key = *self.numbers.entry(name.to_owned()).or_insert(next);
        if key == next {
            self.names.push(name.to_owned());
        }
        key
    }
}

fn time(text: &str) -> Duration {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().unwrap_or_else(|_| panic!("not a time: {text}"));
    match &text[digits.len()..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "h" => Duration::from_secs(number * 3600),
        _ => panic!("not a time: {text}"),
    }
}

#[test]
fn refuses_delays_that_cannot_be_kept() {
    let error = Debouncer::new(2 * MS, MS).unwrap_err();
    assert_eq!(DelayError::MaxDelayTooShort { quiet: 2 * MS, max_delay: MS }, error);
    assert_eq!("the maximal delay (1ms) is shorter than the quiet period (2ms)", error.to_string());
    let day = Duration::from_secs(24 * 3600);
    assert!(Debouncer::new(day, day).is_ok());
    assert_eq!(Err(DelayError::MaxDelayTooLong(day + MS)), Debouncer::new(MS, day + MS).map(drop));
}

#[test]
fn a_time_that_goes_back_counts_as_now() {
    let mut wheel = Debouncer::new(16 * MS, 160 * MS).unwrap();
    let mut out = Vec::new();
    wheel.push(1, 100 * MS);
    wheel.push(2, 50 * MS);
    wheel.take_ready(60 * MS, 10, &mut out);
    assert!(out.is_empty());
    wheel.take_ready(116 * MS, 10, &mut out);
    assert_eq!([(1, 100 * MS), (2, 100 * MS)], [0, 1].map(|i| (out[i].key, out[i].first)));
}

/// Right after the map has grown is the worst moment: every length is tried.
#[test]
fn a_pending_key_costs_at_most_forty_bytes() {
    let mut wheel = Debouncer::new(100 * MS, 2000 * MS).unwrap();
    let empty = wheel.bytes();
    for key in 0..300_000u32 {
        wheel.push(key.wrapping_mul(2_654_435_761), MS);
        let len = wheel.len();
        assert!(
            len < 100_000 || wheel.bytes() <= 40 * len,
            "{} bytes for {len} keys",
            wheel.bytes()
        );
    }
    // Being due costs nothing more, and what the burst took is given back at its end.
    let full = wheel.bytes();
    wheel.fire_all(MS);
    assert_eq!(full, wheel.bytes());
    let mut out = Vec::new();
    wheel.take_ready(MS, usize::MAX, &mut out);
    assert_eq!(300_000, out.len());
    assert!(wheel.bytes() <= empty + 64 * 1024, "{} bytes while idle", wheel.bytes());
}

/// Keys that come and go between two batches leave nothing behind, waiting or due.
#[test]
fn memory_follows_the_number_of_distinct_keys() {
    let mut wheel = Debouncer::new(100 * MS, 2000 * MS).unwrap();
    for round in 0..200_000u32 {
        let key = round % 100;
        if round % 3 == 0 {
            wheel.push(key, MS)
        } else {
            wheel.push_due(key, MS)
        };
        wheel.remove((round * 7) % 100);
        assert!(wheel.len() <= 100);
    }
    assert!(wheel.bytes() < 64 * 1024, "{} bytes for 100 keys", wheel.bytes());
}

/// A storm on one key is one store per push: the wheel looks at it once per quiet period.
#[test]
fn a_storm_on_one_key_wakes_up_once_per_quiet_period() {
    let (quiet, max_delay) = (160 * MS, 2000 * MS);
    let mut wheel = Debouncer::new(quiet, max_delay).unwrap();
    let (mut looks, mut out) = (0, Vec::new());
    for micros in 0..2_000_000 {
        let now = Duration::from_micros(micros);
        if wheel.deadline().is_some_and(|deadline| deadline <= now) {
            wheel.take_ready(now, 10, &mut out);
            looks += 1;
        }
        wheel.push(7, now);
    }
    assert!(out.is_empty() && looks <= 13, "{looks} looks, {out:?}");
    wheel.take_ready(max_delay, 10, &mut out);
    assert_eq!((1, Duration::ZERO), (out.len(), out[0].first));
}
