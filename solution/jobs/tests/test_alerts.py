"""Alerts as people get them: a web server that takes what is told, and real processes that tell."""

import socket
import subprocess
import sys

import pytest
import structlog
from movie_database.connections import connected
from movie_jobs import delivery
from movie_jobs.alerts import clear_alerts, raise_alert

# Apprise imports a module that Python 3.13 no longer has, and does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "hunter2hunter2"


@pytest.fixture
def settings(make_settings, inbox):
    return make_settings(alert_urls=inbox.address)


def open_causes(url):
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT cause FROM alerts ORDER BY cause")
        return [cause for (cause,) in cursor]


def test_five_processes_at_once_tell_one_cause_once(database_url, inbox):
    program = (
        "import sys; from movie_database.settings import given_settings; from movie_jobs import alerts;"
        "settings = given_settings(alert_urls=sys.argv[2]); sys.stdin.read(1);"
        "alerts.raise_alert(sys.argv[1], settings, 'load:refused', 'The dumps look wrong')"
    )
    command = [sys.executable, "-c", program, database_url, inbox.address]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(5)]
    for process in processes:
        process.stdin.close()
    assert [process.wait(30) for process in processes] == [0] * 5
    assert inbox.texts == ["The dumps look wrong"]


def test_another_cause_is_told_too(database_url, settings, inbox):
    raise_alert(database_url, settings, "load:refused", "refused")
    raise_alert(database_url, settings, "stale", "stale")
    assert inbox.texts == ["refused", "stale"]


def test_a_cause_that_is_well_again_is_told_once(database_url, settings, inbox):
    raise_alert(database_url, settings, "load:refused", "refused")
    raise_alert(database_url, settings, "load:killed", "killed")
    for _ in range(2):
        clear_alerts(database_url, settings, "load", "loaded")
    assert inbox.texts == ["refused", "killed", "loaded"]


def test_a_cause_that_comes_back_is_told_again(database_url, settings, inbox):
    raise_alert(database_url, settings, "stale", "stale")
    clear_alerts(database_url, settings, "stale", "fresh")
    raise_alert(database_url, settings, "stale", "stale again")
    assert inbox.texts == ["stale", "fresh", "stale again"]


def test_a_prefix_ends_at_a_colon(database_url, settings):
    for cause in ("load", "load:killed", "loads", "stale"):
        raise_alert(database_url, settings, cause, cause)
    clear_alerts(database_url, settings, "load", "loaded")
    assert open_causes(database_url) == ["loads", "stale"]


def test_without_addresses_the_log_is_told_and_the_state_is_kept(database_url, make_settings):
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            raise_alert(database_url, make_settings(), "stale", "older than 36 h")
    assert [(line["event"], line["cause"]) for line in lines] == [("Alert", "stale")]
    assert open_causes(database_url) == ["stale"]


def test_an_alert_that_did_not_arrive_is_tried_again_at_its_next_occurrence(database_url, settings, inbox):
    inbox.status = 500
    raise_alert(database_url, settings, "stale", "first")
    assert open_causes(database_url) == []
    inbox.status = 200
    raise_alert(database_url, settings, "stale", "second")
    assert inbox.texts == ["second"]


def test_all_is_well_is_told_later_if_it_did_not_arrive(database_url, settings, inbox):
    raise_alert(database_url, settings, "stale", "stale")
    inbox.status = 500
    clear_alerts(database_url, settings, "stale", "fresh")
    inbox.status = 200
    clear_alerts(database_url, settings, "stale", "fresh")
    assert inbox.texts == ["stale", "fresh"]


def test_an_alert_is_told_though_the_database_is_away(settings, inbox):
    raise_alert("postgresql+psycopg2://user:word@127.0.0.1:9/movies", settings, "stale", "stale")
    assert inbox.texts == ["stale"]


def test_an_address_that_works_is_enough(database_url, make_settings, inbox):
    settings = make_settings(alert_urls=f"json://127.0.0.1:9/ {inbox.address}")
    raise_alert(database_url, settings, "stale", "stale")
    assert (inbox.texts, open_causes(database_url)) == (["stale"], ["stale"])


def test_no_secret_of_an_address_shows_even_where_everything_is_logged(database_url):
    program = (
        "import sys; from movie_database.settings import given_settings; from movie_jobs import alerts;"
        "from movie_database.logs import configure_logging;"
        "settings = given_settings(alert_urls=sys.argv[2], log_level='DEBUG'); configure_logging(settings);"
        "alerts.raise_alert(sys.argv[1], settings, 'stale', 'stale')"
    )
    addresses = (
        f"json://user:{SECRET}@127.0.0.1:9/ nonsense://user:{SECRET}@host/ json://127.0.0.1:9/hooks/{SECRET}"
        f" slack://{SECRET}/x/y mailto://user:{SECRET}@127.0.0.1:9?to=a@b.example"
    )
    command = [sys.executable, "-c", program, database_url, addresses]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr.count("An alert did not arrive") == 5
    assert SECRET not in ended.stderr + ended.stdout


def test_a_server_that_never_answers_holds_nobody_up(make_settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = make_settings(alert_urls=f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=60")
        (told,) = delivery.send(settings.alert_urls, "title", "text", patience_seconds=0.3)
    assert told.reason == "no answer within 0.3 s"
