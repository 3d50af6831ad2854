"""Keys for scripts."""

from flask import Blueprint, Response

from movie_api.accounts import schemas
from movie_api.accounts.queries import keys
from movie_api.http.access import needs, signed_in
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import never_kept
from movie_api.http.parameters import Query, table, takes
from movie_api.http.paths import uuid_of
from movie_api.http.problems import NO_SUCH_ENTRY, Problem

routes = Blueprint("keys", __name__)


@routes.post("/auth/keys")
@takes(table())
@needs("user", fresh=True)
def make_key(_query: Query) -> Response:
    """A new key; this answer is the only place where it is ever shown."""
    given = read_body(schemas.NewKey)
    made = keys.make(signed_in(), given.name, given.scopes, given.days)
    return json_answer(schemas.api_key(made.row, made.secret), 201, {"Location": whole("/auth/keys")})


@routes.get("/auth/keys")
@takes(table())
@needs("user", scope="account:read")
@never_kept
def list_keys(_query: Query) -> Response:
    """The caller's keys, without what they open with."""
    return json_answer([schemas.api_key(one) for one in keys.all_of(signed_in().user_id)])


@routes.delete("/auth/keys/<key_id>")
@takes(table())
@needs("user")
def revoke_key(_query: Query, key_id: str) -> Response:
    """The key is good no more."""
    if not keys.revoke(signed_in(), uuid_of(key_id)):
        raise Problem(NO_SUCH_ENTRY, "Your account has no such key that is good.")
    return Response(status=204)
