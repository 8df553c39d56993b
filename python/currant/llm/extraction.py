"""One row of the queue, from reading its file to storing the answer. Owns the order of the steps and of the
money.

The content that is sent is the one that was queued: another one is left to the feed, which brings it by
itself. Money is reserved before each call, the one that repairs included, and settled by what the server
reports; where it reports nothing that can be true, the worst case stays counted.
"""

import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from currant.clock import Clock
from currant.config import LlmSettings
from currant.extract.secrets import Secrets
from currant.llm import prompt
from currant.llm.decide import Rules
from currant.llm.leaks import leak
from currant.llm.pace import backoff
from currant.llm.prices import NANO, Price, dollars
from currant.llm.wire import CallError, Client, Misconfigured, Rejected, Reply, Request, Throttled
from currant.reading import Reader, ReadFile, Torn
from currant.store.ledger import Refused
from currant.store.llm import LlmStore, Waiting

log = logging.getLogger(__name__)

_TORN_SECONDS: Final = 1.0


class Outcome(Enum):
    """What became of a row. Only of the first four is there more to tell."""

    ANSWERED = "answered"
    THROTTLED = "throttled"
    NO_BUDGET = "no budget"
    MISCONFIGURED = "misconfigured"
    POSTPONED = "postponed"
    QUARANTINED = "quarantined"
    KNOWN = "known"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a row ended; `retry_after` of a throttled call, `reason` of what stands in everybody's way."""

    outcome: Outcome
    retry_after: float | None = None
    reason: str = ""


class _NoMoneyError(Exception):
    def __init__(self, refused: Refused) -> None:
        self.refused = refused


class Extraction:
    """Works on rows, one at a time; one for each thread, because of its `Reader`. `needed` says of a
    path and a language whether it is still of that language, and syntax leaves something to fill in it: a
    better extractor may have come since it was queued."""

    def __init__(
        self,
        reader: Reader,
        store: LlmStore,
        client: Client,
        settings: LlmSettings,
        price: Price,
        rules: Rules,
        secrets: Secrets,
        *,
        needed: Callable[[str, str], bool],
        clock: Clock,
        dice: random.Random,
    ) -> None:
        self._reader = reader
        self._store = store
        self._client = client
        self._settings = settings
        self._price = price
        self._rules = rules
        self._secrets = secrets
        self._needed = needed
        self._clock = clock
        self._dice = dice

    def close(self) -> None:
        """Let go of the root."""
        self._reader.close()

    def run(self, row: Waiting) -> Ended:
        """Bring one row to its end, or leave it in the queue for later. Raises StoreError."""
        if self._store.take_known(row):
            return Ended(Outcome.KNOWN)
        path = os.fsdecode(row.path)
        self._reader.refresh()
        reading = self._reader.read(path)
        if isinstance(reading, Torn):
            self._store.postpone(row, attempts=row.attempts, not_before=self._clock.now() + _TORN_SECONDS)
            return Ended(Outcome.POSTPONED)
        if (
            not isinstance(reading, ReadFile)
            or reading.digest != row.content
            or reading.content is None
            or self._secrets(path, reading.head, reading.stat.size)
            or self._rules.barred(path, row.language, reading.stat.size)
            or not self._needed(path, row.language)
        ):
            self._store.drop(row)
            return Ended(Outcome.DROPPED)
        found = leak(reading.content)
        if found is not None:
            return self._set_apart(row, f"not sent: {found}")
        try:
            text = reading.content.decode("utf-8")
        except UnicodeDecodeError:
            return self._set_apart(row, "not sent: no UTF-8")
        try:
            return self._ask(row, prompt.question(row.language, text, self._settings))
        except _NoMoneyError as error:
            return self._no_money(row, error.refused)
        except Throttled as error:
            # Not the file's fault, so not one of its attempts.
            return Ended(Outcome.THROTTLED, error.retry_after, str(error))
        except Misconfigured as error:
            return Ended(Outcome.MISCONFIGURED, reason=str(error))
        except Rejected as error:
            return self._set_apart(row, f"refused by the server: {error}")
        except CallError as error:
            return self._again(row, str(error))

    # --- the calls ------------------------------------------------------------------------------------

    def _ask(self, row: Waiting, request: Request) -> Ended:
        """The call, and one that repairs its answer when that has another shape."""
        problem = ""
        for purpose in ("first", "repair"):
            number = self._reserve(row, request, purpose if row.attempts == 0 else f"{purpose} again")
            reply = self._call(number, request)
            cost = None if reply.tokens is None else self._price.cost(*reply.tokens)
            try:
                answer = prompt.parse(reply.text)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                problem = _shortened(error)
                if reply.cut_off:
                    problem = f"the answer reached llm.max_output_tokens ({problem})"
                self._store.settle(number, nano=cost, tokens=reply.tokens, outcome=f"refused: {problem}")
                request = prompt.repair(request, reply.text.decode("utf-8", "replace"), problem)
                continue
            stored = (row, msgspec.json.encode(answer), self._clock.now())
            self._store.settle(number, nano=cost, tokens=reply.tokens, outcome="ok", answer=stored)
            return Ended(Outcome.ANSWERED)
        return self._set_apart(row, f"the answer does not fit the schema: {problem}")

    def _call(self, number: int, request: Request) -> Reply:
        """Whatever happens, the reservation is settled, or this process has ended."""
        try:
            return self._client.ask(request)
        except BaseException as error:
            charged = error.charged if isinstance(error, CallError) else True
            words = f"{type(error).__name__}: {_shortened(error)}"
            self._store.settle(number, nano=None if charged else 0, tokens=None, outcome=words)
            raise

    def _reserve(self, row: Waiting, request: Request, purpose: str) -> int:
        number = self._store.reserve(
            row,
            prompt.most(request, self._price),
            purpose=purpose,
            day_limit=round(self._settings.usd_per_day * NANO),
            total_limit=round(self._settings.usd_total * NANO),
            now=self._clock.now(),
        )
        if isinstance(number, Refused):
            raise _NoMoneyError(number)
        return number

    # --- the ends -------------------------------------------------------------------------------------

    def _no_money(self, row: Waiting, refused: Refused) -> Ended:
        if not refused.never:
            return Ended(Outcome.NO_BUDGET, reason=refused.budget)
        name = "llm.usd_per_day" if refused.budget == "day" else "llm.usd_total"
        limit = self._settings.usd_per_day if refused.budget == "day" else self._settings.usd_total
        return self._set_apart(row, f"one call may cost more than {name} = {limit:g}")

    def _again(self, row: Waiting, reason: str) -> Ended:
        attempts = row.attempts + 1
        if attempts >= self._settings.max_attempts:
            return self._set_apart(row, f"no answer in {attempts} attempts, the last: {reason}")
        log.info("%r: %s", row.path, reason)
        wait = backoff(attempts, self._dice)
        self._store.postpone(row, attempts=attempts, not_before=self._clock.now() + wait)
        return Ended(Outcome.POSTPONED, reason=reason)

    def _set_apart(self, row: Waiting, reason: str) -> Ended:
        self._store.quarantine(row, reason, self._clock.now())
        return Ended(Outcome.QUARANTINED, reason=reason)


def budget_words(settings: LlmSettings, budget: str, spent: int) -> str:
    """Which budget is used up, for people."""
    name = "llm.usd_per_day" if budget == "day" else "llm.usd_total"
    limit = settings.usd_per_day if budget == "day" else settings.usd_total
    return f"{name} = {limit:g} leaves no room for another call (${dollars(spent):.4f} are spent or reserved)"


def _shortened(error: BaseException) -> str:
    return str(error).replace("\n", " ")[:300]
