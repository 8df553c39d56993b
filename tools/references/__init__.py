"""The generated pages of docs/: settings, commands, routes and tools, each from what the program itself says.

`python -m tools.references` writes them; `tests/test_references.py` fails when one is not current.

- `settings`: docs/configuration.md, with the words of `meanings`
- `commands`: docs/cli-reference.md
- `routes`: docs/rest-reference.md
- `agents`: docs/mcp-reference.md
"""

from collections.abc import Callable
from typing import Final

from tools.references import agents, commands, routes, settings

PAGES: Final[dict[str, Callable[[], str]]] = {
    "configuration.md": settings.page,
    "cli-reference.md": commands.page,
    "rest-reference.md": routes.page,
    "mcp-reference.md": agents.page,
}
"""The name of each page in docs/, and what makes its text."""
