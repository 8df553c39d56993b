"""Extraction by a language model, on a budget. Off by default, and then nothing here is imported.

What leaves the machine is decided in `decide` (which files) and `leaks` (no secrets), what it may cost in
`prices` and in the ledger of `currant.store.llm`: money is reserved before each call, for the worst case.
Nothing here is needed for any other answer of the index.

- `prices`: dollars for tokens; `pace`: how many calls at once, and when the next try
- `decide`: which files need it, when, in which order
- `prompt`: what is asked, the shape of the answer, what it may cost at most
- `wire`, `bedrock`, `openai`: the two ways to ask
- `merge`: the answer beside the record that syntax gave
- `extraction`: one file, from reading it to storing the answer; `scheduler`: the threads; `feed`: from the
  change feed into the queue; `collect`: answers that no file has any more; `tier`: all of it for one root
"""

from typing import Any, Final

OFF: Final[dict[str, Any]] = {"provider": "off", "running": False, "waiting": 0}
"""The status of a tier that is off, and of which nothing was ever asked."""
