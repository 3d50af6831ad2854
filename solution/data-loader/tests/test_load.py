"""What becomes of rows, from the file to the database."""

import gzip
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movie_loader import load as load_module
from movie_loader import rows
from movie_loader.errors import LoadError
from movie_testing.tsv import rating_row, title_row, write_tsv

TITLES = [
    "NULL",
    "null",
    "NA",
    "N/A",
    "None",
    "nan",
    "NaN",
    "1e5",
    "TRUE",
    "0",
    "-",
    "",
    " ",
    '"',
    '"Quoted"',
    '"lone at the start',
    'lone at the end"',
    '""',
    "it's, with a comma",
    "\\",
    "\\\\N",
    "\\N ",
    "\\.",
    "back\\slash\\",
    "\\n\\t\\x41",
    "carriage\rreturn",
    "\r",
    "ends with one\r",
    "\r\\.\r",
    "line\u2028separator",
    "paragraph\u2029separator",
    "next\x85line",
    "vertical\x0btab and form\x0cfeed",
    "\x01\x1f\x7f",
    "\ufeffbyte order mark",
    "\u200eto the right",
    "trailing spaces   ",
    "   leading spaces",
    "東京物語",
    "Броненосец «Потёмкин»",
    "شهر فرنگ",
    "e\u0301 and é",
    "🎬" * 50,
    "\U0010ffff\ufffe",
    "x" * 500,
    "東" * 900,
    "{curly},(round)",
    "<script>alert(1)</script>",
    "%s %(name)s {0}",
    "'; DROP TABLE movies; --",
]


FILES = ["title.basics.tsv.gz", "title.ratings.tsv.gz", "title.crew.tsv.gz", "name.basics.tsv.gz"]


def imdb_id(number):
    return f"tt{number:07d}"


def test_every_title_comes_out_exactly_as_it_stood_in_the_file(loads, dumps):
    write_tsv(
        dumps,
        basics=[
            title_row(tconst=imdb_id(number), primaryTitle=title, originalTitle=title[::-1])
            for number, title in enumerate(TITLES)
        ],
    )
    report = loads.run()
    movies = loads.movies()
    assert [movies[imdb_id(number)]["title"] for number in range(len(TITLES))] == TITLES
    assert [movies[imdb_id(number)]["original_title"] for number in range(len(TITLES))] == [
        title[::-1] for title in TITLES
    ]
    assert report.as_dict()["faults"]["title.basics"]["rejected"] == {}


