"""Signing in by a code with PKCE, as mobile and single-page clients do."""

import secrets

import httpx
import pytest
from movie_api.accounts import userinfo
from movie_testing.our_clients import (
    APP_ADDRESS,
    APPLE_APP,
    APPLE_WEB,
    EXAMPLE,
    GOOGLE_APP,
    GOOGLE_WEB,
    settings_of,
)

CLIENTS = [
    ("google", GOOGLE_WEB),
    ("google", GOOGLE_APP),
    ("apple", APPLE_WEB),
    ("apple", APPLE_APP),
    ("oidc/example", EXAMPLE),
]
NOT_TAKEN = "The provider does not take the code, or not with this verifier and address."


def reason(answer) -> str:
    assert (answer.status_code, answer.json["type"]) == (401, "/docs/errors/provider-token-refused")
    return answer.json["detail"]


def wrong_fields(answer) -> list[str]:
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/invalid-body")
    return [one["field"] for one in answer.json["errors"]]


def exchange(provider, **values) -> httpx.Response:
    """Asks the provider itself."""
    return httpx.post(f"{provider.issuer}/token", data={"grant_type": "authorization_code"} | values)


@pytest.mark.parametrize(("name", "client_id"), CLIENTS)
def test_a_code_signs_in_each_client_as_the_provider_knows_it(api, code_body, name, client_id):
    answer = api.post(f"/auth/{name}", json=code_body(client_id))
    assert (answer.status_code, answer.json["user"]["display_name"]) == (200, "Ann")


def test_without_a_client_named_it_is_the_first(api, code_body):
    body = code_body(GOOGLE_WEB)
    del body["client_id"]
    assert api.post("/auth/google", json=body).status_code == 200


def test_a_wrong_verifier_is_refused(api, code_body):
    body = code_body(code_verifier=secrets.token_urlsafe(32))
    assert reason(api.post("/auth/google", json=body)) == NOT_TAKEN


def test_a_missing_verifier_is_refused(api, code_body):
    assert wrong_fields(api.post("/auth/google", json=code_body(code_verifier=None))) == ["code_verifier"]


@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_the_provider_of_the_tests_minds_the_verifier_itself(provider, way, verifier):
    code = provider.agree(way(provider, GOOGLE_APP).url)["code"]
    values = {"code": code, "client_id": GOOGLE_APP, "redirect_uri": APP_ADDRESS}
    answer = exchange(provider, **values, **({} if verifier is None else {"code_verifier": verifier}))
    assert (answer.status_code, "id_token" in answer.json()) == (400, False)


@pytest.mark.parametrize("method", ["plain", ""])
def test_the_provider_of_the_tests_gives_no_code_without_pkce(provider, way, method):
    sent = httpx.get(way(provider, GOOGLE_APP, code_challenge_method=method).url)
    assert (sent.status_code, "S256" in sent.text) == (400, True)


def test_a_code_is_taken_once(api, code_body):
    body = code_body()
    assert api.post("/auth/google", json=body).status_code == 200
    assert reason(api.post("/auth/google", json=body)) == NOT_TAKEN


def test_a_code_that_somebody_made_up_is_refused(api, code_body):
    assert reason(api.post("/auth/google", json=code_body(code="made up"))) == NOT_TAKEN


def test_a_code_of_another_client_is_refused(api, code_body):
    body = code_body(GOOGLE_WEB, client_id=GOOGLE_APP)
    assert reason(api.post("/auth/google", json=body)) == NOT_TAKEN


def test_an_address_that_is_not_allowed_is_refused(api, code_body):
    body = code_body(redirect_uri="https://evil.example/signed-in")
    assert wrong_fields(api.post("/auth/google", json=body)) == ["redirect_uri"]


def test_an_address_that_the_code_was_not_sent_to_is_refused(api, code_body):
    assert reason(api.post("/auth/google", json=code_body(redirect_uri=None))) == NOT_TAKEN


def test_a_client_that_is_none_of_ours_is_refused(api, code_body):
    assert wrong_fields(api.post("/auth/google", json=code_body(client_id="another"))) == ["client_id"]


def test_all_that_is_wrong_with_a_body_is_told_at_once(api):
    body = {"code": "x", "id_token": "x", "redirect_uri": "https://evil.example", "client_id": "another"}
    answer = api.post("/auth/google", json=body)
    assert wrong_fields(answer) == ["nonce", "code_verifier", "redirect_uri", "client_id"]


def test_a_nonce_beside_a_code_must_be_the_tokens(api, code_body, nonce):
    assert reason(api.post("/auth/google", json=code_body(nonce=nonce()))) == "The token has no nonce."


def test_a_nonce_beside_a_code_is_used_up(api, provider, way, nonce):
    given = nonce()
    made = way(provider, GOOGLE_APP, nonce=given)
    body = {
        "code": provider.agree(made.url)["code"],
        "code_verifier": made.verifier,
        "redirect_uri": APP_ADDRESS,
        "client_id": GOOGLE_APP,
        "nonce": given,
    }
    assert api.post("/auth/google", json=body).status_code == 200
    assert reason(api.post("/auth/google", json=body)).startswith("The nonce is none")


