//! The binding, with `python/`: all that knows PyO3. It converts and forwards; it decides nothing.
//!
//! Paths cross as `str` with surrogateescape. The GIL is released in every wait and round every parse.
//! No Rust thread ever calls into Python.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::engine::{
    Ack, Change, ChangeKind, Engine, EngineError, Options, Outcome, Row, Rows, SourceKind, Status,
};
use crate::names;
use crate::rules::{GitEnvironment, RootRules, RuleOptions, StateDir};
use crate::scan;
use crate::signal::Signal;

mod records;

pyo3::create_exception!(
    currant._core,
    CoreError,
    PyRuntimeError,
    "The engine stopped and cannot go on."
);
pyo3::create_exception!(
    currant._core,
    UnsureError,
    PyValueError,
    "A scanner is not sure of its outline."
);
pyo3::create_exception!(
    currant._core,
    WatchLimitError,
    PyOSError,
    "The kernel refused another watch."
);

fn to_py_error(error: EngineError) -> PyErr {
    match error {
        EngineError::Usage(text) => PyValueError::new_err(text),
        EngineError::Root { path, reason } => {
            PyFileNotFoundError::new_err(format!("{}: {reason}", path.display()))
        }
        EngineError::Stopped(text) => CoreError::new_err(text),
    }
}

fn path_str<'py>(py: Python<'py>, path: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(path) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => Ok(names::to_os(path).as_os_str().into_pyobject(py)?),
    }
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value.max(0.0))
        .map_err(|error| PyValueError::new_err(format!("timeout {value}: {error}")))
}

/// One path, or one whole subtree, to bring up to date.
#[pyclass(frozen, module = "currant._core", name = "Change")]
struct PyChange(Change);

#[pymethods]
impl PyChange {
    #[getter]
    fn ticket(&self) -> u64 {
        self.0.ticket
    }
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        path_str(py, &self.0.path)
    }
    #[getter]
    fn old_path<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.0.old_path.as_deref().map(|path| path_str(py, path)).transpose()
    }
    #[getter]
    fn is_dir(&self) -> bool {
        self.0.is_dir
    }
    #[getter]
    fn attempts(&self) -> u32 {
        self.0.attempts
    }
    #[getter]
    fn cause(&self) -> &'static str {
        self.0.cause.as_str()
    }
    fn __repr__(&self) -> String {
        let path = String::from_utf8_lossy(&self.0.path);
        format!("Change(ticket={}, kind={:?}, path={path:?})", self.0.ticket, self.kind())
    }
}

/// Rings when one of several engines has something to hand out.
#[pyclass(frozen, module = "currant._core", name = "Bell")]
struct PyBell(Arc<Signal>);

#[pymethods]
impl PyBell {
    #[new]
    fn new() -> Self {
        Self(Arc::new(Signal::default()))
    }

    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        Ok(py.detach(|| self.0.wait(Some(timeout))))
    }

    fn ring(&self) {
        self.0.raise();
    }
}

/// Watches one root and says which paths to bring up to date.
#[pyclass(frozen, module = "currant._core", name = "Engine")]
struct PyEngine {
    engine: Arc<Engine>,
}

/// Kind, paths of that kind one after the other, old path, and what was known below.
type Taken<'py> =
    (&'static str, Bound<'py, PyList>, Option<Bound<'py, PyString>>, Vec<Bound<'py, PyString>>);

