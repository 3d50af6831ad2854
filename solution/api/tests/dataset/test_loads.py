"""GET /dataset/loads and /dataset/loads/{id}."""

from datetime import UTC, datetime

import pytest
from movie_testing.walks import check_walks, links, walk

FILE = {
    "name": "title.basics",
    "address": "https://datasets.imdbws.com/title.basics.tsv.gz",
    "bytes": 7,
    "etag": '"x-1"',
    "last_modified": "Tue, 24 Nov 2026 00:41:10 GMT",
    "sha256": "5d0a",
    "rows": 3,
}


def test_a_load_is_told_with_all_its_fields(api, loads):
    load_id = loads.create(
        started_at=datetime(2026, 11, 24, 2, 0, tzinfo=UTC),
        finished_at=datetime(2026, 11, 24, 2, 0, 41, tzinfo=UTC),
        files=[FILE],
        rejected={"title.basics": {"wrong_number_of_columns": 2}},
        inserted=1,
        updated=2,
        retired=3,
        phases=[{"name": "basics", "seconds": 21.4, "rows": 3}, {"name": "merge", "seconds": 1}],
    )
    expected = {
        "id": load_id,
        "state": "done",
        "started_at": "2026-11-24T02:00:00Z",
        "finished_at": "2026-11-24T02:00:41Z",
        "source": "https://datasets.imdbws.com/",
        "sample": False,
        "title_types": ["movie"],
        "files": [
            {
                "name": "title.basics",
                "address": "https://datasets.imdbws.com/title.basics.tsv.gz",
                "bytes": 7,
                "etag": '"x-1"',
                "last_modified": "2026-11-24T00:41:10Z",
                "rows": 3,
            }
        ],
        "movies": 3,
        "genres": 2,
        "rated_movies": 1,
        "rejected": {"title.basics": {"wrong_number_of_columns": 2}},
        "inserted": 1,
        "updated": 2,
        "retired": 3,
        "phases": [
            {"name": "basics", "seconds": 21.4, "rows": 3},
            {"name": "merge", "seconds": 1, "rows": None},
        ],
        "error": None,
    }
    assert api.get("/dataset/loads").json == [expected]
    assert api.get(f"/dataset/loads/{load_id}").json == expected


def test_a_load_that_runs_has_no_end_and_no_counts(api, loads):
    loads.create(state="running")
    (load,) = api.get("/dataset/loads").json
    assert [load[name] for name in ("finished_at", "movies", "inserted", "error")] == [None] * 4


def test_why_a_load_failed_is_told(api, loads):
    loads.create(state="refused", error_code="too_few_movies", error="There are 5 % fewer movies.")
    (load,) = api.get("/dataset/loads").json
    assert load["error"] == {"code": "too_few_movies", "message": "There are 5 % fewer movies."}


@pytest.mark.parametrize(
    ("source", "error", "shown"),
    [
        (
            "/srv/my own/dumps",
            "/srv/my own/dumps/title.basics.tsv.gz:7: no",
            "dumps/title.basics.tsv.gz:7: no",
        ),
        ("/srv/dumps", "can't read '/srv/dumps': no such folder", "can't read 'dumps': no such folder"),
        ("/srv/dumps", "[Errno 28] /var/lib/x/staging.part is full", "[Errno 28] staging.part is full"),
        ("../dumps", "../dumps/title.basics.tsv.gz is cut off", "dumps/title.basics.tsv.gz is cut off"),
        (
            "https://a.example/d/",
            "https://a.example/d/x.gz: 404, 1/2 read",
            "https://a.example/d/x.gz: 404, 1/2 read",
        ),
        ("https://a.example/d/", "kept at ~/.data/x.part", "kept at x.part"),
    ],
)
def test_an_error_tells_no_folder_of_the_machine(api, loads, source, error, shown):
    loads.create(state="failed", source=source, error=error)
    assert api.get("/dataset/loads").json[0]["error"]["message"] == shown


def test_where_the_files_lie_is_not_told(api, loads):
    loads.create(source="/srv/private/dumps", files=[{**FILE, "address": "/srv/private/dumps/x.tsv.gz"}])
    answer = api.get("/dataset/loads")
    assert (answer.json[0]["source"], answer.json[0]["files"][0]["address"]) == ("dumps", "x.tsv.gz")
    assert "private" not in answer.text


@pytest.mark.parametrize("unknown", ["2", "999999999999999999"])
def test_a_load_that_there_is_not_is_not_found(api, loads, unknown):
    loads.create()
    answer = api.get(f"/dataset/loads/{unknown}")
    assert (answer.status_code, answer.json["type"]) == (404, "/docs/errors/no-such-load")


@pytest.mark.parametrize("malformed", ["0", "x", "1.0", "-1", "9" * 19, "\u0661"])
def test_an_id_that_is_none_is_refused(idle_api, malformed):
    answer = idle_api.get(f"/dataset/loads/{malformed}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "id")


def test_a_page_begins_after_the_load_that_is_named(api, loads):
    made = [loads.create() for _ in range(4)]
    answer = api.get(f"/dataset/loads?after_id={made[2]}")
    assert [one["id"] for one in answer.json] == [made[1], made[0]]


def test_a_load_that_there_is_not_can_begin_no_page(api, loads):
    loads.create()
    answer = api.get("/dataset/loads?after_id=7")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/after-id-not-in-list")


def test_a_cursor_of_another_list_is_refused(api, loads, movies):
    movies.create_many(year=[1990, 1991])
    cursor = api.get("/movies?page_size=1").headers["Link"].rpartition("cursor=")[2].partition(">")[0]
    answer = api.get(f"/dataset/loads?cursor={cursor}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")


def test_the_list_gives_each_load_once_at_page_sizes_1_to_11_both_ways(api, loads):
    states = ("done", "unchanged", "failed", "refused")
    made = [loads.create(state=states[number % 4]) for number in range(13)]
    check_walks(api, "/dataset/loads", made[::-1])


def test_a_load_that_begins_during_a_walk_shifts_nothing(api, loads):
    made = [loads.create() for _ in range(4)]
    first = api.get("/dataset/loads?page_size=2")
    loads.create(state="running")
    rest = walk(api, links(first.headers["Link"])["next"])
    assert [one["id"] for one in first.json] + rest.ids == made[::-1]


def test_it_takes_one_query(api, loads, queries):
    loads.create()
    assert queries.count(lambda: api.get("/dataset/loads")) == 1
