//! Fail points: named places between two steps at which a test has something happen, so that a race is certain
//! and not probable. Without `CURRANT_FAIL_POINTS` in the environment they do nothing.
//!
//! The variable has one `name=shell command` a line; `name@3=command` means the third time that the place is
//! passed. The command runs once, in the thread that got there, which waits for it. Python has the same for its
//! own places, and refuses names that nobody knows (`currant/failpoint.py`).

use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// The environment variable.
pub const VARIABLE: &str = "CURRANT_FAIL_POINTS";

#[derive(Debug)]
struct Point {
    name: String,
    /// Passes until it runs; 1 means the next one, below that it has run.
    left: AtomicI64,
    command: String,
}

fn parse(text: &str) -> Vec<Point> {
    text.lines()
        .filter_map(|line| {
            let (name, command) = line.split_once('=')?;
            let (name, pass) = name.trim().split_once('@').unwrap_or((name.trim(), "1"));
            let left = AtomicI64::new(pass.parse().ok()?);
            Some(Point { name: name.to_owned(), left, command: command.trim().to_owned() })
        })
        .collect()
}

fn points() -> &'static [Point] {
    static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
    POINTS.get_or_init(|| std::env::var(VARIABLE).map_or_else(|_| Vec::new(), |text| parse(&text)))
}

/// This place is passed.
pub fn pass(name: &str) {
    let points = points();
    if !points.is_empty() {
        run(points, name);
    }
}

#[cold]
fn run(points: &[Point], name: &str) {
    for point in points.iter().filter(|point| point.name == name) {
        if point.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // What becomes of the command is for the test to find out.
            let _ = Command::new("sh")
                .args(["-c", &point.command])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_runs_once_at_the_pass_that_it_names() {
        let dir = tempfile::tempdir().unwrap();
        let marks = dir.path().join("marks");
        let text = format!("one@2=echo x >> {}\nnonsense\nbad@y=false", marks.display());
        let points = parse(&text);
        assert_eq!(points.len(), 1);
        run(&points, "other");
        run(&points, "one");
        assert!(!marks.exists());
        run(&points, "one");
        run(&points, "one");
        assert_eq!(std::fs::read_to_string(marks).unwrap(), "x\n");
    }
}
