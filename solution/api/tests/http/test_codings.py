"""Content codings: which one is chosen, and that nothing but the bytes on their way differs."""

import gzip
import sys

import brotli
import pytest
from movie_api.http.codings import Coding, preferred

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODE = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}
LARGE = [
    "/movies?page_size=100",
    "/movies/changes",
    "/docs/errors",
    "/docs/openapi.yaml",
    "/docs/openapi.json",
]
FILES = ["/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js"]


@pytest.fixture(autouse=True)
def many(movies):
    movies.create_many(title=[f"Movie {number}" for number in range(30)])


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip; q=0.5 , br;q=0.8, zstd ; q=0.2", "br"),
        ("gzip;q=0", "identity"),
        ("br;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*;q=0.1, gzip;q=0.9", "gzip"),
        ("zstd;q=0, *", "br"),
        ("*;q=0", "identity"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0.5, gzip", "gzip"),
        ("deflate", "identity"),
        ("nonsense;;q", "identity"),
        (",", "identity"),
    ],
)
def test_the_coding_that_is_liked_best_is_chosen(header, name):
    assert preferred(header).name == name


@pytest.mark.parametrize("header", ["gzip, identity;q=0", "gzip, *;q=0"])
def test_who_takes_nothing_without_a_coding_gets_none_without(api, header):
    assert preferred(header) == Coding("gzip", is_forced=True)
    answer = api.get("/genres", headers={"Accept-Encoding": header})
    assert (answer.headers["Content-Encoding"], gzip.decompress(answer.data)) == ("gzip", b"[]")


@pytest.mark.parametrize("coding", DECODE)
@pytest.mark.parametrize("address", [*LARGE, *FILES])
def test_a_large_answer_is_the_same_in_every_coding(api, address, coding):
    plain, coded = api.get(address), api.get(address, headers={"Accept-Encoding": coding})
    assert coded.headers["Content-Encoding"] == coding
    assert DECODE[coding](coded.data) == plain.data
    assert len(coded.data) < len(plain.data) * 0.6
    assert coded.headers["Content-Length"] == str(len(coded.data))
    assert coded.headers.getlist("Vary") == plain.headers.getlist("Vary") == ["Accept-Encoding"]


@pytest.mark.parametrize("address", [*LARGE, *FILES])
def test_head_tells_the_length_of_the_coded_answer(api, address):
    headers = {"Accept-Encoding": "br"}
    head, get = api.head(address, headers=headers), api.get(address, headers=headers)
    names = ("Content-Length", "Content-Encoding", "ETag", "Vary")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]


@pytest.mark.parametrize(
    "address", ["/genres", "/healthz", "/docs", "/movies?page_size=1", "/docs/errors/no-data"]
)
def test_a_small_answer_is_sent_as_it_is(api, address):
    answer = api.get(address, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers.getlist("Vary") == ["Accept-Encoding"]


def test_a_picture_is_sent_as_it_is(api):
    answer = api.get("/docs/assets/favicon-32x32.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_a_piece_of_a_file_is_never_cut_out_of_its_coding(api):
    headers = {"Accept-Encoding": "gzip", "Range": "bytes=0-99"}
    answer = api.get("/docs/assets/swagger-ui.css", headers=headers)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
