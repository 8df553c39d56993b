//! Names and paths as bytes, and back: the one place that knows how a platform spells them.
//!
//! Inside the core a path is bytes relative to the root, with `/` between components. On Unix these are
//! the file system's own bytes; on Windows, UTF-8 (names that are not Unicode are spelt with U+FFFD).

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The bytes of a name.
#[must_use]
pub fn to_bytes(name: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        name.as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    {
        name.to_string_lossy().into_owned().into_bytes()
    }
}

/// The name that has these bytes.
#[must_use]
pub fn to_os(name: &[u8]) -> OsString {
    as_os(name).into_owned()
}

/// The name that has these bytes, without a copy where the platform's names are bytes.
#[must_use]
pub fn as_os(name: &[u8]) -> Cow<'_, OsStr> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Cow::Borrowed(OsStr::from_bytes(name))
    }
    #[cfg(not(unix))]
    {
        Cow::Owned(String::from_utf8_lossy(name).into_owned().into())
    }
}

/// The absolute path of a path relative to the root; the root itself for the empty path.
#[must_use]
pub fn absolute(root: &Path, relative: &[u8]) -> PathBuf {
    if relative.is_empty() { root.to_owned() } else { root.join(to_os(relative)) }
}

/// `parent/name`, or `name` under the root.
#[must_use]
pub fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() }
}

/// Append a path relative to a root to what that root is called, with the platform's separator.
pub fn append_shown(shown: &mut Vec<u8>, relative: &[u8]) {
    if relative.is_empty() {
        return;
    }
    let separator = std::path::MAIN_SEPARATOR as u8;
    shown.push(separator);
    let start = shown.len();
    shown.extend_from_slice(relative);
    if separator != b'/' {
        shown[start..].iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = separator);
    }
}
