"""Owns money: what a token costs, and that a model without a known price is refused.

Amounts are whole nano-dollars, rounded up, so that sums are exact: a token of a model that costs $0.06 for a
million of them is 60.
"""

import ipaddress
import math
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from currant.config import LlmSettings
from currant.errors import ConfigError, ConfigProblem

NANO: Final = 1_000_000_000

LISTED_ON: Final = "2026-11-22"
"""When `LISTED` was last compared with what others list: the price tables of seven public projects on GitHub
(Helicone's ``packages/cost`` among them), which agree. Amazon's own page and a bill were not looked at.
Prices differ by region and change; the settings ``llm.price_input_per_million`` and
``llm.price_output_per_million`` replace them."""
LISTED: Final = {"amazon.nova-lite-v1:0": (0.06, 0.24)}
"""Model on Bedrock -> dollars for a million input and output tokens, on demand, in us-east-1."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens, and where the numbers come from."""

    input: float
    output: float
    source: str

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Nano-dollars of one call."""
        # A dollar for a million tokens is a thousand nano-dollars for one.
        return math.ceil(input_tokens * self.input * 1000) + math.ceil(output_tokens * self.output * 1000)


def price_of(settings: LlmSettings) -> Price:
    """What the configured model costs: the settings, else the list, else nothing on this machine itself.

    Raises ConfigError when the price is not known: then no budget could be kept."""
    told = (settings.price_input_per_million, settings.price_output_per_million)
    if told[0] is not None and told[1] is not None:
        return Price(told[0], told[1], "settings")
    if told != (None, None):
        raise _unknown(settings, "one of the two prices is not set: set both")
    if is_local(settings):
        return Price(0.0, 0.0, "a server on this machine")
    if settings.provider != "openai" and settings.model in LISTED:
        return Price(*LISTED[settings.model], f"third-party lists of {LISTED_ON}, not Amazon's own")
    raise _unknown(settings, "its price is not known")


def _unknown(settings: LlmSettings, why: str) -> ConfigError:
    fix = f"{why}; set llm.price_input_per_million and llm.price_output_per_million (dollars)"
    return ConfigError([ConfigProblem("llm.model", settings.model, "llm", fix)])


def is_local(settings: LlmSettings) -> bool:
    """Whether contents stay on this machine: the address is one of the loopback interface."""
    if settings.base_url is None:
        return False
    try:
        host = urlsplit(settings.base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def dollars(nano: int) -> float:
    """Nano-dollars as dollars, for people and JSON."""
    return nano / NANO
