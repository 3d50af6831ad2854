import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from movie_testing.dumps import TITLES_FILE
from movie_testing.people_dumps import AKAS_FILE, CAST_FILE, CREW_FILE

from benchmarks.__main__ import main
from benchmarks.dumps import MANIFEST_FILE

Bench = Callable[..., Result]

SMALL = ["--titles", "2000", "--movies", "200", "--ratings", "300"]


@pytest.fixture
def bench_dumps(tmp_path: Path) -> Bench:
    def run(*options: str) -> Result:
        return CliRunner().invoke(main, ["dumps", "--folder", str(tmp_path / "dumps"), *SMALL, *options])

    return run


@pytest.fixture
def titles_file(tmp_path: Path, bench_dumps: Bench) -> Path:
    assert bench_dumps().exit_code == 0
    return tmp_path / "dumps" / TITLES_FILE


def test_dumps_that_are_there_are_not_made_again(bench_dumps: Bench, titles_file: Path) -> None:
    before = titles_file.stat().st_mtime_ns
    assert "already there" in bench_dumps().stderr
    assert titles_file.stat().st_mtime_ns == before


def test_other_parameters_make_other_dumps(bench_dumps: Bench, titles_file: Path) -> None:
    before = titles_file.read_bytes()
    assert "made" in bench_dumps("--seed", "2").stderr
    assert titles_file.read_bytes() != before


def test_force_makes_them_again(bench_dumps: Bench, titles_file: Path) -> None:
    before = titles_file.stat().st_mtime_ns
    bench_dumps("--force")
    assert titles_file.stat().st_mtime_ns > before


def test_a_file_that_was_cut_short_is_made_again(bench_dumps: Bench, titles_file: Path) -> None:
    before = titles_file.read_bytes()
    titles_file.write_bytes(before[:100])
    bench_dumps()
    assert titles_file.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{}", '{"parameters": {}}', "[]", "null"])
def test_a_manifest_that_cannot_be_read_counts_as_none(
    bench_dumps: Bench, titles_file: Path, text: str
) -> None:
    (titles_file.parent / MANIFEST_FILE).write_text(text)
    assert bench_dumps().exit_code == 0
    assert json.loads((titles_file.parent / MANIFEST_FILE).read_text())["counts"]["movies"] == 200


def test_the_json_holds_the_rows_and_the_machine(bench_dumps: Bench, tmp_path: Path) -> None:
    bench_dumps("--json", str(tmp_path / "result" / "dumps.json"))
    result = json.loads((tmp_path / "result" / "dumps.json").read_text())
    assert [row["rows"] for row in result["rows"]] == [2000, 300, 2300, 2000, 2400]
    assert result["machine"]["cores"] >= 1


def test_the_cast_and_other_titles_are_made_where_they_are_asked_for(
    bench_dumps: Bench, titles_file: Path
) -> None:
    folder = titles_file.parent
    crew = (folder / CREW_FILE).stat().st_mtime_ns
    assert not (folder / CAST_FILE).exists()
    bench_dumps("--with-cast", "--with-akas")
    assert (folder / CAST_FILE).stat().st_size > 0
    assert (folder / AKAS_FILE).stat().st_size > 0
    assert (folder / CREW_FILE).stat().st_mtime_ns == crew


def test_people_are_made_again_for_other_titles(bench_dumps: Bench, titles_file: Path) -> None:
    before = (titles_file.parent / CREW_FILE).read_bytes()
    bench_dumps("--seed", "2")
    assert (titles_file.parent / CREW_FILE).read_bytes() != before


def test_people_that_are_there_in_part_are_made_again(bench_dumps: Bench, titles_file: Path) -> None:
    crew = titles_file.parent / CREW_FILE
    before = crew.read_bytes()
    crew.write_bytes(before[:100])
    bench_dumps()
    assert crew.read_bytes() == before


def test_impossible_sizes_are_wrong_usage(bench_dumps: Bench) -> None:
    result = bench_dumps("--movies", "3000")
    assert result.exit_code == 2
    assert "2000 titles cannot hold 3000 movies" in result.stderr
