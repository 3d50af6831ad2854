"""Writing the catalogue needs an editor, wherever the request comes from."""

import pytest

BODY = {"title": "New"}
PROXY_HEADERS = [
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "CF-Connecting-IP",
]


def post(app, *, peer="127.0.0.1", host="localhost:5000", headers=None) -> tuple[int, str]:
    answer = app.test_client().post(
        "/movies",
        json=BODY,
        base_url=f"http://{host}",
        headers=headers,
        environ_overrides={"REMOTE_ADDR": peer},
    )
    return answer.status_code, answer.json.get("type", "").removeprefix("/docs/errors/")


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.168.1.7", "2001:db8::1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "films.example"])
def test_nobody_writes_without_an_account_not_even_on_this_machine(app, peer, host):
    assert post(app, peer=peer, host=host) == (401, "sign-in-needed")


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_what_a_proxy_says_opens_nothing(make_app, name):
    app = make_app(trusted_proxies="127.0.0.0/8")
    assert post(app, headers={name: "127.0.0.1"}) == (401, "sign-in-needed")


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_an_editor_may_write_through_a_proxy(app, accounts, name):
    headers = {name: "192.168.1.7", **accounts.editor_headers()}
    assert post(app, peer="127.0.0.1", host="films.example", headers=headers)[0] == 201


def test_a_setting_opens_writes_to_all(make_app):
    app = make_app(anonymous_writes=True, host="0.0.0.0")
    answer = post(app, peer="192.168.1.7", host="films.example", headers={"X-Forwarded-For": "1.1.1.1"})
    assert answer[0] == 201


def test_who_signs_in_where_writes_are_open_is_still_looked_at(make_app, accounts):
    app = make_app(anonymous_writes=True)
    user = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    assert post(app, headers=user) == (403, "not-allowed")
    assert post(app, headers={"Authorization": "Bearer movies_none"}) == (401, "bad-token")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/auth/user"),
        ("PATCH", "/auth/user"),
        ("DELETE", "/auth/user"),
        ("POST", "/auth/keys"),
        ("GET", "/auth/export"),
        ("POST", "/auth/logout"),
    ],
)
def test_the_setting_opens_nothing_else(make_app, method, address):
    answer = make_app(anonymous_writes=True).test_client().open(address, method=method)
    assert (answer.status_code, answer.json["type"]) == (401, "/docs/errors/sign-in-needed")


def test_reading_is_open_to_all(app):
    answer = app.test_client().get(
        "/movies", base_url="http://films.example", environ_overrides={"REMOTE_ADDR": "1.1.1.1"}
    )
    assert answer.status_code == 200
