"""POST /auth/token/refresh and /auth/token/verify."""

import pytest


def refresh(api, token):
    return api.post("/auth/token/refresh", json={"refresh_token": token})


def set_back(cursor, seconds):
    cursor.execute("UPDATE refresh_tokens SET used_at = used_at - %s * interval '1 s'", (seconds,))


def test_a_refresh_gives_tokens_of_the_same_session(api, accounts, sign_in, bearer):
    told = sign_in(accounts.create())
    new = refresh(api, told["refresh_token"]).json
    (session,) = api.get("/auth/sessions", headers=bearer(new["access_token"])).json
    assert session["is_current"]
    assert new["refresh_token"] != told["refresh_token"]


def test_within_ten_seconds_a_used_token_gives_a_sibling(api, accounts, sign_in, database_cursor):
    told = sign_in(accounts.create())
    first = refresh(api, told["refresh_token"]).json
    set_back(database_cursor, 9)
    second = refresh(api, told["refresh_token"]).json
    assert first["refresh_token"] != second["refresh_token"]
    assert refresh(api, first["refresh_token"]).status_code == 200
    assert refresh(api, second["refresh_token"]).status_code == 200


def test_a_token_that_is_used_again_later_ends_the_whole_session(
    api, accounts, sign_in, bearer, database_cursor, problem
):
    told = sign_in(accounts.create())
    new = refresh(api, told["refresh_token"]).json
    set_back(database_cursor, 11)
    assert problem(refresh(api, told["refresh_token"])) == (401, "bad-token")
    assert problem(refresh(api, new["refresh_token"])) == (401, "bad-token")
    assert problem(api.get("/auth/user", headers=bearer(new["access_token"]))) == (401, "bad-token")


def test_other_sessions_of_the_user_go_on_then(api, accounts, sign_in, bearer, database_cursor):
    account = accounts.create()
    other = sign_in(account)
    told = sign_in(account)
    refresh(api, told["refresh_token"])
    set_back(database_cursor, 11)
    refresh(api, told["refresh_token"])
    assert api.get("/auth/user", headers=bearer(other["access_token"])).status_code == 200


def test_an_access_token_does_not_refresh(api, accounts, sign_in, problem):
    assert problem(refresh(api, sign_in(accounts.create())["access_token"])) == (401, "bad-token")


def test_a_refresh_token_opens_nothing(api, accounts, sign_in, bearer, problem):
    told = sign_in(accounts.create())
    answer = api.get("/auth/user", headers=bearer(told["refresh_token"]))
    assert problem(answer) == (401, "bad-token")


def test_a_session_that_nobody_used_for_so_long_is_over(api, accounts, sign_in, database_cursor, problem):
    told = sign_in(accounts.create())
    database_cursor.execute("UPDATE sessions SET expires_at = now()")
    assert problem(refresh(api, told["refresh_token"])) == (401, "bad-token")


def test_a_refresh_puts_the_end_of_the_session_off(api, accounts, sign_in, database_cursor):
    told = sign_in(accounts.create())
    database_cursor.execute("UPDATE sessions SET expires_at = now() + interval '1 hour'")
    refresh(api, told["refresh_token"])
    database_cursor.execute("SELECT expires_at > now() + interval '29 days' FROM sessions")
    assert database_cursor.fetchone() == (True,)


def test_a_disabled_account_refreshes_nothing(api, accounts, sign_in, problem):
    account = accounts.create()
    told = sign_in(account)
    accounts.disable(account)
    assert problem(refresh(api, told["refresh_token"])) == (401, "bad-token")


def test_without_any_refresh_token_a_sign_in_is_asked_for(api, problem):
    assert problem(api.post("/auth/token/refresh", json={})) == (401, "sign-in-needed")


def test_a_token_that_is_good_says_what_for(api, accounts, sign_in):
    account = accounts.create(role="editor")
    told = api.post("/auth/token/verify", json={"token": sign_in(account)["access_token"]}).json
    assert (told["user_id"], told["role"]) == (account.id, "editor")
    assert told["expires_at"].endswith("Z")


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_token_that_is_none_is_refused(api, token):
    answer = api.post("/auth/token/verify", json={"token": token})
    assert answer.status_code == (401 if token else 400)


def test_a_token_of_a_session_that_is_over_is_refused(api, accounts, sign_in, bearer, problem):
    told = sign_in(accounts.create())
    api.post("/auth/logout", headers=bearer(told["access_token"]))
    answer = api.post("/auth/token/verify", json={"token": told["access_token"]})
    assert problem(answer) == (401, "bad-token")
