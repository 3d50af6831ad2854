import contextlib
import os
import signal
import subprocess
import sys

import psutil
import psycopg2
import pytest
from movie_database import addresses, postmaster
from movie_database.cluster import Cluster
from movie_database.server import database, stop
from movie_database.settings import given_settings
from movie_testing.databases import EMBEDDED_OPTIONS, make_folder_name, remove_folder

_HOLD = """
import json, sys
from movie_database.logs import configure_logging
from movie_database.server import database
from movie_database.settings import given_settings
settings = given_settings(data_dir=sys.argv[1])
configure_logging(settings)
with database(settings, json.loads(sys.argv[2])) as address:
    print(address, flush=True)
    sys.stdin.readline()
"""


class Holder:
    """A process of its own that works on a DATA_DIR's database until it is told to end."""

    def __init__(self, data_dir):
        options = '{"fsync": "off", "shared_buffers": "16MB"}'
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(data_dir), options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Whoever runs the tests by nohup has it ignored, and a child would ignore it too.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
        )
        self.pid = self.process.pid

    @property
    def address(self):
        return self.process.stdout.readline().strip()

    def send(self, number):
        os.kill(self.pid, number)

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.wait()

    def kill(self):
        self.send(signal.SIGKILL)
        return self.wait()

    def wait(self):
        code = self.process.wait(30)
        self.errors = self.process.stderr.read()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return code


@pytest.fixture(scope="session")
def _prepared_data_dir():
    folder = make_folder_name()
    with database(given_settings(data_dir=folder), EMBEDDED_OPTIONS) as address:
        run_query(address, "CREATE TABLE kept (number integer)")
    yield folder
    remove_folder(folder)


@pytest.fixture
def used_data_dir(_prepared_data_dir):
    """A DATA_DIR that holds a database with a table `kept` since an earlier start; nothing runs there."""
    yield _prepared_data_dir
    stop(given_settings(data_dir=_prepared_data_dir))


@pytest.fixture
def hold(used_data_dir):
    """Starts processes that work on the DATA_DIR's database."""
    holders = []

    def start():
        holders.append(Holder(used_data_dir))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.poll() is None:
            holder.kill()


@pytest.fixture
def settings(used_data_dir):
    return given_settings(data_dir=used_data_dir)


@pytest.fixture
def cluster(used_data_dir):
    return Cluster(used_data_dir / "postgres", None, EMBEDDED_OPTIONS)


@pytest.fixture
def server_process(cluster):
    """Finds the live server of this test's DATA_DIR."""
    return lambda: postmaster.find(cluster.data)


@pytest.fixture
def query():
    """Runs a statement at an address; gives its rows."""
    return run_query


def run_query(address, statement, *values):
    connection = psycopg2.connect(addresses.libpq_address(address))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture
def zombie():
    """The number of a process that has ended and that nobody reaps."""
    process = subprocess.Popen(["true"])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    yield process.pid
    process.wait()
