"""A watcher that waits before it begins: ``python -m currant.soak.gate watch ...``.

Everything that it needs is imported; then it writes a line and reads one, and goes on as ``currant watch``.
So the moment from here to its inotify instance, for which `queue` lowers a setting of the kernel, is short.
"""

import importlib
import os
import runpy
import sys


def main() -> None:
    """Wait, then be the command ``currant``. Ends when nobody lets it go on."""
    for name in ("currant.cli", "currant.service", "currant.ipc.server"):
        importlib.import_module(name)
    os.write(1, b"here\n")
    if not os.read(0, 1):
        return
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    sys.argv[0] = "currant"
    runpy.run_module("currant", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
