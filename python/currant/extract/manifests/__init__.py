"""Manifests: what a package, or an image, says that it needs. Read as data, never executed.

- `values`: what a manifest says, in plain values, and its bounds
- `names`: which file names are manifests, and of which kind
- `python`, `toml`, `jsons`, `xml`, `lines`: the readers, by how the format is written
- `readers`: which of them reads a kind
- `read` (here): what a manifest says, and what a text that is not of its kind is told
"""

from currant.extract.manifests.names import KINDS, kind_of
from currant.extract.manifests.values import BadManifestError, Dependency, Manifest

__all__ = ["KINDS", "BadManifestError", "Dependency", "Manifest", "kind_of", "read"]


def read(kind: str, source: bytes) -> Manifest:
    """What a manifest of this kind (one of `KINDS`) says. Raises BadManifestError."""
    from currant.extract.manifests.readers import READERS  # the parsers, for those trees that need them

    text = source.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    try:
        return READERS[kind](text)
    except RecursionError:
        raise BadManifestError("nested too deeply") from None
