"""Who may write, until there are accounts."""

import pytest

BODY = {"title": "New"}


def post(app, *, peer="127.0.0.1", host="localhost:5000", headers=None) -> int:
    answer = app.test_client().post(
        "/movies",
        json=BODY,
        base_url=f"http://{host}",
        headers=headers,
        environ_overrides={"REMOTE_ADDR": peer},
    )
    if answer.status_code == 403:
        assert answer.json["type"] == "/docs/errors/writes-closed"
    return answer.status_code


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_a_caller_on_this_machine_may_write(app, peer, host):
    assert post(app, peer=peer, host=host) == 201


@pytest.mark.parametrize("peer", ["192.168.1.7", "::ffff:10.0.0.1", "2001:db8::1", ""])
def test_a_caller_from_elsewhere_may_not(app, peer):
    assert post(app, peer=peer) == 403


@pytest.mark.parametrize(
    "host", ["films.example", "127.0.0.1.films.example", "localhost.films.example", "2130706433"]
)
def test_a_name_that_leads_to_this_machine_may_not(app, host):
    assert post(app, host=host) == 403


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "CF-Connecting-IP",
    ],
)
def test_a_proxy_on_this_machine_may_not(app, name):
    assert post(app, headers={name: "127.0.0.1"}) == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "films.example"])
def test_a_server_that_listens_beyond_this_machine_takes_no_writes(make_app, host):
    assert post(make_app(host=host)) == 403


def test_a_setting_opens_writes_to_all(make_app):
    app = make_app(anonymous_writes=True, host="0.0.0.0")
    assert post(app, peer="192.168.1.7", host="films.example", headers={"X-Forwarded-For": "1.1.1.1"}) == 201


def test_a_setting_closes_writes_to_all(make_app):
    assert post(make_app(anonymous_writes=False)) == 403


def test_reading_is_open_to_all(app):
    answer = app.test_client().get(
        "/movies", base_url="http://films.example", environ_overrides={"REMOTE_ADDR": "1.1.1.1"}
    )
    assert answer.status_code == 200
