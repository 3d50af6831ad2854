"""Signing in through a provider by a browser: there, and back."""

import json
import secrets
from urllib.parse import parse_qs, urlsplit

import pytest
from movie_testing.our_clients import APPLE_WEB, GOOGLE_WEB, OURS, settings_of

NOT_BEGUN = "was not begun in this browser"


def query_of(answer) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return {name: one[0] for name, one in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def go(browser, provider, path: str = "/auth/google/start", **answer) -> dict[str, str]:
    """What the provider sends a browser back with that began there."""
    return provider.agree(browser.get(path).headers["Location"], **answer)


def failure(answer) -> str:
    assert answer.status_code == 400
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_a_browser_is_sent_to_the_provider(browser, provider):
    answer = browser().get("/auth/google/start")
    assert answer.headers["Location"].startswith(f"{provider.issuer}/authorize?")
    assert answer.headers["Cache-Control"] == "no-store"
    query = query_of(answer)
    assert {name: query[name] for name in ("client_id", "redirect_uri", "scope", "response_type")} == {
        "client_id": GOOGLE_WEB,
        "redirect_uri": f"{OURS}/auth/google/callback",
        "scope": "openid email profile",
        "response_type": "code",
    }
    assert (query["code_challenge_method"], len(query["code_challenge"])) == ("S256", 43)
    assert min(len(query["state"]), len(query["nonce"])) == 43


def test_apple_is_asked_for_the_name_and_to_post(browser):
    query = query_of(browser().get("/auth/apple/start"))
    assert (query["scope"], query["response_mode"]) == ("openid name email", "form_post")


def test_the_cookie_of_a_start_goes_nowhere_but_to_auth(browser):
    cookie = browser().get("/auth/google/start").headers["Set-Cookie"]
    assert "; HttpOnly; Path=/auth; SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie


@pytest.mark.parametrize(
    ("public_url", "is_secure"),
    [("https://api.example.com", True), ("http://api.example.com", True), ("http://localhost:5000", False)],
)
def test_the_cookie_of_a_start_is_secure_but_on_this_machine(make_app, provider, public_url, is_secure):
    api = make_app(**settings_of(provider), public_url=public_url).test_client()
    answer = api.get("/auth/google/start")
    assert ("Secure" in answer.headers["Set-Cookie"]) == is_secure
    assert query_of(answer)["redirect_uri"] == f"{public_url}/auth/google/callback"


def test_the_address_to_come_back_to_is_not_made_of_the_host_that_somebody_says(browser):
    answer = browser().get("/auth/google/start", headers={"Host": "evil.example"})
    assert query_of(answer)["redirect_uri"].startswith("http://127.0.0.1:5000/")


def test_nothing_of_a_start_is_kept_that_would_end_it(browser, database_cursor):
    client = browser()
    state = query_of(client.get("/auth/google/start"))["state"]
    cookie = client.get_cookie("movie_sign_in", domain="127.0.0.1", path="/auth").value
    database_cursor.execute("SELECT sign_in_attempts::text FROM sign_in_attempts")
    (row,) = database_cursor.fetchone()
    assert state.encode().hex() not in row
    assert state not in row
    assert cookie not in row


@pytest.mark.parametrize("name", ["google", "oidc/example"])
def test_who_comes_back_is_signed_in(browser, provider, name):
    client = browser()
    told = go(client, provider, f"/auth/{name}/start?next=/docs?x=1")
    answer = client.get(f"/auth/{name}/callback", query_string=told)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{OURS}/docs?x=1")
    assert client.get("/auth/user").json["display_name"] == "Ann"


def test_without_a_place_to_go_it_is_the_account(browser, provider):
    client = browser()
    answer = client.get("/auth/google/callback", query_string=go(client, provider))
    assert answer.headers["Location"] == f"{OURS}/account"


def test_what_else_a_provider_says_does_not_matter(browser, provider):
    client = browser()
    told = go(client, provider) | {"scope": "openid", "authuser": "0", "hd": "example.com"}
    assert client.get("/auth/google/callback", query_string=told).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "docs",
        "",
        "/a b",
        "/" + "a" * 500,
        "/%5Ca",
    ],
)
def test_a_browser_goes_nowhere_else_in_the_end(browser, path):
    answer = browser().get(
        "/auth/google/start", query_string={"next": path} if "%" not in path else f"next={path}"
    )
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "next")


