"""Access and refresh tokens: made, read, and carried in headers, bodies or cookies.

Flask-JWT-Extended signs and reads them; what it raises becomes a problem of ours. A token says of
which session it is, and no more: role and state are the database's to tell.

Source: RFC 7519, JSON Web Token; RFC 6750, Bearer Token Usage.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import flask_jwt_extended as jwt_extended
from flask import Flask, Response, current_app, request
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException
from jwt.exceptions import ExpiredSignatureError, PyJWTError
from movie_database.settings import Settings, secret_key

from movie_api.accounts import cookies
from movie_api.http.problems import BAD_TOKEN, CHALLENGE, CSRF_TOKEN_MISSING, SIGN_IN_NEEDED, Problem

ACCESS_COOKIE: Final = "movie_access"
REFRESH_COOKIE: Final = "movie_refresh"
ACCESS_CSRF_COOKIE: Final = "movie_csrf"
REFRESH_CSRF_COOKIE: Final = "movie_refresh_csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
REFRESH_PATH: Final = "/auth"

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "movie-api"
_READ_BEFORE: Final = "tokens_read_before"
_TOKENS_KEPT: Final = 1_000  # some 1 MB in each worker


class Tokens(NamedTuple):
    """The tokens of one sign-in or refresh, and for how many seconds each is good."""

    access: str
    access_seconds: int
    refresh: str
    refresh_seconds: int


class Claims(NamedTuple):
    """What a token says: whose, of which session, and which one it is."""

    user_id: str
    session_id: str
    token_id: str
    expires_at: int


def register(app: Flask, settings: Settings) -> None:
    """From now on, tokens can be made and read."""
    app.config.update(
        JWT_ALGORITHM=_ALGORITHM,
        JWT_ENCODE_ISSUER=_ISSUER,
        JWT_DECODE_ISSUER=_ISSUER,
        JWT_ACCESS_TOKEN_EXPIRES=settings.access_token_lifetime,
        JWT_REFRESH_TOKEN_EXPIRES=settings.refresh_token_lifetime,
        JWT_TOKEN_LOCATION=["headers", "cookies"],
        JWT_COOKIE_CSRF_PROTECT=True,
        JWT_ACCESS_COOKIE_NAME=ACCESS_COOKIE,
        JWT_REFRESH_COOKIE_NAME=REFRESH_COOKIE,
        JWT_ACCESS_CSRF_HEADER_NAME=CSRF_HEADER,
        JWT_REFRESH_CSRF_HEADER_NAME=CSRF_HEADER,
    )
    manager = jwt_extended.JWTManager(app)

    @cache
    def key() -> str:
        # Asked for at the first token: making the program must not write files. It is a key of its own, so
        # that what is signed elsewhere can never pass for a token.
        return hmac.digest(secret_key(settings).encode(), b"movie-api tokens 1", hashlib.sha256).hex()

    app.extensions[_READ_BEFORE] = lru_cache(maxsize=_TOKENS_KEPT)(lambda token: read(token, "access"))
    manager.encode_key_loader(lambda _identity: key())
    manager.decode_key_loader(lambda _header, _claims: key())


def make(user_id: str, session_id: str, refresh_id: str) -> Tokens:
    """The tokens of a session.

    Args:
        user_id: Whose.
        session_id: Of which session.
        refresh_id: The id that the refresh token is known by.
    """
    claims = {"sid": session_id}
    access = jwt_extended.create_access_token(user_id, additional_claims=claims)
    refresh = jwt_extended.create_refresh_token(user_id, additional_claims={**claims, "jti": refresh_id})
    return Tokens(access, _seconds("ACCESS"), refresh, _seconds("REFRESH"))


def of_request() -> Claims | None:
    """What the access token of this request says, wherever it is carried; None: there is none.

    A header comes before a cookie: who writes one means it.

    Raises:
        Problem: There is one that is not good, or one in a cookie that nothing proves to be meant.
    """
    environ = request.environ
    header = environ.get("HTTP_AUTHORIZATION")
    if header is not None:
        return _of_header(header)
    if ACCESS_COOKIE not in environ.get("HTTP_COOKIE", ""):
        return None
    try:
        found = jwt_extended.verify_jwt_in_request(optional=True, locations=["cookies"])
    except (JWTExtendedException, PyJWTError) as error:
        raise _problem(error) from None
    return None if found is None else _claims(found[1])


def _of_header(header: str) -> Claims:
    """What the token says that a header brings.

    A client sends the same one for a quarter of an hour. Its signature was checked when it came first, which
    takes half a millisecond; that its time is not over is looked at each time, and its session by the guard.
    """
    read_before: Callable[[str], Claims] = current_app.extensions[_READ_BEFORE]
    claims = read_before(header[len("Bearer ") :].strip())
    if claims.expires_at <= time.time():
        raise bad_token("It is out of date.")
    return claims


def read(token: str, kind: str) -> Claims:
    """What a token says that was handed over as such.

    Args:
        token: The token.
        kind: `access` or `refresh`.

    Raises:
        Problem: It is not good.
    """
    try:
        claims = jwt_extended.decode_token(token)
    except (JWTExtendedException, PyJWTError) as error:
        raise _problem(error) from None
    if claims.get("type") != kind:
        raise bad_token(f"It is no {kind} token.")
    return _claims(claims)


def refresh_of_cookie() -> Claims:
    """What the refresh token says that the browser keeps for us.

    Raises:
        Problem: There is none, or it is not good.
    """
    if REFRESH_COOKIE not in request.cookies:
        raise Problem(
            SIGN_IN_NEEDED, "There is no refresh token in the body, and none in a cookie.", headers=CHALLENGE
        )
    try:
        found = jwt_extended.verify_jwt_in_request(refresh=True, locations=["cookies"])
    except (JWTExtendedException, PyJWTError) as error:
        raise _problem(error) from None
    if found is None:
        raise AssertionError("a token that is needed is there, or refused")
    return _claims(found[1])


def put_into_cookies(answer: Response, tokens: Tokens) -> None:
    """The browser keeps the tokens where no script reads them, and beside them what proves a write."""
    secure = cookies.must_be_secure()
    for name, value, path, seconds, is_secret in (
        (ACCESS_COOKIE, tokens.access, "", tokens.access_seconds, True),
        (ACCESS_CSRF_COOKIE, _csrf(tokens.access), "", tokens.access_seconds, False),
        (REFRESH_COOKIE, tokens.refresh, REFRESH_PATH, tokens.refresh_seconds, True),
        (REFRESH_CSRF_COOKIE, _csrf(tokens.refresh), "", tokens.refresh_seconds, False),
    ):
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            path=cookies.path_of(path),
            secure=secure,
            httponly=is_secret,
            samesite="Lax",
        )


def take_out_of_cookies(answer: Response) -> None:
    """The browser forgets the tokens."""
    forget_access(answer)
    answer.delete_cookie(REFRESH_CSRF_COOKIE, path=cookies.path_of(""), samesite="Lax")
    answer.delete_cookie(REFRESH_COOKIE, path=cookies.path_of(REFRESH_PATH), samesite="Lax")


def forget_access(answer: Response) -> None:
    """The browser forgets the access token, and may still refresh."""
    for name in (ACCESS_COOKIE, ACCESS_CSRF_COOKIE):
        answer.delete_cookie(name, path=cookies.path_of(""), samesite="Lax")


def bad_token(detail: str) -> Problem:
    """The refusal of a token.

    Source: RFC 6750, section 3.
    """
    return Problem(
        BAD_TOKEN,
        detail,
        headers={"WWW-Authenticate": f'{CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'},
    )


def sign_in_needed() -> Problem:
    """The refusal of a request without any token."""
    return Problem(SIGN_IN_NEEDED, "The request carries no access token and no API key.", headers=CHALLENGE)


def _claims(claims: dict[str, Any]) -> Claims:
    try:
        return Claims(claims["sub"], claims["sid"], claims["jti"], claims["exp"])
    except KeyError:
        raise bad_token("It is not a token of this server's.") from None


def _problem(error: Exception) -> Problem:
    if isinstance(error, CSRFError):
        return Problem(
            CSRF_TOKEN_MISSING, "The token is in a cookie, and the request does not prove that it is meant."
        )
    if isinstance(error, ExpiredSignatureError):
        return bad_token("It is out of date.")
    return bad_token("It can't be read, or was not made by this server.")


def _csrf(token: str) -> str:
    value: str = jwt_extended.get_csrf_token(token)
    return value


def _seconds(kind: str) -> int:
    return int(current_app.config[f"JWT_{kind}_TOKEN_EXPIRES"].total_seconds())
