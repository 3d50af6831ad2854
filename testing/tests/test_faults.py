"""What goes wrong around a reload: the old data is served, the load says why, the next good one works."""

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import time

import httpx
import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_database.cluster import Cluster
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import given_settings
from movie_testing.api_server import running_api
from movie_testing.databases import EMBEDDED_OPTIONS, make_folder_name, remove_folder
from movie_testing.tsv import rating_row, title_row, write_tsv

pytestmark = pytest.mark.slow

MOVIES = 2_000
DISK_BYTES = 640 << 20
ROOM_BYTES = 128 << 10


class Scene:
    """A server, an API and dumps of its own, on a disk of its own where that can be had."""

    def __init__(self, folder, address, api_url):
        self.address = address
        self._api_url = api_url
        self.dumps = folder / "dumps"
        self.data_dir = folder / "data"
        self.next_year = 2000
        self._environment = {
            "DATABASE_URL": address,
            "DATA_DIR": str(folder / "loader"),
            "PATH": os.environ["PATH"],
        }

    def write(self, movies=MOVIES):
        """Dumps of the next edition: their movies are all of one year, a later one with each."""
        self.next_year += 1
        year = self.next_year
        write_tsv(
            self.dumps,
            basics=(
                title_row(tconst=f"tt{at:07}", primaryTitle=f"Title {at}", startYear=year)
                for at in range(1, movies + 1)
            ),
            ratings=(rating_row(tconst=f"tt{at:07}") for at in range(1, movies + 1)),
        )

    def start_load(self):
        return subprocess.Popen(
            [sys.executable, "-m", "movie_loader", "load", "--source", str(self.dumps)],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def load(self):
        with self.start_load() as process:
            words, _ = process.communicate(timeout=60)
        return process.returncode, words

    def get(self, path):
        answer = httpx.get(f"{self._api_url}{path}", timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def year(self):
        """Of the movies that are served."""
        (movie,) = self.get("/movies?page_size=1")
        return movie["year"]

    @property
    def last_load(self):
        return self.get("/dataset/loads?page_size=1")[0]

    @contextlib.contextmanager
    def held_up(self):
        """A load that has read its dumps and waits to merge them."""
        holder = psycopg2.connect(libpq_address(self.address))
        with contextlib.closing(holder), holder.cursor() as cursor, self.start_load() as process:
            cursor.execute("LOCK TABLE movies IN SHARE MODE")
            give_up_at = time.monotonic() + 30
            waiting = (
                "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND application_name = 'movie-loader'"
            )
            while True:
                cursor.execute(waiting)
                if cursor.rowcount:
                    break
                assert process.poll() is None, process.stdout.read()
                assert time.monotonic() < give_up_at
                time.sleep(0.05)
            yield process, holder
            process.kill()


@contextlib.contextmanager
def disk(folder):
    """A folder with a small disk of its own, for root; others share the big one."""
    folder.mkdir()
    if os.geteuid() != 0:
        yield
        return
    options = f"size={DISK_BYTES},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def scene():
    folder = make_folder_name()
    folder.mkdir()
    folder.chmod(0o755)
    with disk(folder / "data"):
        settings = given_settings(data_dir=folder / "data")
        with database(settings, EMBEDDED_OPTIONS) as address:
            migrate(address)
            (folder / "api").mkdir()
            with running_api(address, folder / "api") as api:
                scene = Scene(folder, address, api.url)
                scene.write()
                assert scene.load()[0] == 0
                yield scene
    remove_folder(folder)


@pytest.fixture
def good(scene):
    """The scene before a load of new dumps that will not be seen; afterwards, the next good load works."""
    year = scene.year
    scene.write()
    yield scene
    assert scene.year == year
    scene.write()
    code, words = scene.load()
    assert (code, scene.year) == (0, scene.next_year), words
    assert scene.last_load["state"] == "done"


def ended(scene):
    """State and reason of the last load."""
    load = scene.last_load
    return load["state"], load["error"]["code"]


def test_a_dump_that_is_cut_off(good):
    path = good.dumps / "title.basics.tsv.gz"
    path.write_bytes(path.read_bytes()[:-1000])
    assert good.load()[0] == 1
    assert ended(good) == ("failed", "cut_off")


def test_a_dump_that_lacks_a_column(good):
    path = good.dumps / "title.basics.tsv.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"\tisAdult", b"", 1)))
    assert good.load()[0] == 1
    assert ended(good) == ("failed", "wrong_columns")


def test_a_dump_with_thirty_percent_fewer_rows(good):
    good.write(movies=MOVIES * 7 // 10)
    code, words = good.load()
    assert code == 4
    assert "--accept-shrink" in words
    assert ended(good) == ("refused", "refused")


def test_a_server_that_is_stopped_and_started_in_the_middle(good):
    cluster = Cluster(good.data_dir / "postgres", None, EMBEDDED_OPTIONS)
    with good.held_up() as (process, holder):
        cluster.stop()
        holder.close()
        assert cluster.ensure_running() == good.address
        assert process.wait(60) == 1
    assert ended(good) == ("failed", "database")


def test_a_load_that_is_killed(good):
    with good.held_up() as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert good.last_load["state"] == "running"
    # The server has to see that its client is gone.
    give_up_at = time.monotonic() + 20
    (good.dumps / "title.ratings.tsv.gz").unlink()
    while (code := good.load()[0]) == 3:
        assert time.monotonic() < give_up_at
    assert code == 1
    assert [load["error"]["code"] for load in good.get("/dataset/loads?page_size=2")] == [
        "source_missing",
        "died",
    ]


def test_two_loads_at_once(good):
    with good.held_up() as (process, _):
        code, words = good.load()
        assert code == 3
        assert f"another load is running since {time.strftime('%Y')}" in words
        assert f"process {process.pid} on" in words
    assert good.year < good.next_year


def resize(folder, size_bytes):
    """The small disk is larger or smaller from now on."""
    subprocess.run(["mount", "-o", f"remount,size={size_bytes}", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_a_disk_that_is_full(good):
    disk = os.statvfs(good.data_dir)
    used_bytes = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    resize(good.data_dir, used_bytes + ROOM_BYTES)
    try:
        code, words = good.load()
        assert code == 1
        assert "No space left on device" in words
        assert good.year < good.next_year
    finally:
        resize(good.data_dir, DISK_BYTES)
    assert ended(good) == ("failed", "disk")
