"""Bodies are JSON in UTF-8, of a bounded size, and refused with every fault."""

import pytest


def post(api, data: bytes, **headers) -> tuple[int, str]:
    answer = api.post("/movies", data=data, headers={"Content-Type": "application/json", **headers})
    return answer.status_code, answer.json.get("type", "").removeprefix("/docs/errors/")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "",
        "application/xml",
    ],
)
def test_another_type_is_refused(idle_editor, content_type):
    assert post(idle_editor, b'{"title": "x"}', **{"Content-Type": content_type}) == (
        415,
        "unsupported-media-type",
    )


def test_utf_8_may_be_said(editor):
    assert post(editor, b'{"title": "x"}', **{"Content-Type": "application/json; charset=UTF-8"})[0] == 201


def test_a_compressed_body_is_refused(idle_editor):
    assert post(idle_editor, b"\x1f\x8b", **{"Content-Encoding": "gzip"}) == (415, "unsupported-media-type")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(make_app, accounts):
    api = make_app(max_body_bytes=1024).test_client()
    answer = post(api, b'{"title": "%s"}' % (b"x" * 1024), **accounts.editor_headers())
    assert answer == (413, "body-too-large")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"title": "x"} x',
        b'{"title": NaN}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
        b"[" * 5000,
    ],
)
def test_a_body_that_is_no_json_is_refused(idle_editor, data):
    assert post(idle_editor, data) == (400, "malformed-body")


@pytest.mark.parametrize("data", [b"null", b"[]", b'"x"', b"1"])
def test_a_body_that_is_no_object_is_refused(idle_editor, data):
    assert post(idle_editor, data) == (400, "invalid-body")
