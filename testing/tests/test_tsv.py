import gzip

import pytest
from movie_testing.tsv import crew_row, rating_row, title_row, write_tsv

TITLES_HEADER = (
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres"
)


def test_a_row_has_defaults_for_what_is_not_given(tmp_path):
    write_tsv(tmp_path, basics=[title_row(primaryTitle="Alien", startYear=1979)])
    assert gzip.decompress((tmp_path / "title.basics.tsv.gz").read_bytes()).decode() == (
        f"{TITLES_HEADER}\ntt0000001\tmovie\tAlien\tAlien\t0\t1979\t\\N\t100\tDrama\n"
    )


def test_none_becomes_the_null_of_the_dumps(tmp_path):
    write_tsv(tmp_path, ratings=[rating_row(averageRating=None)])
    assert gzip.decompress((tmp_path / "title.ratings.tsv.gz").read_bytes()) == (
        b"tconst\taverageRating\tnumVotes\ntt0000001\t\\N\t1000\n"
    )


def test_bytes_are_a_line_as_they_are(tmp_path):
    write_tsv(
        tmp_path, ratings=[b"\xff\tno rating", rating_row()], ends_with_newline=False, is_compressed=False
    )
    assert (tmp_path / "title.ratings.tsv").read_bytes() == (
        b"tconst\taverageRating\tnumVotes\n\xff\tno rating\ntt0000001\t7.0\t1000"
    )


def test_a_file_without_rows_given_is_not_written(tmp_path):
    write_tsv(tmp_path, ratings=[])
    assert [path.name for path in tmp_path.iterdir()] == ["title.ratings.tsv.gz"]


def test_titles_come_with_a_crew_and_names_that_name_nobody_unless_there_are_some(tmp_path):
    write_tsv(tmp_path, crew=[crew_row(directors="nm0000001")])
    write_tsv(tmp_path, basics=[title_row()])
    assert b"nm0000001" in gzip.decompress((tmp_path / "title.crew.tsv.gz").read_bytes())
    assert gzip.decompress((tmp_path / "name.basics.tsv.gz").read_bytes()).count(b"\n") == 2


def test_an_unknown_column_is_refused():
    with pytest.raises(TypeError, match="no such column: title"):
        title_row(title="Alien")
