import fcntl
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from movie_database import sessions
from movie_database.errors import DatabaseUnavailable
from movie_database.server import database, stop
from movie_database.settings import given_settings
from movie_testing.databases import EMBEDDED_OPTIONS


def test_a_second_command_joins_the_running_server(hold, server_process):
    first = hold()
    address = first.address
    process = server_process()
    assert hold().address == address
    assert server_process() == process


def test_the_last_one_out_stops_the_server(hold, server_process):
    first = hold()
    assert first.address
    second = hold()
    assert second.address
    first.end()
    still_there = server_process()
    second.end()
    assert (still_there is not None, server_process()) == (True, None)


def test_two_first_starts_at_the_same_moment_share_one_server(hold):
    holders = [hold() for _ in range(3)]
    found = {holder.address for holder in holders}
    assert len(found) == 1
    assert [holder.end() for holder in holders] == [0, 0, 0]


def test_a_killed_process_does_not_count(hold, server_process):
    survivor = hold()
    assert survivor.address
    killed = hold()
    assert killed.address
    killed.kill()
    survivor.end()
    assert server_process() is None


def test_the_next_command_takes_over_the_server_of_a_killed_one(hold, server_process):
    killed = hold()
    address = killed.address
    killed.kill()
    orphan = server_process()
    successor = hold()
    assert successor.address == address
    assert server_process() == orphan
    successor.end()
    assert server_process() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_last_one_stops_the_server(hold, server_process, number):
    holder = hold()
    assert holder.address
    holder.send(number)
    code = holder.wait()
    assert server_process() is None
    # An uncaught KeyboardInterrupt ends Python by the signal itself.
    assert code == (-signal.SIGINT if number == signal.SIGINT else 130)


def test_a_second_ctrl_c_leaves_no_server_behind(hold, server_process):
    holder = hold()
    assert holder.address
    for _ in range(5):
        holder.send(signal.SIGINT)
        time.sleep(0.003)
    holder.wait()
    assert server_process() is None


def test_ctrl_c_while_the_server_starts_leaves_none_behind(hold, used_data_dir, server_process):
    log = used_data_dir / "postgres" / "server.log"
    before = log.stat().st_size
    holder = hold()
    while log.stat().st_size == before:
        time.sleep(0.001)
    holder.send(signal.SIGINT)
    holder.wait()
    assert server_process() is None


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(hold, server_process):
    starter = hold()
    assert starter.address
    other = hold()
    assert other.address
    os.killpg(starter.pid, signal.SIGINT)
    starter.wait()
    assert server_process() is not None


def test_a_fork_that_leaves_the_block_stops_nothing(settings, server_process):
    with database(settings, EMBEDDED_OPTIONS):
        code = f"""
import os, sys
from movie_database.server import database
from movie_database.settings import given_settings
child = 0
with database(given_settings(data_dir={str(settings.data_dir)!r})):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print(len(os.listdir({str(settings.data_dir / "sessions")!r})))
"""
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout == "3\n"  # the lock, this process and the parent


def test_an_error_in_the_block_stops_the_server(settings, server_process):
    with pytest.raises(ZeroDivisionError), database(settings, EMBEDDED_OPTIONS):
        raise ZeroDivisionError
    assert server_process() is None


def test_stop_ends_the_processes_and_the_server(hold, settings, server_process):
    holders = [hold(), hold()]
    assert all(holder.address for holder in holders)
    assert stop(settings) == 2
    assert [holder.wait() for holder in holders] == [130, 130]
    assert server_process() is None


def test_stop_ends_the_server_that_a_killed_process_left(hold, settings, server_process):
    holder = hold()
    assert holder.address
    holder.kill()
    assert stop(settings) == 0
    assert server_process() is None


def test_stop_is_fine_where_nothing_ever_ran(data_dir):
    assert stop(given_settings(data_dir=data_dir)) == 0
    assert not data_dir.exists()


def test_stop_leaves_other_folders_alone(hold, server_process, data_dir):
    holder = hold()
    assert holder.address
    assert stop(given_settings(data_dir=data_dir)) == 0
    assert server_process() is not None


def test_stop_ends_a_process_that_works_on_a_given_server(data_dir):
    code = f"""
import sys
from movie_database.server import database
from movie_database.settings import given_settings
with database(given_settings(data_dir={str(data_dir)!r}, database_url="postgresql://h/d")):
    print(flush=True)
    sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert stop(given_settings(data_dir=data_dir, database_url="postgresql://h/d")) == 1
        assert process.wait(10) == 130


def test_stop_kills_what_does_not_end_when_asked(hold, settings, monkeypatch, server_process):
    monkeypatch.setattr(sessions, "TERMINATE_PATIENCE_SECONDS", 0.2)
    holder = hold()
    assert holder.address
    holder.send(signal.SIGSTOP)
    assert stop(settings) == 1
    holder.wait()
    assert not psutil.pid_exists(holder.pid)
    assert server_process() is None


def test_stop_spares_a_program_that_got_a_dead_ones_number(settings, used_data_dir):
    folder = used_data_dir / "sessions"
    with subprocess.Popen(["sleep", "60"]) as bystander:
        dead = folder / f"{bystander.pid}.0123abcd"
        dead.touch()
        assert stop(settings) == 0
        assert bystander.poll() is None
        bystander.kill()


def test_stop_spares_a_program_that_is_younger_than_the_registration(settings, used_data_dir):
    folder = used_data_dir / "sessions"
    with subprocess.Popen(["sleep", "60"]) as bystander:
        path = folder / f"{bystander.pid}.0123abcd"
        with path.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            an_hour_ago = time.time() - 3600
            os.utime(path, (an_hour_ago, an_hour_ago))
            assert stop(settings) == 0
            assert bystander.poll() is None
        bystander.kill()


def test_a_folder_that_another_container_uses_is_left_alone(settings, used_data_dir):
    # A number above what Linux gives stands for a process of another container.
    path = used_data_dir / "sessions" / "99999999.0123abcd"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DatabaseUnavailable, match="is used from another machine or container"):
            database(settings, EMBEDDED_OPTIONS).__enter__()


def test_the_files_of_dead_processes_are_removed(settings, used_data_dir):
    folder = used_data_dir / "sessions"
    (folder / "1.0123abcd").touch()
    stop(settings)
    assert [path.name for path in folder.iterdir()] == [".lock"]
