"""The commands' end of the REST interface: finds the running service of a home and asks it, with the token.

The standard library's client: a command that asks one question must not pay for more.
"""

import http.client
from pathlib import Path
from typing import Any, Final

from currant import jsontext
from currant.errors import ProtocolError, RemoteError, ServiceUnreachable
from currant.hub.home import Home

TIMEOUT_SECONDS: Final = 30.0
_MOST: Final = 64 << 20


class RestClient:
    """Asks the service of one home. The address is looked up each time: a restarted service is found again.
    For one thread."""

    def __init__(self, home: Path, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._home = Home(home)
        self._timeout = timeout

    def ask(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """The JSON of an answer. Raises ServiceUnreachable when no service runs or it does not answer in
        time, RemoteError with the detail of a problem, ProtocolError when something else listens there."""
        at = self._home.running()
        if at is None or not at.port:
            raise ServiceUnreachable(f"no service runs for {self._home.path}: `currant serve` starts one")
        connection = http.client.HTTPConnection(at.host, at.port, timeout=self._timeout)
        try:
            connection.request(
                method,
                path,
                None if body is None else jsontext.dumps(body),
                {"Authorization": f"Bearer {self._home.token()}", "Accept": "application/json"},
            )
            answer = connection.getresponse()
            text = answer.read(_MOST)
        except (OSError, http.client.HTTPException) as error:
            raise ServiceUnreachable(
                f"the service at {at.url} (pid {at.pid}) does not answer: {error or type(error).__name__}"
            ) from None
        finally:
            connection.close()
        try:
            told = jsontext.loads(text)
        except (ValueError, RecursionError):
            raise ProtocolError(f"what listens at {at.url} is not the service of {self._home.path}") from None
        if answer.status >= 400:
            raise RemoteError(str(told.get("error", "Problem")), str(told.get("detail", answer.status)), 5)
        return told