def test_a_start_takes_no_other_parameter(browser):
    assert browser().get("/auth/google/start?nxt=/").status_code == 400


def test_the_state_of_another_browser_is_refused(browser, provider):
    told = go(browser(), provider)
    other = browser()
    other.get("/auth/google/start")
    assert NOT_BEGUN in failure(other.get("/auth/google/callback", query_string=told))
    assert other.get("/auth/user").status_code == 401


def test_a_browser_without_a_cookie_is_refused(browser, provider):
    told = go(browser(), provider)
    assert NOT_BEGUN in failure(browser().get("/auth/google/callback", query_string=told))


def test_another_browser_does_not_end_a_way(browser, provider):
    client = browser()
    told = go(client, provider)
    browser().get("/auth/google/callback", query_string=told)
    assert client.get("/auth/google/callback", query_string=told).status_code == 303


def test_a_way_is_gone_once(browser, provider):
    client = browser()
    told = go(client, provider)
    client.get("/auth/google/callback", query_string=told)
    assert NOT_BEGUN in failure(client.get("/auth/google/callback", query_string=told))


def test_a_way_takes_ten_minutes_at_most(browser, provider, database_cursor):
    client = browser()
    told = go(client, provider)
    database_cursor.execute("UPDATE sign_in_attempts SET expires_at = expires_at - interval '10 min'")
    assert NOT_BEGUN in failure(client.get("/auth/google/callback", query_string=told))


def test_a_way_through_one_provider_does_not_end_at_another(browser, provider):
    client = browser()
    told = go(client, provider)
    assert NOT_BEGUN in failure(client.get("/auth/oidc/example/callback", query_string=told))


def test_several_ways_of_one_browser_all_end(browser, provider):
    client = browser()
    ways = [go(client, provider) for _ in range(2)]
    statuses = [client.get("/auth/google/callback", query_string=told).status_code for told in ways]
    assert statuses == [303, 303]


def test_an_answer_of_another_issuer_is_refused(browser, provider):
    client = browser()
    told = go(client, provider) | {"iss": "https://evil.example"}
    assert "another issuer" in failure(client.get("/auth/google/callback", query_string=told))


def test_a_code_that_was_slipped_in_is_refused(browser, provider):
    thief, victim = browser(), browser()
    told = go(victim, provider) | {"code": go(thief, provider)["code"]}
    assert "does not take the code" in failure(victim.get("/auth/google/callback", query_string=told))


def test_a_token_of_another_way_is_refused(browser, provider, database_cursor):
    client = browser()
    told = go(client, provider)
    database_cursor.execute("UPDATE sign_in_attempts SET nonce = 'another'")
    assert "another nonce" in failure(client.get("/auth/google/callback", query_string=told))


@pytest.mark.parametrize(
    "query", ["", "state=", "state=x&code=y", "code=y", "state=%00", "state=" + "x" * 9000]
)
def test_a_callback_out_of_nowhere_is_a_page_that_says_so(browser, query):
    client = browser()
    client.get("/auth/google/start")
    assert NOT_BEGUN in failure(client.get(f"/auth/google/callback?{query}"))


def test_who_does_not_agree_is_not_signed_in(browser, provider):
    client = browser()
    told = go(client, provider, answer="no")
    assert "Google signed nobody in." in failure(client.get("/auth/google/callback", query_string=told))


def test_what_a_provider_says_is_shown_as_text(browser, provider, database_cursor):
    client = browser()
    told = go(client, provider) | {"error": "<script>alert(1)</script>"}
    assert "<script>alert" not in failure(client.get("/auth/google/callback", query_string=told))


