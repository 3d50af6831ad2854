"""What providers say of themselves: kept, asked for anew where that is needed, believed where it is safe."""

import secrets
import time

import pytest
from movie_api.accounts import discovery, fetching
from movie_api.http.problems import Problem

DESCRIPTION, KEYS = "/.well-known/openid-configuration", "/jwks"


@pytest.fixture
def provider(own_provider):
    own_provider.set_person(sub="1", email="ann@example.com", email_verified=True)
    return own_provider


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock of what is kept."""
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(discovery.time, "monotonic", lambda: real() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


def refused(answer) -> str:
    assert answer.status_code == 401, answer.json
    return answer.json["detail"]


def away(answer) -> bool:
    assert answer.json["type"] == "/docs/errors/provider-away"
    assert answer.headers["Retry-After"] == "5"
    return answer.status_code == 503


def test_the_description_and_the_keys_are_asked_for_once(api, token_body, provider):
    for _ in range(3):
        assert api.post("/auth/google", json=token_body()).status_code == 200
    assert (provider.asked(DESCRIPTION), provider.asked(KEYS)) == (1, 1)


def test_they_are_asked_for_again_after_an_hour(api, token_body, provider, clock):
    api.post("/auth/google", json=token_body())
    clock(discovery.KEPT_SECONDS + 1)
    assert api.post("/auth/google", json=token_body()).status_code == 200
    assert (provider.asked(DESCRIPTION), provider.asked(KEYS)) == (2, 2)


def test_a_key_that_is_new_is_asked_for_at_once(api, token_body, provider):
    assert api.post("/auth/google", json=token_body()).status_code == 200
    provider.rotate_keys()
    assert api.post("/auth/google", json=token_body()).status_code == 200
    assert provider.asked(KEYS) == 2


def test_a_key_that_is_gone_signs_nothing_once_another_was_seen(api, token_body, provider):
    old = token_body()
    provider.rotate_keys()
    assert api.post("/auth/google", json=token_body()).status_code == 200
    assert refused(api.post("/auth/google", json=old)).startswith("The token is signed by a key")


def test_unknown_keys_do_not_make_us_ask_again_and_again(api, token_body, provider):
    api.post("/auth/google", json=token_body())
    for _ in range(3):
        refused(api.post("/auth/google", json=token_body(forgery="unknown key")))
    assert provider.asked(KEYS) == 2


def test_an_unknown_key_is_asked_for_again_after_half_a_minute(api, token_body, provider, clock):
    api.post("/auth/google", json=token_body())
    for _ in range(2):
        refused(api.post("/auth/google", json=token_body(forgery="unknown key")))
        clock(discovery.UNKNOWN_KEY_SECONDS + 1)
    assert provider.asked(KEYS) == 3


def test_a_provider_that_is_down_is_away(api, token_body, provider):
    body = token_body()
    provider.stop()
    assert away(api.post("/auth/google", json=body))


def test_a_start_at_a_provider_that_is_down_is_refused(api, provider):
    provider.stop()
    assert away(api.get("/auth/google/start"))


@pytest.mark.parametrize("path", [DESCRIPTION, KEYS])
@pytest.mark.parametrize("trouble", ["error", "redirect", "garbage", "huge"])
def test_an_answer_that_is_none_is_as_good_as_no_answer(api, token_body, provider, path, trouble):
    provider.set_trouble(path, trouble)
    assert away(api.post("/auth/google", json=token_body()))


def test_a_redirect_of_a_provider_is_not_followed(api, token_body, provider):
    provider.set_trouble(KEYS, "redirect")
    api.post("/auth/google", json=token_body())
    assert provider.asked("/elsewhere") == 0


def test_a_provider_that_says_to_be_another_is_not_believed(api, token_body, provider):
    provider.set_trouble(DESCRIPTION, "issuer")
    assert away(api.post("/auth/google", json=token_body()))


def test_a_provider_that_was_away_a_moment_ago_is_not_waited_for(api, token_body, provider):
    provider.set_trouble(DESCRIPTION, "error")
    for _ in range(3):
        away(api.post("/auth/google", json=token_body()))
    assert provider.asked(DESCRIPTION) == 1


def test_a_provider_that_is_back_is_asked_again(api, token_body, provider, clock):
    provider.set_trouble(DESCRIPTION, "error")
    away(api.post("/auth/google", json=token_body()))
    provider.set_trouble(DESCRIPTION, None)
    clock(fetching.RETRY_AFTER_SECONDS + 1)
    assert api.post("/auth/google", json=token_body()).status_code == 200


def test_a_provider_that_is_slow_is_not_waited_for_longer_than_some_seconds(
    api, token_body, provider, monkeypatch
):
    monkeypatch.setattr(fetching, "TIMEOUTS", (1.0, 0.3))
    provider.set_trouble(KEYS, "slow")
    began = time.monotonic()
    assert away(api.post("/auth/google", json=token_body()))
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://id.example", "http://id.example/token"),
        ("https://id.example", "http://127.0.0.1/token"),
        ("https://id.example", "https://user@id.example/token"),
        ("https://id.example", "file:///etc/passwd"),
        ("https://id.example", "//id.example/token"),
        ("https://id.example", "https://[id.example/token"),
        ("https://id.example", "https:///token"),
        ("https://id.example", None),
        ("https://id.example", ["https://id.example/token"]),
        ("http://127.0.0.1:9000", "http://id.example/token"),
    ],
)
def test_an_address_that_is_not_safe_is_not_asked(app, issuer, url):
    with pytest.raises(Problem):
        fetching.endpoint(issuer, url)


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://id.example", "https://id.example/token"),
        ("https://accounts.example", "https://oauth2.example/token?x=1"),
        ("http://127.0.0.1:9000", "http://localhost:9000/token"),
    ],
)
def test_an_address_that_is_safe_is_asked(issuer, url):
    assert fetching.endpoint(issuer, url) == url


def test_nothing_secret_is_in_the_log_of_a_provider_that_is_away(api, code_body, provider, capfd):
    body = code_body() | {"code": secrets.token_hex(8)}
    provider.set_trouble("/token", "error")
    away(api.post("/auth/google", json=body))
    told = "".join(capfd.readouterr())
    assert provider.issuer in told
    assert body["code"] not in told
    assert "google's own secret" not in told
