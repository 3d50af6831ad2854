"""Which secret keys are none: too short, made by a pattern, or written in somebody's documentation."""

from itertools import pairwise
from typing import Final

CHARACTERS: Final = 32
_VARIETY: Final = 8

# In lower case, letters and digits alone. Whoever writes one of these means to put a key in its place later.
_PLACEHOLDERS: Final = (
    "changeit",
    "changeme",
    "changethis",
    "djangoinsecure",
    "examplekey",
    "generateme",
    "insertyour",
    "mysecret",
    "notsosecret",
    "notverysecret",
    "placeholder",
    "putyour",
    "replaceme",
    "replacethis",
    "replacewith",
    "secretkey",
    "stringsecret",  # jwt.io
    "supersecret",
    "thisisasecret",
    "thisismyscretkey",  # Superset: CVE-2023-27524
    "thisisnotasecret",
    "topsecret",
    "yourkey",
    "yourownrandom",
    "yoursecret",
)
# Those that look good, and that everybody has who read the documentation of FastAPI or of Flask.
_SHOWN: Final = frozenset(
    {
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    }
)


def is_guessable(key: str) -> bool:
    """Whether somebody who never saw the key may come upon it."""
    if len(key) < CHARACTERS or len(set(key)) < _VARIETY:
        return True
    bare = "".join(character for character in key.lower() if character.isalnum())
    return (
        bare in _SHOWN
        or any(one in bare for one in _PLACEHOLDERS)
        or _repeats(key.lower())
        or _is_counted_up(bare)
    )


def _repeats(text: str) -> bool:
    """Whether it is one thing said again and again, the last time perhaps cut short."""
    return any(text[period:] == text[:-period] for period in range(1, len(text) // 2 + 1))


def _is_counted_up(text: str) -> bool:
    """Whether two thirds of its characters are the next, the same or the one before, as in 0123456789abc."""
    steps = [abs(ord(one) - ord(other)) for one, other in pairwise(text)]
    return sum(step <= 1 for step in steps) * 3 > len(steps) * 2
