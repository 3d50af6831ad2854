"""GET /movies/changes: who replays it has a copy that is the same as a fresh one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movie_testing.walks import check_walks, links, walk

CHANGES = "/movies/changes"


class Copy:
    """A client that follows the changes as the contract says."""

    def __init__(self, api, query: str = "") -> None:
        self._api = api
        self._query = query
        self.movies = {}
        self.since = None

    def follow(self, page_size: int = 100, between=lambda: None) -> None:
        address = f"{CHANGES}?page_size={page_size}{self._query}"
        if self.since is not None:
            address += f"&since={self.since}"
        while address is not None:
            answer = self._api.get(address)
            assert answer.status_code == 200, answer.text
            for entry in answer.json:
                self._apply(entry)
                self.since = entry["changed_at"]
            address = links(answer.headers["Link"]).get("next")
            between()

    def _apply(self, entry: dict) -> None:
        if entry["change"] == "retired":
            self.movies.pop(entry["id"], None)
        else:
            assert entry["movie"]["id"] == entry["id"]
            self.movies[entry["id"]] = entry["movie"]


def entries(api, query: str = "") -> list[tuple[str, str]]:
    return [(one["change"], one["id"]) for one in walk(api, f"{CHANGES}?page_size=100{query}").items]


def listed(api, query: str = "") -> dict[str, dict]:
    return {one["id"]: one for one in walk(api, f"/movies?page_size=100{query}").items}


def now(api) -> str:
    """The time of the latest change."""
    return walk(api, f"{CHANGES}?page_size=100").items[-1]["changed_at"]


def test_an_entry_has_all_its_fields(api, movies):
    made = movies.create(title="x", rating=9.0, genres=("Action",))
    (entry,) = api.get(CHANGES).json
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry.pop("changed_at"))
    assert entry == {
        "change": "added",
        "id": made.id,
        "generation": 2,
        "movie": api.get(f"/movies/{made.id}").json,
    }


def test_without_since_there_is_everything_oldest_change_first(api, movies):
    first, second = movies.create(), movies.create()
    movies.change(first.id, votes=1)
    movies.retire(second.id)
    assert entries(api) == [("added", first.id), ("retired", second.id)]


def test_since_a_time_there_is_what_changed_after_it(api, movies):
    old, changed, retired = (movies.create() for _ in range(3))
    since = now(api)
    movies.change(changed.id, votes=1)
    movies.retire(retired.id)
    new = movies.create()
    expected = [("changed", changed.id), ("retired", retired.id), ("added", new.id)]
    assert entries(api, f"&since={since}") == expected
    assert old.id not in str(expected)


def test_a_movie_that_was_made_and_changed_since_is_new(api, movies):
    movies.create()
    since = now(api)
    made = movies.create()
    movies.change(made.id, votes=1)
    assert entries(api, f"&since={since}") == [("added", made.id)]


def test_a_movie_that_came_back_is_new(api, movies):
    made = movies.create()
    movies.retire(made.id)
    since = now(api)
    movies.revive(made.id)
    assert entries(api, f"&since={since}") == [("added", made.id)]


def test_since_a_load_there_is_what_changed_after_it(api, movies, loads):
    before = movies.create()
    load = loads.create(publishes=True)
    after = movies.create()
    movies.change(before.id, votes=1)
    assert entries(api, f"&since={load}") == [("added", after.id), ("changed", before.id)]


def test_of_a_load_its_generation_counts_and_not_the_clock(api, movies, loads):
    movies.create()
    load = loads.create(publishes=True, finished_at=datetime.now(UTC) - timedelta(days=1))
    after = movies.create()
    assert entries(api, f"&since={load}") == [("added", after.id)]


@pytest.mark.parametrize("state", ["done", "unchanged", "failed", "refused"])
def test_since_a_load_that_changed_nothing_is_since_its_end(api, movies, loads, state):
    movies.create()
    load = loads.create(state=state)
    after = movies.create()
    assert entries(api, f"&since={load}") == [("added", after.id)]


def test_a_load_that_runs_or_that_there_is_not_is_refused(api, loads):
    running = loads.create(state="running")
    for load in (running, running + 1):
        answer = api.get(f"{CHANGES}?since={load}")
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "since")


@pytest.mark.parametrize(
    "since",
    [
        "2000-01-01T00:00:00Z",
        "2000-01-01t00:00:00z",
        "2000-01-01T00:00:00.123456789%2B14:00",
        "0001-01-01T00:00:00Z",
    ],
)
def test_a_time_is_read_as_rfc_3339_writes_it(api, movies, since):
    made = movies.create()
    assert entries(api, f"&since={since}") == [("added", made.id)]


def test_a_time_to_come_is_after_everything(api, movies):
    movies.create()
    assert entries(api, "&since=9999-12-31T23:59:59Z") == []


@pytest.mark.parametrize(
    "since",
    [
        "",
        "0",
        "-1",
        "9" * 19,
        "yesterday",
        "2026-11-24",
        "2026-11-24T02:00:00",
        "2026-11-24T02:00:00+01:00",
        "2026-02-30T02:00:00Z",
        "2026-11-24T25:00:00Z",
        "0001-01-01T00:00:00%2B01:00",
        "9999-12-31T23:59:59-01:00",
        "%D9%A1",
    ],
)
def test_another_text_is_refused(api, since):
    answer = api.get(f"{CHANGES}?since={since}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "since")


def test_an_adult_movie_is_retired_for_who_does_not_ask_for_it(api, movies):
    made = movies.create(is_adult=True)
    assert entries(api) == [("retired", made.id)]
    assert entries(api, "&include_adult") == [("added", made.id)]


def test_a_movie_that_is_marked_as_adult_is_taken_away(api, movies):
    made = movies.create()
    since = now(api)
    movies.change(made.id, is_adult=True)
    assert entries(api, f"&since={since}") == [("retired", made.id)]


def test_changes_of_one_moment_are_told_apart(api, movies, database_cursor):
    database_cursor.execute("UPDATE catalogue_state SET changed_at = now() + interval '1 day'")
    for _ in range(3):
        movies.create()
    times = [one["changed_at"] for one in walk(api, CHANGES).items]
    assert times == sorted(set(times))


def test_it_begins_after_no_movie(api, movies):
    made = movies.create()
    assert api.get(f"{CHANGES}?after_id={made.id}").status_code == 400


@pytest.mark.parametrize("change", ["since=1", "include_adult=1"])
def test_a_cursor_of_other_changes_is_refused(api, movies, loads, change):
    loads.create(publishes=True)
    movies.create_many(year=[1, 2])
    cursor = api.get(f"{CHANGES}?page_size=1").headers["Link"].rpartition("cursor=")[2].partition(">")[0]
    answer = api.get(f"{CHANGES}?{change}&cursor={cursor}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")


@pytest.mark.parametrize("since", ["", "?since=1"])
def test_changes_give_each_movie_once_at_page_sizes_1_to_11_both_ways(api, movies, loads, since):
    first = movies.create_many(year=list(range(7)))
    loads.create(publishes=True)
    second = movies.create_many(year=list(range(13)))
    single = [movies.create() for _ in range(3)]
    movies.change_many([first[2].id, second[5].id], votes=1)
    movies.retire(first[3].id, second[0].id)
    moved = {first[2].id, second[5].id, first[3].id, second[0].id}
    expected = [
        *([] if since else sorted(one.id for one in first if one.id not in moved)),
        *sorted(one.id for one in second if one.id not in moved),
        *(one.id for one in single),
        *sorted((first[2].id, second[5].id)),
        *sorted((first[3].id, second[0].id)),
    ]
    check_walks(api, f"{CHANGES}{since}", expected)


def test_the_way_back_from_a_page_whose_movies_have_moved_misses_none(api, movies):
    made = [movies.create() for _ in range(4)]
    first = api.get(f"{CHANGES}?page_size=2")
    for one in made[2:]:
        movies.delete(one.id)
    empty = api.get(links(first.headers["Link"])["next"])
    back = walk(api, links(empty.headers["Link"])["prev"], rel="prev")
    assert (empty.json, back.ids) == ([], [made[1].id, made[0].id])


def test_a_copy_that_was_made_long_ago_is_brought_up_to_date(api, editor, movies):
    made = movies.create_many(title=["a", "b", "c"], genres=[("Action",)] * 3)
    copy = Copy(api)
    copy.follow()
    movies.change(made[0].id, title="A", genres=("Drama",))
    movies.retire(made[1].id)
    editor.post("/movies", json={"title": "d"})
    copy.follow()
    assert copy.movies == listed(api)


def test_a_copy_that_is_up_to_date_gets_nothing(api, movies):
    movies.create()
    copy = Copy(api)
    copy.follow()
    answer = api.get(f"{CHANGES}?since={copy.since}")
    assert (answer.json, set(links(answer.headers["Link"]))) == ([], {"first"})


steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "change", "retire", "revive", "adult", "no adult", "follow", "load"]),
        st.integers(0, 7),
    ),
    max_size=25,
)


class _Catalogue:
    """Changes movies at random, each in a way that its state allows."""

    def __init__(self, movies, loads) -> None:
        self._movies = movies
        self._loads = loads
        self._made: list[str] = []
        self._retired: set[str] = set()

    def take(self, kind: str, number: int) -> None:
        if kind == "load":
            self._loads.create(publishes=number % 2 == 0)
        elif kind == "create" or not self._made:
            made = self._movies.create_many(
                year=[1990 + number] * (1 + number), is_adult=[number == 3] * (1 + number)
            )
            self._made += [one.id for one in made]
        else:
            self._alter(kind, self._made[number % len(self._made)])

    def _alter(self, kind: str, one: str) -> None:
        if kind == "retire" and one not in self._retired:
            self._movies.retire(one)
            self._retired.add(one)
        elif kind == "revive" and one in self._retired:
            self._movies.revive(one)
            self._retired.remove(one)
        elif kind == "change":
            self._movies.change(one, votes=7)
        elif kind in ("adult", "no adult"):
            self._movies.change(one, is_adult=kind == "adult")


@given(steps=steps, during=steps, page_size=st.integers(1, 5), query=st.sampled_from(["", "&include_adult"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_before_and_during_walks_a_copy_is_as_a_fresh_list(
    api, movies, loads, steps, during, page_size, query
):
    movies.delete_all()
    catalogue, copy, rest = _Catalogue(movies, loads), Copy(api, query), list(during)

    def change_once() -> None:
        if rest:
            catalogue.take(*rest.pop())

    for kind, number in steps:
        if kind == "follow":
            copy.follow(page_size, between=change_once)
        else:
            catalogue.take(kind, number)
    copy.follow(page_size, between=change_once)
    copy.follow(page_size)
    assert copy.movies == listed(api, query)


def test_a_page_is_found_by_an_index_wherever_it_is(api, movies, queries, database_cursor):
    movies.create_many(year=[2000] * 20_000)
    # From here on, the planner takes all changes for as large as this one.
    database_cursor.execute("VACUUM ANALYZE")
    movies.create()
    second = api.get(links(api.get(CHANGES).headers["Link"])["next"])
    queries.statements.clear()
    api.get(links(second.headers["Link"])["next"])
    api.get(links(second.headers["Link"])["prev"])
    pages = [one for one in queries.statements if "AS page" in one]
    assert len(pages) >= 2
    for statement in pages:
        database_cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in database_cursor.fetchall())
        assert "movies_changed_in_idx" in plan, plan
        assert "Seq Scan on movies" not in plan, plan


def test_the_latest_change_is_no_older_than_the_clock(api, movies):
    movies.create()
    age = datetime.now(UTC) - datetime.fromisoformat(now(api))
    assert abs(age) < timedelta(seconds=30)
