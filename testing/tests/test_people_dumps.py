import csv
import gzip

import pandas as pd
import pytest
from movie_testing import people_dumps
from movie_testing.dump_names import FAMOUS_NAMES, ODD_NAMES
from movie_testing.dumps import TITLES_FILE, write_dumps
from movie_testing.tsv import AKA_COLUMNS, CAST_COLUMNS, CREW_COLUMNS, NAME_COLUMNS

SIZES = {"titles": 20_000, "movies": 1_500, "ratings": 2_800}
WRITERS = {
    people_dumps.CREW_FILE: (people_dumps.write_crew, CREW_COLUMNS),
    people_dumps.NAMES_FILE: (people_dumps.write_names, NAME_COLUMNS),
    people_dumps.CAST_FILE: (people_dumps.write_cast, CAST_COLUMNS),
    people_dumps.AKAS_FILE: (people_dumps.write_akas, AKA_COLUMNS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("dumps")
    write_dumps(made, **SIZES)
    return made


@pytest.fixture(scope="module")
def rows(folder):
    return {name: write(folder) for name, (write, _) in WRITERS.items()}


@pytest.fixture(scope="module")
def tables(folder, rows):
    return {name: read(folder / name) for name in (TITLES_FILE, *WRITERS)}


@pytest.fixture(scope="module")
def movies(tables):
    return set(tables[TITLES_FILE].query("titleType == 'movie'").tconst)


@pytest.fixture(scope="module")
def crew(tables):
    return tables[people_dumps.CREW_FILE]


@pytest.fixture(scope="module")
def names(tables):
    return tables[people_dumps.NAMES_FILE]


def read(path):
    return pd.read_csv(
        path, sep="\t", quoting=csv.QUOTE_NONE, na_values=["\\N"], keep_default_na=False, lineterminator="\n"
    )


@pytest.mark.parametrize("name", WRITERS)
def test_each_line_has_the_columns_of_the_header_and_rows_are_counted(folder, rows, name):
    lines = gzip.decompress((folder / name).read_bytes()).decode().removesuffix("\n").split("\n")
    assert tuple(lines[0].split("\t")) == WRITERS[name][1]
    assert {line.count("\t") for line in lines} == {len(WRITERS[name][1]) - 1}
    assert len(lines) == rows[name] + 1


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_titles_and_seed_give_the_same_bytes(tmp_path, folder, rows, name):
    write_dumps(tmp_path, **SIZES)
    WRITERS[name][0](tmp_path)
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", WRITERS)
def test_another_seed_gives_others(tmp_path, folder, rows, name):
    write_dumps(tmp_path, **SIZES)
    WRITERS[name][0](tmp_path, seed=2)
    assert (tmp_path / name).read_bytes() != (folder / name).read_bytes()


def test_the_crew_has_a_row_for_each_title_in_their_order(crew, tables):
    assert crew.tconst.tolist() == tables[TITLES_FILE].tconst.tolist()


def test_most_movies_have_one_director_and_up_to_three_writers(crew, movies):
    of_movies = crew[crew.tconst.isin(movies)]
    assert (of_movies.directors.str.count(",") == 0).mean() == pytest.approx(0.87, abs=0.04)
    writers = of_movies.writers.str.count(",").add(1).fillna(0)
    assert (writers.min(), writers.max()) == (0, 3)


def test_people_stand_in_the_order_of_their_ids_each_once(names):
    assert names.nconst.str.fullmatch(r"nm\d{7,8}").all()
    assert names.nconst.is_monotonic_increasing
    assert names.nconst.is_unique


def test_there_are_more_people_than_titles_and_most_made_no_movie(names, crew, movies):
    of_movies = crew[crew.tconst.isin(movies)]
    made = {*of_movies.directors.dropna().str.split(",").explode()}
    made |= {*of_movies.writers.dropna().str.split(",").explode()}
    assert len(names) > 1.19 * 20_000
    assert len(made) < len(names) / 4


def test_a_few_people_have_no_name(names, crew, movies):
    made = set(crew[crew.tconst.isin(movies)].directors.dropna().str.split(",").explode())
    assert 0 < len(made - set(names.nconst)) < 10


def test_every_odd_name_has_directed_a_movie(names, crew, movies):
    directors = set(crew[crew.tconst.isin(movies)].directors.dropna().str.split(",").explode())
    assert set(ODD_NAMES) <= set(names[names.nconst.isin(directors)].primaryName)


def test_famous_people_made_more_than_others(names, crew, movies):
    made = crew[crew.tconst.isin(movies)].directors.dropna().str.split(",").explode().value_counts()
    ids = set(names[names.primaryName.isin(FAMOUS_NAMES)].nconst)
    assert made.reindex(list(ids)).fillna(0).mean() > 5 * made.mean()


def test_cast_and_other_titles_have_a_number_of_their_own_within_each_title(tables):
    assert not tables[people_dumps.CAST_FILE].duplicated(["tconst", "ordering"]).any()
    assert not tables[people_dumps.AKAS_FILE].duplicated(["titleId", "ordering"]).any()


def test_half_of_the_billed_are_cast(tables):
    categories = tables[people_dumps.CAST_FILE].category
    assert categories.isin(["actor", "actress", "self"]).mean() == pytest.approx(0.5, abs=0.03)


def test_the_first_of_the_other_titles_is_the_original_one(tables):
    akas = tables[people_dumps.AKAS_FILE]
    originals = akas[akas.isOriginalTitle == 1].set_index("titleId").title
    assert originals.tolist() == tables[TITLES_FILE].originalTitle.tolist()
    assert len(akas) > 3 * len(originals)
