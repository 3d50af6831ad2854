"""Every list endpoint, walked in pages of every size, both ways."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movie_testing.factories.movies import MadeMovie
from movie_testing.walks import check_walks, links, walk

SORT_VALUES = {
    "title": lambda movie: movie.title.lower().replace("é", "e"),
    "year": lambda movie: movie.year,
    "rating": lambda movie: movie.rating,
    "votes": lambda movie: movie.votes,
    "runtime": lambda movie: movie.runtime,
}


def in_order(made: list[MadeMovie], sort: str, *, is_descending: bool) -> list[str]:
    """Ids in the order of the list: nulls last and ties by id, in both directions."""
    value = SORT_VALUES[sort]
    with_value = sorted((one for one in made if value(one) is not None), key=lambda one: one.id)
    with_value.sort(key=value)
    if is_descending:
        with_value.sort(key=value, reverse=True)
    without = sorted(one.id for one in made if value(one) is None)
    return [one.id for one in with_value] + without


TABLE = [
    *((f"/movies?sort={sort}{desc}", sort, bool(desc)) for sort in SORT_VALUES for desc in ("", "&desc")),
    ("/movies", "title", False),
]


@pytest.mark.parametrize(("path", "sort", "is_descending"), TABLE)
def test_a_list_gives_each_row_once_at_page_sizes_1_to_11_both_ways(api, movies, path, sort, is_descending):
    made = movies.create_many(
        title=["b", "a", "C", "a", "d", "é", "a", "f", "g", "h", "i", "j", "k"],
        year=[1999, None, 2001, 1999, None, 1999, 2001, None, 1950, 2100, 1999, None, 1],
        rating=[9.1, 9.1, None, 7.0, None, 9.1, 7.0, 1.0, None, 10.0, 9.1, None, None],
        votes=[5, 5, None, 0, None, 5, 0, 10, None, 2_147_483_647, 5, None, None],
        runtime=[90, 90, None, 51_420, None, 90, 1, 90, None, 90, 90, None, None],
    )
    check_walks(api, path, in_order(made, sort, is_descending=is_descending))


rows = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["a", "b", "c"]),
            "year": st.sampled_from([None, 1999, 2000]),
            "rating": st.sampled_from([None, 1.0, 8.5, 8.6, 10.0]),
            "votes": st.sampled_from([None, 0, 7]),
            "runtime": st.sampled_from([None, 90, 91]),
            "genres": st.sampled_from([(), ("Action",), ("Action", "Drama"), ("Drama",)]),
            "is_adult": st.booleans(),
        }
    ),
    max_size=12,
)
filters = st.sampled_from(
    [
        ("", lambda _: True),
        ("genre=action", lambda one: "Action" in one.genres),
        ("genre=Action&genre=DRAMA", lambda one: {"Action", "Drama"} <= set(one.genres)),
        ("rating_gt=8.5", lambda one: one.rating is not None and one.rating > 8.5),
        ("rating_gt=8.55&genre=Drama", lambda one: (one.rating or 0) > 8.55 and "Drama" in one.genres),
        ("year_gte=2000", lambda one: one.year is not None and one.year >= 2000),
        ("year_lte=1999&votes_gte=1", lambda one: (one.year or 9999) <= 1999 and (one.votes or 0) >= 1),
    ]
)


@given(
    rows=rows,
    page_size=st.integers(1, 7),
    sort=st.sampled_from(list(SORT_VALUES)),
    is_descending=st.booleans(),
    condition=filters,
    with_adult=st.booleans(),
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_list_gives_each_movie_exactly_once_and_backward_the_same_reversed(
    api, movies, rows, page_size, sort, is_descending, condition, with_adult
):
    query, holds = condition
    movies.delete_all()
    made = movies.create_many(**{name: [row[name] for row in rows] for name in rows[0]}) if rows else []
    expected = [one for one in made if holds(one) and (with_adult or not one.is_adult)]
    path = f"/movies?sort={sort}&desc={int(is_descending)}&include_adult={int(with_adult)}&{query}"
    check_walks(api, path, in_order(expected, sort, is_descending=is_descending), [page_size])


@pytest.mark.parametrize("sort", SORT_VALUES)
@pytest.mark.parametrize("genre", ["", "&genre=Action", "&genre=Action,Drama"])
@pytest.mark.parametrize("name", ["id", "imdb_id"])
def test_a_list_walked_by_after_id_gives_each_movie_once(api, movies, sort, genre, name):
    made = movies.create_many(
        title=["b", "a", "a", "c", "d", "d"],
        year=[1999, None, 2001, 1999, 2000, None],
        rating=[9.1, 9.1, None, 7.0, 9.1, None],
        votes=[5, 5, None, 0, 5, None],
        runtime=[90, 90, None, 51_420, 90, None],
        genres=[("Action", "Drama")] * 6,
    )
    name_of = {one.id: getattr(one, name) for one in made}
    expected = in_order(made, sort, is_descending=True)
    starts = ["", *(f"&after_id={name_of[one]}" for one in expected[:-1])]
    pages = [api.get(f"/movies?sort={sort}&desc&page_size=1{genre}{start}").json for start in starts]
    assert [one["id"] for page in pages for one in page] == expected


def test_the_page_size_may_change_on_the_way(api, movies):
    made = movies.create_many(rating=[9.1, 9.1, None, 7.0, None, 8.0, 8.0, None])
    expected = in_order(made, "rating", is_descending=True)
    address = "/movies?sort=rating&desc=1&page_size=3"
    ids = []
    for size in (3, 1, 100):
        answer = api.get(address)
        ids += [movie["id"] for movie in answer.json]
        address = links(answer.headers["Link"]).get("next", "").replace(f"page_size={size}", "page_size=1")
        address = address.replace("page_size=1", "page_size=100") if size == 1 else address
    assert ids == expected


def test_a_cursor_stays_good_when_its_movie_is_gone(api, movies):
    made = movies.create_many(year=[1990, 1991, 1991, 1992, None])
    expected = in_order(made, "year", is_descending=False)
    first = api.get("/movies?sort=year&page_size=2")
    movies.delete(expected[1])
    rest = walk(api, links(first.headers["Link"])["next"])
    assert rest.ids == expected[2:]


def test_the_way_back_from_a_page_whose_movies_are_gone_misses_none(api, movies):
    made = movies.create_many(year=[1990, 1991, 1992, 1993])
    first = api.get("/movies?sort=year&page_size=2")
    for one in made[2:]:
        movies.delete(one.id)
    empty = api.get(links(first.headers["Link"])["next"])
    back = walk(api, links(empty.headers["Link"])["prev"], rel="prev")
    assert (empty.json, back.ids) == ([], [made[1].id, made[0].id])


def test_the_way_on_from_an_empty_page_before_the_first_misses_none(api, movies):
    made = movies.create_many(year=[1990, 1991, 1992, 1993])
    second = api.get(links(api.get("/movies?sort=year&page_size=2").headers["Link"])["next"])
    for one in made[:2]:
        movies.delete(one.id)
    empty = api.get(links(second.headers["Link"])["prev"])
    on = walk(api, links(empty.headers["Link"])["next"])
    assert (empty.json, on.ids) == ([], [made[2].id, made[3].id])
