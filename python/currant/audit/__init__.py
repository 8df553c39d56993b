"""The background audit: a random sample of the tree, looked at without trust, against the rows.

- `decide`: when a difference is drift, and what may have caused it; pure
- `disk`: one side of the comparison, by `lstat`
- `ledger`: what was found, kept beyond the process
- `auditor`: what is looked at, the barrier between two looks, the repair, the thread
"""

from typing import TYPE_CHECKING, Any

from currant.audit.ledger import Ledger

if TYPE_CHECKING:
    from currant.audit.auditor import Auditor, Run, Sample, walker

__all__ = ["Auditor", "Ledger", "Run", "Sample", "walker"]


def __getattr__(name: str) -> Any:
    """Who only wants to know what was found does not need what looks."""
    if name in ("Auditor", "Run", "Sample", "walker"):
        from currant.audit import auditor

        return getattr(auditor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
