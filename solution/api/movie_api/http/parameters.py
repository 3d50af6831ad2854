"""Query parameters, read strictly: a fault is told, never passed over, and all of them at once."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache, wraps
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from flask import request

from movie_api.http.problems import INVALID_PARAMETERS, Fault, Problem

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)

LONGEST_LIST: Final = 200
_QUERIES_KEPT: Final = 500

Reader = Callable[[str], Any]


class Parameter(NamedTuple):
    """One parameter: its name, how its text becomes a value, and how often it may be given.

    `read` raises ValueError with what the value must be. A parameter that may be given more than once
    gives a tuple of all its values, and each of its texts may hold several.
    """

    name: str
    read: Reader
    most: int = 1


class Query(dict[str, Any]):
    """The values of a query by name, those that were given.

    The same query string gives the same object: it is never changed, and what follows from it alone may be
    kept in `kept`.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.kept: dict[str, Any] = {}


def table(*parameters: Parameter) -> dict[str, Parameter]:
    """The parameters of one operation, by name."""
    return {parameter.name: parameter for parameter in parameters}


def flag(text: str) -> bool:
    """A switch: `desc`, `desc=1` and `desc=true` are on, `desc=0` and `desc=false` off."""
    if text in ("", "1", "true"):
        return True
    if text in ("0", "false"):
        return False
    raise ValueError("must be 1, true, 0, false or nothing")


def integer(minimum: int, maximum: int) -> Reader:
    """A whole number from minimum to maximum."""

    def read(text: str) -> int:
        if _INTEGER.fullmatch(text) and minimum <= (value := int(text)) <= maximum:
            return value
        raise ValueError(f"must be a whole number from {minimum} to {maximum}")

    return read


def number(minimum: int, maximum: int) -> Reader:
    """A number from minimum to maximum, exactly as written: 9.15 is not rounded."""

    def read(text: str) -> Decimal:
        if _NUMBER.fullmatch(text) and minimum <= (value := Decimal(text)) <= maximum:
            return value
        raise ValueError(f"must be a number from {minimum} to {maximum}")

    return read


def moment(text: str) -> datetime:
    """A time as RFC 3339 writes it, in UTC; of its fraction, microseconds count."""
    match = _MOMENT.fullmatch(text)
    if match is not None:
        date, time, fraction, offset = match.groups()
        # There may be no such day, or none in UTC: the first and the last year have an edge.
        with suppress(ValueError, OverflowError):
            written = f"{date}T{time}{(fraction or '.0')[:7]}{offset.upper()}"
            return datetime.fromisoformat(written).astimezone(UTC)
    raise ValueError(
        "must be a time as RFC 3339 writes it, such as 2026-11-24T02:00:00Z (in an address, + is %2B)"
    )


def one_of(*names: str) -> Reader:
    """One of a few names."""

    def read(text: str) -> str:
        if text in names:
            return text
        raise ValueError(f"must be one of {', '.join(names)}")

    return read


def matching(pattern: str, sentence: str) -> Reader:
    """A text that matches the whole pattern; the sentence says what that means."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(text: str) -> str:
        if matches(text):
            return text
        raise ValueError(sentence)

    return read


def text(maximum_length: int) -> Reader:
    """A text of at least one character."""

    def read(given: str) -> str:
        if 1 <= len(given) <= maximum_length:
            return given
        raise ValueError(f"must be a text of 1 to {maximum_length} characters")

    return read


def several(maximum_length: int, maximum_count: int, longest_text: int = LONGEST_LIST) -> Reader:
    """Names divided by commas; blanks around them don't count."""
    matches = re.compile(several_pattern(maximum_length, maximum_count)[1:-1]).fullmatch

    def read(text: str) -> tuple[str, ...]:
        if len(text) <= longest_text and matches(text):
            return tuple(name.strip(" ") for name in text.split(","))
        raise ValueError(
            f"must be 1 to {maximum_count} names of 1 to {maximum_length} characters, divided by commas,"
            f" and at most {longest_text} characters in all"
        )

    return read


def several_pattern(maximum_length: int, maximum_count: int) -> str:
    """What `several` takes, as the contract says it."""
    inside, ends = r"[^,\u0000-\u001f\u007f]", r"[^ ,\u0000-\u001f\u007f]"
    name = f"{ends}({inside}{{0,{maximum_length - 2}}}{ends})?"
    return f"^ *{name}( *, *{name}){{0,{maximum_count - 1}}} *$"


def takes(parameters: Mapping[str, Parameter]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The view gets the query as its first argument."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        # Most callers ask what others asked a moment ago. (A query that is refused is not kept.)
        read = lru_cache(maxsize=_QUERIES_KEPT)(lambda query_string: read_query(query_string, parameters))

        @wraps(view)
        def read_query_first(**path: str) -> Any:
            return view(read(request.environ["QUERY_STRING"]), **path)

        return read_query_first

    return decorate


def read_query(query_string: str, parameters: Mapping[str, Parameter]) -> Query:
    """The values that were given, by name.

    Args:
        query_string: As the server hands it over: bytes of the address as Latin-1, still encoded.
        parameters: All that this operation takes.

    Raises:
        Problem: With every fault of the query.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    counts: dict[str, int] = {}
    for piece in query_string.split("&"):
        if not piece:
            continue
        raw_name, _, raw_text = piece.partition("=")
        parameter = parameters.get(_decoded(raw_name) or raw_name)
        if parameter is None:
            faults.append(_unknown(_decoded(raw_name) or raw_name, parameters))
            continue
        name = parameter.name
        try:
            value = _value(parameter, raw_text)
        except ValueError as fault:
            faults.append(Fault("query", name, str(fault)))
            continue
        counts[name] = counts.get(name, 0) + 1
        values[name] = values.get(name, ()) + value if parameter.most > 1 else value
    for name, count in counts.items():
        most = parameters[name].most
        if count > most:
            faults.append(Fault("query", name, f"is given {count} times; at most {most} is allowed"))
    if faults:
        raise invalid(*faults)
    return Query(values)


def invalid(*faults: Fault) -> Problem:
    """The problem of a query with these faults."""
    named = ", ".join(dict.fromkeys(fault.field[:100] for fault in faults))
    return Problem(INVALID_PARAMETERS, f"The query can't be used as it is: {named}.", faults)


def _value(parameter: Parameter, raw_text: str) -> Any:
    """The parameter's value.

    Raises:
        ValueError: With what is wrong with the text.
    """
    text = _decoded(raw_text)
    if text is None:
        raise ValueError("must be UTF-8")
    if _CONTROL.search(text):
        raise ValueError("holds a control character")
    return parameter.read(text)


def _decoded(raw: str) -> str | None:
    """The text without its percent-encoding; None if it is not UTF-8."""
    if "%" not in raw and "+" not in raw and raw.isascii():
        return raw
    try:
        return unquote_to_bytes(raw.replace("+", " ").encode("latin-1")).decode()
    except UnicodeDecodeError:
        return None


def _unknown(name: str, parameters: Mapping[str, Parameter]) -> Fault:
    shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", name[:100])
    if not parameters:
        return Fault("query", shown, "is not known: this address takes no parameters")
    nearest = get_close_matches(name[:100], parameters, n=1, cutoff=0)[0]
    return Fault("query", shown, f"is not known; the nearest that is: {nearest}")
