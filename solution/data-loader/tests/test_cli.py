"""`movie-loader` as cron has it: a process, its exit code and what it prints."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_loader import records
from movie_testing.dataset_server import Trouble
from movie_testing.tsv import rating_row, title_row, write_tsv

COMMAND = [sys.executable, "-m", "movie_loader"]


@pytest.fixture
def environment(database_url, tmp_path):
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "DOWNLOAD_TIMEOUT_SECONDS": "30",
        "DOWNLOAD_RETRIES": "1",
        "TERM": "xterm",
    }


@pytest.fixture
def run(environment):
    def run_command(*words, **changes):
        return subprocess.run(
            [*COMMAND, *words],
            env=environment | changes,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_command


def last_line(text):
    return text.splitlines()[-1]


def test_a_load_that_is_done_says_so_in_its_last_line(run, dumps):
    done = run("load", "--source", str(dumps))
    assert done.returncode == 0
    assert last_line(done.stdout).startswith(
        "done: 1 movies, 1 genres, 1 rated, 0 people, 1 new, 0 changed, 0 gone, 0 rows rejected, "
    )


def test_stages_are_told_in_plain_lines(run, dumps):
    done = run("load", "--source", str(dumps))
    assert [f"stage={name}" in done.stderr for name in ("ratings", "titles", "merge", "vacuum")] == [True] * 4
    assert "\x1b" not in done.stderr


def test_the_report_alone_is_printed_as_json(run, dumps):
    done = run("load", "--source", str(dumps), "--json")
    report = json.loads(done.stdout)
    assert (report["state"], report["movie_rows"], report["rating_rows"]) == ("done", 1, 1)
    assert report["peak_memory_bytes"] > 2**20
    assert last_line(done.stderr).startswith("done: ")


def test_a_load_that_fails_says_why_in_one_line(run, tmp_path):
    failed = run("load", "--source", str(tmp_path / "nowhere"))
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert last_line(failed.stderr) == (
        f"failed: title.ratings.tsv.gz: the folder {tmp_path}/nowhere is not there"
    )


def test_a_failure_is_told_as_json_too(run, tmp_path):
    failed = run("load", "--source", str(tmp_path / "nowhere"), "--json")
    assert json.loads(failed.stdout)["error"]["code"] == "source_missing"


def test_a_source_that_can_not_be_reached_is_told_within_15_seconds(run):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    began = time.monotonic()
    failed = run("load", "--source", address, "--json", DOWNLOAD_RETRIES="5", DOWNLOAD_TIMEOUT_SECONDS="2")
    assert time.monotonic() - began < 15
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "source_unreachable"
    assert last_line(failed.stderr).endswith("cannot be reached: the connection was refused")


def test_a_database_that_can_not_be_reached_is_told_in_one_line(run, dumps):
    failed = run("load", "--source", str(dumps), DATABASE_URL="postgresql://who:secret@127.0.0.1:1/none")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert last_line(failed.stderr).startswith("failed: ")
    assert "secret" not in failed.stderr


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["load", "--what"], {}),
        (["lod"], {}),
        (["load", "--sample", "--source", "somewhere"], {}),
        (["load", "--title-types", "film"], {}),
        (["load"], {"LOG_LEVEL": "loud"}),
        (["load", "--source", "ftp://example.com"], {}),
    ],
)
def test_wrong_usage_and_settings_have_their_own_exit_code(run, words, changes):
    refused = run(*words, **changes)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_the_types_of_titles_may_be_given(run, dumps):
    write_tsv(dumps, basics=[title_row(titleType="short"), title_row(tconst="tt0000002")])
    done = run("load", "--source", str(dumps), "--title-types", "short,tvMovie", "--json")
    assert json.loads(done.stdout)["title_types"] == ["short", "tvMovie"]
    assert json.loads(done.stdout)["movie_rows"] == 1


def test_the_sample_loads_and_is_marked(run):
    done = run("load", "--sample", "--json")
    report = json.loads(done.stdout)
    assert (report["is_sample"], report["movie_rows"] > 250) == (True, True)
    faults = report["faults"]["title.basics"]
    assert faults == {"rejected": {}, "nulled": {}, "mended": {}, "duplicate": {}}


def test_status_is_null_before_the_first_load_and_tells_the_last_one_afterwards(run, dumps):
    assert json.loads(run("status", "--json").stdout) is None
    run("load", "--source", str(dumps))
    record = json.loads(run("status", "--json").stdout)
    assert (record["movie_rows"], record["is_sample"], record["source"]) == (1, False, str(dumps))
    assert run("status").stdout.startswith("1 movies, 1 genres, 1 rated, from ")


def test_a_terminal_is_shown_bars(environment, dumps):
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "load", "--source", str(dumps)],
        env=environment | {"COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=follower,
    ) as process:
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], 30)[0]:
            try:
                shown += os.read(leader, 65_536)
            except OSError:
                break
        os.close(leader)
        assert process.wait(30) == 0
    assert b"load title.basics" in shown
    assert b"1 rows" in shown


def test_a_load_that_is_refused_ends_with_4_and_tells_why(run, dumps):
    titles = [title_row(tconst=f"tt{at:07}") for at in range(1, 11)]
    write_tsv(dumps, basics=titles, ratings=[rating_row()])
    assert run("load", "--source", str(dumps)).returncode == 0
    write_tsv(dumps, basics=titles[:9], ratings=[rating_row()])
    refused = run("load", "--source", str(dumps), "--json")
    assert refused.returncode == 4
    assert last_line(refused.stderr).startswith("refused: the dumps look wrong: 9 movies after 10 in load 1")
    told = json.loads(last_line(refused.stdout))
    assert (told["state"], told["error"]["code"], told["error"]["is_transient"]) == (
        "refused",
        "refused",
        False,
    )
    assert "was refused: the dumps look wrong" in run("status").stdout
    assert run("load", "--source", str(dumps), "--accept-shrink").returncode == 0


def test_a_load_while_another_one_runs_ends_with_3(run, loads, dumps):
    with holding(loads.url, f"SELECT pg_advisory_lock({records._LOCK_KEY})"):
        second = run("load", "--source", str(dumps))
    assert second.returncode == 3
    assert last_line(second.stderr) == "failed: another load is running"


def test_dumps_of_the_last_load_are_nothing_to_do_unless_forced(run, dumps):
    run("load", "--source", str(dumps))
    again = run("load", "--source", str(dumps))
    assert (again.returncode, last_line(again.stdout).partition(":")[0]) == (0, "nothing to do")
    forced = run("load", "--source", str(dumps), "--force")
    assert last_line(forced.stdout).startswith(
        "done: 1 movies, 1 genres, 1 rated, 0 people, 0 new, 0 changed"
    )


def test_history_tells_what_became_of_each_load(run, dumps):
    assert run("history").stdout == "nothing was loaded yet: `movie-loader load`\n"
    run("load", "--source", str(dumps))
    (dumps / "title.ratings.tsv.gz").write_bytes(b"")
    run("load", "--source", str(dumps))
    heading, failed, done, reason = run("history").stdout.splitlines()
    assert heading.split()[:3] == ["load", "state", "started"]
    assert (failed.split()[:2], done.split()[:2]) == (["2", "failed"], ["1", "done"])
    assert reason.startswith("load 2 failed: ")
    assert [load["state"] for load in json.loads(run("history", "--json").stdout)] == ["failed", "done"]
    assert [load["id"] for load in json.loads(run("history", "--json", "--limit", "1").stdout)] == [2]


def test_a_load_that_fails_is_an_alert_until_one_goes_well(run, loads, dumps):
    good = (dumps / "title.ratings.tsv.gz").read_bytes()
    (dumps / "title.ratings.tsv.gz").write_bytes(b"")
    run("load", "--source", str(dumps))
    (alert,) = loads.query("SELECT cause, message FROM alerts")
    assert alert["cause"] == "load:source_empty"
    assert alert["message"].startswith(f"The load of {dumps} failed: ")
    (dumps / "title.ratings.tsv.gz").write_bytes(good)
    run("load", "--source", str(dumps))
    assert loads.query("SELECT cause FROM alerts") == []


def test_a_stop_is_heard_while_the_program_is_still_being_imported(environment, dumps):
    process = subprocess.Popen(
        [*COMMAND, "load", "--source", str(dumps)], env=environment, stderr=subprocess.PIPE, text=True
    )
    while not catches(process.pid, signal.SIGTERM):
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "interrupted: nothing was done yet\n")


def catches(pid, signal_number):
    """Whether a process has a handler of its own for a signal, as Linux tells."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal_number - 1) & 1)


