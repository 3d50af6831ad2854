"""Dumps that can be read, and look wrong."""

from dataclasses import replace

import pytest
from movie_loader.errors import RefusedLoadError
from movie_loader.quality import Limits
from movie_testing.tsv import aka_row, cast_row, crew_row, name_row, rating_row, title_row, write_tsv

GENRES = [f"Genre {at}" for at in range(20)]


@pytest.fixture
def strict(loads):
    """Loads that refuse what is to be refused."""
    loads.order = replace(loads.order, accepts_shrink=False)
    return loads


@pytest.fixture
def bring(strict, dumps):
    """Loads dumps of so many movies, genres and ratings, and so many malformed titles."""

    def bring_them(*, movies=100, genres=20, ratings=100, rating=7.0, malformed=0, **changes):
        write_tsv(
            dumps,
            basics=[
                *(
                    title_row(tconst=f"tt{at:07}", primaryTitle=f"Title {at}", genres=GENRES[at % genres])
                    for at in range(1, movies + 1)
                ),
                *(f"tt{at:07}\tmovie\tToo few columns".encode() for at in range(1, malformed + 1)),
            ],
            ratings=[rating_row(tconst=f"tt{at:07}", averageRating=rating) for at in range(1, ratings + 1)],
        )
        return strict.run(**changes)

    return bring_them


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        ({"movies": 94, "ratings": 94}, "94 movies after 100 in load 1, over 5 % fewer"),
        ({"genres": 18}, "18 genres after 20 in load 1, over 5 % fewer"),
        ({"ratings": 94}, "94 ratings after 100 in load 1, over 5 % fewer"),
        ({"rating": 6.4}, "a mean rating of 6.40 after 7.00 in load 1, over 0.5 apart"),
        ({"rating": 7.6}, "a mean rating of 7.60 after 7.00 in load 1, over 0.5 apart"),
    ],
)
def test_dumps_that_shrank_or_moved_too_far_are_refused_and_change_nothing(strict, bring, worse, reason):
    bring()
    before = strict.snapshot()
    with pytest.raises(RefusedLoadError, match=reason):
        bring(**worse)
    assert strict.snapshot() == before
    record = strict.loads()[-1]
    assert (record["state"], record["error_code"]) == ("refused", "refused")
    assert reason in record["error"]


@pytest.mark.parametrize(
    "still_good",
    [{"movies": 95, "ratings": 95}, {"genres": 19}, {"ratings": 95}, {"rating": 6.5}, {"rating": 7.5}],
)
def test_dumps_at_a_limit_are_taken(bring, still_good):
    bring()
    assert bring(**still_good).state == "done"


def test_every_reason_is_told_at_once(bring):
    bring()
    with pytest.raises(
        RefusedLoadError, match=r"50 movies.*10 genres.*10 ratings.*mean rating.*--accept-shrink"
    ):
        bring(movies=50, genres=10, ratings=10, rating=1.0)


def test_what_shrank_is_taken_once_where_that_is_asked_for(bring):
    bring()
    assert bring(movies=50, ratings=50, accepts_shrink=True).state == "done"
    assert bring(movies=49, ratings=49).state == "done"
    with pytest.raises(RefusedLoadError):
        bring(movies=20, ratings=20)


def test_each_limit_can_be_set(bring):
    bring()
    limits = Limits(shrink_percent=60, rating_shift=3)
    assert bring(movies=50, ratings=50, rating=9.9, limits=limits).state == "done"


def test_over_a_hundred_malformed_rows_are_refused_where_they_are_over_one_percent(strict, bring):
    with pytest.raises(RefusedLoadError, match=r"101 of 201 rows of title\.basics are malformed, over 1 %"):
        bring(malformed=101)
    assert strict.movies() == {}


def test_a_hundred_malformed_rows_are_taken_whatever_their_share(bring):
    assert bring(malformed=100).state == "done"


def test_malformed_rows_are_refused_even_where_shrinking_is_accepted(bring):
    with pytest.raises(RefusedLoadError):
        bring(malformed=101, accepts_shrink=True)


def test_a_percent_of_malformed_rows_is_taken_whatever_their_number(bring):
    limits = Limits(rejected_rows=0, rejected_percent=10)
    assert bring(movies=90, ratings=90, malformed=10, limits=limits).state == "done"
    with pytest.raises(RefusedLoadError):
        bring(movies=90, ratings=90, malformed=11, limits=limits)


