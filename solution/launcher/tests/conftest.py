"""The launcher as its users have it: a process of its own, on a DATA_DIR and a port of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from movie_database.settings import Settings

# Nobody answers there, so that IMDb can't be reached, wherever the tests run.
UNREACHABLE = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
PATIENCE_SECONDS = 60


@dataclass
class Running:
    """A launcher that was started and not waited for."""

    process: subprocess.Popen[str]
    port: int
    output_file: Path

    @property
    def output(self) -> str:
        return self.output_file.read_text("utf-8")

    def wait_for(self, pattern: str) -> str:
        """All that was printed, as soon as the pattern is in it."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            ended = self.process.poll() is not None
            if re.search(pattern, self.output):
                return self.output
            assert not ended, f"ended with {self.process.returncode}: {self.output}"
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} in: {self.output}")

    def serving(self) -> "Running":
        self.wait_for("Stop +Ctrl-C")
        return self

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: signal.Signals) -> int:
        """Sends the signal to that one process; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(10)


@dataclass
class Launcher:
    """Runs commands on one DATA_DIR."""

    data_dir: Path
    scratch: Path
    variables: dict[str, str] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)

    def run(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            self._command(words),
            env=self._environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def start(self, *words: str, **variables: str) -> Running:
        """Starts a command, at a free port."""
        port = self.free_port()
        output = self.scratch / f"output-{len(self.started)}"
        with output.open("w") as file:
            process = subprocess.Popen(
                self._command(words),
                env=self._environment({"PORT": str(port), **variables}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.started.append(Running(process, port, output))
        return self.started[-1]

    @staticmethod
    def free_port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def processes(self) -> list[psutil.Process]:
        """Every process that was started on this DATA_DIR, its server's and its API's too."""
        found = []
        for process in psutil.process_iter():
            try:
                told = [*process.cmdline(), process.cwd(), process.environ().get("DATA_DIR", "")]
            except psutil.Error:
                continue
            if any(str(self.data_dir) in word for word in told):
                found.append(process)
        return found

    def _command(self, words: tuple[str | Path, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "movie_launcher", *map(str, words)]

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        settings = {name.upper() for name in Settings.model_fields}
        rest = {name: value for name, value in os.environ.items() if name not in settings}
        common = {"DATA_DIR": str(self.data_dir), "WEB_CONCURRENCY": "1", **UNREACHABLE}
        # Where it is set, each of these processes would compile all of our modules.
        common["PYTHONDONTWRITEBYTECODE"] = ""
        return {**rest, **common, **self.variables, **variables}


@pytest.fixture
def launcher(data_dir: Path, tmp_path: Path) -> Iterator[Launcher]:
    """On an embedded server of its own."""
    made = Launcher(data_dir, tmp_path)
    yield made
    _end(made)


@pytest.fixture
def launcher_on(tmp_path: Path) -> Iterator[Callable[[str], Launcher]]:
    """Makes a launcher on a database that is given: it starts no server."""
    made = []

    def make(address: str) -> Launcher:
        made.append(Launcher(tmp_path / "data", tmp_path, {"DATABASE_URL": address}))
        return made[-1]

    yield make
    for one in made:
        _end(one)


def _end(launcher: Launcher) -> None:
    for running in launcher.started:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(15)
