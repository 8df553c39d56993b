//! Linux: our own inotify source. One thread does nothing but read; it owns no map and parses nothing,
//! so that the kernel's queue stays short. [`decode`] takes its buffers apart on the engine's thread.
//!
//! A save is two or three notifications and a checkout is thousands; a thread that reads each of them by
//! itself is woken for each, and that costs more than all the rest. So it lets them gather in the kernel's queue
//! for a part of the quiet period, in which nobody does anything with them. A barrier ends that at once.
//!
//! The mask has neither OPEN nor ACCESS nor CLOSE_NOWRITE: an indexer reads what it watches, and would
//! otherwise wake itself for ever. EXCL_UNLINK is not in it either: it would silence a file that was made
//! without a name (`O_TMPFILE`) even after it got one.

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init, remove_watch};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::handover::{Handover, Outbox};
use super::{Heard, Item, Mask, Source, WatchError};
use crate::signal::Signal;

/// One read takes up to this many bytes: about 2,000 events with names of usual length.
const READ_BYTES: usize = 128 * 1024;
/// Buffers that may wait for the engine, and bytes that the reader holds beyond them.
const RING_BUFFERS: usize = 256;
const HELD_BYTES: usize = 32 << 20;
const HEADER: usize = 16;

/// The longest that notifications gather. At two million a second, more than was ever seen, half of the kernel's
/// usual queue.
const LONGEST_PAUSE: Duration = Duration::from_millis(4);
/// A shorter pause gathers next to nothing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// The part of the quiet period for which they gather.
const QUIET_PAUSES: u32 = 12;
/// A queue for fewer is read without a pause. The kernel's usual one.
const QUEUE: usize = 16_384;
/// With as much at one time they come too fast to let them gather: some 1,500 of them.
const FAST_BYTES: usize = 64 * 1024;

struct Shared {
    inotify: OwnedFd,
    poke: OwnedFd,
    /// The kernel's table of mounts, which it marks when it changes.
    mounts: Option<OwnedFd>,
    /// For how long notifications gather before they are read.
    pause: Option<Timespec>,
    to_engine: Handover,
    stop: AtomicBool,
}

/// The inotify source.
pub struct Inotify {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    flags: WatchFlags,
}

impl Inotify {
    /// Open an inotify instance, for somebody who acts on a path when it was `quiet` for so long. `Limit` when
    /// this user may have no more of them.
    pub fn open(quiet: Duration) -> Result<Self, WatchError> {
        let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(watch_error)?;
        let poke =
            eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).map_err(watch_error)?;
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW;
        let shared = Shared {
            inotify,
            poke,
            mounts: open("/proc/self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .ok(),
            pause: pause(quiet, queue_length()),
            to_engine: Handover::new(RING_BUFFERS),
            stop: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared), reader: None, flags })
    }

    fn poke(&self) {
        // Fails only when the counter is full, and then the reader is being woken anyway.
        let _ = rustix::io::write(&self.shared.poke, &1u64.to_ne_bytes());
    }
}

/// How many notifications the kernel keeps for one reader; zero when it does not say.
fn queue_length() -> usize {
    let told = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    told.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// For how long they gather.
fn pause(quiet: Duration, queue: usize) -> Option<Timespec> {
    let pause = (quiet / QUIET_PAUSES).min(LONGEST_PAUSE);
    (pause >= SHORTEST_PAUSE && queue >= QUEUE)
        .then(|| Timespec { tv_sec: 0, tv_nsec: pause.subsec_nanos().into() })
}

fn watch_error(error: Errno) -> WatchError {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => WatchError::Gone,
        Errno::ACCESS | Errno::PERM => WatchError::Denied,
        Errno::NOSPC | Errno::MFILE | Errno::NFILE => WatchError::Limit,
        Errno::NAMETOOLONG => WatchError::TooLong,
        other => WatchError::Other(other.to_string()),
    }
}

