"""HTTP at /auth and /account."""

from flask import Flask

from movie_api.accounts.routes import keys, mails, pages, sessions, user


def register(app: Flask) -> None:
    """From now on, there are accounts."""
    for blueprint in (mails.routes, sessions.routes, user.routes, keys.routes, pages.routes):
        app.register_blueprint(blueprint)
