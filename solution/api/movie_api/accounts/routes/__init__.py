"""HTTP at /auth and /account."""

from flask import Flask

from movie_api.accounts.providers import absent_paths, check
from movie_api.accounts.routes import keys, mails, pages, provider_pages, providers, sessions, user


def register(app: Flask) -> None:
    """From now on, there are accounts.

    Raises:
        SettingsError: What proves to a provider who we are can't be used.
    """
    settings = app.extensions["settings"]
    check(settings)
    app.extensions["absent_paths"] = absent_paths(settings)
    for blueprint in (
        mails.routes,
        sessions.routes,
        user.routes,
        keys.routes,
        providers.routes,
        provider_pages.routes,
        pages.routes,
    ):
        app.register_blueprint(blueprint)
