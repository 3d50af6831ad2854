"""The commonest passwords: those that are tried first.

`common_passwords.txt` has those of at least ten characters, for shorter ones are refused anyway, and of the
shorter ones the words that others are made of: `dragon`, for `Dragon2024!!`. Its sources and its licences are
in `common_passwords.NOTICE.txt`.
"""

import mmap
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_suffix(".txt")
# Of a word and what was put to it to please a rule, such as a year and a sign.
_MOST_ADDED: Final = 6
# What repeats says nothing new, and less than that is too short for a password.
_SHORTEST: Final = 10
_ROWS: Final = (
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
)
# Twice, so that 8901234567 is a part as well.
_SEQUENCES: Final = tuple(row * 2 for row in _ROWS) + tuple(row[::-1] * 2 for row in _ROWS)


def is_common(password: str) -> bool:
    """Whether the password, in lower case, is one of the commonest, or one with a little added at its ends.

    A part of a row of keys or of the alphabet is one too, and what repeats something shorter.
    """
    if any(password in sequence for sequence in _SEQUENCES):
        return True
    if 0 < (password + password).find(password, 1) < min(_SHORTEST, len(password)):
        return True
    if _is_listed(password):
        return True
    word = _without_ends(password)
    return 0 < len(password) - len(word) <= _MOST_ADDED and _is_listed(word)


def _without_ends(password: str) -> str:
    """What is left without the digits and signs that it begins and ends with."""
    places = [place for place, character in enumerate(password) if character.isalpha()]
    return password[places[0] : places[-1] + 1] if places else ""


def _is_listed(word: str) -> bool:
    """Whether the word is a line of the file: found by halves, for they are in the order of their bytes."""
    lines, wanted = _lines(), word.encode()
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        begin = lines.rfind(b"\n", low, middle) + 1 or low
        end = lines.find(b"\n", middle)
        line = lines[begin:end]
        if line == wanted:
            return True
        if line < wanted:
            low = end + 1
        else:
            high = begin
    return False


@cache
def _lines() -> mmap.mmap:
    """The file as it lies on the disk: all workers share it, and none makes 140,000 objects of it."""
    with _FILE.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
