"""What headers cost: CPU of the header annotator beside that of the outline, over a tree of Python sources.

    python benches/header_cost.py [DIRECTORY]      # without one: this interpreter's standard library

Prints one JSON object: files, bytes, seconds of CPU for each, their ratio, and how many files have a header.
"""

import json
import os
import sys
import time
from pathlib import Path

from currant.extract import OutlineExtractor
from currant.extract.annotators.header import header


def main() -> None:
    """Read first, then measure each alone."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.__file__))
    found = [path for path in sorted(root.rglob("*.py")) if "-packages" not in str(path)]
    sources = [path.read_bytes() for path in found]
    outline = OutlineExtractor()
    start = time.process_time()
    records = [outline.extract("x.py", "python", source).record for source in sources]
    between = time.process_time()
    headers = sum(
        header("python", source, record) is not None for source, record in zip(sources, records, strict=True)
    )
    end = time.process_time()
    told = {
        "files": len(sources),
        "bytes": sum(map(len, sources)),
        "outline_seconds": round(between - start, 3),
        "header_seconds": round(end - between, 3),
        "ratio": round((end - between) / (between - start), 4),
        "with_header": headers,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