def test_a_provider_that_is_away_is_told_on_a_page(browser, make_app, own_provider):
    client = make_app(**settings_of(own_provider)).test_client()
    own_provider.set_person(sub="1")
    told = go(client, own_provider)
    own_provider.stop()
    answer = client.get("/auth/google/callback", query_string=told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "reached" in answer.text


@pytest.mark.parametrize("path", ["google", "apple", "oidc/example", "oidc/another"])
@pytest.mark.parametrize("end", ["start", "callback"])
def test_where_nothing_is_set_up_there_is_nothing(make_app, path, end):
    answer = make_app().test_client().get(f"/auth/{path}/{end}")
    assert (answer.status_code, answer.json["type"]) == (404, "/docs/errors/no-such-provider")


def test_without_apples_key_browsers_are_not_sent_there(make_app, provider):
    client = make_app(**settings_of(provider) | {"apple_key_id": None}).test_client()
    assert client.get("/auth/apple/start").status_code == 404


# ── What is posted across sites ──


def post(browser, path: str, told: dict[str, str]):
    """Posts as a browser does that is led here by another site: without our cookies."""
    return browser().post(path, data=told)


@pytest.fixture
def apples_person(provider) -> dict:
    person = {
        "sub": secrets.token_hex(8),
        "email": f"{secrets.token_hex(5)}@privaterelay.appleid.com",
        "email_verified": "true",
        "is_private_email": "true",
        "apple_name": {"firstName": "Ann", "lastName": "Ó Nym"},
    }
    provider.set_person(**person)
    return person


def go_by_form(client, provider, path: str = "/auth/apple/start", **answer) -> dict[str, str]:
    return provider.agree_by_form(client.get(path).headers["Location"], **answer)


def test_what_apple_has_posted_waits_until_the_browser_is_back_by_itself(browser, provider, apples_person):
    client = browser()
    told = go_by_form(client, provider, "/auth/apple/start?next=/docs")
    posted = post(browser, "/auth/apple/callback", told)
    assert posted.status_code == 303
    assert posted.headers["Location"] == f"{OURS}/auth/apple/callback?state={told['state']}"
    assert "Set-Cookie" not in posted.headers
    back = client.get(posted.headers["Location"])
    assert (back.status_code, back.headers["Location"]) == (303, f"{OURS}/docs")
    user = client.get("/auth/user").json
    assert (user["display_name"], user["email"], user["email_verified"]) == (
        "Ann Ó Nym",
        apples_person["email"],
        True,
    )


def test_apple_tells_the_name_the_first_time_alone_and_it_stays(browser, provider, apples_person):
    names = []
    for _ in range(2):
        client = browser()
        told = go_by_form(client, provider)
        client.get(post(browser, "/auth/apple/callback", told).headers["Location"])
        names.append(("user" in told, client.get("/auth/user").json["display_name"]))
    assert names == [(True, "Ann Ó Nym"), (False, "Ann Ó Nym")]


@pytest.mark.parametrize("user", ["", "no json", "[]", "{}", '{"name": 7}', '{"name": {"firstName": 7}}'])
def test_a_name_that_is_none_is_made_of_the_address(browser, provider, user):
    provider.set_person(sub=secrets.token_hex(8), email="ann.other@example.com", email_verified=True)
    client = browser()
    told = go_by_form(client, provider) | {"user": user}
    client.get(post(browser, "/auth/apple/callback", told).headers["Location"])
    assert client.get("/auth/user").json["display_name"] == "ann.other"


def test_another_browser_gets_nothing_of_what_was_posted(browser, provider, apples_person):
    told = go_by_form(browser(), provider)
    posted = post(browser, "/auth/apple/callback", told)
    other = browser()
    other.get("/auth/apple/start")
    assert NOT_BEGUN in failure(other.get(posted.headers["Location"]))


def test_what_was_posted_first_stays(browser, provider, apples_person):
    client = browser()
    told = go_by_form(client, provider)
    place = post(browser, "/auth/apple/callback", told).headers["Location"]
    assert NOT_BEGUN in failure(post(browser, "/auth/apple/callback", told | {"code": "another"}))
    assert client.get(place).status_code == 303


@pytest.mark.parametrize("told", [{"code": "x"}, {"state": "made up", "code": "x"}])
def test_what_nobody_waits_for_is_not_kept(browser, told):
    assert NOT_BEGUN in failure(post(browser, "/auth/apple/callback", told))


def test_who_cancels_at_apple_is_not_signed_in(browser, provider, apples_person):
    client = browser()
    told = go_by_form(client, provider, answer="no")
    assert told["error"] == "user_cancelled_authorize"
    place = post(browser, "/auth/apple/callback", told).headers["Location"]
    assert "Apple signed nobody in." in failure(client.get(place))


def test_a_further_provider_may_post_as_well(browser, provider):
    client = browser()
    place = client.get("/auth/oidc/example/start").headers["Location"] + "&response_mode=form_post"
    posted = post(browser, "/auth/oidc/example/callback", provider.agree_by_form(place))
    assert client.get(posted.headers["Location"]).status_code == 303


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"state": "x"}}, 415),
        ({"data": {"state": "x" * 70_000}}, 413),
        ({"data": b"\xff=\xfe&state=%ff", "content_type": "application/x-www-form-urlencoded"}, 400),
    ],
)
def test_a_post_that_is_no_form_of_this_kind_is_refused(browser, options, status):
    assert browser().post("/auth/apple/callback", **options).status_code == status


