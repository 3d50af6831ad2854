import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest
from movie_testing.dump_genres import GENRES
from movie_testing.dump_skews import TYPES
from movie_testing.dump_voices import ODD_TITLES
from movie_testing.dumps import RATINGS_FILE, TITLES_FILE, DumpCounts, write_dumps
from movie_testing.tsv import RATING_COLUMNS, TITLE_COLUMNS

SIZES = {"titles": 20_000, "movies": 1_500, "ratings": 2_800}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dumps")


@pytest.fixture(scope="module")
def counts(folder):
    return write_dumps(folder, **SIZES)


@pytest.fixture(scope="module")
def titles(folder, counts):
    return read(folder / TITLES_FILE)


@pytest.fixture(scope="module")
def ratings(folder, counts):
    return read(folder / RATINGS_FILE)


@pytest.fixture(scope="module")
def movies(titles):
    return titles[titles.titleType == "movie"]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep="\t",
        quoting=csv.QUOTE_NONE,
        na_values=["\\N"],
        keep_default_na=False,
        lineterminator="\n",
    )


def test_the_rows_are_as_many_as_asked_for(counts, titles, movies, ratings):
    assert (counts.titles, counts.movies, counts.ratings) == (20_000, 1_500, 2_800)
    assert (len(titles), len(movies), len(ratings)) == (20_000, 1_500, 2_800)


def test_the_counts_are_those_of_the_files(counts, movies, titles, ratings):
    counted = DumpCounts(
        titles=len(titles),
        movies=len(movies),
        movie_genres=int(movies.genres.dropna().str.split(",").str.len().sum()),
        ratings=len(ratings),
        rated_movies=int(ratings.tconst.isin(movies.tconst).sum()),
        orphan_ratings=int((~ratings.tconst.isin(titles.tconst)).sum()),
    )
    assert counts == counted


def test_the_same_seed_gives_the_same_bytes(tmp_path, folder, counts):
    write_dumps(tmp_path, **SIZES)
    for name in (TITLES_FILE, RATINGS_FILE):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_another_seed_gives_other_dumps_of_the_same_sizes(tmp_path, folder, counts):
    other = write_dumps(tmp_path, **SIZES, seed=2)
    assert (other.titles, other.movies, other.ratings) == (counts.titles, counts.movies, counts.ratings)
    assert (tmp_path / TITLES_FILE).read_bytes() != (folder / TITLES_FILE).read_bytes()


def test_the_gzip_header_holds_no_name_and_no_time(folder, counts):
    header = (folder / TITLES_FILE).read_bytes()[:8]
    assert header == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(("name", "columns"), [(TITLES_FILE, TITLE_COLUMNS), (RATINGS_FILE, RATING_COLUMNS)])
def test_each_line_has_the_columns_of_the_header(folder, counts, name, columns):
    lines = gzip.decompress((folder / name).read_bytes()).decode().removesuffix("\n").split("\n")
    assert tuple(lines[0].split("\t")) == columns
    assert {line.count("\t") for line in lines} == {len(columns) - 1}


def test_no_id_repeats(titles, ratings):
    assert titles.tconst.is_unique
    assert ratings.tconst.is_unique


def test_ids_stand_in_the_order_of_their_text(titles, ratings):
    assert titles.tconst.is_monotonic_increasing
    assert ratings.tconst.is_monotonic_increasing


def test_ids_have_seven_or_eight_digits(titles):
    assert titles.tconst.str.fullmatch(r"tt\d{7,8}").all()
    assert set(titles.tconst.str.len()) == {9, 10}


def test_movies_are_scattered_among_the_other_titles(titles):
    movies_by_tenth = [(part.titleType == "movie").sum() for part in (titles[n::10] for n in range(10))]
    neighbours = (titles.titleType == "movie") & (titles.titleType.shift() == "movie")
    assert min(movies_by_tenth) > 100
    assert neighbours.mean() < 0.05


