"""An OpenID Connect provider in a process of its own, on Authlib's server classes.

It asks nobody for a password: whoever it was told is there has but to agree. It insists on PKCE with S256,
can have its answer posted, takes tokens back, and takes Apple's kind of client secret. At `/control`, tests
tell it who is there, what goes wrong, and have it sign tokens that no good provider would.

Run: `python -m movie_testing.oidc_provider HOST`; the first line that it prints is its address.
"""
# ruff: noqa: D102 - what Authlib's methods are for, its documentation tells

import html
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from movie_testing.forged_tokens import forge
from movie_testing.oidc_models import AUTH_METHODS, DESCRIPTION_PATH, Client, Code, Given, provider

_TOKEN_SECONDS: Final = 600
_HUGE_BYTES: Final = 2_000_000
_SLOW_SECONDS: Final = 30
_FORM: Final = """<!DOCTYPE html>
<html lang="en"><title>Provider</title><link rel="icon" href="data:,"><main><h1>{title}</h1>
<form method="post" action="{action}">{fields}{buttons}</form></main></html>
"""


class StrictChallenge(CodeChallenge):  # type: ignore[misc]
    """PKCE, which nobody is let go without."""

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge with the method S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes: given to who agrees, exchanged once."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def create_authorization_response(self, redirect_uri: str, grant_user: Any) -> tuple[int, str, list[Any]]:
        data, client = self.request.payload.data, self.request.client
        told: dict[str, str] = {"state": data["state"]} if data.get("state") else {}
        if client.team is None:
            told["iss"] = provider.issuer
        if grant_user is None:
            told["error"] = "access_denied" if client.team is None else "user_cancelled_authorize"
        else:
            self.request.user = grant_user
            told["code"] = self.generate_authorization_code()
            self.save_authorization_code(told["code"], self.request)
            told |= _apples_user(client, grant_user)
        if data.get("response_mode") == "form_post":
            fields = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in told.items()
            )
            page = _FORM.format(
                title="Back to the program",
                action=html.escape(redirect_uri),
                fields=fields,
                buttons="<button>Go back</button>",
            )
            return 200, page, [("Content-Type", "text/html; charset=utf-8")]
        return 302, "", [("Location", add_params_to_uri(redirect_uri, list(told.items())))]

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        provider.codes[code] = Code(
            code,
            request.client.client_id,
            dict(request.user),
            data.get("redirect_uri"),
            request.scope,
            data.get("nonce"),
            data.get("code_challenge"),
            data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = provider.codes.get(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.person


class IdTokens(OpenIDCode):  # type: ignore[misc]
    """What says who signed in."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ARG002
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:  # noqa: ARG002
        return provider.key

    def get_encode_header(self, client: Client) -> dict[str, Any]:  # noqa: ARG002
        return {"alg": "RS256", "kid": provider.key.kid}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": provider.issuer, "aud": client.client_id}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> dict[str, Any]:  # noqa: ARG002
        if provider.tells_more_apart:
            return {"sub": user["sub"]}
        # Apple's tokens have no name.
        return {name: value for name, value in user.items() if name != "apple_name"}


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Where tokens are taken back."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Given | None:  # noqa: ARG002
        return provider.given.get(token_string)

    def revoke_token(self, token: Given, request: Any) -> None:  # noqa: ARG002
        del provider.given[token.token]
        provider.revoked.append({"token": token.token, "client_id": token.client_id})


def _apples_user(client: Client, person: dict[str, Any]) -> dict[str, str]:
    """What Apple tells the first time alone."""
    pair = (client.client_id, person["sub"])
    if client.team is None or "apple_name" not in person or pair in provider.known_to:
        return {}
    provider.known_to.add(pair)
    return {"user": json.dumps({"name": person["apple_name"], "email": person.get("email")})}


def _save_token(token: dict[str, Any], request: Any) -> None:
    provider.persons_by_token[token["access_token"]] = request.user
    if "refresh_token" in token:
        made = Given(token["refresh_token"], request.client.client_id)
        provider.given[made.token] = made


app = Flask(__name__)
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
server = AuthorizationServer(app, provider.clients.get, _save_token)
server.register_grant(Grant, [StrictChallenge(required=True), IdTokens()])
server.register_endpoint(Revocation)


@app.before_request
def go_wrong() -> Response | None:
    """What tests have go wrong, and a count of what was asked."""
    provider.asked[request.path] += 1
    match provider.troubles.get(request.path):
        case "error":
            return Response("sorry", 500)
        case "redirect":
            place = f"{provider.issuer}/elsewhere"
            return Response("{}", 302, {"Location": place}, content_type="application/json")
        case "garbage":
            return Response("<p>Under maintenance</p>", 200)
        case "huge":
            return Response(b" " * _HUGE_BYTES + b"{}", content_type="application/json")
        case "slow":
            time.sleep(_SLOW_SECONDS)
    return None


@app.get(DESCRIPTION_PATH)
def describe() -> Response:
    """What the provider says of itself."""
    return jsonify(provider.description())


@app.get("/jwks")
def show_keys() -> Response:
    """The public halves of its keys, and one of a kind that nobody knows."""
    keys: list[Any] = list(KeySet([provider.key]).as_dict(private=False, use="sig")["keys"])
    return jsonify({"keys": [{"kty": "AKP", "kid": "of-tomorrow", "alg": "ML-DSA-44"}, *keys]})


@app.route("/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """Whoever is there agrees, or not; a `login_hint` agrees at once."""
    try:
        grant = server.get_consent_grant(end_user=provider.person)
        grant.validate_authorization_request()
    except OAuth2Error as error:
        return Response(f"{error.error}: {error.description}", 400)
    if request.method == "GET" and "login_hint" not in request.args:
        buttons = (
            '<button name="answer" value="yes">Agree</button><button name="answer" value="no">No</button>'
        )
        action = html.escape(request.full_path)
        return _FORM.format(title="Sign in?", action=action, fields="", buttons=buttons)
    user = None if request.form.get("answer") == "no" else provider.person
    return server.create_authorization_response(grant_user=user, grant=grant)


@app.post("/token")
def give_tokens() -> Any:
    """Tokens for a code."""
    return server.create_token_response()


@app.get("/userinfo")
def tell_more() -> Any:
    """What is known of the person whose access token it is."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    person = provider.persons_by_token.get(token)
    if person is None:
        return Response("no such token", 401)
    return jsonify(person | ({"sub": "another"} if provider.troubles.get("/userinfo") == "person" else {}))


@app.post("/revoke")
def take_back() -> Any:
    """A token is good no more."""
    return server.create_endpoint_response("revocation")


def _add_client(**values: Any) -> None:
    provider.clients[values["client_id"]] = Client(**values)


def _set_person(person: dict[str, Any]) -> None:
    provider.person = person


def _set_trouble(path: str, kind: str | None) -> None:
    provider.troubles.pop(path, None)
    if kind is not None:
        provider.troubles[path] = kind


def _tell_more_apart(*, is_apart: bool) -> None:
    provider.tells_more_apart = is_apart


def _mint(client_id: str, claims: dict[str, Any], forgery: str | None = None) -> str:
    """A token with these claims; of those that are null, none."""
    now = int(time.time())
    whole = {"iss": provider.issuer, "aud": client_id, "iat": now, "exp": now + _TOKEN_SECONDS} | claims
    return forge(provider.key, {name: one for name, one in whole.items() if one is not None}, forgery)


def _make_code(client_id: str, nonce: str | None = None) -> str:
    """A code as Apple's own dialogue gives it to apps: without a challenge, and sent to no address."""
    code = f"code-{len(provider.codes)}-{time.time_ns()}"
    provider.codes[code] = Code(code, client_id, dict(provider.person), None, "openid", nonce, None, None)
    return code


def _tell() -> dict[str, Any]:
    return {"asked": provider.asked, "revoked": provider.revoked, "given": list(provider.given)}


CONTROLS: Final[dict[str, Callable[..., Any]]] = {
    "client": _add_client,
    "person": _set_person,
    "trouble": _set_trouble,
    "apart": _tell_more_apart,
    "mint": _mint,
    "code": _make_code,
    "rotate": provider.rotate,
    "tell": _tell,
}


@app.post("/control/<name>")
def control(name: str) -> Response:
    """What tests have it do."""
    return jsonify(CONTROLS[name](**request.get_json()))


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    listener = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    provider.issuer = f"http://{sys.argv[1]}:{listener.port}"
    sys.stdout.write(provider.issuer + "\n")
    sys.stdout.flush()
    listener.serve_forever()