type AckTuple = (u64, String, u64, i64, i64, u64, f64);

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (root, *, state_dir, quiet_ms=100, max_delay_ms=2000, ignore_patterns=Vec::new(),
        source="auto", poll_interval_ms=2000, max_queue=1000, in_hand=0, nested_repositories=true,
        max_watches=None, live=true, poll_file_systems=Vec::new(), witness=false, recursive=true,
        rules=true, bell=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        py: Python<'_>,
        root: PathBuf,
        state_dir: PathBuf,
        quiet_ms: u64,
        max_delay_ms: u64,
        ignore_patterns: Vec<String>,
        source: &str,
        poll_interval_ms: u64,
        max_queue: usize,
        in_hand: usize,
        nested_repositories: bool,
        max_watches: Option<usize>,
        live: bool,
        poll_file_systems: Vec<String>,
        witness: bool,
        recursive: bool,
        rules: bool,
        bell: Option<Bound<'_, PyBell>>,
    ) -> PyResult<Self> {
        let source = match source {
            "auto" => SourceKind::Auto,
            "inotify" => SourceKind::Inotify,
            "notify" => SourceKind::Notify,
            "poll" => SourceKind::Poll,
            other => {
                let text = format!("source {other:?}: one of auto, inotify, notify, poll");
                return Err(PyValueError::new_err(text));
            }
        };
        let options = Options {
            root,
            state_dir,
            quiet: Duration::from_millis(quiet_ms),
            max_delay: Duration::from_millis(max_delay_ms),
            ignore_patterns,
            nested_repositories,
            source,
            poll_interval: Duration::from_millis(poll_interval_ms),
            max_queue,
            in_hand,
            max_watches: max_watches.unwrap_or(usize::MAX),
            live,
            poll_file_systems,
            witness,
            recursive,
            rules,
            bell: bell.map(|bell| Arc::clone(&bell.get().0)),
        };
        let engine = py.detach(|| Engine::new(options)).map_err(to_py_error)?;
        Ok(Self { engine: Arc::new(engine) })
    }

    /// Rows of the index, before the start or, once, after it.
    fn load(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut loaded = Rows::default();
        for row in rows.try_iter()? {
            let row = row?;
            if let Ok(many) = row.cast::<PyBytes>() {
                loaded.unpack(many.as_bytes()).map_err(PyValueError::new_err)?;
                continue;
            }
            let (path, size, mtime_ns, ctime_ns, ino, attempts): (
                Bound<'_, PyBytes>,
                u64,
                i64,
                i64,
                u64,
                u32,
            ) = row.extract()?;
            let path = path.as_bytes();
            loaded.push(Row { path, size, mtime_ns, ctime_ns, ino, attempts });
        }
        py.detach(|| self.engine.load(loaded)).map_err(to_py_error)
    }

    #[pyo3(signature = (*, rows_later=false))]
    fn start(&self, py: Python<'_>, rows_later: bool) -> PyResult<()> {
        py.detach(|| self.engine.start(rows_later)).map_err(to_py_error)
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.engine.stop());
    }

    fn next_batch(
        &self,
        py: Python<'_>,
        max_changes: usize,
        timeout: f64,
    ) -> PyResult<Option<Vec<PyChange>>> {
        let timeout = seconds(timeout)?;
        let batch = py
            .detach(|| self.engine.next_batch(max_changes.max(1), timeout))
            .map_err(to_py_error)?;
        Ok(batch.map(|changes| changes.into_iter().map(PyChange).collect()))
    }

    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        Ok(py.detach(|| self.engine.wait(timeout)))
    }

    fn ack(&self, py: Python<'_>, done: Vec<AckTuple>) -> PyResult<()> {
        let mut acks = Vec::with_capacity(done.len());
        for (ticket, outcome, size, mtime_ns, ctime_ns, ino, retry_seconds) in done {
            let outcome = match outcome.as_str() {
                "done" => Outcome::Done,
                "gone" => Outcome::Gone,
                "again" => Outcome::Again,
                "failed" if retry_seconds < 0.0 => Outcome::Failed(None),
                "failed" => Outcome::Failed(Some(seconds(retry_seconds)?)),
                other => {
                    let text = format!("outcome {other:?}: one of done, gone, failed, again");
                    return Err(PyValueError::new_err(text));
                }
            };
            acks.push(Ack { ticket, outcome, size, mtime_ns, ctime_ns, ino });
        }
        py.detach(|| self.engine.ack(acks)).map_err(to_py_error)
    }

    #[pyo3(signature = (timeout, paths=None))]
    fn sync<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
        paths: Option<Vec<OsString>>,
    ) -> PyResult<Option<Vec<Bound<'py, PyString>>>> {
        let timeout = seconds(timeout)?;
        let paths = paths.map(|paths| paths.iter().map(|path| names::to_bytes(path)).collect());
        let outstanding = py.detach(|| self.engine.sync(paths, timeout)).map_err(to_py_error)?;
        outstanding.map(|paths| paths.iter().map(|path| path_str(py, path)).collect()).transpose()
    }

    fn touch(&self, py: Python<'_>, path: OsString) -> PyResult<bool> {
        let path = names::to_bytes(&path);
        py.detach(|| self.engine.touch(&path)).map_err(to_py_error)
    }

    #[pyo3(signature = (path=OsString::new()))]
    fn rescan(&self, py: Python<'_>, path: OsString) -> PyResult<()> {
        let path = names::to_bytes(&path);
        py.detach(|| self.engine.rescan(&path)).map_err(to_py_error)
    }

    fn clear(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.engine.clear()).map_err(to_py_error)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.engine.flush()).map_err(to_py_error)
    }

    fn armed(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let timeout = seconds(timeout)?;
        py.detach(|| self.engine.armed(timeout)).map_err(to_py_error)
    }

    #[pyo3(signature = (max_changes, timeout, shown=None))]
    fn take<'py>(
        &self,
        py: Python<'py>,
        max_changes: usize,
        timeout: f64,
        shown: Option<OsString>,
    ) -> PyResult<Option<Vec<Taken<'py>>>> {
        let timeout = seconds(timeout)?;
        let taken =
            py.detach(|| self.engine.take(max_changes.max(1), timeout)).map_err(to_py_error)?;
        let Some(taken) = taken else { return Ok(None) };
        let mut told = shown.as_deref().map(names::to_bytes).unwrap_or_default();
        let start = told.len();
        let mut path = |path: &[u8]| {
            told.truncate(start);
            if shown.is_some() {
                names::append_shown(&mut told, path);
            } else {
                told.extend_from_slice(path);
            }
            path_str(py, &told)
        };
        let mut found: Vec<Taken<'py>> = Vec::new();
        for change in &taken {
            let alone = change.old_path.is_some() || change.kind == ChangeKind::Deleted;
            let kind = change.kind.as_str();
            if !alone
                && let Some((same, paths, None, _)) = found.last_mut()
                && *same == kind
            {
                paths.append(path(&change.path)?)?;
                continue;
            }
            let paths = PyList::new(py, [path(&change.path)?])?;
            let old_path = change.old_path.as_deref().map(&mut path).transpose()?;
            let below =
                change.below.iter().map(|path| path_str(py, path)).collect::<PyResult<_>>()?;
            found.push((kind, paths, old_path, below));
        }
        Ok(Some(found))
    }

    fn pending(&self) -> usize {
        self.engine.status().pending
    }

    fn queued(&self) -> usize {
        self.engine.queued()
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        status_dict(py, &self.engine.status())
    }
}

