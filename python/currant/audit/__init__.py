"""The background audit: a random sample of the tree, looked at without trust, against the rows.

- `decide`: when a difference is drift, and what may have caused it; pure
- `disk`: one side of the comparison, by `lstat`
- `ledger`: what was found, kept beyond the process
- `auditor`: what is looked at, the barrier between two looks, the repair, the thread
"""

from currant.audit.auditor import Auditor, Run, Sample, walker
from currant.audit.ledger import Ledger

__all__ = ["Auditor", "Ledger", "Run", "Sample", "walker"]
