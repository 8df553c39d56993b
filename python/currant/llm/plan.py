"""What it would cost to send what needs it, before anything is sent: files, tokens, dollars, hours. Sends
nothing.

Two numbers for each: what is likely, and the worst case that would be reserved. The likely one takes a token
for 3.5 bytes and a fifth of the limit on output but at least 200 tokens, and is an estimate; the worst case
is a bound for calls that succeed at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from currant.config import LlmSettings
from currant.errors import ConfigError
from currant.llm import prompt
from currant.llm.decide import Rules, complete
from currant.llm.prices import Price, dollars, price_of
from currant.query import Query
from currant.store.llm import LlmStore

BYTES_PER_TOKEN: Final = 3.5
CALL_SECONDS: Final = 3.0
_LIKELY_OUTPUT: Final = 1 / 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """`files` need a call, which are `calls` distinct contents (None: not known without an index); `reused`
    files have their answer already. `skipped` counts the others by reason. Dollars are None when the price is
    not known, and then `refused` says so; nothing would be sent."""

    provider: str
    model: str
    exact: bool
    files: int
    calls: int
    reused: int
    bytes: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    most_usd: float | None
    days: float | None
    hours: float
    price_source: str
    refused: str | None
    skipped: dict[str, int] = field(default_factory=dict)


def estimate(settings: LlmSettings, rules: Rules, query: Query, store: LlmStore | None) -> Estimate:
    """By the index: which files lack a header or documentation, and which contents are new. Raises
    StoreError."""
    skipped: Counter[str] = Counter()
    reused = 0
    sizes: dict[tuple[str, str], int] = {}
    files = 0
    for raw in query.files():
        path = raw.decode("utf-8", "surrogateescape")
        view = query.look(path)
        if view is None or view.record is None or view.content is None:
            skipped["not indexed"] += 1
            continue
        reason = rules.barred(path, view.language, view.stat.size, view.extractor or "")
        if reason is None and complete(view.record):
            reason = "documented"
        if reason is not None:
            skipped[reason] += 1
        elif store is not None and store.result(bytes.fromhex(view.content), view.language or "") is not None:
            reused += 1
        else:
            files += 1
            sizes[view.content, view.language or ""] = view.stat.size
    return _estimate(settings, files, sizes.values(), reused, skipped, exact=True)


def rough(settings: LlmSettings, rules: Rules, walked: Iterable[tuple[str, str | None, int]]) -> Estimate:
    """Without an index: (path, language, size) of every file, as if each one needed a call."""
    skipped: Counter[str] = Counter()
    sizes = list(_kept(rules, walked, skipped))
    return _estimate(settings, len(sizes), sizes, 0, skipped, exact=False)


def _kept(
    rules: Rules, walked: Iterable[tuple[str, str | None, int]], skipped: Counter[str]
) -> Iterator[int]:
    for path, language, size in walked:
        reason = rules.barred(path, language, size)
        if reason is None:
            yield size
        else:
            skipped[reason] += 1


def _estimate(
    settings: LlmSettings,
    files: int,
    sizes: Iterable[int],
    reused: int,
    skipped: Counter[str],
    *,
    exact: bool,
) -> Estimate:
    each = list(sizes)
    blank, output = prompt.most_tokens(prompt.question("", "", settings))
    likely_output = max(200, round(output * _LIKELY_OUTPUT))
    inputs = sum(round((size + blank) / BYTES_PER_TOKEN) for size in each)
    outputs = likely_output * len(each)
    price: Price | None = None
    refused: str | None = None
    try:
        price = price_of(settings)
    except ConfigError as error:
        refused = error.problems[0].valid
    usd = None if price is None else dollars(price.cost(inputs, outputs))
    most = None if price is None else dollars(sum(price.cost(size + blank + 32, output) for size in each))
    hours = len(each) * CALL_SECONDS / settings.concurrency / 3600
    days = None
    if usd is not None:
        by_money = usd / settings.usd_per_day if settings.usd_per_day else (0.0 if usd == 0 else float("inf"))
        days = max(by_money, hours / 24)
    return Estimate(
        provider=settings.provider,
        model=settings.model,
        exact=exact,
        files=files,
        calls=len(each),
        reused=reused,
        bytes=sum(each),
        input_tokens=inputs,
        output_tokens=outputs,
        usd=usd,
        most_usd=most,
        days=days,
        hours=hours,
        price_source=price.source if price else "unknown",
        refused=refused,
        skipped=dict(skipped.most_common()),
    )
