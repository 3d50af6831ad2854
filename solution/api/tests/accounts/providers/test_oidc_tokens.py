"""Signing in by an id_token: each that is not good is refused, with its reason."""

import hashlib
from datetime import timedelta

import pytest
from movie_testing.our_clients import APPLE_APP
from movie_testing.our_clients import GOOGLE_APP as APP
from movie_testing.our_clients import GOOGLE_WEB as WEB

HOUR = timedelta(hours=1)


def reason(answer) -> str:
    assert (answer.status_code, answer.json["type"]) == (401, "/docs/errors/provider-token-refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="movie-api"'
    return answer.json["detail"]


def test_a_good_token_signs_in(api, token_body):
    answer = api.post(
        "/auth/google", json=token_body(name="Ann", email="Ann@example.com", email_verified=True)
    )
    told = answer.json["user"]
    assert answer.status_code == 200
    assert (told["display_name"], told["email"], told["email_verified"], told["has_password"]) == (
        "Ann",
        "Ann@example.com",
        True,
        False,
    )


def test_what_a_provider_gave_opens_the_account(api, token_body):
    access = api.post("/auth/google", json=token_body()).json["access_token"]
    answer = api.get("/auth/sessions", headers={"Authorization": f"Bearer {access}"})
    assert [one["method"] for one in answer.json] == ["google"]


def test_the_same_person_has_the_same_account(api, token_body):
    ids = {api.post("/auth/google", json=token_body(sub="1")).json["user"]["id"] for _ in range(2)}
    assert len(ids) == 1


def test_the_same_subject_at_another_provider_is_another_person(api, token_body):
    ours = api.post("/auth/google", json=token_body(sub="1")).json["user"]["id"]
    other = api.post("/auth/apple", json=token_body(APPLE_APP, sub="1")).json["user"]["id"]
    assert ours != other


def test_tokens_go_into_cookies_for_who_wants_that(api, token_body):
    answer = api.post("/auth/google", json=token_body() | {"cookies": True})
    assert answer.json["access_token"] is None
    assert api.get("/auth/user").json["id"] == answer.json["user"]["id"]


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"iss": "https://evil.example"}, "The token is of another issuer."),
        ({"iss": "accounts.google.com"}, "The token is of another issuer."),
        ({"iss": None}, "The token does not say who issued it."),
        ({"aud": "another"}, "The token is for another audience."),
        ({"aud": ["another"]}, "The token is for another audience."),
        ({"aud": [WEB, "another"], "azp": WEB}, "The token is for another audience."),
        ({"aud": []}, "The token is for another audience."),
        ({"aud": {WEB: 1}}, "The token is for another audience."),
        ({"aud": None}, "The token does not say whom it is for."),
        ({"azp": "another"}, "The token was made for another client."),
        ({"aud": [WEB, APP]}, "The token was made for another client."),
        ({"exp": timedelta(minutes=-2)}, "The token is out of date."),
        ({"exp": "tomorrow"}, "The token is out of date."),
        ({"exp": None}, "The token does not say until when it is good."),
        ({"iat": HOUR}, "The token says to be made in the future."),
        ({"iat": None}, "The token does not say when it was made."),
        ({"nbf": HOUR}, "The token is not good yet."),
        ({"sub": None}, "The token does not say whose it is."),
        ({"sub": ""}, "The token does not say whose it is."),
        ({"sub": 7}, "The token does not say whose it is."),
        ({"sub": "1" * 256}, "The token does not say whose it is."),
        ({"sub": "1\0"}, "The token does not say whose it is."),
        ({"nonce": None}, "The token has no nonce."),
        ({"nonce": "another"}, "The token has another nonce."),
        ({"nonce": ["another"]}, "The token has another nonce."),
    ],
    ids=str,
)
def test_a_token_that_says_this_is_refused(api, token_body, claims, detail):
    assert reason(api.post("/auth/google", json=token_body(**claims))) == detail