# ── Linking ──


@pytest.fixture
def signed_in(browser, accounts):
    """Makes a browser in which an account is signed in by its password."""

    def make(account=None):
        account = account or accounts.create()
        client = browser()
        body = {"email": account.email, "password": account.password, "cookies": True}
        assert client.post("/auth/login", json=body).status_code == 200
        return client

    return make


def test_a_browser_that_is_signed_in_links_an_identity(signed_in, provider):
    client = signed_in()
    before = client.get("/auth/user").json["id"]
    told = go(client, provider, "/auth/google/start?link=1")
    assert client.get("/auth/google/callback", query_string=told).status_code == 303
    assert [one["provider"] for one in client.get("/auth/identities").json] == ["google"]
    assert client.get("/auth/user").json["id"] == before


def test_linking_begins_no_second_session(signed_in, provider):
    client = signed_in()
    told = go(client, provider, "/auth/google/start?link=1")
    client.get("/auth/google/callback", query_string=told)
    assert [one["method"] for one in client.get("/auth/sessions").json] == ["password"]


def test_who_is_not_signed_in_links_nothing(browser):
    answer = browser().get("/auth/google/start?link=1")
    assert (answer.status_code, answer.json["type"]) == (401, "/docs/errors/sign-in-needed")


def test_linking_takes_a_fresh_sign_in(api, session_headers):
    answer = api.get("/auth/google/start?link=1", headers=session_headers(minutes_ago=16))
    assert (answer.status_code, answer.json["type"]) == (403, "/docs/errors/sign-in-again")


def test_a_key_links_nothing(api, accounts):
    headers = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    answer = api.get("/auth/google/start?link=1", headers=headers)
    assert (answer.status_code, answer.json["type"]) == (403, "/docs/errors/not-allowed")


def test_another_site_has_nothing_linked(signed_in):
    answer = signed_in().get("/auth/google/start?link=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json["type"]) == (403, "/docs/errors/not-allowed")


def test_who_signed_out_meanwhile_links_nothing(signed_in, provider, database_cursor):
    client = signed_in()
    told = go(client, provider, "/auth/google/start?link=1")
    database_cursor.execute("UPDATE sessions SET ended_at = now()")
    assert "not signed in any more" in failure(client.get("/auth/google/callback", query_string=told))
    database_cursor.execute("SELECT count(*) FROM identities")
    assert database_cursor.fetchone() == (0,)


def test_an_identity_of_another_user_is_told_on_a_page(browser, signed_in, provider):
    first = browser()
    first.get("/auth/google/callback", query_string=go(first, provider))
    client = signed_in()
    told = go(client, provider, "/auth/google/start?link=1")
    assert "signs in another user" in failure(client.get("/auth/google/callback", query_string=told))


def test_browsers_go_to_apple_as_the_first_of_our_clients(browser):
    assert query_of(browser().get("/auth/apple/start"))["client_id"] == APPLE_WEB


def test_what_was_posted_is_kept_as_it_came(browser, provider, apples_person, database_cursor):
    told = go_by_form(browser(), provider)
    post(browser, "/auth/apple/callback", told | {"more": "x", "id_token": "x"})
    database_cursor.execute("SELECT posted FROM sign_in_attempts")
    (posted,) = database_cursor.fetchone()
    assert set(posted) == {"code", "user"}
    assert json.loads(posted["user"])["name"] == {"firstName": "Ann", "lastName": "Ó Nym"}
