"""The service with nothing that extracts: ``python benches/harness/hashing.py ROOT STATE``. What is left is
walking, reading, hashing and committing."""

import sys
from pathlib import Path

from currant.config import Settings
from currant.extract import Registry
from currant.service import Service


def main() -> None:
    root, state = sys.argv[1:]
    with Service(
        Path(root), Settings(state_dir=state), live=False, registry=Registry([], max_file_mb=8)
    ) as service:
        service.sync(3_600)
        counts = service.get_status()["index"]
    assert not counts["symbols"], counts


if __name__ == "__main__":
    main()