@pytest.mark.parametrize(
    ("forgery", "detail"),
    [
        ("unsigned", "The token is not signed by an algorithm that the provider signs by."),
        ("public key as secret", "The token is not signed by an algorithm that the provider signs by."),
        ("unknown key", "The token is signed by a key that is none of the provider's."),
        ("another's key under its name", "The token's signature is not the provider's."),
        ("key of its own", "The token is signed by a key that is none of the provider's."),
        ("changed", "The token's signature is not the provider's."),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(api, token_body, forgery, detail):
    assert reason(api.post("/auth/google", json=token_body(forgery=forgery))) == detail


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "e30.e30.", "....", "\N{SNOWMAN}.a.b", "eyJhbGciOiI5In0.W10.x"]
)
def test_what_is_no_token_is_refused(api, nonce, token):
    body = {"id_token": token, "nonce": nonce()}
    assert reason(api.post("/auth/google", json=body)).startswith("The token")


@pytest.mark.parametrize(
    "claims", [{"aud": [WEB]}, {"aud": APP}, {"azp": APP}, {"aud": [WEB, APP], "azp": APP}]
)
def test_a_token_for_any_of_our_clients_is_taken(api, token_body, claims):
    assert api.post("/auth/google", json=token_body(**claims)).status_code == 200


def test_a_token_for_another_client_of_ours_than_the_one_named_is_refused(api, token_body):
    body = token_body(APP) | {"client_id": WEB}
    assert reason(api.post("/auth/google", json=body)) == "The token is for another audience."


def test_a_clock_may_be_a_minute_off(api, token_body):
    half = timedelta(seconds=30)
    assert api.post("/auth/google", json=token_body(exp=-half, iat=half)).status_code == 200


def test_the_token_may_have_the_nonce_hashed_as_apple_has_apps_do(api, nonce, token_body):
    given = nonce()
    body = token_body(APPLE_APP, nonce=hashlib.sha256(given.encode()).hexdigest())
    assert api.post("/auth/apple", json=body | {"nonce": given}).status_code == 200


def test_a_token_without_its_nonce_beside_it_is_not_looked_at(api, token_body):
    body = token_body()
    del body["nonce"]
    answer = api.post("/auth/google", json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "nonce")


def test_a_token_is_taken_once(api, token_body):
    body = token_body()
    assert api.post("/auth/google", json=body).status_code == 200
    assert reason(api.post("/auth/google", json=body)) == (
        "The nonce is none that was given out here, was used, or is out of date."
    )


def test_a_nonce_that_somebody_made_up_is_refused(api, token_body):
    body = token_body(nonce="made up") | {"nonce": "made up"}
    assert reason(api.post("/auth/google", json=body)).startswith("The nonce is none")


def test_a_nonce_is_good_for_ten_minutes(api, token_body, database_cursor):
    body = token_body()
    database_cursor.execute("UPDATE nonces SET expires_at = expires_at - interval '10 min'")
    assert reason(api.post("/auth/google", json=body)).startswith("The nonce is none")


def test_a_token_that_is_refused_uses_no_nonce_up(api, token_body, provider):
    body = token_body(forgery="changed")
    reason(api.post("/auth/google", json=body))
    good = provider.mint(WEB, sub="1", nonce=body["nonce"])
    assert api.post("/auth/google", json={**body, "id_token": good}).status_code == 200


def test_a_nonce_is_kept_hashed(api, nonce, database_cursor):
    given = nonce()
    database_cursor.execute("SELECT nonce_hash FROM nonces")
    assert bytes(database_cursor.fetchone()[0]) == hashlib.sha256(given.encode()).digest()


def test_no_two_nonces_are_the_same_and_each_says_how_long_it_is_good(api):
    answers = [api.post("/auth/nonce") for _ in range(2)]
    assert answers[0].json["nonce"] != answers[1].json["nonce"]
    assert {(one.status_code, one.json["expires_in"]) for one in answers} == {(201, 600)}
    assert answers[0].headers["Cache-Control"] == "no-store"


def test_a_body_with_neither_token_nor_code_is_not_valid(api):
    answer = api.post("/auth/google", json={})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "id_token")


@pytest.mark.parametrize("name", ["apple", "google", "oidc/example", "oidc/another"])
def test_a_provider_that_is_not_set_up_is_not_there(make_app, name):
    api = make_app().test_client()
    answer = api.post(f"/auth/{name}", json={"id_token": "x", "nonce": "x"})
    assert (answer.status_code, answer.json["type"]) == (404, "/docs/errors/no-such-provider")
