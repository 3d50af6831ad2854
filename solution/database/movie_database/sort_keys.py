"""The key that titles sort by: the same on every server, whatever its locales."""

import unicodedata
from typing import Final

SORT_KEY_CHARACTERS: Final = 200
"""A b-tree refuses entries over 2,704 bytes; 200 characters are at most 800 bytes of UTF-8."""


def sort_key(text: str) -> str:
    """The text without case and accents, its first 200 characters, to be compared by `COLLATE "C"`.

    Source: Unicode Standard Annex 15 (NFKD), and section 3.13 of the standard (case folding).
    """
    if text.isascii():
        # Nothing to decompose, and folding is lower-casing; most titles come this way.
        return text[:SORT_KEY_CHARACTERS].lower()
    decomposed = unicodedata.normalize("NFKD", text)
    unmarked = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unmarked.casefold()[:SORT_KEY_CHARACTERS]
