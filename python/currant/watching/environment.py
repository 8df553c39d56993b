"""The defaults that come from the environment, under watchfiles' names and with its meanings."""

import os
import sys


def force_polling(argument: bool | None) -> bool:
    """``WATCHFILES_FORCE_POLLING``: any text but ``false``, ``disable`` and ``disabled``. Unset: on WSL."""
    if argument is not None:
        return argument
    if text := os.environ.get("WATCHFILES_FORCE_POLLING"):
        return text.lower() not in {"false", "disable", "disabled"}
    import platform  # costs more than the rest of this file

    machine = platform.uname()
    return machine.system.lower() == "linux" and "microsoft-standard" in machine.release.lower()


def poll_delay_ms(argument: int) -> int:
    """``WATCHFILES_POLL_DELAY_MS``, which counts for more than the argument."""
    text = os.environ.get("WATCHFILES_POLL_DELAY_MS", "")
    return int(text) if text.isdecimal() else argument


def debug(argument: bool | None) -> bool:
    """``WATCHFILES_DEBUG``: any text."""
    return bool(os.environ.get("WATCHFILES_DEBUG")) if argument is None else argument


def ignore_permission_denied(argument: bool | None) -> bool:
    """``WATCHFILES_IGNORE_PERMISSION_DENIED``: any text."""
    return bool(os.environ.get("WATCHFILES_IGNORE_PERMISSION_DENIED")) if argument is None else argument


def async_timeout(argument: int | None) -> int:
    """Milliseconds; shorter on Windows, where Ctrl-C waits for it."""
    if argument is not None:
        return argument
    return 1_000 if sys.platform == "win32" else 5_000