TEXTS = st.text(st.characters(exclude_characters="\t\n\0", exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(TEXTS.filter(lambda title: title != r"\N"), min_size=1, max_size=60))
def test_any_title_survives_the_way_from_file_to_database(loads, dumps, titles):
    write_tsv(
        dumps,
        basics=[title_row(tconst=imdb_id(at), primaryTitle=title) for at, title in enumerate(titles)],
    )
    loads.query("DELETE FROM movies")
    loads.run()
    assert [movie["title"] for movie in loads.movies().values()] == titles


def test_a_movie_has_everything_that_the_dumps_say_of_it(loads, dumps):
    write_tsv(
        dumps,
        basics=[
            title_row(
                tconst="tt0050083",
                primaryTitle="12 Angry Men",
                originalTitle="Twelve Angry Men",
                isAdult=0,
                startYear=1957,
                endYear=None,
                runtimeMinutes=96,
                genres="Drama,Crime",
            )
        ],
        ratings=[rating_row(tconst="tt0050083", averageRating="9.0", numVotes=950_000)],
    )
    loads.run()
    (movie,) = loads.query("SELECT * FROM movies")
    (drama, crime) = (
        loads.query("SELECT id FROM genres WHERE name = %s", name)[0]["id"] for name in ("Drama", "Crime")
    )
    assert UUID(movie.pop("id")).version == 4
    assert movie == {
        "imdb_id": "tt0050083",
        "source": "imdb",
        "title_type": "movie",
        "title": "12 Angry Men",
        "original_title": "Twelve Angry Men",
        "title_key": "12 angry men",
        "year": 1957,
        "runtime_minutes": 96,
        "rating_tenths": 90,
        "votes": 950_000,
        "is_adult": False,
        "genre_ids": [drama, crime],
        "imdb_link": None,
        "overrides": None,
        "retired_at": None,
        "appeared_in": 2,
        "changed_in": 2,
    }


def test_a_movie_may_have_nothing_but_a_title(loads, dumps):
    nothing = dict.fromkeys(["originalTitle", "isAdult", "startYear", "endYear", "runtimeMinutes", "genres"])
    write_tsv(dumps, basics=[title_row(**nothing)], ratings=[rating_row(tconst="tt0000009")])
    loads.run()
    (movie,) = loads.movies().values()
    known = {name: value for name, value in movie.items() if value not in (None, [], False)}
    assert known.keys() == {
        *("id", "imdb_id", "source", "title_type", "title", "title_key", "appeared_in", "changed_in")
    }


@pytest.mark.parametrize("tconst", ["tt0000001", "tt10872600", "tt123456789", "tt1234567890"])
def test_ids_of_seven_to_ten_digits_are_kept_and_rated(loads, dumps, tconst):
    write_tsv(dumps, basics=[title_row(tconst=tconst)], ratings=[rating_row(tconst=tconst)])
    loads.run()
    assert loads.movies()[tconst]["rating_tenths"] == 70


def test_the_longest_film_is_kept(loads, dumps):
    write_tsv(dumps, basics=[title_row(runtimeMinutes=51_420)])
    loads.run()
    assert loads.movies()["tt0000001"]["runtime_minutes"] == 51_420


def test_rows_may_come_in_any_order(loads, dumps):
    numbers = [5, 3, 99_999_999, 1, 4, 123_456_789, 2]
    write_tsv(
        dumps,
        basics=[title_row(tconst=imdb_id(number), primaryTitle=str(number)) for number in numbers],
        ratings=[rating_row(tconst=imdb_id(number), numVotes=number) for number in reversed(numbers)],
    )
    loads.run()
    movies = loads.movies()
    assert {number: movies[imdb_id(number)]["votes"] for number in numbers} == {
        number: number for number in numbers
    }


def test_the_last_line_need_not_end(loads, dumps):
    write_tsv(
        dumps,
        basics=[title_row(tconst="tt0000001"), title_row(tconst="tt0000002")],
        ratings=[rating_row(tconst="tt0000002", numVotes=7)],
        ends_with_newline=False,
    )
    loads.run()
    assert loads.movies()["tt0000002"]["votes"] == 7


def test_plain_files_are_read_like_packed_ones(loads, tmp_path):
    folder = write_tsv(tmp_path / "plain", basics=[title_row()], ratings=[rating_row()], is_compressed=False)
    loads.run(folder)
    assert loads.movies()["tt0000001"]["votes"] == 1000


def test_a_gzip_file_of_several_members_is_read_to_its_end(loads, dumps):
    whole = gzip.decompress((dumps / "title.basics.tsv.gz").read_bytes())
    (dumps / "title.basics.tsv.gz").write_bytes(gzip.compress(whole[:40]) + gzip.compress(whole[40:]))
    assert loads.run().movie_rows == 1


def test_only_the_wanted_types_are_loaded(loads, dumps):
    kinds = ["movie", "short", "tvMovie", "tvEpisode"]
    write_tsv(
        dumps,
        basics=[title_row(tconst=imdb_id(at), titleType=kind) for at, kind in enumerate(kinds, start=1)],
    )
    loads.run(title_types=("short", "tvMovie"))
    assert [movie["title_type"] for movie in loads.movies().values()] == ["short", "tvMovie"]


def test_of_movies_with_the_same_id_one_is_loaded(loads, dumps):
    write_tsv(
        dumps,
        basics=[
            title_row(tconst="tt0000001", primaryTitle="First"),
            title_row(tconst="tt0000002", primaryTitle="Other"),
            title_row(tconst="tt0000001", primaryTitle="Second"),
        ],
    )
    report = loads.run()
    assert [movie["title"] for movie in loads.movies().values()] == ["First", "Other"]
    assert report.as_dict()["faults"]["title.basics"]["duplicate"] == {"imdb_id": 1}


def test_an_id_is_recognised_in_another_batch_too(loads, dumps, monkeypatch):
    monkeypatch.setattr(rows, "BATCH_ROWS", 1)
    monkeypatch.setattr(load_module.sources, "CHUNK_BYTES", 64)
    write_tsv(dumps, basics=[title_row(tconst=imdb_id(number % 4)) for number in range(9)])
    assert loads.run().movie_rows == 4
    assert len(loads.movies()) == 4


def test_bad_rows_are_left_out_and_counted_by_kind(loads, dumps):
    good = title_row(tconst="tt0000001")
    line = "\t".join(r"\N" if value is None else str(value) for value in good.values()).encode()
    write_tsv(
        dumps,
        basics=[
            line.rsplit(b"\t", 1)[0],
            line + b"\tmore",
            title_row(primaryTitle=None),
            title_row(tconst="nm0000001"),
            title_row(primaryTitle="a\0b"),
            title_row(tconst="tt0000002", startYear="20x1", runtimeMinutes="Reality-TV", isAdult="2019"),
            line.replace(b"tt0000001", b"tt0000003").replace(b"X", b"\xffX"),
        ],
        ratings=[
            rating_row(tconst="tt0000002", averageRating="good"),
            b"tt0000003\t7.0",
            rating_row(tconst="x"),
        ],
    )
    report = loads.run()
    assert loads.movies().keys() == {"tt0000002", "tt0000003"}
    assert loads.movies()["tt0000003"]["title"] == "\N{REPLACEMENT CHARACTER}X"
    assert report.as_dict()["faults"] == {
        "title.basics": {
            "rejected": {"columns": 2, "null_title": 1, "bad_id": 1, "nul_byte": 1},
            "nulled": {"year": 1, "runtime_minutes": 1},
            "mended": {"is_adult": 1, "not_utf8": 1},
            "duplicate": {},
        },
        "title.ratings": {
            "rejected": {"columns": 1, "bad_id": 1},
            "nulled": {"rating_tenths": 1},
            "mended": {},
            "duplicate": {},
        },
        "title.crew": {"rejected": {}, "nulled": {}, "mended": {}, "duplicate": {}},
        "name.basics": {"rejected": {}, "nulled": {}, "mended": {}, "duplicate": {}},
    }


def test_a_rating_of_a_title_that_is_not_there_is_counted_and_not_rejected(loads, dumps):
    write_tsv(
        dumps,
        basics=[title_row(), title_row(tconst="tt0000002", titleType="short")],
        ratings=[rating_row(tconst=imdb_id(number)) for number in (1, 2, 3, 4)],
    )
    report = loads.run()
    assert (report.rating_rows, report.ratings_without_title) == (1, 2)
    assert report.as_dict()["faults"]["title.ratings"]["rejected"] == {}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda packed: packed[:-1], "cut_off"),
        (lambda packed: packed[: len(packed) // 2], "cut_off"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "not_gzip"),
        (lambda packed: packed[:12] + b"\xff\xff" + packed[14:], "not_gzip"),
        (lambda packed: packed + b"rubbish" * 10, "not_gzip"),
        (gzip.decompress, "not_gzip"),
        (lambda _: b"", "source_empty"),
        (lambda _: gzip.compress(b""), "source_empty"),
        (lambda _: b"<!DOCTYPE html><title>Sorry</title>", "not_gzip"),
        (lambda _: gzip.compress(b"<!DOCTYPE html><title>Sorry</title>"), "not_a_dump"),
        (lambda packed: gzip.compress(gzip.decompress(packed).split(b"\n")[0] + b"\n"), "no_rows"),
        (lambda packed: gzip.compress(gzip.decompress(packed).replace(b"const", b"id")), "wrong_columns"),
    ],
    ids=[
        "last byte missing",
        "half missing",
        "wrong checksum",
        "damaged",
        "rubbish after",
        "not packed",
        "empty",
        "empty gzip",
        "web page",
        "packed web page",
        "header only",
        "column renamed",
    ],
)
def test_a_file_that_is_not_what_it_should_be_changes_nothing(loads, tmp_path, name, spoil, code):
    loads.run()
    before = loads.snapshot()
    spoilt = write_tsv(tmp_path / "spoilt", basics=[title_row(primaryTitle="New")], ratings=[rating_row()])
    (spoilt / name).write_bytes(spoil((spoilt / name).read_bytes()))
    with pytest.raises(LoadError) as caught:
        loads.run(spoilt)
    assert caught.value.code == code
    assert name.removesuffix(".tsv.gz") in str(caught.value)
    assert not caught.value.is_transient
    assert loads.snapshot() == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there_is_named(loads, dumps, name):
    (dumps / name).unlink()
    with pytest.raises(LoadError, match=f"{name}.*no such file"):
        loads.run()


