"""A webhook that people read, and workers as they run: processes of their own on a real database."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from movie_database.connections import connected
from movie_jobs import queue
from psycopg2.extras import RealDictCursor

SECRET = "hunter2hunter2"
PATIENCE_SECONDS = 20
# Everything is looked at so often that a test takes no longer than what it looks at.
PACE = {"poll_seconds": 0.05, "heartbeat_seconds": 0.2, "stalled_seconds": 1.0, "grace_seconds": 0.3}


class Inbox:
    """A webhook on the loopback address."""

    def __init__(self):
        inbox = self
        self.status = 200
        self.messages = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if inbox.status == 200:
                    inbox.messages.append(json.loads(body))
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://user:{SECRET}@127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def texts(self):
        return [message["message"] for message in self.messages]


@pytest.fixture
def inbox():
    made = Inbox()
    yield made
    made.server.shutdown()
    made.server.server_close()


def wait_until(condition, what="it"):
    """Returns what the condition gave, as soon as it is true."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        if found := condition():
            return found
        time.sleep(0.03)
    raise AssertionError(f"{what} did not come about")


@dataclass
class Bench:
    """Workers with tasks of the tests' own, on one database."""

    url: str
    folder: Path
    alert_urls: str = ""
    workers: list = field(default_factory=list)

    def start(self, *tasks, **pace):
        """A worker that runs these tasks."""
        script = Path(__file__).with_name("trial_worker.py")
        words = [self.url, str(self.folder), self.alert_urls, json.dumps(PACE | pace), *tasks]
        # Where it is set, each of these processes would compile all of our modules.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        with (self.folder / "log").open("a") as log:
            worker = subprocess.Popen([sys.executable, str(script), *words], stderr=log, env=environment)
        self.workers.append(worker)
        return worker

    def put(self, task):
        return queue.put(self.url, task).id

    def defer(self, task, **arguments):
        """A job of a task that takes arguments, put there as a transaction of a program's would."""
        (row,) = self.query("SELECT jobs_defer(%s, %s::jsonb) AS id", task, json.dumps(arguments))
        return row["id"]

    def query(self, statement, *values):
        with connected(self.url) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(statement, values)
            return [dict(row) for row in cursor] if cursor.description else []

    def job(self, number):
        (row,) = self.query("SELECT *, status::text FROM procrastinate_jobs WHERE id = %s", number)
        return row

    def wait_for(self, number, status):
        """The job, as soon as it has this status."""
        return wait_until(
            lambda: (job := self.job(number))["status"] == status and job, f"{status}\n{self.log}"
        )

    def traces(self, name):
        """How many traces tasks left under this name."""
        file = self.folder / name
        return len(file.read_text().splitlines()) if file.exists() else 0

    @property
    def log(self):
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def living_workers(self):
        return queue.living_workers(self.url)


@pytest.fixture
def bench(database_url, tmp_path):
    folder = tmp_path / "traces"
    folder.mkdir()
    made = Bench(database_url, folder)
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