def test_most_titles_are_episodes(titles):
    assert set(titles.titleType) <= set(TYPES)
    assert 0.70 < (titles.titleType == "tvEpisode").mean() < 0.80


@pytest.mark.parametrize(
    ("column", "share"),
    [
        ("startYear", 0.13),
        ("runtimeMinutes", 0.35),
        ("genres", 0.11),
        ("endYear", 1.0),
        ("primaryTitle", 0.0),
    ],
)
def test_as_many_values_of_movies_are_missing_as_in_the_real_dumps(movies, column, share):
    assert movies[column].isna().mean() == pytest.approx(share, abs=0.03)


def test_years_lie_between_the_first_film_and_the_announced_ones(movies):
    assert movies.startYear.between(1894, 2031)[movies.startYear.notna()].all()
    assert movies.startYear.median() > 2005


def test_genres_are_known_ones_in_alphabetical_order(titles):
    lists = titles.genres.dropna().str.split(",")
    assert lists.map(lambda genres: genres == sorted(set(genres)) and len(genres) <= 3).all()
    assert set(lists.explode()) <= set(GENRES)


@pytest.mark.parametrize(
    ("genre", "share"), [("Drama", 0.34), ("Documentary", 0.18), ("Comedy", 0.15), ("Action", 0.08)]
)
def test_genres_are_as_frequent_as_in_the_real_dumps(movies, genre, share):
    assert movies.genres.str.contains(genre).mean() == pytest.approx(share, abs=0.03)


def test_ninety_minutes_are_the_most_frequent_runtime(movies):
    assert movies.runtimeMinutes.mode().tolist() == [90]


def test_a_share_of_the_movies_is_rated(movies, ratings):
    assert movies.tconst.isin(ratings.tconst).mean() == pytest.approx(0.45, abs=0.001)


def test_a_few_ratings_belong_to_no_title(titles, ratings):
    assert (~ratings.tconst.isin(titles.tconst)).sum() == 1


def test_averages_have_one_decimal_and_the_usual_mean(folder, movies, ratings):
    averages = ratings[ratings.tconst.isin(movies.tconst)].averageRating
    text = gzip.decompress((folder / RATINGS_FILE).read_bytes()).decode().splitlines()[1:]
    assert all(line.split("\t")[1][-2] == "." for line in text)
    assert averages.between(1, 10).all()
    assert averages.mean() == pytest.approx(6.2, abs=0.3)


def test_votes_have_a_long_tail(ratings):
    assert ratings.numVotes.min() == 5
    assert ratings.numVotes.median() < 100
    assert ratings.numVotes.max() > 100 * ratings.numVotes.median()


def test_some_titles_repeat_and_most_are_nearly_unique(movies):
    uses = movies.primaryTitle.value_counts()
    assert uses.iloc[0] > 5
    assert (uses == 1).sum() > 0.7 * len(movies)


def test_original_titles_differ_for_a_part_of_the_movies(movies):
    assert (movies.primaryTitle == movies.originalTitle).mean() == pytest.approx(0.85, abs=0.03)


def test_every_odd_title_is_there_as_it_is_spelt(movies):
    assert set(ODD_TITLES) <= set(movies.primaryTitle)
    assert set(ODD_TITLES) <= set(movies.originalTitle)


def test_progress_ends_with_all_titles(tmp_path):
    told = []
    write_dumps(tmp_path, **SIZES, progress=lambda *facts: told.append(facts))
    assert told[-1] == ("titles and ratings", 20_000, 20_000)


@pytest.mark.parametrize("sizes", [{"movies": 11}, {"movies": 1, "ratings": 12}])
def test_more_movies_or_ratings_than_titles_are_refused(tmp_path, sizes):
    with pytest.raises(ValueError, match="10 titles cannot hold"):
        write_dumps(tmp_path, titles=10, **{"ratings": 1} | sizes)


def test_dumps_of_movies_alone_can_all_be_rated(tmp_path):
    counts = write_dumps(tmp_path, titles=50, movies=50, ratings=50)
    assert (counts.movies, counts.rated_movies) == (50, 50)