def test_a_folder_that_is_not_there_is_named(loads, tmp_path):
    with pytest.raises(LoadError, match="nowhere is not there"):
        loads.run(tmp_path / "nowhere")


def test_a_file_without_any_wanted_title_is_refused(loads, dumps):
    loads.run()
    before = loads.snapshot()
    write_tsv(dumps, basics=[title_row(titleType="short")])
    with pytest.raises(LoadError, match="holds no title of the type movie"):
        loads.run()
    assert loads.snapshot() == before


def test_a_load_is_recorded_with_its_report(loads):
    report = loads.run()
    (record,) = loads.query("SELECT * FROM dataset_loads")
    assert record["source"] == loads.order.source
    assert (record["movie_rows"], record["genre_rows"], record["rating_rows"]) == (1, 1, 1)
    assert (record["is_sample"], record["title_types"]) == (False, ["movie"])
    assert [file["name"] for file in record["files"]] == [
        "title.ratings",
        "title.basics",
        "title.crew",
        "name.basics",
    ]
    assert record["started_at"] < record["finished_at"]
    assert record["report"]["faults"] == report.as_dict()["faults"]
    assert [stage["name"] for stage in record["report"]["stages"]] == [
        "ratings",
        "titles",
        "crew",
        "people",
        "credits",
        "merge",
        "indexes",
        "vacuum",
    ]
