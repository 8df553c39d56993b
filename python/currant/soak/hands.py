"""Does one operation on the disk: the only module of the soak that changes files in the tree.

Owns no decisions. Every path is relative to the root; no operation goes through a symbolic link in the
last place, and the links that the soak makes lead downwards only, so nothing outside the root can be
reached. git is told where its repository is and never looks for one upwards.

An operation that the file system refuses is no error: a script that was shrunk is full of them.
"""

import contextlib
import ctypes
import errno
import fcntl
import io
import mmap
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from typing import Any, Final

from currant.soak.steps import Step

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_FICLONE: Final = 0x40049409
_SAFE: Final = os.O_NOFOLLOW | os.O_NONBLOCK
_GIT_SECONDS: Final = 120


def content(number: int) -> bytes:
    """What number `number` stands for: none to three short definitions."""
    return b"".join(b"def f%d(): pass\n" % ((number * 7 + line) % 300) for line in range(number % 4))


class Hands:
    """Operations below `base`, which may change when the root is renamed."""

    def __init__(self, base: bytes) -> None:
        self.base = base
        self.written_through: dict[int, bytes] = {}
        """Inode with several names -> the one through which it was written in place last."""
        self._held = -1
        self._held_path = b""
        self._operations = _operations(self)
        self._swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)

    def do(self, step: Step) -> bool:
        """Do it; False when the file system refused, or the step makes no sense."""
        operation = self._operations.get(step.op)
        if operation is None:
            raise ValueError(f"no operation {step.op!r}")
        try:
            operation(*step.args)
        except (OSError, subprocess.SubprocessError, shutil.Error, tarfile.TarError):
            return False
        return True

    def close(self) -> None:
        """Close the file that is held open. Idempotent."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _at(self, path: bytes) -> bytes:
        if path.startswith(b"/") or b".." in path.split(b"/"):
            raise OSError(errno.EINVAL, "leads out of the root")
        return self.base + b"/" + path

    def _open(self, path: bytes, flags: int, access: int = os.O_WRONLY) -> int:
        """A descriptor for writing in place, after noting an inode with several names."""
        handle = os.open(self._at(path), access | _SAFE | flags, 0o644)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "not a regular file")
        if found.st_nlink > 1:
            self.written_through[found.st_ino] = path
        return handle

    # --- contents -----------------------------------------------------------------------------------------

    def op_write(self, path: bytes, number: bytes) -> None:
        """Create it, or overwrite it in place."""
        self.op_put(path, content(int(number)))

    def op_put(self, path: bytes, text: bytes) -> None:
        """The same with the content itself."""
        handle = self._open(path, os.O_CREAT | os.O_TRUNC)
        try:
            os.write(handle, text)
        finally:
            os.close(handle)

    def op_append(self, path: bytes, number: bytes) -> None:
        """Add at the end."""
        handle = self._open(path, os.O_APPEND)
        try:
            os.write(handle, content(int(number)))
        finally:
            os.close(handle)

    def op_truncate(self, path: bytes) -> None:
        """Cut it in half, or to at most 4 KiB."""
        handle = self._open(path, 0)
        try:
            os.ftruncate(handle, min(os.fstat(handle).st_size // 2, 4_096))
        finally:
            os.close(handle)

    def op_rewrite(self, path: bytes, number: bytes) -> None:
        """Empty it in one open, fill it in the next: what a shell's ``>`` does slowly."""
        os.close(self._open(path, os.O_TRUNC))
        self.op_append(path, number)

    def op_same(self, path: bytes) -> None:
        """Other content of the same size, with the modification time put back."""
        handle = os.open(self._at(path), os.O_RDONLY | _SAFE)
        try:
            found, old = os.fstat(handle), os.read(handle, 1 << 16)
        finally:
            os.close(handle)
        handle = self._open(path, 0)
        try:
            os.write(handle, old.translate(bytes.maketrans(b"0123456789", b"1234567890")))
            os.utime(handle, ns=(found.st_atime_ns, found.st_mtime_ns))
        finally:
            os.close(handle)

    def op_map(self, path: bytes, number: bytes) -> None:
        """Write through a shared mapping, which is closed again."""
        handle = self._open(path, 0, os.O_RDWR)
        try:
            text = content(int(number)) or b"\n"
            os.ftruncate(handle, len(text))
            with mmap.mmap(handle, len(text)) as window:
                window[:] = text
        finally:
            os.close(handle)

    def op_clone(self, old: bytes, new: bytes) -> None:
        """Copy in the kernel: by reference where the file system can, else ``copy_file_range``."""
        source = os.open(self._at(old), os.O_RDONLY | _SAFE)
        try:
            target = self._open(new, os.O_CREAT | os.O_TRUNC)
            try:
                try:
                    fcntl.ioctl(target, _FICLONE, source)
                except OSError:
                    os.copy_file_range(source, target, 1 << 20)
            finally:
                os.close(target)
        finally:
            os.close(source)

    def op_hold(self, path: bytes) -> None:
        """Open it for appending and keep it open."""
        self.close()
        self._held = self._open(path, os.O_APPEND)
        self._held_path = path

    def op_held(self, number: bytes) -> None:
        """Write to what is held open, whatever it is called by now."""
        if self._held < 0:
            raise OSError(errno.EBADF, "nothing is held open")
        found = os.fstat(self._held)
        if found.st_nlink > 1:
            self.written_through[found.st_ino] = self._held_path
        os.write(self._held, content(int(number)))

    def op_release(self) -> None:
        """Close what is held open."""
        self.close()

    def op_fill(self, one: bytes, other: bytes, times: bytes) -> None:
        """Write to two files in turn: two notifications a time, neither of which the kernel can merge."""
        handles = [self._open(path, os.O_CREAT | os.O_TRUNC) for path in (one, other)]
        try:
            for number in range(int(times)):
                for handle in handles:
                    os.pwrite(handle, b"x%d\n" % number, 0)
        finally:
            for handle in handles:
                os.close(handle)

    # --- as editors save ----------------------------------------------------------------------------------

    def op_replace(self, path: bytes, number: bytes) -> None:
        """Write beside it, then rename over it."""
        self.op_write(path + b".tmp~", number)
        os.rename(self._at(path + b".tmp~"), self._at(path))

    def op_save_vim(self, path: bytes, number: bytes) -> None:
        """The old one becomes the backup, the new one is written, the backup goes."""
        os.rename(self._at(path), self._at(path + b"~"))
        self.op_write(path, number)
        os.unlink(self._at(path + b"~"))

    def op_save_emacs(self, path: bytes, number: bytes) -> None:
        """A lock (a link to nowhere), an autosave, a backup that stays, the new one."""
        folder, name = os.path.split(path)
        lock, autosave = os.path.join(folder, b".#" + name), os.path.join(folder, b"#" + name + b"#")
        os.symlink(b"me@here.1", self._at(lock))
        self.op_write(autosave, number)
        os.rename(self._at(path), self._at(path + b"~"))
        self.op_write(path, number)
        os.unlink(self._at(autosave))
        os.unlink(self._at(lock))

    def op_save_ide(self, path: bytes, number: bytes) -> None:
        """Two renames: the old one away, the new one here; then the old one goes."""
        self.op_write(path + b"___tmp___", number)
        os.rename(self._at(path), self._at(path + b"___old___"))
        os.rename(self._at(path + b"___tmp___"), self._at(path))
        os.unlink(self._at(path + b"___old___"))

    # --- names --------------------------------------------------------------------------------------------

    def op_unlink(self, path: bytes) -> None:
        """Remove what is not a directory."""
        os.unlink(self._at(path))

    def op_rename(self, old: bytes, new: bytes) -> None:
        """A file or a directory."""
        os.rename(self._at(old), self._at(new))

    def op_exchange(self, one: bytes, other: bytes) -> None:
        """Swap two names in one step."""
        if self._swap is None:
            raise OSError(errno.ENOSYS, "no renameat2 here")
        if self._swap(_AT_FDCWD, self._at(one), _AT_FDCWD, self._at(other), _RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno(), "not exchanged")

    def op_link(self, old: bytes, new: bytes) -> None:
        """A second name."""
        os.link(self._at(old), self._at(new), follow_symlinks=False)

    def op_symlink(self, target: bytes, path: bytes) -> None:
        """Targets that lead upwards are refused."""
        self._at(target)
        os.symlink(target, self._at(path))

    def op_fifo(self, path: bytes) -> None:
        """A named pipe."""
        os.mkfifo(self._at(path))

    def op_mkdir(self, path: bytes) -> None:
        """One directory."""
        os.mkdir(self._at(path))

    def op_mkdirs(self, path: bytes, name: bytes, number: bytes) -> None:
        """A chain of directories and at once a file at its end."""
        os.makedirs(self._at(path), exist_ok=True)
        self.op_write(path + b"/" + name, number)

    def op_rmtree(self, path: bytes) -> None:
        """A directory and everything in it; never the root."""
        if not path.strip(b"/"):
            raise OSError(errno.EINVAL, "the root")
        shutil.rmtree(self._at(path))

    def op_unnamed(self, folder: bytes, name: bytes, number: bytes) -> None:
        """Made without a name, named when it is complete (``O_TMPFILE``, ``linkat``)."""
        handle = os.open(self._at(folder), os.O_TMPFILE | os.O_WRONLY, 0o644)
        try:
            os.write(handle, content(int(number)))
            os.link(f"/proc/self/fd/{handle}".encode(), self._at(os.path.join(folder, name)))
        finally:
            os.close(handle)

    def op_copytree(self, old: bytes, new: bytes) -> None:
        """A copy of a directory."""
        source, target = os.fsdecode(self._at(old)), os.fsdecode(self._at(new))
        shutil.copytree(source, target, symlinks=True, ignore=_no_pipes)

    def op_untar(self, folder: bytes, count: bytes, number: bytes) -> None:
        """Have ``tar`` unpack an archive of `count` files."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for each in range(int(count)):
                text = content(int(number) + each)
                member = tarfile.TarInfo(f"t{each % 3}/u{each % 2}/v{each}.py")
                member.size, member.mtime = len(text), 1_600_000_000 + each
                archive.addfile(member, io.BytesIO(text))
        target = self._at(folder)
        os.makedirs(target, exist_ok=True)
        subprocess.run(
            ["tar", "-x", "-f", "-", "-C", target], input=buffer.getvalue(), check=True, capture_output=True
        )

    # --- attributes ---------------------------------------------------------------------------------------

    def op_chmod(self, path: bytes, mode: bytes) -> None:
        """`mode` in octal digits. Not through a link."""
        full = self._at(path)
        if stat.S_ISLNK(os.lstat(full).st_mode):
            raise OSError(errno.EINVAL, "a link has no mode")
        os.chmod(full, int(mode, 8))

    def op_utime(self, path: bytes, seconds: bytes) -> None:
        """Both times, to seconds since the epoch."""
        os.utime(self._at(path), (int(seconds), int(seconds)), follow_symlinks=False)

    # --- git ----------------------------------------------------------------------------------------------

    def op_git_init(self, path: bytes) -> None:
        """A repository with one empty commit."""
        full = self._at(path)
        self._run("git", "-c", "init.defaultBranch=main", "init", "-q", full)
        self.op_git(path, b"commit", b"-q", b"--allow-empty", b"-m", b"made")

    def op_git_forget(self, path: bytes) -> None:
        """The repository goes, its files stay."""
        shutil.rmtree(os.path.join(self._at(path), b".git"))

    def op_exclude(self, path: bytes, text: bytes) -> None:
        """Rules outside of the tree."""
        with open(os.path.join(self._at(path), b".git/info/exclude"), "wb") as file:
            file.write(text)

    def op_git(self, path: bytes, *arguments: bytes) -> None:
        """One git command in the repository that is there, and in no other."""
        work = self._at(path).rstrip(b"/")
        if not os.path.isdir(work + b"/.git") or os.path.islink(work + b"/.git"):
            raise OSError(errno.ENOENT, "no repository")
        self._run("git", b"--git-dir=" + work + b"/.git", b"--work-tree=" + work, *arguments, cwd=work)

    def _run(self, *command: str | bytes, cwd: bytes | None = None) -> None:
        subprocess.run(
            command,
            cwd=cwd or self.base,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
        )


def _no_pipes(folder: Any, names: list[Any]) -> list[Any]:
    """Reading a pipe would wait for ever."""
    out = []
    for name in names:
        with contextlib.suppress(OSError):
            mode = os.lstat(os.path.join(folder, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
                out.append(name)
    return out


def _operations(hands: Hands) -> Mapping[str, Callable[..., None]]:
    return {name[3:]: getattr(hands, name) for name in dir(hands) if name.startswith("op_")}