fn status_dict<'py>(py: Python<'py>, status: &Status) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let paths = |paths: &[Vec<u8>]| -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for path in paths {
            list.append(path_str(py, path)?)?;
        }
        Ok(list)
    };
    dict.set_item("source", status.source)?;
    dict.set_item("fresh", status.fresh)?;
    dict.set_item("starting", status.starting)?;
    dict.set_item("scanning", status.scanning)?;
    dict.set_item("files", status.files)?;
    dict.set_item("dirs", status.dirs)?;
    dict.set_item("watches", status.watches)?;
    dict.set_item("pending", status.pending)?;
    dict.set_item("in_flight", status.in_flight)?;
    dict.set_item("listing", status.listing)?;
    dict.set_item("dirty_dirs", status.dirty_dirs)?;
    dict.set_item("failed", status.failed)?;
    dict.set_item("unwatched", status.unwatched)?;
    dict.set_item("unwatched_paths", paths(&status.unwatched_paths)?)?;
    dict.set_item("denied", status.denied)?;
    dict.set_item("denied_paths", paths(&status.denied_paths)?)?;
    dict.set_item("remote", status.remote)?;
    dict.set_item("remote_paths", paths(&status.remote_paths)?)?;
    dict.set_item("limbo", status.limbo)?;
    dict.set_item("vcs_busy", status.vcs_busy)?;
    dict.set_item("source_problem", &status.source_problem)?;
    let problems = PyList::empty(py);
    for (path, reason) in &status.problems {
        problems.append((path_str(py, path)?, reason))?;
    }
    dict.set_item("problems", problems)?;
    dict.set_item("root_missing", status.root_missing)?;
    dict.set_item("tree_bytes", status.tree_bytes)?;
    dict.set_item("scan_ms", status.scan_ms)?;
    let counters = &status.counters;
    dict.set_item("events", counters.events)?;
    dict.set_item("overflows", counters.overflows)?;
    dict.set_item("listings", counters.listings)?;
    dict.set_item("root_scans", counters.root_scans)?;
    dict.set_item("emitted", counters.emitted)?;
    dict.set_item("committed", counters.committed)?;
    dict.set_item("coarsened", counters.coarsened)?;
    dict.set_item("moved_dirs", counters.moved_dirs)?;
    Ok(dict)
}

