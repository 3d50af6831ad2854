# ruff: noqa: INP001  a file of settings, read by Gunicorn; never imported
"""How Gunicorn serves the API: `gunicorn --config solution/api/gunicorn.conf.py`.

Source: Gunicorn's documentation, "Settings".
"""

import gc
import sys
from pathlib import Path
from typing import Any

from movie_api.accounts.first_admin import FirstAdminError, make_first_admin
from movie_api.http.addresses import is_loopback
from movie_api.server import defer_silent_connections
from movie_database.errors import DatabaseError
from movie_database.exits import FAILED, WRONG_USAGE
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.settings import SettingsError, read_settings, secret_key


def _leave(exit_code: int, error: Exception) -> None:
    """Ends the process with one plain line; Gunicorn would add a traceback."""
    print(error, file=sys.stderr, flush=True)  # noqa: T201  the log may not be set up
    sys.exit(exit_code)


try:
    _settings = read_settings()
    secret_key(_settings)
except SettingsError as error:
    _leave(WRONG_USAGE, error)
if _settings.server_address is None:
    _leave(WRONG_USAGE, SettingsError(["DATABASE_URL is not set; ./run.sh serve starts a server of its own"]))
configure_logging(_settings)

wsgi_app = "movie_api:create_app()"
# One copy of the program in memory for all workers. Nothing is connected before they are forked.
preload_app = True
bind = [
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
]
backlog = 512
worker_class = "movie_api.server.Worker"
workers = _settings.web_concurrency
# A worker's sign of life is the time of a file, and a disk under load would let it look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  a file with a random name
# A worker that is silent for so long hangs: no query and no client may keep it waiting as long.
timeout = round(_settings.statement_timeout_seconds) + 20
# SIGTERM and Ctrl-C are to be done within ten seconds.
graceful_timeout = 8
# It would lie in the home folder, where a second instance takes it over.
control_socket_disable = True
# There is one line a request already: the program's own.
accesslog = None
logger_class = "movie_api.server.Log"
loglevel = _settings.log_level.lower()
# The program reads X-Forwarded-* itself, from TRUSTED_PROXIES alone.
forwarded_allow_ips = ""
forwarder_headers = ""
# A page's cursor holds up to 2,000 characters, beside all the filters.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190


def on_starting(server: Any) -> None:
    """Brings the schema up to date, and sees that there is an admin, before the first worker is there."""
    address = _settings.server_address or ""
    try:
        migrate(address, _settings.sql_scripts)
        make_first_admin(_settings, address)
    except (DatabaseError, FirstAdminError) as error:
        _leave(FAILED, error)
    if _settings.anonymous_writes:
        server.log.warning("ANONYMOUS_WRITES is on: anybody who reaches this server can add movies")


def when_ready(server: Any) -> None:
    """What is loaded by now stays: the collector need not look at it again, and copy it in each worker."""
    for listener in server.LISTENERS:
        defer_silent_connections(listener.sock)
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Tells the program where it listens in truth: the command line may have said otherwise than `HOST`."""
    names = [listener.sock.getsockname() for listener in worker.sockets]
    worker.wsgi.extensions["listens_on_loopback"] = all(
        isinstance(name, tuple) and is_loopback(name[0]) for name in names
    )
