"""The documentation graph: what files name, resolved against the index when it is asked for.

- `resolve`: where a target leads, from the file that it stands in
- `refs`: both directions for one file
- `fan_in`: how much leads to one file, as a number
- `drift`: what no longer holds, over all files; its rules are in `rules_paths`, `rules_names` and
  `rules_ages`, what they look at in `scene`, the words by which paths are judged in `words`, and what they
  say in `findings`
- `standing`: a judgement of all files that is kept while nothing has changed
"""

from currant.graph.drift import drift
from currant.graph.findings import KINDS, Drift, Finding
from currant.graph.refs import Incoming, Outgoing, References, references
from currant.graph.standing import Standing

__all__ = [
    "KINDS",
    "Drift",
    "Finding",
    "Incoming",
    "Outgoing",
    "References",
    "Standing",
    "drift",
    "references",
]