/// One kept regular file of a walk.
#[pyclass(frozen, module = "currant._core", name = "Walked")]
struct PyWalked(scan::Walked);

#[pymethods]
impl PyWalked {
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        path_str(py, &self.0.path)
    }
    #[getter]
    fn size(&self) -> u64 {
        self.0.stat.size
    }
    #[getter]
    fn mtime_ns(&self) -> i64 {
        self.0.stat.mtime_ns
    }
    #[getter]
    fn ctime_ns(&self) -> i64 {
        self.0.stat.ctime_ns
    }
    #[getter]
    fn ino(&self) -> u64 {
        self.0.stat.ino
    }
}

type WalkResult<'py> = (Vec<PyWalked>, usize, Vec<(Bound<'py, PyString>, String)>);

/// Walk a tree under the same rules as the engine.
#[pyfunction]
#[pyo3(signature = (root, *, state_dir, ignore_patterns=Vec::new(), nested_repositories=true))]
fn walk(
    py: Python<'_>,
    root: PathBuf,
    state_dir: PathBuf,
    ignore_patterns: Vec<String>,
    nested_repositories: bool,
) -> PyResult<WalkResult<'_>> {
    let walked = py.detach(|| {
        let identity = scan::lstat(&state_dir).ok().map(|stat| (stat.dev, stat.ino));
        let options = RuleOptions {
            ignore_patterns,
            nested_repositories,
            state_dir: identity.map(|identity| StateDir { path: state_dir, identity }),
            environment: GitEnvironment::from_env(),
            off: false,
        };
        let (rules, errors) = RootRules::load(&root, &options);
        let mut walked = scan::walk(&root, &rules.root_dir(), identity);
        walked.problems.extend(errors.iter().map(|error| (Vec::new(), error.to_string())));
        walked
    });
    let problems = walked
        .problems
        .iter()
        .map(|(path, reason)| Ok((path_str(py, path)?, reason.clone())))
        .collect::<PyResult<_>>()?;
    Ok((walked.files.into_iter().map(PyWalked).collect(), walked.dirs, problems))
}

/// With the kernel's number, which PyO3 leaves out.
#[cfg(target_os = "linux")]
#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn os_error(error: std::io::Error) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => {
            let words = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((code, words))
        }
        None => PyOSError::new_err(text),
    }
}

/// A directory below which files are read, each in one go.
#[pyclass(frozen, name = "Directory", module = "currant._core")]
struct PyDirectory {
    #[cfg(target_os = "linux")]
    inner: crate::content::Directory,
}

/// (size, mtime_ns, ctime_ns, ino) and the content, None when it is larger than what is kept.
type ReadTuple<'py> = ((u64, i64, i64, u64), Option<Bound<'py, PyBytes>>);

#[pymethods]
impl PyDirectory {
    /// Raises `OSError`; where such reading is not possible, with `ENOSYS` or `EPERM`.
    #[new]
    #[cfg_attr(not(target_os = "linux"), allow(clippy::needless_pass_by_value))]
    fn new(path: PathBuf) -> PyResult<Self> {
        #[cfg(target_os = "linux")]
        return Ok(Self { inner: crate::content::Directory::open(&path).map_err(os_error)? });
        #[cfg(not(target_os = "linux"))]
        Err(PyOSError::new_err(format!("{}: not on this platform", path.display())))
    }

    /// The version and the content of `path`; False when it changed meanwhile, None when it is no regular
    /// file. Raises `OSError` with the kernel's number.
    #[cfg(target_os = "linux")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        path: OsString,
        limit: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        use crate::content::{Outcome, Version};
        use std::os::unix::ffi::OsStrExt;

