"""A sign-in that succeeded: the session begins, and its tokens go to the client as it likes them."""

import uuid
from typing import Any

from flask import Response, current_app, request

from movie_api.accounts import schemas, tokens
from movie_api.accounts.queries import sessions
from movie_api.accounts.queries.sessions import Client
from movie_api.http.addresses import Addresses
from movie_api.http.answers import json_answer


def begin_session(user: Any, method: str, *, password_hash: str | None = None) -> tokens.Tokens | None:
    """The tokens of a new session of this user.

    Args:
        user: The row of `users.USER_COLUMNS`.
        method: `password`, or the provider.
        password_hash: The one that the password was compared with, if it was.

    Returns:
        None: the account is gone, disabled, or has another password by now.
    """
    refresh_id = str(uuid.uuid4())
    session_id = sessions.begin(
        str(user.id), method, client(), refresh_id, refresh_seconds(), password_hash=password_hash
    )
    return None if session_id is None else tokens.make(str(user.id), session_id, refresh_id)


def answer(user: Any, made: tokens.Tokens, *, in_cookies: bool) -> Response:
    """The tokens and the user: in the body, or the former in cookies."""
    body = {
        "access_token": None if in_cookies else made.access,
        "refresh_token": None if in_cookies else made.refresh,
        "token_type": "Bearer",
        "expires_in": made.access_seconds,
        "refresh_expires_in": made.refresh_seconds,
        "user": schemas.user(user),
    }
    made_answer = json_answer(body)
    if in_cookies:
        tokens.put_into_cookies(made_answer, made)
    return made_answer


def client() -> Client:
    """Who asks, as the list of sessions tells it."""
    addresses: Addresses = current_app.extensions["addresses"]
    return Client(addresses.client(request.environ), request.headers.get("User-Agent"))


def refresh_seconds() -> float:
    """How long a refresh token is good."""
    seconds: float = current_app.extensions["settings"].refresh_token_lifetime.total_seconds()
    return seconds
