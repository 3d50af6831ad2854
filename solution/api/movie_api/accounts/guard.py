"""Before any view: who asks, and whether the view is for them."""

import time
from typing import Final

from flask import Flask, Response, current_app, g, request

from movie_api.accounts import tokens
from movie_api.accounts.queries import keys, sessions
from movie_api.http.access import ROLES, Caller, Rule, rule_of
from movie_api.http.problems import BAD_TOKEN, NOT_ALLOWED, SIGN_IN_AGAIN, Problem

FRESH_SECONDS: Final = 15 * 60

_HEADER: Final = "HTTP_AUTHORIZATION"
_BEARER: Final = "bearer "


def register(app: Flask) -> None:
    """From now on, no view runs for whom it is not meant."""
    app.before_request(_check)
    app.after_request(_forget_dead_cookies)


def _check() -> None:
    environ = request.environ
    endpoint = request.endpoint
    if endpoint is None or environ["REQUEST_METHOD"] == "OPTIONS":
        # There is nothing at the address, or a browser asks before it sends what it has.
        return
    rule = rule_of(current_app.view_functions[endpoint])
    if rule is None:
        raise AssertionError(f"{endpoint} does not say whom it is for")
    if rule.is_page:
        return
    caller = None
    if _HEADER in environ:
        caller = _caller()
    elif "HTTP_COOKIE" in environ:
        caller = _of_cookie(rule)
    g.caller = caller
    if rule.role is not None:
        _admit(caller, rule)


def _caller() -> Caller | None:
    """Who asks; None: no token and no key was sent.

    Raises:
        Problem: One was sent that is not good.
    """
    header = request.environ.get(_HEADER)
    if header is not None:
        scheme, token = header[: len(_BEARER)], header[len(_BEARER) :].strip()
        if scheme.lower() != _BEARER:
            raise tokens.bad_token("The Authorization header is not of the form: Bearer, and a token.")
        if token.startswith(keys.PREFIX):
            return _of_key(token)
    claims = tokens.of_request()
    return None if claims is None else of_claims(claims)


def _of_cookie(rule: Rule) -> Caller | None:
    """Who asks by a cookie, which a browser sends along whether or not it is meant.

    To sign in or to refresh, one that is not good, or not proved to be meant, is as good as none.

    Raises:
        Problem: There is one that is not good.
    """
    try:
        return _caller()
    except Problem:
        if rule.role is None and request.method not in ("GET", "HEAD"):
            return None
        raise


def of_claims(claims: tokens.Claims) -> Caller:
    """Who has the token that says this.

    Raises:
        Problem: Its session or its account is over.
    """
    row = sessions.of_session(claims.session_id)
    if row is None or row[0] != claims.user_id:
        raise tokens.bad_token("Its session is over.")
    user_id, role, pseudonym, signed_in_at, is_over, is_disabled = row
    if is_disabled:
        raise tokens.bad_token("The account is disabled.")
    if is_over:
        raise tokens.bad_token("Its session is over.")
    return Caller(user_id, role, pseudonym, session_id=claims.session_id, signed_in_at=signed_in_at)


def _of_key(key: str) -> Caller:
    row = sessions.of_key(key)
    if row is None:
        raise tokens.bad_token("There is no such API key.")
    user_id, role, pseudonym, key_id, scopes, is_revoked, is_expired, is_disabled = row
    if is_revoked or is_expired:
        raise tokens.bad_token("The API key was revoked." if is_revoked else "The API key is out of date.")
    if is_disabled:
        raise tokens.bad_token("The account is disabled.")
    return Caller(user_id, role, pseudonym, key_id=key_id, scopes=tuple(scopes))


def _admit(caller: Caller | None, rule: Rule) -> None:
    """Nothing, if the rule lets the caller in.

    Raises:
        Problem: It does not.
    """
    if caller is None:
        if rule.is_open_for_demonstrations and current_app.extensions["settings"].anonymous_writes:
            return
        raise tokens.sign_in_needed()
    if caller.key_id is not None and rule.scope not in caller.scopes:
        raise Problem(
            NOT_ALLOWED,
            f"This needs a key with the scope {rule.scope}."
            if rule.scope
            else "No API key may do this, whatever its scopes: sign in.",
        )
    if rule.role is not None and ROLES.index(caller.role) < ROLES.index(rule.role):
        raise Problem(
            NOT_ALLOWED, f"This needs the role {rule.role}; the account has the role {caller.role}."
        )
    if rule.is_fresh:
        require_fresh(caller)


def require_fresh(caller: Caller) -> None:
    """Nothing, if the caller signed in within the last minutes.

    Raises:
        Problem: It was longer ago.
    """
    if time.time() - caller.signed_in_at > FRESH_SECONDS:
        raise Problem(SIGN_IN_AGAIN, "The session was signed in more than 15 minutes ago.")


def _forget_dead_cookies(answer: Response) -> Response:
    """A browser does not go on sending a token that is not good: what is public is there for it again."""
    if (
        answer.status_code == BAD_TOKEN.status
        and _HEADER not in request.environ
        and tokens.ACCESS_COOKIE in request.cookies
    ):
        tokens.forget_access(answer)
    return answer
