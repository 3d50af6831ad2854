"""Limits: how often somebody may do something, counted for all workers together.

What is counted is an address, or an address and an account together; never an account alone, or anybody
could lock its owner out. Windows are fixed, and begin with the first that is counted.

`limits` and Flask-Limiter do the limits on all requests (`general`). What is spent here they can't do as it
is needed: several counters at once, of which either all count one more or none does, and each of which can
be given back; so that is one statement of the storage below both.

Source: draft-ietf-httpapi-ratelimit-headers-10, for what answers tell.
"""

from flask import Flask
from movie_database.settings import Settings

from movie_api.limits import general, told
from movie_api.limits.spending import Kind, Spent, spend

__all__ = ["Kind", "Spent", "register", "spend"]


def register(app: Flask, settings: Settings) -> None:
    """From now on, answers tell what is left, and the limits on all requests hold, if there are any.

    It comes after the guard: by then it is known who asks.
    """
    told.register(app)
    general.register(app, settings)
