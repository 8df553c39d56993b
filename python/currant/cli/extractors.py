"""What reads the files (``extractors``): ours and those of other packages, with how often and how well."""

from typing import Any

import click

from currant.cli.output import echo, printable, table, write_json
from currant.cli.place import Place, options
from currant.errors import ServiceUnreachable
from currant.ipc.client import Client


@click.command(short_help="What reads the files, and how often it failed.")
@options
def extractors(place: Place, as_json: bool) -> int:
    """List every extractor and annotator: name, version, languages, package, calls and failures.

    The counts are those of the running watcher, since it started. Without one, the list says what the next
    index would use. A plug-in that is refused is listed with the reason, and makes the exit status 1.
    """
    try:
        with Client.connect(place.quick_state_dir, place.root) as client:
            told: list[dict[str, Any]] = client.call("status", sync_ms=None).result["extractors"]
    except ServiceUnreachable:
        from currant.config import load_settings
        from currant.extract import configured_registry

        settings = load_settings(place.root, flags=place.flags)
        told = [use.as_dict() for use in configured_registry(settings.extract).uses()]
    if as_json:
        write_json(told)
    else:
        table([(f"{one['name']} {one['version']}", _line(one)) for one in told])
        for one in told:
            if one["last_failure"]:
                echo(f"failed: {printable(one['name'])}: {printable(one['last_failure'])}")
    return 1 if any(one["refused"] for one in told) else 0


def _line(one: dict[str, Any]) -> str:
    package = printable(str(one["package"]))
    if one["kind"] == "setting":
        return printable(one["refused"])
    if one["refused"]:
        return f"refused, of {package}: {printable(one['refused'])}"
    languages = "all" if one["languages"] is None else " ".join(one["languages"])
    late = f" ({one['timeouts']:,} too slow)" if one["timeouts"] else ""
    return (
        f"{one['kind']} of {package}, {one['cost']}, {one['calls']:,} calls, "
        f"{one['failures']:,} failures{late}; {languages}"
    )
