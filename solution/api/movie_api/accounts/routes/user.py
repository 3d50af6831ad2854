"""The caller's own account."""

import orjson
from flask import Blueprint, Response

from movie_api import limits
from movie_api.accounts import guard, passwords, schemas, signing_in, tokens
from movie_api.accounts.queries import export, users
from movie_api.http.access import needs, signed_in
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import never_kept
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import WRONG_PASSWORD, Problem

routes = Blueprint("user", __name__)


@routes.get("/auth/user")
@takes(table())
@needs("user", scope="account:read")
@never_kept
def get_user(_query: Query) -> Response:
    """The caller's account."""
    return json_answer(schemas.user(users.find(signed_in().user_id)))


@routes.patch("/auth/user")
@takes(table())
@needs("user")
def change_user(_query: Query) -> Response:
    """The account has another name."""
    given = read_body(schemas.UserChange)
    return json_answer(schemas.user(users.rename(signed_in().user_id, given.display_name)))


@routes.delete("/auth/user")
@takes(table())
@needs("user", fresh=True)
def delete_user(_query: Query) -> Response:
    """The account is gone, and all that is personal with it."""
    users.delete(signed_in())
    answer = Response(status=204)
    tokens.take_out_of_cookies(answer)
    return answer


@routes.post("/auth/password/change")
@takes(table())
@needs("user")
def change_password(_query: Query) -> Response:
    """The password is another one; all sessions are over but the new one, whose tokens are the answer."""
    caller = signed_in()
    given = read_body(schemas.PasswordChange)
    user = users.find(caller.user_id)
    passwords.refuse_weak(given.new_password, "new_password", user.email, user.display_name)
    old_hash = users.password_hash_of(caller.user_id)
    if old_hash is None:
        # What the account has no use for yet opens it from now on.
        guard.require_fresh(caller)
    else:
        spent = limits.spend("sign_in", caller.user_id)
        if not passwords.matches(given.current_password or "", old_hash):
            raise Problem(WRONG_PASSWORD, "The current password is another one.")
        spent.give_back()
    new_hash = passwords.hash_of(given.new_password)
    is_changed = users.change_password(caller, old_hash, new_hash)
    made = signing_in.begin_session(user, "password", password_hash=new_hash) if is_changed else None
    if made is None:
        raise Problem(WRONG_PASSWORD, "The password was changed a moment ago, to another one.")
    return signing_in.answer(users.find(caller.user_id), made, in_cookies=given.cookies)


@routes.get("/auth/export")
@takes(table())
@needs("user")
@never_kept
def export_user(_query: Query) -> Response:
    """All that is kept of the caller."""
    content = orjson.dumps(export.all_about(signed_in().user_id), option=orjson.OPT_INDENT_2)
    return Response(
        content,
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="account.json"'},
    )
