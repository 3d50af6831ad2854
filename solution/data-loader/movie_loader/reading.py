"""From the dumps to the staging tables: joins what reads, parses, matches and copies their rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import pandas as pd
import psycopg2.extensions

from movie_loader import frames, sources, staging
from movie_loader.credits import MOST_POSITIONS, Credits, credit_frames
from movie_loader.datasets import AKAS, CAST, CAST_CATEGORIES, CREW, NAMES, RATINGS, TITLES
from movie_loader.errors import LoadError
from movie_loader.faults import Effect
from movie_loader.ids import NO_ID, PERSON_PREFIX, Int64s, KeySet, SeenKeys, keys_of_texts, random_uuids
from movie_loader.known_people import Numbers
from movie_loader.memory import give_back_memory
from movie_loader.pipes import Stopper
from movie_loader.progress import Meter
from movie_loader.ratings import RatingTable
from movie_loader.readings import Parsed, Reading, Task
from movie_loader.report import LoadReport, Stage
from movie_loader.wanted import OfCast, OfIds, OfTypes

_ROLES: Final = ("director_ids", "writer_ids", "cast_ids")


def stage_all(
    connection: psycopg2.extensions.connection,
    dumps: dict[str, sources.Dump],
    report: LoadReport,
    meter: Meter,
    stopper: Stopper,
) -> None:
    """Fill the staging tables with the wanted titles, their ratings and their people.

    Raises:
        LoadError: if a dump is not what it should be.
        SourceChangedError: if one was replaced while it was read.
    """
    task = Task(connection, dumps, report, meter, stopper)
    with connection:
        staging.create_staging(connection)
    with _stage(report, "ratings") as stage:
        ratings = RatingTable.gather(_rating_frames(task.reading(RATINGS, stage)), report.tally(RATINGS))
    with _stage(report, "titles") as stage, connection:
        titles = task.reading(TITLES, stage, OfTypes(report.title_types))
        kept: list[Int64s] = []
        task.copy(staging.TITLES, _title_frames(titles, ratings, kept))
        if not report.movie_rows:
            types = ", ".join(report.title_types)
            raise LoadError(f"{titles.dump.address}: holds no title of the type {types}", code="no_rows")
    report.ratings_without_title = ratings.count_unmet()
    del ratings
    movies = KeySet(np.concatenate(kept))
    roles = {
        name: Credits(movies, report.tally(CAST if name == "cast_ids" and report.with_cast else CREW))
        for name in _ROLES
    }
    with _stage(report, "crew") as stage:
        _gather_crew(task.reading(CREW, stage, OfIds(movies)), roles)
    if report.with_cast:
        with _stage(report, "cast") as stage:
            _gather_cast(task.reading(CAST, stage, OfCast(movies, CAST_CATEGORIES)), roles["cast_ids"])
    if report.with_akas:
        with _stage(report, "other titles") as stage, connection:
            task.copy(staging.AKAS, _aka_frames(task.reading(AKAS, stage, OfIds(movies)), movies))
    with _stage(report, "people") as stage:
        people = KeySet(np.concatenate([role.people() for role in roles.values()]))
        numbers = Numbers.of(connection, people)
        with connection:
            task.copy(staging.PEOPLE, _person_frames(task.reading(NAMES, stage, OfIds(people)), numbers))
    with _stage(report, "credits") as stage, connection:
        report.people_without_name = len(people.keys) - report.person_rows
        numbered = {name: role.numbered(people, numbers.of_named()) for name, role in roles.items()}
        report.credit_rows = stage.rows = sum(len(credited) for _, credited in numbered.values())
        task.copy(staging.CREDITS, credit_frames(movies, numbered))


@contextmanager
def _stage(report: LoadReport, name: str) -> Iterator[Stage]:
    with report.stage(name) as stage:
        yield stage
    give_back_memory()


def _rating_frames(reading: Reading) -> Iterator[tuple[Int64s, Int64s, pd.DataFrame]]:
    for part in reading.parsed():
        reading.report.rating_lines += len(part.frame)
        yield part.keys, part.line_numbers, part.frame


def _title_frames(reading: Reading, ratings: RatingTable, kept: list[Int64s]) -> Iterator[pd.DataFrame]:
    report = reading.report
    for part in reading.first_ones():
        ratings.meet(part.all_keys)
        kept.append(part.keys)
        frame = ratings.join(frames.with_sort_keys(part.frame, "title"), part.keys)
        report.movie_rows += len(frame)
        report.rating_rows += int(frame["rating_tenths"].notna().sum())
        report.rating_tenths += int(frame["rating_tenths"].sum())
        report.genre_names.update(_genre_names(frame))
        yield frame.assign(id=_uuids(frame))


def _uuids(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(random_uuids(len(frame)), index=frame.index, dtype=frames.TEXT)


def _genre_names(frame: pd.DataFrame) -> Iterable[str]:
    """The names in a frame's few distinct lists of genres, case aside."""
    for genres in frame["genres"].dropna().unique():
        yield from (name.lower() for name in genres.split(",") if name.strip())


def _gather_crew(reading: Reading, roles: dict[str, Credits]) -> None:
    for part in reading.first_ones():
        for column, role in (("directors", "director_ids"), ("writers", "writer_ids")):
            roles[role].add_lists(column, part.keys, part.frame[column], part.line_numbers)


def _gather_cast(reading: Reading, role: Credits) -> None:
    for part in _positioned(reading):
        people = keys_of_texts(part.frame["person_id"].array.__arrow_array__(), PERSON_PREFIX)
        is_good = people != NO_ID
        good = part.only(is_good, reading.tally, Effect.REJECTED, "bad_person_id")
        role.add(good.keys, good.frame["position"].to_numpy(dtype=np.int64), people[is_good])


def _positioned(reading: Reading) -> Iterator[Parsed]:
    """The rows that say where among the others of their title they stand."""
    for part in reading.parsed():
        has_position = part.frame["position"].notna().to_numpy(dtype=bool)
        yield part.only(has_position, reading.tally, Effect.REJECTED, "no_position")


def _aka_frames(reading: Reading, movies: KeySet) -> Iterator[pd.DataFrame]:
    seen = SeenKeys()
    for part in _positioned(reading):
        positions = part.frame["position"].to_numpy(dtype=np.int64)
        is_new = seen.add(movies.places(part.keys) * MOST_POSITIONS + positions)
        new = part.only(is_new, reading.tally, Effect.DUPLICATE, "position")
        reading.report.other_title_rows += int((~new.frame["is_original"]).sum())
        yield frames.with_sort_keys(new.frame, "title")


def _person_frames(reading: Reading, numbers: Numbers) -> Iterator[pd.DataFrame]:
    for part in reading.first_ones():
        places = numbers.people.places(part.keys)
        numbers.is_named[places] = True
        reading.report.person_rows += len(places)
        frame = frames.with_sort_keys(part.frame, "name")
        yield frame.assign(number=numbers.numbers[places], id=_uuids(frame).where(numbers.is_new[places]))
