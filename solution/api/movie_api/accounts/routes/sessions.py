"""Signing in by password, refreshing, signing out, and the sessions that there are."""

import uuid
from typing import Any

from flask import Blueprint, Response, request

from movie_api import limits
from movie_api.accounts import guard, passwords, schemas, signing_in, tokens
from movie_api.accounts.queries import sessions, users
from movie_api.http.access import needs, public, signed_in
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import never_kept
from movie_api.http.parameters import Query, table, takes
from movie_api.http.paths import uuid_of
from movie_api.http.problems import CHALLENGE, NO_SUCH_ENTRY, WRONG_CREDENTIALS, Problem

routes = Blueprint("sessions", __name__)


@routes.post("/auth/login")
@takes(table())
@public
def sign_in(_query: Query) -> Response:
    """The caller is who it says, and has tokens of a new session."""
    given = read_body(schemas.Credentials)
    spent = limits.spend("sign_in", schemas.email_key(given.email))
    user, made = _session_of(given)
    if made is None:
        # The hash is another one than a moment ago: it was made anew by a sign-in beside this one, or the
        # password was changed.
        user, made = _session_of(given)
    if made is None:
        raise _wrong("The account was changed while it signed in: try again.")
    spent.give_back()
    return signing_in.answer(user, made, in_cookies=given.cookies)


def _session_of(given: schemas.Credentials) -> tuple[Any, tokens.Tokens | None]:
    """The user with these credentials, and the tokens of a new session; None: the hash changed in between.

    Raises:
        Problem: They are wrong, or the account is disabled.
    """
    user = users.find_by_email(given.email)
    password_hash = None if user is None else user.password_hash
    # It takes as long whether or not there is such an account.
    if not passwords.matches(given.password, password_hash) or user is None or password_hash is None:
        raise _wrong("The address or the password is wrong.")
    if user.disabled_at is not None:
        raise _wrong("The account is disabled.")
    made = signing_in.begin_session(user, "password", password_hash=password_hash)
    if made is not None and passwords.is_outdated(password_hash):
        users.rehash(str(user.id), password_hash, passwords.hash_of(given.password))
    return user, made


def _wrong(detail: str) -> Problem:
    return Problem(WRONG_CREDENTIALS, detail, headers=CHALLENGE)


@routes.post("/auth/logout")
@takes(table())
@needs("user")
def sign_out(_query: Query) -> Response:
    """The session is over, and so is all that its tokens were good for."""
    caller = signed_in()
    sessions.end(caller.user_id, caller.session_id or "")
    answer = Response(status=204)
    tokens.take_out_of_cookies(answer)
    return answer


@routes.post("/auth/token/refresh")
@takes(table())
@public
def refresh(_query: Query) -> Response:
    """New tokens of the same session; the refresh token that was shown is used up."""
    given = read_body(schemas.Refresh)
    in_cookies = given.refresh_token is None
    claims = (
        tokens.refresh_of_cookie()
        if given.refresh_token is None
        else tokens.read(given.refresh_token, "refresh")
    )
    new_id = str(uuid.uuid4())
    rotated = sessions.rotate(
        claims.session_id, claims.token_id, new_id, signing_in.client(), signing_in.refresh_seconds()
    )
    if rotated.user_id is None:
        raise tokens.bad_token(rotated.reason or "")
    made = tokens.make(rotated.user_id, claims.session_id, new_id)
    return signing_in.answer(users.find(rotated.user_id), made, in_cookies=in_cookies)


@routes.post("/auth/token/verify")
@takes(table())
@public
def verify_token(_query: Query) -> Response:
    """What an access token is good for; one that is not is refused."""
    claims = tokens.read(read_body(schemas.TokenShown).token, "access")
    caller = guard.of_claims(claims)
    return json_answer(
        {
            "user_id": caller.user_id,
            "role": caller.role,
            "session_id": caller.session_id,
            "expires_at": schemas.moment_of(claims.expires_at),
        }
    )


@routes.get("/auth/sessions")
@takes(table())
@needs("user", scope="account:read")
@never_kept
def list_sessions(_query: Query) -> Response:
    """The caller's sessions that go on."""
    caller = signed_in()
    found = sessions.all_of(caller.user_id)
    return json_answer([schemas.session(one, caller.session_id) for one in found])


@routes.delete("/auth/sessions/<session_id>")
@takes(table())
@needs("user")
def end_session(_query: Query, session_id: str) -> Response:
    """One of the caller's sessions is over."""
    caller = signed_in()
    if not sessions.end(caller.user_id, uuid_of(session_id)):
        raise Problem(NO_SUCH_ENTRY, "Your account has no such session.")
    answer = Response(status=204)
    if session_id == caller.session_id and "Authorization" not in request.headers:
        tokens.take_out_of_cookies(answer)
    return answer
