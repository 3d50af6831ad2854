"""The OpenID Connect provider of the tests, as they see it: see `oidc_provider`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

_STOP_SECONDS: Final = 10


class RunningProvider:
    """A provider that runs.

    Args:
        issuer: Its address.
        process: Its process.
    """

    def __init__(self, issuer: str, process: subprocess.Popen[str]) -> None:
        self.issuer = issuer
        self._process = process

    def add_client(self, client_id: str, *redirect_uris: str, **values: Any) -> None:
        """From now on, there is this client: see `oidc_provider.Client`."""
        self._do("client", client_id=client_id, redirect_uris=redirect_uris, **values)

    def set_person(self, **claims: Any) -> None:
        """Who is there from now on."""
        self._do("person", person=claims)

    def set_trouble(self, path: str, kind: str | None) -> None:
        """What goes wrong at a path from now on; None: nothing."""
        self._do("trouble", path=path, kind=kind)

    def tell_more_apart(self) -> None:
        """From now on, its tokens say no more than whose they are, and the rest is asked for apart."""
        self._do("apart", is_apart=True)

    def mint(self, client_id: str, *, forgery: str | None = None, **claims: Any) -> str:
        """A token that it signs, or did not: see `forged_tokens`."""
        return str(self._do("mint", client_id=client_id, claims=claims, forgery=forgery))

    def make_code(self, client_id: str, nonce: str | None = None) -> str:
        """A code as Apple gives it to apps."""
        return str(self._do("code", client_id=client_id, nonce=nonce))

    def rotate_keys(self) -> None:
        """It signs by another key from now on."""
        self._do("rotate")

    def asked(self, path: str) -> int:
        """How often somebody asked for the path."""
        return int(self._do("tell")["asked"].get(path, 0))

    def revoked(self) -> list[dict[str, str]]:
        """The tokens that it was told are needed no more."""
        return list(self._do("tell")["revoked"])

    def given(self) -> list[str]:
        """The refresh tokens that it gave and that are good."""
        return list(self._do("tell")["given"])

    def agree(self, url: str, *, answer: str = "yes") -> dict[str, str]:
        """What it sends a browser back with that was sent to the address, and whose user agrees, or not.

        It must send it back by GET.
        """
        sent = httpx.post(url, data={"answer": answer})
        assert sent.status_code == httpx.codes.FOUND, sent.text
        return dict(parse_qsl(urlsplit(sent.headers["Location"]).query))

    def agree_by_form(self, url: str, *, answer: str = "yes") -> dict[str, str]:
        """Likewise, where it has the browser post."""
        sent = httpx.post(url, data={"answer": answer})
        assert sent.status_code == httpx.codes.OK, sent.text
        return _fields_of(sent.text)

    def stop(self) -> None:
        """It is away."""
        self._process.kill()
        self._process.wait(_STOP_SECONDS)

    def _do(self, name: str, **arguments: Any) -> Any:
        answer = httpx.post(f"{self.issuer}/control/{name}", json=arguments)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_provider(host: str = "127.0.0.1") -> Iterator[RunningProvider]:
    """A provider that knows nobody, until the block is left.

    Args:
        host: What it calls itself: `localhost` is another site than 127.0.0.1.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "movie_testing.oidc_provider", host], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield RunningProvider(process.stdout.readline().strip(), process)
        finally:
            process.kill()


def _fields_of(page: str) -> dict[str, str]:
    fields: dict[str, str] = {}

    class Inputs(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            if tag == "input" and values.get("name"):
                fields[str(values["name"])] = values.get("value") or ""

    Inputs().feed(page)
    return fields
