"""The pages of accounts, for people with a browser: their scripts ask /auth as any other client does."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    request,
    send_from_directory,
)

from movie_api.accounts import schemas
from movie_api.accounts.routes.mails import can_register, can_send_mails
from movie_api.http.access import SCOPES, page
from movie_api.http.conditional import by_content

_FOLDER: Final = Path(__file__).parents[1]
_ASSETS: Final = _FOLDER / "assets"
# Scripts and styles are files of ours: whatever text got into a page, none of it runs or is styled.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

routes = Blueprint("pages", __name__, template_folder=str(_FOLDER / "templates"))


def html_page(view: Callable[..., Any]) -> Callable[..., Response]:
    """The view's answer is a page that shows itself and runs our scripts, and may do nothing else.

    It stands around what answers 304: a browser takes that answer's policy for the page that it kept.
    """

    @wraps(view)
    def add_policy(*arguments: Any, **named: Any) -> Response:
        answer = make_response(view(*arguments, **named))
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    return add_policy


def render(name: str, **values: Any) -> str:
    """One of the templates, whose links are relative: whatever path leads to us, they fit it.

    Args:
        name: The template's, in `templates/account`.
        **values: What it shows.
    """
    root = "../" * (request.path.count("/") - 1)
    return render_template(
        f"account/{name}.html",
        root=root,
        limits=schemas,
        scopes=SCOPES,
        can_register=can_register(),
        can_send_mails=can_send_mails(),
        mails_are_files=current_app.extensions["settings"].smtp_host is None,
        **values,
    )


@routes.get("/account")
@page
@html_page
@by_content
def show_account() -> str:
    """The account of whoever is signed in: its script asks who that is."""
    return render("account")


@routes.get("/account/sign-in")
@page
@html_page
@by_content
def show_sign_in() -> str:
    """Signing in, by password or through a provider."""
    return render("sign-in")


@routes.get("/account/register")
@page
@html_page
@by_content
def show_registration() -> str:
    """Making an account, or that nobody can here."""
    return render("register")


@routes.get("/account/forgot")
@page
@html_page
@by_content
def show_forgotten_password() -> str:
    """Asking for a mail to set the password anew."""
    return render("forgot")


@routes.get("/account/reset")
@page
@html_page
@by_content
def show_reset() -> str:
    """Where a mail's link leads that sets the password: its token, in the fragment, never comes here."""
    return render("reset")


@routes.get("/account/verify")
@page
@html_page
@by_content
def show_verification() -> str:
    """Where a mail's link leads that confirms an address: likewise."""
    return render("verify")


@routes.get("/account/assets/<path:filename>")
@page
@by_content
def show_asset(filename: str) -> Response:
    """A script or a style of these pages."""
    answer = send_from_directory(_ASSETS, filename, conditional=False, etag=False)
    # A file's time is that of its installation; how it is kept is said for all pages alike.
    del answer.headers["Last-Modified"], answer.headers["Cache-Control"]
    return answer
