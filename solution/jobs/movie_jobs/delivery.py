"""Messages to people: each address is told at once, in a bounded time, and none of its secrets shows."""

import logging
import re
import threading
import time
import urllib.parse
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Self

from pydantic import SecretStr

PATIENCE_SECONDS: Final = 15.0
"""How long all addresses together may take: a mail server that is dead holds nobody up."""

Kind = Literal["info", "success", "warning", "failure"]

_LIBRARY_LOG: Final = logging.getLogger("apprise")
_THREADS: Final = "message to address "
# Shorter parts are ports and such words as "to"; to hide these would make a reason unreadable.
_SECRET_CHARACTERS: Final = 4


class Delivery(NamedTuple):
    """What became of a message at one address.

    Attributes:
        place: Which address, without anything of it that could be secret.
        reason: Why the message did not go; None: it went.
    """

    place: str
    reason: str | None


def send(
    addresses: Sequence[SecretStr],
    title: str,
    text: str,
    kind: Kind = "info",
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Delivery]:
    """Sends a message to every address, to all at once; what became of it at each, in their order."""
    # Where all is logged, urllib3 logs addresses, and with a chat's webhook these are the secret.
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_is_elsewhere)
    results: dict[int, str | None] = {}
    threads = []
    for number, address in enumerate(addresses):

        def work(number: int = number, address: str = address.get_secret_value()) -> None:
            results[number] = _send_one(address, title, text, kind)

        # Daemons: a server that never answers must not keep the program from its end either.
        threads.append(threading.Thread(target=work, name=f"{_THREADS}{number + 1}", daemon=True))
    for thread in threads:
        thread.start()
    give_up_at = time.monotonic() + patience_seconds
    for thread in threads:
        thread.join(max(0.0, give_up_at - time.monotonic()))
    silent = f"no answer within {patience_seconds:g} s"
    return [
        Delivery(_place(number, address), results.get(number, silent))
        for number, address in enumerate(addresses)
    ]


def _send_one(address: str, title: str, text: str, kind: Kind) -> str | None:
    """Why it did not go, or None."""
    import apprise  # noqa: PLC0415 - a fifth of a second, and most processes never send

    with _Heard() as heard:
        try:
            sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Movie API", app_url=""))
            if not sender.add(address):
                return "Apprise does not know this form of address"
            if sender.notify(body=text, title=title, notify_type=kind, body_format="text"):
                return None
        except Exception as error:  # noqa: BLE001 - whatever a service's plugin stumbles over, the work goes on
            return type(error).__name__
    return _without_parts(" ".join(heard.lines), address) or "it was not taken"


class _Heard(logging.Handler):
    """What Apprise says in this thread: heard here alone, because it can hold what is secret."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        # For good: no other part of the product has Apprise say anything.
        _LIBRARY_LOG.propagate = False
        _LIBRARY_LOG.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LIBRARY_LOG.removeHandler(self)


def _is_elsewhere(record: logging.LogRecord) -> bool:
    return not (record.threadName or "").startswith(_THREADS)


def _place(number: int, address: str | SecretStr) -> str:
    """Number and scheme: with some services, what looks like the host is the token."""
    text = address.get_secret_value() if isinstance(address, SecretStr) else address
    return f"address {number + 1} ({text.partition('://')[0].lower()}://)"


def _without_parts(reason: str, address: str) -> str:
    """The reason without any part of the address."""
    rest = address.partition("://")[2]
    parts = {part for text in (rest, urllib.parse.unquote(rest)) for part in re.split(r"[/:@?&=#,;]", text)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SECRET_CHARACTERS:
            reason = reason.replace(part, "***")
    return reason