impl Source for Inotify {
    fn name(&self) -> &'static str {
        "inotify"
    }

    fn per_directory(&self) -> bool {
        true
    }

    fn start(&mut self, _root: &Path, wake: Arc<Signal>) -> Result<(), WatchError> {
        let shared = Arc::clone(&self.shared);
        let reader = std::thread::Builder::new()
            .name("currant-inotify".into())
            .spawn(move || read_loop(&shared, &wake))
            .map_err(|error| WatchError::Other(error.to_string()))?;
        self.reader = Some(reader);
        Ok(())
    }

    fn watch(&mut self, dir: &Path) -> Result<i32, WatchError> {
        add_watch(&self.shared.inotify, dir, self.flags).map_err(watch_error)
    }

    fn watch_outside(&mut self, dir: &Path, heard: Heard) -> Result<i32, WatchError> {
        // Without a word about mounts one would have to look after all.
        if self.shared.mounts.is_none() {
            return Err(WatchError::Other("no table of mounts".into()));
        }
        let mut flags = WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW
            // It may be a directory of the tree under another name: what is asked for there stays.
            | WatchFlags::MASK_ADD;
        if heard != Heard::Itself {
            flags |= WatchFlags::CREATE | WatchFlags::MOVED_TO;
        }
        if heard == Heard::Names {
            flags |= WatchFlags::DELETE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_FROM;
        }
        add_watch(&self.shared.inotify, dir, flags).map_err(watch_error)
    }

    fn unwatch(&mut self, wd: i32) {
        // EINVAL: the kernel removed it first, with its directory.
        let _ = remove_watch(&self.shared.inotify, wd);
    }

    fn barrier(&mut self, token: u64) {
        self.shared.to_engine.ask(token);
        self.poke();
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        self.shared.to_engine.drain(out);
    }

    fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.poke();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Inotify {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How long the reader waits before it tries again to hand over what the ring had no room for.
const RETRY: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

fn read_loop(shared: &Shared, wake: &Signal) {
    let to_engine = &shared.to_engine;
    let mut outbox = Outbox::new(HELD_BYTES);
    let mut buffer = vec![0u8; READ_BYTES];
    let mut fast = false;
    loop {
        // Where there is no table of mounts, one of the others stands for it and never says that.
        let mounts = shared.mounts.as_ref().unwrap_or(&shared.poke);
        let mut fds = [
            PollFd::from_borrowed_fd(shared.inotify.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(shared.poke.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(mounts.as_fd(), PollFlags::PRI),
        ];
        if let Err(error) = poll(&mut fds, outbox.is_waiting(to_engine).then_some(&RETRY))
            && error != Errno::INTR
        {
            fail(to_engine, wake, error);
            return;
        }
        if fds[2].revents().intersects(PollFlags::PRI | PollFlags::ERR) {
            to_engine.look_outside(wake);
        }
        if !fast && !outbox.is_waiting(to_engine) && !gather(shared, to_engine, wake) {
            return;
        }
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let mut counter = [0u8; 8];
        let _ = rustix::io::read(&shared.poke, &mut counter);
        // Loaded before the queue is read: whatever happened before the barrier was asked for is in the
        // kernel's queue by then, and so is read before the answer is given.
        let asked = to_engine.asked();
        let mut bytes = 0;
        loop {
            match rustix::io::read(&shared.inotify, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(read) => {
                    bytes += read;
                    if outbox.add(&buffer[..read]) >= READ_BYTES {
                        outbox.give(to_engine, wake);
                    }
                }
                Err(Errno::INTR) => {}
                Err(error) => {
                    fail(to_engine, wake, error);
                    return;
                }
            }
        }
        fast = bytes >= FAST_BYTES;
        outbox.give(to_engine, wake);
        outbox.answer(asked, to_engine, wake);
    }
}

/// Let notifications gather until the pause is over or the reader is poked. False when it cannot go on.
fn gather(shared: &Shared, to_engine: &Handover, wake: &Signal) -> bool {
    let mut poke = [PollFd::from_borrowed_fd(shared.poke.as_fd(), PollFlags::IN)];
    let Some(pause) = &shared.pause else { return true };
    match poll(&mut poke, Some(pause)) {
        Ok(_) | Err(Errno::INTR) => true,
        Err(error) => {
            fail(to_engine, wake, error);
            false
        }
    }
}

fn fail(to_engine: &Handover, wake: &Signal, error: Errno) {
    to_engine.fail(format!("reading inotify events: {error}"), wake);
}

/// Take a kernel buffer apart; `each` gets (wd, mask, cookie, name without padding). A truncated tail,
/// which the kernel never writes, ends the buffer.
pub fn decode(buffer: &[u8], mut each: impl FnMut(i32, Mask, u32, &[u8])) {
    decode_ranges(buffer, |wd, mask, cookie, name| each(wd, mask, cookie, &buffer[name]));
}

fn decode_ranges(buffer: &[u8], mut each: impl FnMut(i32, Mask, u32, Range<usize>)) {
    let word = |at: usize| {
        let mut bytes = [0u8; 4];
        bytes.copy_from_slice(&buffer[at..at + 4]);
        bytes
    };
    let mut at = 0;
    while buffer.len() - at >= HEADER {
        let wd = i32::from_ne_bytes(word(at));
        let mask = u32::from_ne_bytes(word(at + 4));
        let cookie = u32::from_ne_bytes(word(at + 8));
        let len = u32::from_ne_bytes(word(at + 12)) as usize;
        at += HEADER;
        let Some(padded) = at.checked_add(len).and_then(|end| buffer.get(at..end)) else { return };
        let end = memchr::memchr(0, padded).unwrap_or(len);
        each(wd, Mask(mask), cookie, at..at + end);
        at += len;
    }
}

/// As [`decode`], with what a write and the closing after it say of one name said once: `each` gets the number of
/// notifications, too.
pub fn decode_joined(buffer: &[u8], mut each: impl FnMut(i32, Mask, u32, &[u8], u64)) {
    let is_write = |mask: Mask| mask.0 & !(Mask::MODIFY | Mask::CLOSE_WRITE) == 0;
    let mut held: Option<(i32, Mask, u32, Range<usize>, u64)> = None;
    decode_ranges(buffer, |wd, mask, cookie, name| {
        if let Some((same, all, 0, range, count)) = &mut held
            && (*same == wd && cookie == 0 && is_write(mask) && is_write(*all))
            && buffer[range.clone()] == buffer[name.clone()]
        {
            all.0 |= mask.0;
            *count += 1;
            return;
        }
        if let Some((wd, mask, cookie, name, count)) = held.replace((wd, mask, cookie, name, 1)) {
            each(wd, mask, cookie, &buffer[name], count);
        }
    });
    if let Some((wd, mask, cookie, name, count)) = held {
        each(wd, mask, cookie, &buffer[name], count);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Wait (bounded) until a barrier comes back, and return everything before it, decoded.
    fn until_barrier(source: &mut Inotify, wake: &Signal, token: u64) -> Vec<(i32, u32, Vec<u8>)> {
        source.barrier(token);
        let mut seen = Vec::new();
        let mut items = Vec::new();
        for _ in 0..1000 {
            wake.wait(Some(std::time::Duration::from_secs(10)));
            source.drain(&mut items);
            for item in items.drain(..) {
                match item {
                    Item::Buffer(bytes) => decode(&bytes, |wd, mask, _, name| {
                        seen.push((wd, mask.0, name.to_vec()));
                    }),
                    Item::Barrier(answer) if answer == token => return seen,
                    _ => {}
                }
            }
        }
        panic!("no barrier; saw {seen:?}");
    }

    #[test]
    fn everything_before_a_barrier_arrives_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut source = Inotify::open(Duration::ZERO).unwrap();
        let wake = Arc::new(Signal::default());
        source.start(dir.path(), Arc::clone(&wake)).unwrap();
        let wd = source.watch(dir.path()).unwrap();
        for round in 0..50 {
            let name = format!("file-{round}");
            std::fs::write(dir.path().join(&name), b"x").unwrap();
            let seen = until_barrier(&mut source, &wake, round + 1);
            let closed = (wd, Mask::CLOSE_WRITE, name.clone().into_bytes());
            assert!(seen.contains(&closed), "{name}: {seen:?}");
        }
        source.stop();
    }

    #[test]
    fn reading_makes_no_event() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), b"x").unwrap();
        let mut source = Inotify::open(Duration::ZERO).unwrap();
        let wake = Arc::new(Signal::default());
        source.start(dir.path(), Arc::clone(&wake)).unwrap();
        source.watch(dir.path()).unwrap();
        std::fs::read(dir.path().join("f")).unwrap();
        std::fs::read_dir(dir.path()).unwrap().for_each(drop);
        assert_eq!(until_barrier(&mut source, &wake, 1), []);
    }

    #[test]
    fn a_missing_directory_and_a_file_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), b"x").unwrap();
        let mut source = Inotify::open(Duration::ZERO).unwrap();
        assert_eq!(source.watch(&dir.path().join("none")), Err(WatchError::Gone));
        assert_eq!(source.watch(&dir.path().join("f")), Err(WatchError::Gone));
    }

    fn event(wd: i32, mask: u32, cookie: u32, name: &[u8]) -> Vec<u8> {
        let padded = name.len().div_ceil(16) * 16;
        let words = [wd.cast_unsigned(), mask, cookie, u32::try_from(padded).unwrap()];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend_from_slice(name);
        bytes.resize(HEADER + padded, 0);
        bytes
    }

    #[test]
    fn a_write_and_the_closing_after_it_are_said_once_and_nothing_else_is_joined() {
        let write = Mask::MODIFY;
        let close = Mask::CLOSE_WRITE;
        let buffer = [
            event(1, write, 0, b"a"),
            event(1, close, 0, b"a"),
            event(2, close, 0, b"a"),
            event(2, write, 0, b"b"),
            event(2, Mask::DELETE, 0, b"b"),
            event(2, write, 0, b"b"),
        ]
        .concat();
        let mut told = Vec::new();
        decode_joined(&buffer, |wd, mask, _, name, count| {
            told.push((wd, mask.0, name.to_vec(), count));
        });
        let one = |wd, mask, name: &[u8], count| (wd, mask, name.to_vec(), count);
        let wanted = [
            one(1, write | close, b"a", 2),
            one(2, close, b"a", 1),
            one(2, write, b"b", 1),
            one(2, Mask::DELETE, b"b", 1),
            one(2, write, b"b", 1),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn notifications_gather_for_a_part_of_the_quiet_period_and_never_for_long() {
        let pause_ms = |quiet_ms: u64, queue| {
            let pause = pause(Duration::from_millis(quiet_ms), queue);
            pause.map(|pause| pause.tv_nsec / 1_000_000)
        };
        assert_eq!(pause_ms(100, QUEUE), Some(4));
        assert_eq!(pause_ms(12, QUEUE), Some(1));
        assert_eq!(pause_ms(10_000, QUEUE), Some(4));
        assert_eq!(pause_ms(5, QUEUE), None);
        assert_eq!(pause_ms(0, QUEUE), None);
        assert_eq!(pause_ms(100, 100), None);
    }

    proptest! {
        #[test]
        fn decoding_joined_tells_as_many_as_there_are(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let (mut alone, mut joined) = (0, 0);
            decode(&bytes, |_, _, _, _| alone += 1);
            decode_joined(&bytes, |_, _, _, _, count| joined += count);
            assert_eq!(alone, joined);
        }

        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode(&bytes, |_, _, _, name| assert!(!name.contains(&0)));
        }
    }
}
