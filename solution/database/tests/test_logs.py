import io
import json
import logging

import pytest
import structlog
from movie_database.logs import configure_logging
from movie_database.settings import given_settings


@pytest.fixture
def written():
    """Configures logging as asked; gives the function that reads what was written."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    stream = io.StringIO()

    def configure(**values):
        configure_logging(given_settings(**values), stream)
        return stream.getvalue

    yield configure
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_holds_time_level_event_and_values(written):
    read = written()
    structlog.get_logger("here").info("Loaded", rows=3)
    assert " [info     ] Loaded [here] rows=3\n" in read()


def test_a_json_line_is_one_object(written):
    read = written(log_format="json")
    structlog.get_logger("here").info("Loaded", title="東京\n物語")
    line = json.loads(read())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "Loaded", "title": "東京\n物語", "level": "info", "logger": "here"}


def test_other_libraries_log_the_same_way(written):
    read = written(log_format="json")
    logging.getLogger("gunicorn.error").warning("Booting %s", "worker")
    assert json.loads(read())["event"] == "Booting worker"


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 2), ("INFO", 1), ("WARNING", 0)])
def test_lower_levels_are_left_out(written, level, count):
    read = written(log_level=level)
    structlog.get_logger("here").debug("one")
    logging.getLogger("here").info("two")
    assert read().count("\n") == count


def test_chatty_libraries_are_heard_when_debugging_alone(written):
    read = written()
    logging.getLogger("urllib3.connectionpool").info("Starting new connection")
    assert read() == ""


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "values",
    [
        {"password": "hunter2"},
        {"SECRET_KEY": "hunter2"},
        {"Authorization": "Bearer hunter2"},
        {"address": "postgresql+psycopg2://user:hunter2@host/name"},
    ],
)
def test_no_secret_is_written(written, log_format, values):
    read = written(log_format=log_format)
    structlog.get_logger("here").info("Connecting", **values)
    assert "hunter2" not in read()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_password_is_written_with_a_traceback(written, log_format):
    read = written(log_format=log_format)
    try:
        int("postgresql://user:hunter2@host/name")
    except ValueError:
        structlog.get_logger("here").exception("Failed")
    assert "hunter2" not in read()
    assert "Traceback" in read()


def test_no_value_can_forge_a_line_or_talk_to_the_terminal(written):
    read = written()
    structlog.get_logger("here").info("Got\nforged", title="a\r\x1b[31m\u2028b")
    assert read().count("\n") == 1
    assert "\x1b" not in read()
    assert "Got␊forged" in read()


def test_configuring_twice_writes_each_line_once(written):
    written()
    read = written()
    structlog.get_logger("here").info("Once")
    assert read().count("Once") == 1
