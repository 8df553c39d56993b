"""What a content means: language detection, extractors, and which extractor answers for what."""

from currant.extract.annotate import Annotator
from currant.extract.base import (
    Choice,
    Extraction,
    ExtractionError,
    Extractor,
    PlainExtractor,
    Registry,
    configured_registry,
    default_registry,
    provisional,
)
from currant.extract.languages import HEAD_BYTES, detect, is_binary
from currant.extract.outline import OutlineExtractor
from currant.extract.secrets import Secrets

__all__ = [
    "HEAD_BYTES",
    "Annotator",
    "Choice",
    "Extraction",
    "ExtractionError",
    "Extractor",
    "OutlineExtractor",
    "PlainExtractor",
    "Registry",
    "Secrets",
    "configured_registry",
    "default_registry",
    "detect",
    "is_binary",
    "provisional",
]
