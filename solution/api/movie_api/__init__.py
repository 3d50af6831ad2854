"""IMDb's catalogue as an HTTP API."""

from importlib.metadata import version
from pathlib import Path

from movie_database.logs import configure_logging
from movie_database.settings import Settings, SettingsError, read_settings, secret_key

from movie_api import limits
from movie_api.accounts import commands, guard, tokens
from movie_api.accounts import routes as accounts
from movie_api.database import Readers, engine_options
from movie_api.dataset.routes import dataset
from movie_api.docs import pages as docs
from movie_api.extensions import db
from movie_api.genres.routes import genres
from movie_api.http import codings, cors, faults
from movie_api.http.addresses import Addresses, is_loopback
from movie_api.http.conditional import Tags, edition_of
from movie_api.http.cursors import Cursors
from movie_api.http.exchange import Api, Exchange
from movie_api.http.kept import KeptAnswers
from movie_api.http.request_log import RequestLog
from movie_api.movies.routes import movies
from movie_api.people.routes import people

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Api:
    """The program, ready to answer: nothing is asked or waited for until the first request.

    Args:
        settings: If none are given, a server starts us: those of the environment, and its log is set up.

    Raises:
        SettingsError: If a setting is wrong, or names no database.
    """
    if settings is None:
        settings = read_settings()
        configure_logging(settings)
    if settings.server_address is None:
        raise SettingsError(["DATABASE_URL is not set; ./run.sh serve starts a server of its own"])
    app = Api(__name__, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.server_address
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    app.extensions["readers"] = Readers()

    addresses = Addresses(settings.public_url, settings.trusted_proxies, settings.host, settings.port)
    app.extensions["settings"] = settings
    app.extensions["listens_on_loopback"] = is_loopback(settings.host)
    app.extensions["addresses"] = addresses
    app.extensions["cursors"] = Cursors(lambda: secret_key(settings))

    edition = edition_of(Path(__file__).parent, version("movie-api"))
    app.extensions["kept_answers"] = KeptAnswers()
    app.extensions["tags"] = Tags(edition, lambda: secret_key(settings))

    tokens.register(app, settings)
    guard.register(app)
    limits.register(app, settings)

    app.register_blueprint(movies)
    app.register_blueprint(genres)
    app.register_blueprint(people)
    app.register_blueprint(dataset)
    accounts.register(app)
    app.cli.add_command(commands.users)
    docs.register(app)
    faults.register(app)
    codings.register(app)
    cors.register(app, settings.cors_origins)
    app.wsgi_app = Exchange(app.wsgi_app, addresses, RequestLog(settings.log_format))  # type: ignore[method-assign]
    return app