def test_a_provider_that_does_not_take_us_for_its_client_is_as_good_as_away(make_app, provider, code_body):
    api = make_app(**settings_of(provider) | {"google_client_secret": "another"}).test_client()
    answer = api.post("/auth/google", json=code_body())
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/provider-away")


@pytest.fixture
def apples_body(provider, nonce):
    """Makes what Apple's own dialogue gives an app: a token, and a code without a verifier."""

    def make(**more) -> dict:
        given = nonce()
        provider.set_person(sub="of-apple", email="ann@example.com", email_verified="true")
        return {
            "id_token": provider.mint(APPLE_APP, sub="of-apple", nonce=given),
            "nonce": given,
            "code": provider.make_code(APPLE_APP),
        } | more

    return make


def test_apples_apps_send_a_token_and_a_code(api, apples_body, database_cursor):
    answer = api.post("/auth/apple", json=apples_body(display_name="Ann Other"))
    assert (answer.status_code, answer.json["user"]["display_name"]) == (200, "Ann Other")
    assert answer.json["user"]["email_verified"]
    database_cursor.execute("SELECT client_id, sealed_refresh_token IS NOT NULL FROM identities")
    assert database_cursor.fetchone() == (APPLE_APP, True)


def test_a_token_and_a_code_of_two_persons_are_refused(api, apples_body, provider):
    body = apples_body()
    provider.set_person(sub="another")
    body["code"] = provider.make_code(APPLE_APP)
    assert reason(api.post("/auth/apple", json=body)) == "The token and the code are of two persons."


def test_a_code_without_a_verifier_is_not_taken_alone_from_apples_apps_either(api, apples_body):
    body = apples_body()
    del body["id_token"]
    assert wrong_fields(api.post("/auth/apple", json=body)) == ["code_verifier"]


def test_nobody_but_apple_gives_codes_without_a_verifier(api, apples_body, provider):
    body = apples_body()
    assert wrong_fields(api.post("/auth/google", json=body)) == ["code_verifier"]


@pytest.fixture
def keyless(make_app, provider):
    """A caller of a server that has no key of Apple's."""
    return make_app(**settings_of(provider) | {"apple_private_key": None}).test_client()


def test_without_apples_key_its_tokens_are_taken(keyless, apples_body):
    assert keyless.post("/auth/apple", json=apples_body()).status_code == 200


def test_without_apples_key_its_codes_are_not(keyless, code_body):
    answer = keyless.post("/auth/apple", json=code_body(APPLE_WEB))
    assert (answer.status_code, answer.json["type"]) == (404, "/docs/errors/no-such-provider")


def test_a_refresh_token_is_kept_sealed(api, code_body, provider, database_cursor):
    before = set(provider.given())
    api.post("/auth/apple", json=code_body(APPLE_WEB))
    (token,) = set(provider.given()) - before
    database_cursor.execute("SELECT sealed_refresh_token FROM identities")
    (sealed,) = database_cursor.fetchone()
    assert sealed.count(".") == 4
    assert token not in sealed


@pytest.mark.parametrize(
    ("claims", "more", "email", "is_verified"),
    [
        ({}, {"email": "a", "email_verified": True}, "a", True),
        ({"email": "a"}, {"email": "b", "email_verified": True}, "a", None),
        ({"email_verified": True}, {"email": "b"}, "b", None),
        ({"email": "a", "email_verified": True}, {}, "a", True),
    ],
)
def test_nobody_vouches_for_an_address_by_what_is_said_of_another(claims, more, email, is_verified):
    merged = userinfo.merged(claims, more)
    assert (merged.get("email"), merged.get("email_verified")) == (email, is_verified)


# ── What a provider tells apart from its token ──


@pytest.fixture
def apart(own_provider, make_app, way):
    """Signs in by a code at a provider whose tokens say no more than whose they are."""
    own_provider.tell_more_apart()
    own_provider.set_person(sub="1", email="ann@example.com", email_verified=True, name="Ann")
    api = make_app(**settings_of(own_provider)).test_client()

    def sign_in():
        made = way(own_provider, EXAMPLE)
        body = {
            "code": own_provider.agree(made.url)["code"],
            "code_verifier": made.verifier,
            "redirect_uri": APP_ADDRESS,
        }
        return api.post("/auth/oidc/example", json=body)

    return sign_in


def test_an_address_that_the_token_lacks_is_asked_for(apart):
    user = apart().json["user"]
    assert (user["email"], user["email_verified"], user["display_name"]) == ("ann@example.com", True, "Ann")


def test_what_is_told_of_another_person_is_refused(apart, own_provider):
    own_provider.set_trouble("/userinfo", "person")
    assert reason(apart()) == "The provider tells of another person than its token does."


def test_nobody_is_signed_in_without_what_is_told_apart(apart, own_provider):
    own_provider.set_trouble("/userinfo", "error")
    assert apart().status_code == 503
