"""Signing in through a provider by a browser: it is sent there, and comes back.

Who begins has a cookie, and who comes back must have it: else anybody could have another's browser sign in
as himself. The cookie is Lax, so what a provider posts across sites comes without it: that is put with the
attempt, and the browser is sent to the same address once more, now on its own way.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from movie_api import limits
from movie_api.accounts import cookies, guard, oidc, providers, through_providers, tokens
from movie_api.accounts.providers import Provider
from movie_api.accounts.queries import attempts
from movie_api.accounts.queries.attempts import Attempt
from movie_api.accounts.routes.pages import html_page, render
from movie_api.accounts.routes.providers import begin_session, linking_caller
from movie_api.http.access import page, public
from movie_api.http.addresses import whole
from movie_api.http.conditional import never_kept
from movie_api.http.parameters import Parameter, Query, flag, matching, table, takes
from movie_api.http.problems import (
    BODY_TOO_LARGE,
    CLIENT_TOO_SLOW,
    LINK_NOT_VALID,
    NOT_ALLOWED,
    SIGN_IN_NEEDED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)

routes = Blueprint("provider_pages", __name__)

COOKIE: Final = "movie_sign_in"
_COOKIE_PATH: Final = "/auth"
_DEFAULT_NEXT: Final = "/account"
# Two slashes, or a backslash for the second, would be another host.
NEXT_PATTERN: Final = r"^/([^/\\\u0000-\u0020\u007f-\uffff][^\\\u0000-\u0020\u007f-\uffff]*)?$"
LONGEST_NEXT: Final = 500
_IS_NEXT: Final = matching(NEXT_PATTERN[1:-1], "must be a path of this server")


def _next(text: str) -> str:
    if len(text) > LONGEST_NEXT:
        raise ValueError(f"must have at most {LONGEST_NEXT} characters")
    path: str = _IS_NEXT(text)
    return path


PARAMETERS: Final = table(Parameter("next", _next), Parameter("link", flag))
# What is taken of what a provider says; Google, for one, says more.
_TOLD: Final = ("code", "error", "iss", "user")
_MOST_CHARACTERS: Final = 8_192


@routes.get("/auth/google/start")
@takes(PARAMETERS)
@public
@never_kept
def start_google(query: Query) -> Response:
    """The browser is sent to Google."""
    return _start(providers.GOOGLE, query)


@routes.get("/auth/apple/start")
@takes(PARAMETERS)
@public
@never_kept
def start_apple(query: Query) -> Response:
    """The browser is sent to Apple."""
    return _start(providers.APPLE, query)


@routes.get("/auth/oidc/<name>/start")
@takes(PARAMETERS)
@public
@never_kept
def start_oidc(query: Query, name: str) -> Response:
    """The browser is sent to this provider."""
    return _start(providers.OIDC_PREFIX + name, query)


@routes.get("/auth/google/callback")
@page
@never_kept
def return_from_google() -> Response:
    """The browser is signed in, and sent to where it wanted to go."""
    return _return(providers.GOOGLE)


@routes.get("/auth/apple/callback")
@page
@never_kept
def return_from_apple() -> Response:
    """The browser is signed in, and sent to where it wanted to go."""
    return _return(providers.APPLE)


@routes.get("/auth/oidc/<name>/callback")
@page
@never_kept
def return_from_oidc(name: str) -> Response:
    """The browser is signed in, and sent to where it wanted to go."""
    return _return(providers.OIDC_PREFIX + name)


@routes.post("/auth/apple/callback")
@page
def post_from_apple() -> Response:
    """What Apple has posted is kept, until the browser is back by itself."""
    return _post(providers.APPLE)


@routes.post("/auth/oidc/<name>/callback")
@page
def post_from_oidc(name: str) -> Response:
    """What the provider has posted is kept, until the browser is back by itself."""
    return _post(providers.OIDC_PREFIX + name)


def _start(name: str, query: Query) -> Response:
    provider = _provider(name)
    link_user_id = None
    if query.get("link"):
        # A browser signed in at the provider as somebody else, and led here, would let him in from then on.
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Problem(NOT_ALLOWED, "No other site may have an identity linked.")
        link_user_id = linking_caller().user_id
    limits.spend("nonce")
    state, browser = through_providers.new_secret(), through_providers.new_secret()
    nonce, verifier = through_providers.new_secret(), through_providers.new_secret()
    url = oidc.authorization_url(
        provider, redirect_uri=_callback(provider), state=state, nonce=nonce, verifier=verifier
    )
    # One browser may be on several ways at once: all of them are by one cookie.
    browser = _cookie() or browser
    attempts.begin(
        state,
        browser,
        Attempt(provider.name, nonce, verifier, link_user_id, query.get("next", _DEFAULT_NEXT)),
    )
    answer = _sent_to(url)
    answer.set_cookie(
        COOKIE,
        browser,
        max_age=attempts.ATTEMPT_SECONDS,
        path=cookies.path_of(_COOKIE_PATH),
        secure=cookies.must_be_secure(),
        httponly=True,
        samesite="Lax",
    )
    return answer


def _post(name: str) -> Response:
    provider = _provider(name)
    form = _form()
    state = _text(form, "state")
    if state is None or not attempts.keep_posted(state, provider.name, _told(form)):
        return _failed(_not_begun())
    return _sent_to(f"{_callback(provider)}?state={quote(state, safe='')}")


def _return(name: str) -> Response:
    provider = _provider(name)
    try:
        answer = _signed_in(provider)
    except Problem as problem:
        answer = _failed(problem)
    return answer


def _signed_in(provider: Provider) -> Response:
    """The browser is signed in, or the identity linked, and goes on.

    Raises:
        Problem: It is not.
    """
    state, browser = _text(request.args, "state"), _cookie()
    attempt = attempts.end(state, browser, provider.name) if state and browser else None
    if attempt is None:
        raise _not_begun()
    _check_link(attempt)
    spent = limits.spend("sign_in")
    told = _told(request.args) if attempt.posted is None else attempt.posted
    person = through_providers.person_of_browser(provider, attempt, told, _callback(provider))
    user = through_providers.find_user(person, attempt.link_user_id)
    answer = _sent_to(whole(attempt.next))
    if attempt.link_user_id is None:
        tokens.put_into_cookies(answer, begin_session(user, provider))
    spent.give_back()
    return answer


def _check_link(attempt: Attempt) -> None:
    """Nothing, unless an identity is to be linked, and whose account it is has signed out meanwhile.

    Raises:
        Problem: It has.
    """
    if attempt.link_user_id is None:
        return
    with suppress(Problem):
        claims = tokens.of_request()
        if claims is not None and guard.of_claims(claims).user_id == attempt.link_user_id:
            return
    raise Problem(SIGN_IN_NEEDED, "You are not signed in any more: sign in, and link it once more.")


def _failed(problem: Problem) -> Response:
    """A page that says why nobody is signed in."""
    status = problem.kind.status
    if status not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        # The page has no answer to a challenge; whatever it was, the way is to be begun anew.
        status = HTTPStatus.BAD_REQUEST
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    return html_page(lambda: (render("sign-in-failed", problem=problem), status, headers))()


def _form() -> Any:
    """What was posted.

    Raises:
        Problem: It is no form, too large, or did not come in time.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "The body must be of type application/x-www-form-urlencoded.")
    limit = through_providers.settings().max_body_bytes
    request.max_content_length = request.max_form_memory_size = limit
    try:
        return request.form
    except RequestEntityTooLarge as error:
        raise Problem(BODY_TOO_LARGE, f"The body may have {limit} bytes.") from error
    except TimeoutError as error:
        raise Problem(CLIENT_TOO_SLOW, "The body did not come in time.") from error


def _not_begun() -> Problem:
    return Problem(
        LINK_NOT_VALID,
        "This sign-in was not begun in this browser, or is over: it was finished, or took too long.",
    )


def _provider(name: str) -> Provider:
    """The provider, which can sign browsers in.

    Raises:
        Problem: It is not set up for that.
    """
    provider = providers.find(through_providers.settings(), name)
    providers.require_codes(provider)
    return provider


def _callback(provider: Provider) -> str:
    return whole(f"{provider.path}/callback")


def _cookie() -> str | None:
    return _text(request.cookies, COOKIE)


def _told(values: Any) -> dict[str, str]:
    found = {name: _text(values, name) for name in _TOLD}
    return {name: text for name, text in found.items() if text is not None}


def _text(values: Any, name: str) -> str | None:
    text: str | None = values.get(name)
    return text if text and len(text) <= _MOST_CHARACTERS and "\0" not in text else None


def _sent_to(url: str) -> Response:
    """The browser goes on there, by GET."""
    return Response(status=303, headers={"Location": url})