# Loads that are killed or interrupted in each phase.


@contextmanager
def holding(database_url, sql):
    """Keep the loader waiting for a lock."""
    connection = psycopg2.connect(libpq_address(database_url))
    with connection.cursor() as cursor:
        cursor.execute(sql)
    try:
        yield
    finally:
        connection.close()


def is_waiting_for_a_lock(loads):
    return loads.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'movie-loader'"
        " AND datname = current_database() AND wait_event_type = 'Lock'"
    )


@contextmanager
def download_that_hangs(loads, server, name):
    server.trouble(f"{name}.tsv.gz", Trouble(stall_at=20))
    yield lambda: server.statuses_of(f"{name}.tsv.gz")


@contextmanager
def lock_that_is_held(loads, sql):
    with holding(loads.url, sql):
        yield lambda: is_waiting_for_a_lock(loads)


PHASES = {
    "ratings": lambda loads, server: download_that_hangs(loads, server, "title.ratings"),
    "titles": lambda loads, server: download_that_hangs(loads, server, "title.basics"),
    "start": lambda loads, _: lock_that_is_held(loads, "LOCK TABLE dataset_loads IN SHARE MODE"),
    "merge": lambda loads, _: lock_that_is_held(loads, "LOCK TABLE movies IN SHARE MODE"),
    "genres": lambda loads, _: lock_that_is_held(loads, "LOCK TABLE genres IN SHARE MODE"),
    "publish": lambda loads, _: lock_that_is_held(loads, "SELECT * FROM catalogue_state FOR UPDATE"),
}


