"""The documentation graph: what files name, resolved against the index when it is asked for.

- `resolve`: where a target leads, from the file that it stands in
- `refs`: both directions for one file
- `drift`: what no longer holds, over all files
"""

from currant.graph.drift import KINDS, Drift, Finding, drift
from currant.graph.refs import Incoming, Outgoing, References, references

__all__ = ["KINDS", "Drift", "Finding", "Incoming", "Outgoing", "References", "drift", "references"]
