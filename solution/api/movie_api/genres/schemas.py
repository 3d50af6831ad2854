"""What the name of a genre must be, and what editors send."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from movie_api.http.bodies import whole_number

MAXIMUM_GENRE_CHARACTERS: Final = 100
MAXIMUM_GENRE_ID: Final = 2_147_483_647

# The contract has these patterns word for word, so they say themselves what \s means: that differs from one
# language to the next.
BLANKS: Final = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
GENRE_PATTERN: Final = rf"^[^,{BLANKS}]([^,\u0000-\u001f\u007f-\u009f]*[^,{BLANKS}])?$"


def matches(pattern: str, sentence: str) -> AfterValidator:
    """The text is as the pattern says; else the sentence tells what it must be."""
    # `$` would let a line feed at the end pass.
    whole = re.compile(pattern[1:-1]).fullmatch

    def check(text: str) -> str:
        if whole(text) is None:
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


GenreName = Annotated[
    str,
    Field(max_length=MAXIMUM_GENRE_CHARACTERS),
    matches(GENRE_PATTERN, "must have no comma, no control character, and no blank at either end"),
]


class NamedGenre(BaseModel):
    """A genre, by the name that it is to have."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: GenreName


class Merge(BaseModel):
    """The genre that another one is merged into."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    into: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=MAXIMUM_GENRE_ID)]