@pytest.fixture
def running_load(loads, server, dumps, environment):
    """Starts a load of new dumps and returns it when it hangs in the phase."""

    @contextmanager
    def run_into(phase):
        loads.run()
        new = [title_row(primaryTitle="New"), title_row(tconst="tt0000002", genres="New")]
        write_tsv(dumps, basics=new, ratings=[rating_row(numVotes=7)])
        for path in dumps.iterdir():
            server.put(path.name, path.read_bytes())
        before = loads.snapshot()
        with PHASES[phase](loads, server) as is_there:
            process = subprocess.Popen(
                [*COMMAND, "load", "--source", server.address],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            deadline = time.monotonic() + 30
            while not is_there():
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            time.sleep(0.1)
            yield process, before
            process.kill()
            process.communicate()

    return run_into


def without_staging(snapshot):
    snapshot[3] = [row for row in snapshot[3] if not row["tablename"].startswith("staged_")]
    return snapshot


def wait_until_nobody_loads(loads):
    """Wait for the server to see that the loader is gone, even while it waits for a lock."""
    deadline = time.monotonic() + 15
    while loads.query(
        "SELECT 1 FROM pg_stat_activity"
        " WHERE application_name = 'movie-loader' AND datname = current_database()"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_a_load_that_is_killed_leaves_the_old_data_and_the_next_one_works(loads, server, running_load, phase):
    with running_load(phase) as (process, before):
        process.kill()
        process.wait()
        # While the catalogue is tiny, its indexes are dropped and built around a load.
        assert without_staging(loads.snapshot())[:4] == before[:4]
        wait_until_nobody_loads(loads)
    assert before[0][0]["title"] == "X"
    loads.run(server.address)
    assert [movie["title"] for movie in loads.movies().values()] == ["New", "X"]
    died = [(row["state"], row["error_code"]) for row in loads.loads()[1:]]
    assert died == ([] if phase == "start" else [("failed", "died")]) + [("done", None)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phase", "signal_number"), [*((phase, signal.SIGINT) for phase in PHASES), ("merge", signal.SIGTERM)]
)
def test_a_load_that_is_interrupted_ends_at_once_in_one_line(loads, running_load, phase, signal_number):
    with running_load(phase) as (process, before):
        process.send_signal(signal_number)
        began = time.monotonic()
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert process.returncode == 130, errors
        assert last_line(errors) == "interrupted: the database is as it was"
        assert "Traceback" not in errors
        ends = [(row["state"], row["error_code"]) for row in loads.loads()[1:]]
        assert ends == ([] if phase == "start" else [("failed", "interrupted")])
        assert without_staging(loads.snapshot()) == before
