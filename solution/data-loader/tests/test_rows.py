import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from movie_loader import rows
from movie_loader.datasets import RATINGS, TITLES
from movie_loader.errors import LoadError
from movie_loader.faults import Effect, Tally
from movie_loader.rows import row_blocks
from movie_loader.wanted import OfTypes

HEADER = "\t".join(TITLES.header).encode() + b"\n"
REST = b"\tTitle\tTitle\t0\t1999\t\\N\t90\tDrama"


def read(content, types=("movie",), dataset=TITLES, chunk_bytes=7):
    """Everything that is read of a file's bytes: lines, their numbers, all keys, and the tally."""
    tally = Tally("a file")
    chunks = [content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes)]
    lines, numbers, keys, read_rows = [], [], [], 0
    for block in row_blocks(chunks, dataset, OfTypes(types) if dataset is TITLES else None, tally):
        lines += block.lines.to_pylist()
        numbers += block.line_numbers.tolist()
        keys += block.all_keys.tolist()
        read_rows += block.read_rows
        assert len(block.keys) == len(block.lines)
    assert read_rows == len(keys)
    return lines, numbers, keys, tally


def key_of(imdb_id):
    return int(imdb_id[2:].ljust(10, "0")) * 16 + len(imdb_id) - 2


def lines_of(*body, **options):
    return read(HEADER + b"\n".join(body) + b"\n", **options)[0]


def test_lines_of_the_wanted_type_are_kept_with_their_numbers():
    content = HEADER + b"".join(
        b"tt%07d\t%s%s\n" % (number, kind, REST)
        for number, kind in enumerate([b"short", b"movie", b"tvMovie", b"movie", b"movies"], start=1)
    )
    lines, numbers, keys, _ = read(content)
    assert lines == [
        "tt0000002\tmovie" + REST.decode(),
        "tt0000004\tmovie" + REST.decode(),
    ]
    assert numbers == [3, 5]
    assert keys == [key_of(f"tt{number:07d}") for number in range(1, 6)]


def test_a_title_that_is_called_like_a_type_is_not_of_it():
    assert lines_of(b"tt0000001\tshort\tmovie\tmovie\t0\t1999\t\\N\t90\tDrama") == []


@pytest.mark.parametrize("title_type", ["tvMiniSeries", "tvSpecial", "videoGame", "tvShort", "short"])
def test_types_of_any_length_are_told_apart(title_type):
    kinds = [title_type, title_type[:-1], title_type + "s", title_type[:7] + "x", "x" + title_type[1:]]
    body = [b"tt0000001\t" + kind.encode() + REST for kind in kinds]
    assert lines_of(*body, types=(title_type,)) == [body[0].decode()]


def test_several_types_may_be_wanted():
    body = [b"tt0000001\t" + kind + REST for kind in (b"movie", b"short", b"tvMovie", b"tvEpisode")]
    assert len(lines_of(*body, types=("movie", "tvMovie"))) == 2


@pytest.mark.parametrize("digits", [7, 8, 9, 10])
def test_ids_of_seven_to_ten_digits_are_ids(digits):
    line = b"tt" + b"1" * digits + b"\tmovie" + REST
    lines, _, keys, _ = read(HEADER + line + b"\n")
    assert lines == [line.decode()]
    assert keys == [key_of("tt" + "1" * digits)]


@pytest.mark.parametrize(
    "tconst",
    [b"", b"tt", b"tt123456", b"tt12345678901", b"nm0000001", b"1234567", b"tt1", b"tt00000 1", b"TT0000001"],
)
def test_a_row_whose_id_is_none_is_rejected(tconst):
    lines, _, _, tally = read(HEADER + tconst + b"\tmovie" + REST + b"\n")
    assert lines == []
    assert tally.count(Effect.REJECTED, "bad_id") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"tt0000001\tmovie" + REST + b"\tmore",
        b"tt0000001\tmovie\tA\tTitle\tTitle\t0\t1999\t\\N\t90\tDrama",
        b"tt0000001\tmovie\tTitle",
        b"tt0000001\tmovie",
        b"tt0000001",
        b"tt12345678901",
        b"",
    ],
)
def test_a_row_with_too_many_or_too_few_columns_is_rejected(line):
    good = b"tt0000002\tmovie" + REST
    lines, numbers, _, tally = read(HEADER + line + b"\n" + good + b"\n")
    assert lines == [good.decode()]
    assert numbers == [3]
    assert tally.count(Effect.REJECTED, "columns") == 1


def test_a_row_with_a_nul_byte_is_rejected():
    lines, _, _, tally = read(HEADER + b"tt0000001\tmovie" + REST.replace(b"Title", b"Ti\0tle") + b"\n")
    assert lines == []
    assert tally.as_dict()["rejected"] == {"nul_byte": 1}


def test_a_fault_of_an_unwanted_type_is_not_counted():
    _, _, _, tally = read(HEADER + b"tt0000001\tshort\ttoo few\n" + b"x\tshort" + REST + b"\n")
    assert tally.count(Effect.REJECTED) == 0


@pytest.mark.parametrize("inside", ["\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r\r"])
def test_a_line_ends_at_a_line_feed_and_nowhere_else(inside):
    title = f"One{inside}Two"
    line = f"tt0000001\tmovie\t{title}\t{title}\t0\t1999\t\\N\t90\tDrama{inside}"
    assert lines_of(line.encode()) == [line]


