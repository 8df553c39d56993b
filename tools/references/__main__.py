"""``python -m tools.references``: write the generated pages."""

from pathlib import Path

from tools.references import PAGES

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

for name, page in PAGES.items():
    (DOCS / name).write_text(page())
    print(f"docs/{name}")
