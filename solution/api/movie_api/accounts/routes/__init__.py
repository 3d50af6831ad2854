"""HTTP at /auth and /account."""

from flask import Flask

from movie_api.accounts import providers
from movie_api.accounts.routes import keys, mails, pages, provider_pages, sessions, user
from movie_api.accounts.routes import providers as provider_routes


def register(app: Flask) -> None:
    """From now on, there are accounts.

    Raises:
        SettingsError: What proves to a provider who we are can't be used.
    """
    settings = app.extensions["settings"]
    providers.check(settings)
    app.extensions["absent_paths"] = providers.absent_paths(settings)
    for blueprint in (
        mails.routes,
        sessions.routes,
        user.routes,
        keys.routes,
        provider_routes.routes,
        provider_pages.routes,
        pages.routes,
    ):
        app.register_blueprint(blueprint)
