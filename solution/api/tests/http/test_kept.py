import pytest
from flask import Response
from movie_api.http.kept import KeptAnswers


def answer(text, status=200):
    return Response(text, status=status, headers={"Link": "<x>"}, content_type="application/json")


@pytest.fixture
def kept():
    return KeptAnswers(most_bytes=10_000)


def test_an_answer_is_given_again_with_its_headers(kept):
    kept.keep("key", answer("[1]"))
    again = kept.get("key")
    assert (again.get_data(), again.status_code) == (b"[1]", 200)
    assert (again.headers["Link"], again.content_type) == ("<x>", "application/json")


def test_what_is_done_to_an_answer_on_its_way_out_is_not_kept(kept):
    kept.keep("key", answer("[1]"))
    kept.get("key").headers["Vary"] = "Accept-Encoding"
    assert "Vary" not in kept.get("key").headers


def test_another_key_has_no_answer(kept):
    kept.keep("key", answer("[1]"))
    assert kept.get("other") is None


def test_the_answer_that_was_not_asked_for_longest_goes_first(kept):
    for key in range(5):
        kept.keep(key, answer("x" * 900))
    kept.get(0)
    kept.keep(5, answer("x" * 900))
    assert [key for key in range(6) if kept.get(key)] == [0, 2, 3, 4, 5]


def test_an_answer_that_is_kept_again_counts_once(kept):
    for _ in range(100):
        kept.keep("key", answer("x" * 900))
    kept.keep("other", answer("x" * 900))
    assert kept.get("key")


def test_a_large_answer_and_one_that_says_no_are_not_kept(kept):
    kept.keep("large", answer("x" * 100_000))
    kept.keep("no", answer("no", status=404))
    assert (kept.get("large"), kept.get("no")) == (None, None)
