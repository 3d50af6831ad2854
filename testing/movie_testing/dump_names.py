"""The names of the made-up people: famous ones, odd ones, and what all others are built of."""

import functools
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movie_testing.dump_skews import Integers, places_by_share
from movie_testing.dump_voices import VOICES, Voice

FAMOUS_NAMES: Final = (
    "Alfred Hitchcock", "Akira Kurosawa", "Steven Spielberg", "Agnès Varda", "Stanley Kubrick",
    "James Cameron", "Kathryn Bigelow", "Martin Scorsese", "Hayao Miyazaki", "Federico Fellini",
    "Ingmar Bergman", "Sergio Leone", "Jean-Luc Godard", "Billy Wilder", "John Ford", "Orson Welles",
    "Satyajit Ray", "Lina Wertmüller", "Bong Joon Ho", "Andrei Tarkovsky", "Spike Lee", "Jane Campion",
)  # fmt: skip
"""They made more than anybody else."""

ODD_NAMES: Final = (
    *("NULL", "N/A", "nan", "None", "TRUE", "1e5", "-", "?", "50 Cent", "\\Nobody", "\\."),
    *('Robert "Bob" O\'Neil', '"Weird Al"', '"', "Sammy Davis, Jr.", "d'Artagnan, the 3rd", "{a,b}"),
    *("Two  Spaces", "A Line\u2028Separator", "Amelie\u0301 E\u0301", "Zoë Ünlü", "İbrahim Çelikkol"),
    *("小津安二郎", "Эйзенштейн", "봉준호", "يوسف شاهين", "🎬 Film Crew", "Of Many " + "Names " * 40 + "End"),
)
"""Names that a careless reader changes or loses. Each has made a movie."""

_FIRST_NAMES: Final = (
    "James", "Mary", "John", "Anna", "Robert", "Linda", "David", "Sarah", "Michael", "Laura", "Peter",
    "Emma", "Paul", "Julia", "Thomas", "Eva", "Daniel", "Marie", "Mark", "Sofia", "George", "Alice",
    "Frank", "Nina", "Carlos", "Elena", "Luis", "Carmen", "José", "Rosa", "François", "Élise", "Jürgen",
    "Grete", "Björn", "Åsa", "Søren", "Zoë", "Giulia", "Marco", "Paolo", "Chiara", "Ivan", "Olga",
    "Mehmet", "Ayşe", "Raj", "Priya", "Amit", "Neha", "Kenji", "Yuki", "Wei", "Li", "Min", "Jun", "Ali",
    "Fatima", "Omar", "Leila", "Kofi", "Ama", "Jean-Pierre", "Anne-Marie", "Chloë", "Renée", "Łukasz",
)  # fmt: skip
_SURNAMES_A_VOICE: Final = 4_000
_INITIAL_SHARE: Final = 0.06
_NUMERAL_SHARE: Final = 0.03
_NUMERALS: Final = (" Jr.", " Sr.", " II", " III")


@functools.cache
def _surnames() -> tuple[pa.Array, Integers, Integers]:
    """All surnames, one stretch a voice that has syllables; where each begins, and how long it is."""
    stretches = [_invented(voice) for voice in _voices()]
    sizes = np.array([len(stretch) for stretch in stretches])
    text = pa.array([name for stretch in stretches for name in stretch], pa.string())
    return text, np.cumsum(sizes) - sizes, sizes


@functools.cache
def _voices() -> list[Voice]:
    return [voice for voice in VOICES if voice.syllables]


def _invented(voice: Voice) -> list[str]:
    rng = np.random.default_rng([len(voice.name), len(voice.syllables)])
    lengths = rng.choice([1, 2, 3], _SURNAMES_A_VOICE, p=[0.05, 0.6, 0.35]).tolist()
    picks = rng.integers(0, len(voice.syllables), (_SURNAMES_A_VOICE, 3)).tolist()
    return [
        "".join(voice.syllables[place] for place in row[:length]).capitalize()
        for row, length in zip(picks, lengths, strict=True)
    ]


def draw_names(rng: np.random.Generator, count: int) -> pa.Array:
    """A name for each of so many people, as an Arrow array of strings."""
    surnames, starts, sizes = _surnames()
    voices = places_by_share([voice.movie_share for voice in _voices()], rng.random(count))
    # A few surnames are everywhere, thousands hardly anywhere.
    surname = starts[voices] + (rng.random(count) ** 1.8 * sizes[voices]).astype(np.int64)
    first = (rng.random(count) ** 1.4 * len(_FIRST_NAMES)).astype(np.int64)
    initial = np.where(rng.random(count) < _INITIAL_SHARE, 1 + rng.integers(0, 26, count), 0)
    numeral = np.where(rng.random(count) < _NUMERAL_SHARE, 1 + rng.integers(0, len(_NUMERALS), count), 0)
    return pc.binary_join_element_wise(
        pa.array(_FIRST_NAMES).take(pa.array(first)),
        pa.array([" ", *(f" {chr(letter)}. " for letter in range(65, 91))]).take(pa.array(initial)),
        surnames.take(pa.array(surname)),
        pa.array(["", *_NUMERALS]).take(pa.array(numeral)),
        "",
    )
