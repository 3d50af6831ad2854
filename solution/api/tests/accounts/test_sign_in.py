"""POST /auth/login and /auth/logout."""

import pytest
from movie_testing.factories.accounts import PASSWORD


def test_an_access_token_opens_what_is_the_users(api, accounts, sign_in, bearer):
    account = accounts.create(display_name="Bea")
    told = sign_in(account)
    user = api.get("/auth/user", headers=bearer(told["access_token"])).json
    assert (user["id"], user["email"], user["display_name"]) == (account.id, account.email, "Bea")


def test_tokens_say_how_long_they_are_good(accounts, sign_in):
    told = sign_in(accounts.create())
    assert (told["token_type"], told["expires_in"], told["refresh_expires_in"]) == ("Bearer", 900, 2_592_000)


def test_the_case_of_an_address_does_not_matter(api, accounts):
    accounts.create(email="ann@example.com")
    answer = api.post("/auth/login", json={"email": " ANN@Example.com", "password": PASSWORD})
    assert answer.status_code == 200


@pytest.mark.parametrize("email", ["known@example.com", "unknown@example.com", "provider@example.com"])
def test_a_wrong_address_and_a_wrong_password_are_told_alike(api, accounts, email):
    accounts.create(email="known@example.com")
    accounts.create(email="provider@example.com", password=None)
    answer = api.post("/auth/login", json={"email": email, "password": "a wrong password"})
    assert (answer.status_code, answer.json["detail"]) == (401, "The address or the password is wrong.")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_disabled_account_is_told_so_to_who_knows_the_password(api, accounts):
    account = accounts.create(is_disabled=True)
    right = api.post("/auth/login", json={"email": account.email, "password": PASSWORD})
    wrong = api.post("/auth/login", json={"email": account.email, "password": "another password"})
    assert (right.status_code, right.json["detail"]) == (401, "The account is disabled.")
    assert (wrong.status_code, wrong.json["detail"]) == (401, "The address or the password is wrong.")


def test_a_hash_of_yesterdays_strength_is_made_anew(accounts, sign_in, database_cursor):
    account = accounts.create()
    sign_in(account)
    database_cursor.execute("SELECT password_hash FROM users WHERE id = %s", (account.id,))
    assert "m=65536,t=3,p=4" in database_cursor.fetchone()[0]
    sign_in(account)


def test_signing_out_ends_the_session_at_once(api, accounts, sign_in, bearer, problem):
    told = sign_in(accounts.create())
    headers = bearer(told["access_token"])
    assert api.post("/auth/logout", headers=headers).status_code == 204
    assert problem(api.get("/auth/user", headers=headers)) == (401, "bad-token")
    refreshed = api.post("/auth/token/refresh", json={"refresh_token": told["refresh_token"]})
    assert problem(refreshed) == (401, "bad-token")


def test_other_sessions_go_on_when_one_is_signed_out(api, accounts, sign_in, bearer):
    account = accounts.create()
    one, other = sign_in(account), sign_in(account)
    api.post("/auth/logout", headers=bearer(one["access_token"]))
    assert api.get("/auth/user", headers=bearer(other["access_token"])).status_code == 200


def test_a_nul_in_an_address_is_refused(api, problem):
    answer = api.post("/auth/login", json={"email": "a\0b", "password": PASSWORD})
    assert problem(answer) == (400, "invalid-body")


def test_what_answers_hold_tokens_is_never_kept(api, accounts):
    account = accounts.create()
    answer = api.post("/auth/login", json={"email": account.email, "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"
