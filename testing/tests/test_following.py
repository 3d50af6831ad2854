"""A client that follows `/movies/changes` has the copy that a fresh walk gives, whatever happens."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from movie_testing.api_server import running_api
from movie_testing.factories.accounts import AccountFactory
from movie_testing.tsv import rating_row, title_row, write_tsv
from movie_testing.walks import links

pytestmark = pytest.mark.slow

MOVIES = 60
GENRES = ["Drama", "Comedy", "Crime,Drama", "Horror", None]


class Copy:
    """A client's copy of the catalogue, kept up by what changed since it looked last."""

    def __init__(self, client: httpx.Client, page_size: int, *, with_adult: bool) -> None:
        self.movies: dict[str, Any] = {}
        self._client = client
        self._page_size = page_size
        self._adult = {"include_adult": "1"} if with_adult else {}
        self._since: dict[str, str] = {}

    def follow(self, between_pages: Any = lambda: None) -> set[str]:
        """Replays the changes to their end; which kinds there were."""
        kinds = set()
        for entry in self._walk("/movies/changes", self._since, between_pages):
            kinds.add(entry["change"])
            if entry["change"] == "retired":
                self.movies.pop(entry["id"], None)
            else:
                assert (entry["id"] in self.movies) <= (entry["change"] == "changed" or self._is_again(entry))
                self.movies[entry["id"]] = entry["movie"]
            self._since = {"since": entry["changed_at"]}
        return kinds

    def fresh(self) -> dict[str, Any]:
        """What a walk through the whole list gives."""
        return {movie["id"]: movie for movie in self._walk("/movies", {})}

    def _is_again(self, entry: dict[str, Any]) -> bool:
        """A movie that was added and changed while the walk was under way comes twice, as new both times."""
        return entry["change"] == "added"

    def _walk(
        self, path: str, parameters: dict[str, str], between_pages: Any = lambda: None
    ) -> Iterator[dict[str, Any]]:
        address = str(
            self._client.build_request(
                "GET", path, params={**parameters, **self._adult, "page_size": str(self._page_size)}
            ).url
        )
        while address:
            answer = self._client.get(address)
            assert answer.status_code == 200, answer.text
            yield from answer.json()
            address = links(answer.headers["Link"]).get("next", "")
            between_pages()


class Days:
    """Random dumps, each somewhat like the one before, and a loader that brings them."""

    def __init__(self, random_: random.Random, folder: Path, database_url: str) -> None:
        self._random = random_
        self._folder = folder
        self._environment = {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder / "data"),
            "PATH": "/usr/bin:/bin",
            "MAX_SHRINK_PERCENT": "100",
            "MAX_RATING_SHIFT": "9",
        }
        self._titles: dict[int, dict[str, Any]] = {}
        self._ratings: dict[int, dict[str, Any]] = {}

    def next(self) -> None:
        """The next day's dumps are loaded."""
        for at in self._random.sample(range(1, MOVIES + 1), MOVIES // 3):
            whim = self._random.random()
            if at not in self._titles or whim < 0.3:
                self._titles[at] = title_row(
                    tconst=f"tt{at:07}",
                    primaryTitle=f"Title {self._random.randint(1, 30)}",
                    isAdult=int(self._random.random() < 0.2),
                    startYear=self._random.choice([None, 1990, 2020]),
                    genres=self._random.choice(GENRES),
                )
            elif whim < 0.6:
                del self._titles[at]
            else:
                votes = self._random.randint(0, 99)
                self._ratings[at] = rating_row(tconst=f"tt{at:07}", averageRating=7.5, numVotes=votes)
        self._titles.setdefault(1, title_row())
        self._ratings.setdefault(1, rating_row())
        dumps = write_tsv(
            self._folder / "dumps", basics=self._titles.values(), ratings=self._ratings.values()
        )
        subprocess.run(
            [sys.executable, "-m", "movie_loader", "load", "--source", str(dumps)],
            env=self._environment,
            check=True,
            capture_output=True,
        )


@pytest.fixture
def editor_headers(database_url):
    with AccountFactory(database_url) as accounts:
        return accounts.editor_headers()


@pytest.mark.parametrize("with_adult", [True, False])
def test_a_client_that_replays_every_change_has_the_copy_that_a_fresh_walk_gives(
    database_url, editor_headers, tmp_path, with_adult
):
    random_ = random.Random(7 + with_adult)
    days = Days(random_, tmp_path, database_url)
    kinds = set()
    with running_api(database_url, tmp_path) as api, httpx.Client(base_url=api.url, timeout=30) as client:
        copy = Copy(client, random_.randint(1, 20), with_adult=with_adult)
        for day in range(4):
            days.next()
            for at in range(random_.randint(0, 3)):
                made = {"title": f"Own {day} {at}", "genres": ["Drama"]}
                assert client.post("/movies", json=made, headers=editor_headers).status_code == 201
            kinds |= copy.follow()
            assert copy.movies == copy.fresh()
    assert kinds == {"added", "changed", "retired"}


def test_a_client_that_follows_while_loads_go_on_comes_to_the_same_copy(database_url, tmp_path):
    random_ = random.Random(3)
    days = Days(random_, tmp_path, database_url)
    days.next()
    with running_api(database_url, tmp_path) as api, httpx.Client(base_url=api.url, timeout=30) as client:
        copy = Copy(client, 7, with_adult=False)
        loads = iter(range(3))

        def load_now_and_then() -> None:
            if next(loads, None) is not None:
                days.next()

        copy.follow(load_now_and_then)
        copy.follow()
        assert copy.movies == copy.fresh()
