"""Every kind of problem is one of a kind, has its page, and one shape."""

import pytest
from movie_api.http import problems
from movie_api.http.problems import KINDS, Kind

MEMBERS = ["type", "title", "status", "detail", "instance", "errors"]


def test_every_kind_is_in_the_table_under_a_code_of_its_own():
    defined = [value for value in vars(problems).values() if isinstance(value, Kind)]
    assert sorted(kind.code for kind in defined) == sorted(KINDS)
    assert len({kind.title for kind in defined}) == len(defined)


@pytest.mark.parametrize("code", KINDS)
def test_every_kind_has_a_page_that_says_what_to_do(idle_api, code):
    answer = idle_api.get(f"/docs/errors/{code}")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert KINDS[code].title.replace("'", "&#39;") in answer.text


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nope", 404, "no-such-address"),
        ("GET", "/movies/", 404, "no-such-address"),
        ("GET", "/movies//tt0000001", 404, "no-such-address"),
        ("GET", "/movies/tt0000001/x", 404, "no-such-address"),
        ("GET", "/docs/errors/nope", 404, "no-such-address"),
        ("GET", "/docs/assets/nope.js", 404, "no-such-address"),
        ("GET", "/movies/tt9999999", 404, "no-such-movie"),
        ("GET", "/movies/Heat", 400, "malformed-id"),
        ("GET", "/movies?sort=size", 400, "invalid-parameters"),
        ("GET", "/movies?cursor=AAAA", 400, "invalid-cursor"),
        ("DELETE", "/movies", 405, "method-not-allowed"),
        ("PUT", "/genres", 405, "method-not-allowed"),
    ],
)
def test_a_problem_has_the_shape_of_rfc_9457(idle_api, method, address, status, code):
    answer = idle_api.open(address, method=method, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert list(answer.json) == MEMBERS
    assert (answer.json["type"], answer.json["status"]) == (f"/docs/errors/{code}", status)
    assert answer.json["instance"] == "mine"


def test_an_unforeseen_fault_tells_nothing_of_what_is_inside(app, capsys):
    app.add_url_rule("/fault", view_func=lambda: 1 // 0)
    answer = app.test_client().get("/fault")
    assert (answer.status_code, answer.json["type"]) == (500, "/docs/errors/internal-error")
    assert "ZeroDivisionError" not in answer.text
