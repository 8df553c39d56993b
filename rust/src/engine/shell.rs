//! The thread: take everything in, let the core turn, sleep until there is more. No decision is made here.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::core::Core;
use super::platform::Machine;
use super::{Request, Shared, Waiting};

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// The thread: take everything in, let the core turn, sleep until there is more.
pub(super) fn run(parts: Waiting, shared: &Shared) -> Result<(), String> {
    let Waiting { mut core, mut machine, clock } = parts;
    machine.start()?;
    core.begin(clock.now(), &mut machine);
    let mut items = Vec::new();
    let mut pending = 0;
    loop {
        let now = clock.now();
        // Requests are taken before the source is read: a barrier asked for by one of them then also
        // covers what is read in the same turn.
        while let Some(request) = shared.requests.pop() {
            obey(request, &mut core, &mut machine, now);
        }
        machine.drain(&mut items);
        for item in items.drain(..) {
            if let crate::source::Item::Failed(reason) = item {
                core.restart_source(&reason, now, &mut machine);
            } else {
                core.item(item, now, &mut machine);
            }
        }
        while let Some(listing) = machine.answer() {
            core.listed(listing, now, &mut machine);
        }
        let wake_at = core.turn(now, &mut machine);
        let mut status = core.status();
        let before = std::mem::replace(&mut pending, status.pending);
        status.source = machine.source_name();
        machine.source_problem().clone_into(&mut status.source_problem);
        *shared.status.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(status);
        machine.ring(core.has_more_soon(), pending == 0 && before > 0, now);
        core.release_syncs();
        if shared.stop.load(Ordering::SeqCst) {
            machine.stop();
            return Ok(());
        }
        let now = clock.now();
        shared.wake.wait(wake_at.map(|at| at.saturating_sub(now)));
    }
}

fn obey(request: Request, core: &mut Core, machine: &mut Machine, now: crate::clock::Now) {
    // A caller that no longer waits for its answer is no error.
    match request {
        Request::Rows(rows, reply) => {
            let _ = reply.try_send(core.load(&rows, now));
        }
        Request::Acks(acks) => core.acknowledge(&acks, now),
        Request::Sync(id, None, done) => core.begin_sync(id, done, now, machine),
        Request::Sync(id, Some(paths), done) => {
            core.begin_path_sync(id, paths, done, now, machine);
        }
        Request::CancelSync(id, reply) => {
            let _ = reply.try_send(core.cancel_sync(id));
        }
        Request::Touch(path, reply) => {
            let _ = reply.try_send(core.touch(&path, now));
        }
        Request::Rescan(path) => core.rescan(&path, now, machine),
        Request::Clear(reply) => {
            let _ = reply.try_send(core.clear());
        }
        Request::Flush => core.flush(now),
        Request::Armed(done) => core.when_armed(done),
    }
}
