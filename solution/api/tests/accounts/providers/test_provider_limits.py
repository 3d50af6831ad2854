"""How often somebody may try to sign in through a provider."""

from datetime import timedelta

import pytest
from movie_database.setting_types import Rate
from movie_testing.our_clients import settings_of


@pytest.fixture
def api(make_app, provider):
    limit = Rate(2, timedelta(minutes=15))
    return make_app(**settings_of(provider), sign_in_address_limit=limit).test_client()


def test_failed_sign_ins_are_counted(api, token_body):
    bodies = [token_body(forgery="changed") for _ in range(3)]
    answers = [api.post("/auth/google", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_sign_ins_that_succeed_are_not(api, token_body):
    bodies = [token_body() for _ in range(4)]
    assert [api.post("/auth/google", json=body).status_code for body in bodies] == [200] * 4


def test_a_browser_is_told_on_a_page(api, provider):
    ways = [provider.agree(api.get("/auth/google/start").headers["Location"], answer="no") for _ in range(3)]
    answers = [api.get("/auth/google/callback", query_string=told) for told in ways]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[-1].content_type == "text/html; charset=utf-8"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_nobody_has_us_keep_nonces_without_end(api):
    statuses = [api.post("/auth/nonce").status_code for _ in range(70)]
    assert statuses[0] == 201
    assert statuses[-1] == 429


def test_nobody_has_us_keep_ways_without_end(api):
    statuses = [api.get("/auth/google/start").status_code for _ in range(70)]
    assert statuses[0] == 303
    assert statuses[-1] == 429
