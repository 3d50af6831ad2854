"""What is confirmed by a mail: a registration, a new password, a new address."""

from flask import Blueprint, Response, current_app

from movie_api import limits
from movie_api.accounts import passwords, schemas
from movie_api.accounts.links import serves_this_machine
from movie_api.accounts.queries import mails, users
from movie_api.http.access import needs, public, signed_in
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import REGISTRATION_CLOSED, Problem

routes = Blueprint("mails", __name__)


@routes.post("/auth/register")
@takes(table())
@public
def register(_query: Query) -> Response:
    """A mail is on its way to the address, whether or not it has an account."""
    if not can_register():
        raise Problem(REGISTRATION_CLOSED, "Registration is closed on this server.")
    given = read_body(schemas.Registration)
    passwords.refuse_weak(given.password, "password", given.email, given.display_name)
    limits.spend("registration")
    mails.ask_registration(given.email, given.display_name, passwords.hash_of(given.password))
    return _on_its_way("A mail is on its way to the address: the account is there when its link is opened.")


@routes.post("/auth/password/reset")
@takes(table())
@public
def ask_reset(_query: Query) -> Response:
    """If there is such an account, a mail with a link to set its password is on its way."""
    given = read_body(schemas.ResetAsked)
    limits.spend("reset", schemas.email_key(given.email))
    mails.ask_reset(given.email)
    return _on_its_way("If there is such an account, a mail with a link to set its password is on its way.")


@routes.post("/auth/password/reset/confirm")
@takes(table())
@public
def confirm_reset(_query: Query) -> Response:
    """The password is set, and all sessions of the account are over."""
    given = read_body(schemas.ResetConfirmed)
    passwords.refuse_weak(given.password, "password")
    users.reset_password(given.token, passwords.hash_of(given.password))
    return Response(status=204)


@routes.post("/auth/email/verify")
@takes(table())
@public
def verify_email(_query: Query) -> Response:
    """What the mail asked to be confirmed is done."""
    kind, user = users.verify(read_body(schemas.TokenShown).token)
    return json_answer({"confirmed": kind, "email": user.email})


@routes.post("/auth/email/change")
@takes(table())
@needs("user", fresh=True)
def change_email(_query: Query) -> Response:
    """A mail is on its way to the new address; the old one stays until its link is opened."""
    caller = signed_in()
    given = read_body(schemas.EmailChange)
    limits.spend("reset", caller.user_id)
    mails.ask_email_change(caller.user_id, given.email)
    return _on_its_way("A mail is on its way to the new address: the account has it when its link is opened.")


def can_send_mails() -> bool:
    """Whether mails reach anybody: a server takes them, or whoever reads the folder is on this machine."""
    extensions = current_app.extensions
    settings = extensions["settings"]
    if extensions["listens_on_loopback"] and serves_this_machine(settings):
        return True
    # Their links are made of PUBLIC_URL, never of what a request says.
    return settings.smtp_host is not None and settings.public_url is not None


def can_register() -> bool:
    """Whether people may register themselves: it is allowed, and the mail that they need reaches them."""
    return current_app.extensions["settings"].registration and can_send_mails()


def _on_its_way(message: str) -> Response:
    return json_answer({"message": message}, 202)