def test_malformed_ratings_are_refused(strict, dumps):
    write_tsv(dumps, basics=[title_row()], ratings=[rating_row(), *([b"tt0000002\t7.0"] * 101)])
    with pytest.raises(RefusedLoadError, match=r"101 of 102 rows of title\.ratings are malformed"):
        strict.run()


def test_duplicates_nulled_fields_and_ratings_without_title_are_not_malformed(strict, dumps):
    write_tsv(
        dumps,
        basics=[
            title_row(),
            *([title_row()] * 150),
            *(title_row(tconst=f"tt{at:07}", startYear="x") for at in range(2, 152)),
        ],
        ratings=[rating_row(tconst=f"tt{at:07}") for at in range(900, 1200)],
    )
    assert strict.run().state == "done"


def test_malformed_rows_of_unwanted_types_do_not_count(strict, dumps):
    episodes = [b"tt%07d\ttvEpisode\tToo few columns" % at for at in range(2, 300)]
    write_tsv(dumps, basics=[title_row(), *episodes], ratings=[rating_row()])
    assert strict.run().state == "done"


def test_other_title_types_are_another_matter(strict, bring, dumps):
    bring()
    write_tsv(dumps, basics=[title_row(titleType="short")], ratings=[rating_row()])
    assert strict.run(title_types=("short",)).state == "done"


def test_another_source_is_another_matter(strict, bring, tmp_path):
    bring()
    other = write_tsv(tmp_path / "other", basics=[title_row()], ratings=[rating_row()])
    assert strict.run(other).state == "done"


def test_the_order_of_title_types_and_a_slash_make_no_other_source(strict, bring, dumps):
    bring(title_types=("movie", "short"))
    with pytest.raises(RefusedLoadError):
        bring(movies=10, source=f"{dumps}/", title_types=("short", "movie"))


def test_the_sample_is_nothing_to_compare_with(bring):
    bring(is_sample=True)
    assert bring(movies=10).state == "done"


def test_a_refused_load_is_nothing_to_compare_with(bring):
    bring()
    with pytest.raises(RefusedLoadError):
        bring(movies=50, ratings=50)
    with pytest.raises(RefusedLoadError, match="in load 1"):
        bring(movies=49, ratings=49)
    assert bring(movies=99).state == "done"


@pytest.fixture
def bring_people(strict, dumps):
    """Loads dumps of a hundred movies; so many have a director of their own, an actor, another title."""

    def bring_them(*, directors=100, actors=0, akas=0, malformed=0, **changes):
        ids = [f"tt{at:07}" for at in range(1, 101)]
        write_tsv(
            dumps,
            basics=[title_row(tconst=one) for one in ids],
            crew=[
                *(crew_row(tconst=one, directors=f"nm{at:07}") for at, one in enumerate(ids[:directors], 1)),
                *(f"{one}\ttoo few".encode() for one in (ids * 2)[:malformed]),
                crew_row(tconst="tt0000900"),
            ],
            names=[name_row(nconst=f"nm{at:07}") for at in range(1, 301)],
            cast=[
                cast_row(tconst=f"tt{at:07}", nconst=f"nm{200 + at:07}") for at in range(1, 1 + (actors or 1))
            ],
            akas=[aka_row(titleId=one) for one in ids[:akas] or ["tt0000900"]],
        )
        return strict.run(with_cast=actors > 0, with_akas=akas > 0, **changes)

    return bring_them


@pytest.mark.parametrize(
    ("before", "worse", "reason"),
    [
        ({}, {"directors": 94}, "94 people after 100 in load 1, over 5 % fewer; 94 credits"),
        ({"actors": 100}, {"actors": 89}, "189 people after 200 in load 1, over 5 % fewer"),
        ({"akas": 100}, {"akas": 94}, "94 other titles after 100 in load 1, over 5 % fewer"),
    ],
)
def test_far_fewer_people_or_other_titles_are_refused(strict, bring_people, before, worse, reason):
    bring_people(**before)
    snapshot = strict.snapshot()
    with pytest.raises(RefusedLoadError, match=reason):
        bring_people(**before | worse)
    assert strict.snapshot() == snapshot
    assert bring_people(**before | worse, accepts_shrink=True).state == "done"


def test_people_are_compared_with_those_of_loads_with_as_much_of_the_cast(bring_people):
    bring_people(actors=100, akas=100)
    assert bring_people().state == "done"
    assert bring_people(actors=50, akas=50).state == "done"


def test_malformed_rows_of_the_crew_are_refused(bring_people):
    with pytest.raises(RefusedLoadError, match=r"101 of 201 rows of title\.crew are malformed"):
        bring_people(malformed=101)
