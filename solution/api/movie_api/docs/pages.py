"""The contract at /docs/openapi.yaml and .json, Swagger UI on it at /docs, and a page for each problem."""

import re
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final

import yaml
from flasgger import Swagger
from flask import Blueprint, Flask, Response, current_app, make_response, render_template, send_from_directory

from movie_api.http.access import page, public
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.conditional import by_content, never_kept
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import KINDS, NO_SUCH_PAGE, PAGES_PATH, Problem

_FOLDER: Final = Path(__file__).parent
_ASSETS: Final = _FOLDER / "assets"
_CONTRACT: Final = _FOLDER.parent / "openapi.yaml"
_TITLE: Final = "Movie API"
# Some ten times as fast, where the package has it: the contract is long.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Where an operation's address begins in the contract, and where one of its chapters does.
_PATH: Final = re.compile(r"  (/\S*):$")
_TOP: Final = re.compile(r"\w")
# Swagger UI has its small pictures in its style sheet. Nothing else comes from anywhere but here.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

docs = Blueprint("docs", __name__, template_folder="templates")


class _Docs(Swagger):  # type: ignore[misc]
    """Flasgger, showing the contract as it is written instead of collecting one from the views."""

    def get_apispecs(self, endpoint: str = "contract") -> dict[str, Any]:  # noqa: ARG002
        return contract()

    def add_headers(self, app: Flask) -> None:
        """Nothing: it would be called for every answer of the API."""


def contract() -> dict[str, Any]:
    """The OpenAPI document, of what is there as this server is set up."""
    return _contract(_absent_paths())


def _absent_paths() -> tuple[str, ...]:
    """Paths of the contract below which there is nothing here: a provider that nobody set up, say."""
    absent: tuple[str, ...] = current_app.extensions.get("absent_paths", ())
    return absent


@cache
def _contract(absent_paths: tuple[str, ...]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(_contract_text(absent_paths), Loader=_LOADER)  # noqa: S506 - it is safe
    return document


@cache
def _contract_text(absent_paths: tuple[str, ...]) -> str:
    """The contract as it is written, without the lines of what is absent."""
    lines = []
    is_there = True
    for line in _CONTRACT.read_text("utf-8").splitlines(keepends=True):
        if path := _PATH.match(line):
            is_there = not any(
                path[1] == absent or path[1].startswith(absent + "/") for absent in absent_paths
            )
        elif _TOP.match(line):
            is_there = True
        if is_there:
            lines.append(line)
    return "".join(lines)


def _page(view: Callable[..., Any]) -> Callable[..., Response]:
    """The view's answer is a page that shows itself and runs our scripts, and may do nothing else.

    It stands around what answers 304: a browser takes that answer's policy for the page that it kept.
    """

    @wraps(view)
    def add_policy(*arguments: Any, **named: Any) -> Response:
        answer = make_response(view(*arguments, **named))
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    return add_policy


def register(app: Flask) -> None:
    """The documentation is below /docs."""
    app.register_blueprint(docs)
    # Tags and paths are shown in the contract's order.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    _Docs(
        app,
        config={
            "title": _TITLE,
            "specs": [{"endpoint": "contract", "route": "/docs/openapi.json"}],
            "specs_route": "/docs/",
            "oauth_redirect": "/docs/oauth2-redirect.html",
            "template_folder": str(_FOLDER / "templates"),
            "static_folder": str(_ASSETS),
            "static_url_path": "/docs/assets",
        },
        decorators=[by_content, _page, page],
    )
    views = app.view_functions
    # An address that Flasgger adds: it redirects to the page.
    views["flasgger.<lambda>"] = page(never_kept(views["flasgger.<lambda>"]))
    views["flasgger.static"] = show_asset
    # Served as it is, not redirected: the address of a redirect would be made of the caller's Host.
    app.add_url_rule("/docs", "docs_page", app.view_functions["flasgger.apidocs"])


@docs.get("/")
@takes(table())
@public
@by_content
def show_start(_query: Query) -> Response:
    """Where to go from here."""
    places = {
        "documentation": "/docs",
        "contract": "/docs/openapi.json",
        "movies": "/movies",
        "genres": "/genres",
        "dataset": "/dataset",
    }
    return json_answer({name: whole(path) for name, path in places.items()})


@page
@by_content
def show_asset(filename: str) -> Response:
    """A script, a style or a picture of the documentation.

    Flask's own view would tag it by its file's time, and cut pieces out of what is compressed later.
    """
    answer = send_from_directory(_ASSETS, filename, conditional=False, etag=False)
    # A file's time is that of its installation; how it is kept is said for all pages alike.
    del answer.headers["Last-Modified"], answer.headers["Cache-Control"]
    return answer


@docs.get("/docs/openapi.yaml")
@page
@by_content
def show_contract() -> Response:
    """The contract, for people.

    Source: RFC 9512, YAML Media Type.
    """
    return Response(_contract_text(_absent_paths()), content_type="application/yaml")


@docs.get(PAGES_PATH.rstrip("/"))
@page
@_page
@by_content
def list_problems() -> str:
    """Every kind of problem, by status."""
    kinds = sorted(KINDS.values(), key=lambda kind: (kind.status, kind.title))
    return render_template("problems.html", title="Kinds of problems", kinds=kinds)


@docs.get(f"{PAGES_PATH}<code>")
@page
@_page
@by_content
def show_problem(code: str) -> str:
    """What one kind of problem means, and what to do."""
    kind = KINDS.get(code)
    if kind is None:
        raise Problem(NO_SUCH_PAGE, "There is no such kind of problem.")
    return render_template("problems.html", title=kind.title, kind=kind)
