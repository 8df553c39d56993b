"""``python tools/sdist.py --out DIR``: a source distribution that builds without network.

maturin's archive, and beside its sources the crates of Cargo.lock (`vendor/`) with a `.cargo/config.toml`
that has cargo take them from there. maturin itself, named in pyproject.toml, is still pip's to find.
"""

import argparse
import gzip
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sdist-") as directory:
        base = Path(directory)
        command = [sys.executable, "-m", "maturin", "sdist", "--out", str(base)]
        subprocess.run(command, cwd=PROJECT, check=True)
        (plain,) = base.glob("*.tar.gz")
        config = subprocess.run(
            ["cargo", "vendor", "--locked", "--versioned-dirs", str(base / "vendor")],
            cwd=PROJECT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        # The place is relative to the archive's root, where `.cargo` is too.
        config = config.replace(str(base / "vendor"), "vendor")
        target = out / plain.name
        add(plain, target, base / "vendor", config)
        print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def add(plain: Path, target: Path, vendor: Path, config: str) -> None:
    """Write `target`: everything in `plain`, the crates, and cargo's configuration.

    The same input gives the same bytes: names are sorted, and times are those of maturin's archive."""
    with (
        tarfile.open(plain) as old,
        open(target, "wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        members = old.getmembers()
        top, when = members[0].name.partition("/")[0], members[0].mtime
        for member in members:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        for path in sorted(path for path in vendor.rglob("*") if path.is_file()):
            _put(new, f"{top}/vendor/{path.relative_to(vendor).as_posix()}", path.read_bytes(), when)
        _put(new, f"{top}/.cargo/config.toml", config.encode(), when)


def _put(archive: tarfile.TarFile, name: str, content: bytes, when: float) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(when), 0o644
    archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    if shutil.which("cargo") is None:
        sys.exit("cargo is needed: it knows which crates belong to Cargo.lock")
    main()
