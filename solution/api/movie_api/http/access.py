"""Who may do what: each view says it, and who asks is found out before any view runs.

A view without a rule is a fault of ours, and is refused to everybody.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from flask import g

Role = Literal["user", "editor", "admin"]
ROLES: Final[tuple[Role, ...]] = ("user", "editor", "admin")
"""In rising order: each may do what those before it may."""

Scope = Literal["account:read", "catalogue:write"]
SCOPES: Final[tuple[Scope, ...]] = ("account:read", "catalogue:write")
"""What an API key can be allowed, beside reading what is public."""

View = Callable[..., Any]


class Rule(NamedTuple):
    """What a view needs of its caller.

    Attributes:
        role: The least role; None: not even an account.
        scope: What lets an API key do it; None: no key does.
        is_fresh: Whether the sign-in must be of the last minutes.
        is_page: Whether it is a page for people, or what belongs to one: what a browser sends along is not
            looked at, or a cookie that is out of date would take the very page away that renews it.
        is_open_for_demonstrations: Whether ANONYMOUS_WRITES opens it to everybody.
    """

    role: Role | None = None
    scope: Scope | None = None
    is_fresh: bool = False
    is_page: bool = False
    is_open_for_demonstrations: bool = False


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        user_id: The account.
        role: Its role, now.
        pseudonym: Who it is in the audit.
        session_id: The session that the token is of; None: an API key was sent.
        signed_in_at: When that session began, in seconds since 1970.
        key_id: The API key; None: it is a session.
        scopes: Of the key.
    """

    user_id: str
    role: Role
    pseudonym: str
    session_id: str | None = None
    signed_in_at: float = 0
    key_id: str | None = None
    scopes: tuple[str, ...] = ()


def public(view: View) -> View:
    """Everybody may; a token that is not good is refused all the same."""
    return _ruled(view, Rule())


def page(view: View) -> View:
    """Everybody may look, whatever the browser sends along."""
    return _ruled(view, Rule(is_page=True))


def needs(
    role: Role,
    *,
    scope: Scope | None = None,
    fresh: bool = False,
    open_for_demonstrations: bool = False,
) -> Callable[[View], View]:
    """The view needs an account of at least this role: see `Rule`."""

    def decorate(view: View) -> View:
        return _ruled(view, Rule(role, scope, fresh, False, open_for_demonstrations))  # noqa: FBT003

    return decorate


def rule_of(view: View) -> Rule | None:
    """What the view needs; None: it does not say."""
    return getattr(view, "access_rule", None)


def caller() -> Caller | None:
    """Who asks; None: nobody that is known."""
    known: Caller | None = g.get("caller")
    return known


def signed_in() -> Caller:
    """Who asks, in a view that needs an account."""
    known: Caller = g.caller
    return known


def _ruled(view: View, rule: Rule) -> View:
    view.access_rule = rule  # type: ignore[attr-defined]
    return view
