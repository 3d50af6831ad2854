import gzip
from pathlib import Path

import pytest
from movie_testing import people_dumps
from movie_testing.dumps import TITLES_FILE, write_dumps

from benchmarks.next_day import Changes, PeopleChanges, ensure_next_day, ensure_next_people


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    first = tmp_path_factory.mktemp("dumps")
    write_dumps(first, titles=20_000, movies=1_500, ratings=2_800)
    for write in (people_dumps.write_crew, people_dumps.write_names, people_dumps.write_cast):
        write(first)
    following = ensure_next_day(first, first / "next", Changes(votes=50, new=10, gone=4))
    ensure_next_people(first, following, PeopleChanges(crews=7, renamed=5))
    return first, following


def rows(folder: Path, name: str) -> dict[str, str]:
    lines = gzip.decompress((folder / name).read_bytes()).decode().splitlines()[1:]
    return {line.split("\t", 1)[0]: line for line in lines}


def added(days: tuple[Path, Path], name: str) -> set[str]:
    return rows(days[1], name).keys() - rows(days[0], name).keys()


def changed(days: tuple[Path, Path], name: str) -> int:
    before, after = (rows(day, name) for day in days)
    return sum(before[one] != after[one] for one in before.keys() & after.keys())


def test_the_new_movies_and_no_others_have_new_people(days: tuple[Path, Path]) -> None:
    assert added(days, people_dumps.CREW_FILE) == added(days, TITLES_FILE)
    assert added(days, people_dumps.CAST_FILE) == added(days, TITLES_FILE)
    assert len(added(days, people_dumps.NAMES_FILE)) == 10


def test_some_movies_have_another_crew_and_some_people_another_name(days: tuple[Path, Path]) -> None:
    # A director drawn by chance may be the one there was.
    assert 5 <= changed(days, people_dumps.CREW_FILE) <= 7
    assert 1 <= changed(days, people_dumps.NAMES_FILE) <= 5


def test_what_is_there_is_not_made_again(days: tuple[Path, Path]) -> None:
    path = days[1] / people_dumps.CREW_FILE
    before = path.stat().st_mtime_ns
    ensure_next_people(*days, PeopleChanges(crews=7, renamed=5))
    assert path.stat().st_mtime_ns == before
