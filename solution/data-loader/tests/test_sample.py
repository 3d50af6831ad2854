import csv
from importlib.resources import files

import pandas as pd
import pytest

SAMPLE = files("movie_loader") / "sample"
HEADERS = {
    "title.basics.tsv": [
        "tconst",
        "titleType",
        "primaryTitle",
        "originalTitle",
        "isAdult",
        "startYear",
        "endYear",
        "runtimeMinutes",
        "genres",
    ],
    "title.ratings.tsv": ["tconst", "averageRating", "numVotes"],
    "title.crew.tsv": ["tconst", "directors", "writers"],
    "title.principals.tsv": ["tconst", "ordering", "nconst", "category", "job", "characters"],
    "title.akas.tsv": [
        "titleId",
        "ordering",
        "title",
        "region",
        "language",
        "types",
        "attributes",
        "isOriginalTitle",
    ],
    "name.basics.tsv": [
        "nconst",
        "primaryName",
        "birthYear",
        "deathYear",
        "primaryProfession",
        "knownForTitles",
    ],
}


@pytest.fixture(scope="module")
def titles():
    return read("title.basics.tsv")


@pytest.fixture(scope="module")
def ratings():
    return read("title.ratings.tsv")


@pytest.fixture(scope="module")
def movies(titles, ratings):
    return titles[titles.titleType == "movie"].merge(ratings, on="tconst", how="left")


def read(name):
    with (SAMPLE / name).open(encoding="utf-8", newline="") as file:
        return pd.read_csv(
            file,
            sep="\t",
            quoting=csv.QUOTE_NONE,
            na_values=["\\N"],
            keep_default_na=False,
            lineterminator="\n",
        )


@pytest.mark.parametrize("name", HEADERS)
def test_each_line_has_the_columns_of_the_dumps(name):
    text = (SAMPLE / name).read_bytes().decode("utf-8")
    lines = text.removesuffix("\n").split("\n")
    assert lines[0].split("\t") == HEADERS[name]
    assert {len(line.split("\t")) for line in lines} == {len(HEADERS[name])}


@pytest.mark.parametrize("name", HEADERS)
def test_lines_end_like_those_of_the_dumps(name):
    content = (SAMPLE / name).read_bytes()
    assert content.endswith(b"\n")
    assert b"\r" not in content
    assert not content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", HEADERS)
def test_no_value_is_empty_or_padded(name):
    lines = (SAMPLE / name).read_text(encoding="utf-8").splitlines()
    values = [value for line in lines for value in line.split("\t")]
    assert [value for value in values if not value or value != value.strip()] == []


def test_ids_are_imdbs_and_unique(titles):
    assert titles.tconst.str.fullmatch(r"tt\d{7,9}").all()
    assert titles.tconst.is_unique


def test_rows_stand_in_the_order_of_the_dumps(titles, ratings):
    assert titles.tconst.is_monotonic_increasing
    assert ratings.tconst.is_monotonic_increasing


def test_every_rating_has_its_title(titles, ratings):
    assert ratings.tconst.is_unique
    assert set(ratings.tconst) <= set(titles.tconst)


def test_ratings_are_on_imdbs_scale():
    rows = (SAMPLE / "title.ratings.tsv").read_text(encoding="utf-8").splitlines()[1:]
    averages = [row.split("\t")[1] for row in rows]
    assert all(len(average.partition(".")[2]) == 1 and 1 <= float(average) <= 10 for average in averages)


def test_there_are_about_three_hundred_movies_and_a_few_other_titles(titles, movies):
    assert 280 <= len(movies) <= 360
    assert set(titles.titleType) == {"movie", "short", "tvSeries", "tvMiniSeries"}
    assert len(titles) - len(movies) <= 10


def test_genres_are_at_most_three_in_alphabetical_order(movies):
    genres = movies.genres.str.split(",")
    assert genres.map(lambda names: names == sorted(set(names)) and 1 <= len(names) <= 3).all()


def test_some_movies_show_missing_values(movies):
    unrated = movies[movies.averageRating.isna()]
    assert 1 <= len(unrated) <= 10
    assert unrated.runtimeMinutes.isna().any()
    assert movies.runtimeMinutes.notna().mean() > 0.95


def test_titles_hold_more_than_ascii(movies):
    titles = set(movies.primaryTitle) | set(movies.originalTitle)
    assert titles >= {"WALL·E", "8½", "Le fabuleux destin d'Amélie Poulain", "Tôkyô monogatari", "Se7en"}


def test_two_films_are_called_titanic(movies):
    assert sorted(movies.startYear[movies.primaryTitle == "Titanic"]) == [1953, 1997]


def test_action_above_eight_and_a_half_gives_films_anyone_recognises(movies):
    best = movies[movies.genres.str.contains("Action") & (movies.averageRating > 8.5)]
    assert len(best) >= 8
    assert set(best.primaryTitle) >= {"The Dark Knight", "Inception", "The Matrix", "Seven Samurai"}


@pytest.fixture(scope="module")
def crew():
    return read("title.crew.tsv")


@pytest.fixture(scope="module")
def cast():
    return read("title.principals.tsv")


@pytest.fixture(scope="module")
def names():
    return read("name.basics.tsv").set_index("nconst")


@pytest.fixture(scope="module")
def akas():
    return read("title.akas.tsv")


def ids_in(lists):
    return lists.dropna().str.split(",").explode()


def test_the_crew_has_a_row_for_each_title(crew, titles):
    assert crew.tconst.tolist() == titles.tconst.tolist()


def test_every_person_has_a_name_and_every_name_is_of_somebody_named(crew, cast, names):
    named = {*ids_in(crew.directors), *ids_in(crew.writers), *cast.nconst}
    assert named == set(names.index)
    assert names.primaryName.is_unique


def test_people_stand_in_the_order_of_the_dumps(names, cast, akas):
    assert names.index.is_monotonic_increasing
    assert not cast.duplicated(["tconst", "ordering"]).any()
    assert not akas.duplicated(["titleId", "ordering"]).any()
    assert cast.tconst.is_monotonic_increasing
    assert akas.titleId.is_monotonic_increasing


def test_most_movies_have_a_director(crew):
    assert crew.directors.notna().mean() > 0.8


@pytest.mark.parametrize(
    ("tconst", "directors"),
    [
        ("tt0068646", ["Francis Ford Coppola"]),
        ("tt0133093", ["Lana Wachowski", "Lilly Wachowski"]),
        ("tt0120338", ["James Cameron"]),
        ("tt0046438", ["Yasujirô Ozu"]),
    ],
)
def test_films_have_the_directors_that_anyone_knows(crew, names, tconst, directors):
    (found,) = crew.directors[crew.tconst == tconst]
    assert [names.primaryName[one] for one in found.split(",")] == directors


def test_the_cast_and_other_titles_are_those_of_films_that_are_there(cast, akas, titles):
    assert set(cast.tconst) | set(akas.titleId) <= set(titles.tconst)
    assert set(cast.category) == {"actor", "actress", "self"}


def test_tokyo_story_is_known_in_its_own_script(akas):
    assert akas.titleId[akas.title == "東京物語"].tolist() == ["tt0046438"]


def test_people_lived_in_the_order_of_their_years(names):
    years = names.dropna(subset=["deathYear"]).astype({"birthYear": int, "deathYear": int})
    assert (years.birthYear < years.deathYear).all()
