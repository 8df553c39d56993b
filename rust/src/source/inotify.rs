//! Linux: our own inotify source. One thread does nothing but read; it owns no map and parses nothing,
//! so that the kernel's queue stays short. [`decode`] takes its buffers apart on the engine's thread.
//!
//! The mask has neither OPEN nor ACCESS nor CLOSE_NOWRITE: an indexer reads what it watches, and would
//! otherwise wake itself for ever. EXCL_UNLINK is not in it either: it would silence a file that was made
//! without a name (`O_TMPFILE`) even after it got one.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init, remove_watch};
use rustix::io::Errno;

use super::handover::{Handover, Outbox};
use super::{Item, Mask, Source, WatchError};
use crate::signal::Signal;

/// One read takes up to this many bytes: about 2,000 events with names of usual length.
const READ_BYTES: usize = 128 * 1024;
/// Buffers that may wait for the engine, and bytes that the reader holds beyond them.
const RING_BUFFERS: usize = 256;
const HELD_BYTES: usize = 32 << 20;
const HEADER: usize = 16;

struct Shared {
    inotify: OwnedFd,
    poke: OwnedFd,
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
    /// Open an inotify instance. `Limit` when this user may have no more of them.
    pub fn open() -> Result<Self, WatchError> {
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
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(shared.inotify.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(shared.poke.as_fd(), PollFlags::IN),
        ];
        if let Err(error) = poll(&mut fds, outbox.is_waiting(to_engine).then_some(&RETRY))
            && error != Errno::INTR
        {
            fail(to_engine, wake, error);
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
        loop {
            match rustix::io::read(&shared.inotify, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(read) => {
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
        outbox.give(to_engine, wake);
        outbox.answer(asked, to_engine, wake);
    }
}

fn fail(to_engine: &Handover, wake: &Signal, error: Errno) {
    to_engine.fail(format!("reading inotify events: {error}"), wake);
}

/// Take a kernel buffer apart; `each` gets (wd, mask, cookie, name without padding). A truncated tail,
/// which the kernel never writes, ends the buffer.
pub fn decode(buffer: &[u8], mut each: impl FnMut(i32, Mask, u32, &[u8])) {
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
        each(wd, Mask(mask), cookie, &padded[..end]);
        at += len;
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
        let mut source = Inotify::open().unwrap();
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
        let mut source = Inotify::open().unwrap();
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
        let mut source = Inotify::open().unwrap();
        assert_eq!(source.watch(&dir.path().join("none")), Err(WatchError::Gone));
        assert_eq!(source.watch(&dir.path().join("f")), Err(WatchError::Gone));
    }

    proptest! {
        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode(&bytes, |_, _, _, name| assert!(!name.contains(&0)));
        }
    }
}