def test_the_last_line_need_not_end():
    line = b"tt0000001\tmovie" + REST
    assert read(HEADER + line)[0] == [line.decode()]


def test_a_header_may_stand_alone_in_the_first_chunk():
    line = b"tt0000001\tmovie" + REST
    assert read(HEADER + line + b"\n", chunk_bytes=len(HEADER))[0] == [line.decode()]


def test_bytes_that_are_not_utf_8_are_replaced_in_their_row_only():
    bad = b"tt0000001\tmovie" + REST.replace(b"Title", b"Caf\xe9")
    good = "tt0000002\tmovie\tCafé\tCafé\t0\t1999\t\\N\t90\tDrama"
    lines, _, _, tally = read(HEADER + bad + b"\n" + good.encode() + b"\n")
    assert lines == [bad.decode("utf-8", "replace"), good]
    assert tally.as_dict()["mended"] == {"not_utf8": 1}


def test_a_surrogate_is_no_utf_8():
    bad = b"tt0000001\tmovie" + REST.replace(b"Title", b"\xed\xa0\x80")
    assert lines_of(bad) == [bad.decode("utf-8", "replace")]


def test_a_dataset_without_types_is_read_whole():
    content = b"tconst\taverageRating\tnumVotes\ntt0000001\t5.0\t7\ntt0000002\t6.0\t8\n"
    assert read(content, dataset=RATINGS)[0] == ["tt0000001\t5.0\t7", "tt0000002\t6.0\t8"]


def test_batches_are_handed_on_before_the_file_ends(monkeypatch):
    monkeypatch.setattr(rows, "BATCH_ROWS", 2)
    body = b"".join(b"tt%07d\tmovie%s\n" % (number, REST) for number in range(9))
    lines, numbers, keys, _ = read(HEADER + body, chunk_bytes=100)
    assert len(lines) == 9
    assert numbers == list(range(2, 11))
    assert keys == [key_of(f"tt{number:07d}") for number in range(9)]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "source_empty", "is empty"),
        (b"\n\n", "source_empty", "is empty"),
        (HEADER, "no_rows", "a header and no rows"),
        (HEADER.rstrip(b"\n"), "no_rows", "a header and no rows"),
        (b"<!DOCTYPE html>\n<p>Sorry", "not_a_dump", "a web page"),
        (b"  <html>\n", "not_a_dump", "a web page"),
        (HEADER.replace(b"primaryTitle\t", b""), "wrong_columns", "column primaryTitle is missing"),
        (HEADER.replace(b"primaryTitle", b"title"), "wrong_columns", "column primaryTitle is missing"),
        (HEADER.replace(b"\tgenres", b""), "wrong_columns", "column genres is missing"),
        (HEADER.replace(b"\n", b"\tmore\n"), "wrong_columns", "9 columns expected in this order"),
        (HEADER.replace(b"tconst\ttitleType", b"titleType\ttconst"), "wrong_columns", "in this order"),
        (HEADER.replace(b"\n", b"\r\n"), "wrong_columns", "column genres is missing"),
        (b"tt0000001\tmovie" + REST + b"\n", "wrong_columns", "is missing"),
        (b"\xff\xfe\x00\n", "wrong_columns", "is missing"),
    ],
)
def test_a_file_that_is_no_dump_is_refused_with_its_reason(content, code, said):
    with pytest.raises(LoadError, match=re.escape(said)) as caught:
        read(content)
    assert caught.value.code == code
    assert not caught.value.is_transient
    assert "a file" in str(caught.value)


def test_a_file_without_line_feeds_does_not_end_up_in_memory(monkeypatch):
    monkeypatch.setattr(rows, "LONGEST_LINE_BYTES", 1000)
    with pytest.raises(LoadError, match="a line longer than 1000 bytes"):
        read(HEADER + b"x" * 3000)


def expected_of(body, types):
    """What a plain reading of the format gives: lines, keys, and rejects by kind."""
    good, keys, rejected = [], [], {}
    for line in body.removesuffix(b"\n").split(b"\n"):
        fields = line.split(b"\t")
        is_id = re.fullmatch(rb"tt[0-9]{7,10}", fields[0]) is not None
        keys.append(key_of(fields[0].decode()) if is_id else -1)
        if len(fields) > 1 and fields[1] not in types:
            continue
        if b"\0" in line:
            kind = "nul_byte"
        elif len(fields) != 9:
            kind = "columns"
        elif not is_id:
            kind = "bad_id"
        else:
            good.append(line.decode("utf-8", "replace"))
            continue
        rejected[kind] = rejected.get(kind, 0) + 1
    return good, keys, rejected


PIECES = st.sampled_from(
    [
        *(b"\t", b"\n", b"\r", b"\0", b"\xff", b'"', b"\\N", b"x", b"\xe6\x9d\xb1", b"\t" * 7),
        *(b"tt0000001", b"tt12345678", b"tt123456789", b"movie", b"tvMiniSeries", b"short"),
        b"tt0000001\tmovie" + REST + b"\n",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.integers(1, 50))
def test_any_bytes_are_read_as_the_format_says(body, chunk_bytes):
    content = HEADER + body
    types = (b"movie", b"tvMiniSeries")
    if not body:
        return
    lines, _, keys, tally = read(content, types=("movie", "tvMiniSeries"), chunk_bytes=chunk_bytes)
    assert (lines, keys, tally.as_dict()["rejected"]) == expected_of(body, types)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_crash_the_reader(content):
    with suppress(LoadError):
        read(content)