        let told = |found: Version| (found.size, found.mtime_ns, found.ctime_ns, found.ino);
        py.detach(|| {
            self.inner.read(path.as_bytes(), limit, |found, content| {
                // With the lock again: the content goes straight from the buffer into its object.
                Python::attach(|py| {
                    let answer: ReadTuple<'_> = match found {
                        Outcome::Read(version) => (told(version), Some(PyBytes::new(py, content))),
                        Outcome::Large(version) => (told(version), None),
                        Outcome::Torn => {
                            return Ok(false.into_pyobject(py)?.to_owned().into_any().unbind());
                        }
                        Outcome::Special => return Ok(py.None()),
                    };
                    Ok::<_, PyErr>(answer.into_pyobject(py)?.into_any().unbind())
                })
            })
        })
        .map_err(os_error)?
        .map(|answer| answer.into_bound(py))
    }

    /// The same for many, until they have `room` bytes together: for each that was looked at (size, mtime_ns,
    /// ctime_ns, ino, ns since the call, content); False when it is to be read alone, None when it is no
    /// regular file, the kernel's number when it failed.
    #[cfg(target_os = "linux")]
    fn read_some<'py>(
        &self,
        py: Python<'py>,
        paths: Vec<OsString>,
        room: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        use crate::content::Outcome;
        use std::os::unix::ffi::OsStringExt;

        let paths: Vec<Vec<u8>> = paths.into_iter().map(OsStringExt::into_vec).collect();
        py.detach(|| {
            self.inner.read_some(&paths, room, |parts, all| {
                Python::attach(|py| {
                    let told = PyList::empty(py);
                    for part in parts {
                        match &part.outcome {
                            Ok(Outcome::Read(found)) => {
                                let after =
                                    u64::try_from(part.after.as_nanos()).unwrap_or(u64::MAX);
                                let content = PyBytes::new(py, &all[part.place.clone()]);
                                let (mtime, ctime) = (found.mtime_ns, found.ctime_ns);
                                told.append((found.size, mtime, ctime, found.ino, after, content))?;
                            }
                            Ok(Outcome::Large(_) | Outcome::Torn) => told.append(false)?,
                            Ok(Outcome::Special) => told.append(py.None())?,
                            Err(error) => told.append(error.raw_os_error())?,
                        }
                    }
                    Ok::<_, PyErr>(told.unbind())
                })
            })
        })
        .map(|told| told.into_bound(py))
    }
}

/// Types of file systems that hold no files of anybody's.
#[pyfunction]
fn virtual_file_systems() -> Vec<&'static str> {
    crate::mounts::VIRTUAL.to_vec()
}

/// Names of the optional parts that were compiled in.
#[pyfunction]
fn lib_features() -> Vec<&'static str> {
    let mut features = Vec::new();
    if cfg!(feature = "outline") {
        features.push("outline");
    }
    if cfg!(any(not(target_os = "linux"), feature = "notify-source")) {
        features.push("notify-source");
    }
    features
}

/// The native core of Currant.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("CoreError", module.py().get_type::<CoreError>())?;
    module.add("UnsureError", module.py().get_type::<UnsureError>())?;
    module.add("WatchLimitError", module.py().get_type::<WatchLimitError>())?;
    module.add_class::<PyBell>()?;
    module.add_class::<PyChange>()?;
    module.add_class::<PyEngine>()?;
    module.add_class::<PyWalked>()?;
    module.add_class::<PyDirectory>()?;
    module.add_function(wrap_pyfunction!(walk, module)?)?;
    module.add_function(wrap_pyfunction!(records::outline, module)?)?;
    module.add_function(wrap_pyfunction!(records::examine, module)?)?;
    module.add_function(wrap_pyfunction!(records::examine_many, module)?)?;
    module.add_function(wrap_pyfunction!(records::rest_thread, module)?)?;
    module.add_function(wrap_pyfunction!(records::has_mode_words, module)?)?;
    module.add_function(wrap_pyfunction!(records::header_language, module)?)?;
    module.add_function(wrap_pyfunction!(records::is_objective_c, module)?)?;
    module.add_function(wrap_pyfunction!(records::select, module)?)?;
    module.add_function(wrap_pyfunction!(records::pack_piece, module)?)?;
    module.add_function(wrap_pyfunction!(records::open_piece, module)?)?;
    module.add_function(wrap_pyfunction!(records::leading_comments, module)?)?;
    module.add_function(wrap_pyfunction!(records::comment_header, module)?)?;
    module.add_function(wrap_pyfunction!(records::code_references, module)?)?;
    module.add_function(wrap_pyfunction!(records::comment_languages, module)?)?;
    module.add_function(wrap_pyfunction!(records::backticked, module)?)?;
    module.add_function(wrap_pyfunction!(records::has_ending, module)?)?;
    module.add_function(wrap_pyfunction!(records::languages, module)?)?;
    module.add_function(wrap_pyfunction!(records::parsed_languages, module)?)?;
    module.add_function(wrap_pyfunction!(records::scanned_languages, module)?)?;
    module.add_function(wrap_pyfunction!(virtual_file_systems, module)?)?;
    module.add_function(wrap_pyfunction!(lib_features, module)?)?;
    Ok(())
}
