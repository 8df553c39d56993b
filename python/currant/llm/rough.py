"""What extraction by a model would cost where there is no index yet: from names and sizes alone."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from currant import _core
from currant.config import load_settings
from currant.extract.languages import detect
from currant.llm.plan import Estimate, rough
from currant.llm.tier import rules_of


def rough_llm_plan(root: Path, flags: Mapping[str, Any]) -> Estimate:
    """As if every file of a known language needed a call. Opens no file. Raises ConfigError, OSError."""
    settings = load_settings(root, flags=flags)
    walked, _, _ = _core.walk(
        os.fspath(root),
        state_dir=os.fspath(settings.state_path(root)),
        ignore_patterns=list(settings.monitor.ignore_patterns),
        nested_repositories=settings.monitor.nested_repositories,
    )
    files = ((file.path, detect(file.path, b""), file.size) for file in walked)
    return rough(settings.llm, rules_of(settings), files)
