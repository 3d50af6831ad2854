import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from movie_database.sort_keys import sort_key
from movie_loader import frames
from movie_loader.datasets import RATINGS, TITLES
from movie_loader.faults import Effect, Tally
from movie_loader.frames import parse_frame, with_sort_keys

GOOD = {
    "tconst": "tt0000001",
    "titleType": "movie",
    "primaryTitle": "A Title",
    "originalTitle": "Ein Titel",
    "isAdult": "0",
    "startYear": "1999",
    "endYear": r"\N",
    "runtimeMinutes": "90",
    "genres": "Drama,Comedy",
}
RATED = {"tconst": "tt0000001", "averageRating": "7.5", "numVotes": "100"}


def parse(*rows, dataset=TITLES):
    good = GOOD if dataset is TITLES else RATED
    lines = pa.array(["\t".join((good | row).values()) for row in rows], pa.string())
    tally = Tally("a file")
    return parse_frame(lines, np.arange(2, 2 + len(rows)), dataset, tally), tally


def value(column, text, imdb_name, dataset=TITLES):
    """What a field becomes, and the faults counted."""
    frame, tally = parse({imdb_name: text}, dataset=dataset)
    found = frame[column].iloc[0]
    faults = tally.as_dict()
    return (None if found is frames.pd.NA else found), faults["nulled"] | faults["mended"]


def test_a_row_becomes_typed_columns_under_our_names():
    frame, tally = parse({})
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "imdb_id": "string[pyarrow]",
        "title_type": "string[pyarrow]",
        "title": "string[pyarrow]",
        "original_title": "string[pyarrow]",
        "is_adult": "bool[pyarrow]",
        "year": "int64[pyarrow]",
        "runtime_minutes": "int64[pyarrow]",
        "genres": "string[pyarrow]",
    }
    assert frame.iloc[0].to_dict() == {
        "imdb_id": "tt0000001",
        "title_type": "movie",
        "title": "A Title",
        "original_title": "Ein Titel",
        "is_adult": False,
        "year": 1999,
        "runtime_minutes": 90,
        "genres": "Drama,Comedy",
    }
    assert tally.as_dict() == {"rejected": {}, "nulled": {}, "mended": {}, "duplicate": {}}


@pytest.mark.parametrize("imdb_name", ["originalTitle", "startYear", "runtimeMinutes", "genres"])
def test_null_is_null_and_no_fault(imdb_name):
    column = next(one.name for one in TITLES.columns if one.imdb_name == imdb_name)
    assert value(column, r"\N", imdb_name) == (None, {})


def test_a_null_title_rejects_its_row_alone():
    frame, tally = parse({"tconst": "tt0000001", "primaryTitle": r"\N"}, {"tconst": "tt0000002"})
    assert frame["imdb_id"].tolist() == ["tt0000002"]
    assert frame.index.tolist() == [1]
    assert tally.count(Effect.REJECTED, "null_title") == 1


@pytest.mark.parametrize(
    "text",
    ["Reality-TV", "", " 90", "90 ", "9O", "-1", "+90", "90.0", "1e2", "٩٠", "99999999999", "2147483648"],
)
def test_a_runtime_that_is_none_becomes_null_and_is_counted(text):
    assert value("runtime_minutes", text, "runtimeMinutes") == (None, {"runtime_minutes": 1})


@pytest.mark.parametrize("text", ["0", "1", "51420", "2147483647", "0090"])
def test_a_runtime_may_be_of_any_length(text):
    assert value("runtime_minutes", text, "runtimeMinutes") == (int(text), {})


@pytest.mark.parametrize("text", ["20x1", "1799", "2101", "99999", "0", "19 99", "MCMXC"])
def test_a_year_that_is_none_becomes_null_and_is_counted(text):
    assert value("year", text, "startYear") == (None, {"year": 1})


@pytest.mark.parametrize("text", ["1800", "1894", "2100"])
def test_a_year_of_film_is_kept(text):
    assert value("year", text, "startYear") == (int(text), {})


@pytest.mark.parametrize(("text", "is_adult"), [("0", False), ("1", True), (r"\N", False)])
def test_adult_is_a_flag(text, is_adult):
    assert value("is_adult", text, "isAdult") == (is_adult, {})


@pytest.mark.parametrize("text", ["2019", "true", "", "01", "x"])
def test_an_adult_flag_that_does_not_parse_is_not_adult_and_is_counted(text):
    assert value("is_adult", text, "isAdult") == (False, {"is_adult": 1})


@pytest.mark.parametrize("text", ["Drama", "Sci-Fi,Film-Noir", "x" * 64, "Action,action", ",".join("x" * 50)])
def test_genres_are_kept_as_they_are(text):
    assert value("genres", text, "genres") == (text, {})


def test_no_genres_at_all_are_no_fault():
    assert value("genres", "", "genres") == (None, {})


@pytest.mark.parametrize("text", [",", "Drama,", ",Drama", "Drama,,Comedy", "x" * 65, ",".join("x" * 51)])
def test_genres_that_are_none_become_null_and_are_counted(text):
    assert value("genres", text, "genres") == (None, {"genres": 1})


@pytest.mark.parametrize(
    ("text", "tenths"), [("1.0", 10), ("10.0", 100), ("10", 100), ("8.7", 87), ("8.75", 88), ("2.3", 23)]
)
def test_a_rating_is_counted_in_tenths(text, tenths):
    assert value("rating_tenths", text, "averageRating", RATINGS) == (tenths, {})


@pytest.mark.parametrize("text", ["0.9", "10.1", "-5.0", "7,5", "nan", "inf", "1e0", "", ".5", "5."])
def test_a_rating_that_is_none_becomes_null_and_is_counted(text):
    assert value("rating_tenths", text, "averageRating", RATINGS) == (None, {"rating_tenths": 1})


@pytest.mark.parametrize("text", ["many", "-1", "4294967296"])
def test_votes_that_are_none_become_null_and_are_counted(text):
    assert value("votes", text, "numVotes", RATINGS) == (None, {"votes": 1})


def test_the_lines_of_the_first_few_faults_are_logged(capsys):
    parse(*[{"startYear": "20x1"}] * 5)
    shown = capsys.readouterr().out
    assert [f"line={line}" in shown for line in range(2, 7)] == [True, True, True, False, False]
    assert "reason=year" in shown


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\t\n\0", exclude_categories=["Cs"])), min_size=1))
def test_every_title_gets_the_sort_key_that_the_api_would_make(titles):
    frame, _ = parse(*({"primaryTitle": title} for title in titles if title != r"\N"), {})
    keyed = with_sort_keys(frame, "title")
    assert keyed["title_key"].tolist() == [sort_key(title) for title in keyed["title"]]


@pytest.mark.parametrize("title", ["A" * 500, "東" * 900, "É" * 500, "ﷺ" * 300, "ß" * 300, "a\u0301" * 300])
def test_a_sort_key_is_bounded_whatever_the_title(title):
    frame, _ = parse({"primaryTitle": title})
    key = with_sort_keys(frame, "title")["title_key"].iloc[0]
    assert key == sort_key(title)
    assert len(key.encode()) <= 1024
