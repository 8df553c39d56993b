"""One root kept up to date: `Service` and the rooms behind it.

- `partset`: every part of one root, made, told and closed in order
- `life`: start, stop, an index that is lost while it is in use; who may ask for a part when
- `barrier`: waiting until what was written is in the index; the engine's errors as ours
- `answers`: what it says of itself: status, progress, what is worse than it should be
- `paths`: how a path that somebody names is called in the index
- `service`: all of it under the public names

How a single part is made from the settings is `currant.parts`'.
"""

from currant.service.service import Service

__all__ = ["Service"]
