"""The text of the made-up titles, put together from the words of the voices.

A title is `prefix word joint word joint word suffix`, each part a place in one big pool of text.
Each voice owns a stretch of each pool, so that whole blocks of titles are made by index arithmetic
and one join, without a Python object a title.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movie_testing.dump_skews import Booleans, Floats, Integers, places_by_share
from movie_testing.dump_voices import VOICES, Voice

_INVENTED_SHARE: Final = 0.4  # Of the words of a voice that invents any.
_SUFFIXES: Final = (" 2", " II", "!", "?", " 3", " III", ": The Movie", ", Part 1", "...", " (Live)")
_SUFFIXED_SHARE: Final = 0.05


@dataclass(frozen=True)
class _Pool:
    """Pieces of text of all voices, one stretch after the other; place 0 is the empty text."""

    text: pa.Array
    starts: Integers
    sizes: Integers

    @classmethod
    def of(cls, stretches: Sequence[Sequence[str]]) -> "_Pool":
        sizes = np.array([len(stretch) for stretch in stretches])
        text = pa.array(["", *itertools.chain.from_iterable(stretches)], pa.string())
        return cls(text, 1 + np.cumsum(sizes) - sizes, sizes)

    def places(self, voices: Integers, fractions: Floats) -> Integers:
        """One place for each voice, `fractions` (0 to 1) of the way through its stretch."""
        places: Integers = self.starts[voices] + (fractions * self.sizes[voices]).astype(np.int64)
        return places


@functools.cache
def _pools() -> tuple[_Pool, _Pool, _Pool]:
    """The pools of words, prefixes and joints, one stretch a voice in each."""
    return (
        _Pool.of([(*voice.words, *_invented_words(voice)) for voice in VOICES]),
        _Pool.of([voice.prefixes for voice in VOICES]),
        _Pool.of([voice.joints for voice in VOICES]),
    )


def _invented_words(voice: Voice) -> list[str]:
    """Words of one to four of the voice's syllables, the same in every run."""
    rng = np.random.default_rng(len(voice.name))
    lengths = rng.choice([1, 2, 3, 4], voice.invented, p=[0.1, 0.5, 0.3, 0.1])
    picks = rng.integers(0, max(1, len(voice.syllables)), (voice.invented, 4))
    words = [
        "".join(voice.syllables[place] for place in row[:length])
        for row, length in zip(picks.tolist(), lengths.tolist(), strict=True)
    ]
    return [word.capitalize() for word in words] if voice.capitals else words


def draw_voices(rng: np.random.Generator, is_movie: Booleans, is_episode: Booleans) -> Integers:
    """The voice of each title, shape (n,), by what kind of title it is."""
    fractions = rng.random(len(is_movie))
    movies, episodes, others = (
        places_by_share([getattr(voice, share) for voice in VOICES], fractions)
        for share in ("movie_share", "episode_share", "other_share")
    )
    return np.where(is_movie, movies, np.where(is_episode, episodes, others))


def draw_foreign_voices(rng: np.random.Generator, count: int) -> Integers:
    """Voices for the original titles of films that are known by another one, shape (count,)."""
    return places_by_share([voice.movie_share * voice.foreign for voice in VOICES], rng.random(count))


def draw_titles(rng: np.random.Generator, voices: Integers) -> pa.Array:
    """A title in each voice, as an Arrow array of strings of the same length."""
    words, prefixes, joints = _pools()
    count = len(voices)
    lengths = np.array([voice.lengths for voice in VOICES])
    thresholds = np.cumsum(lengths, axis=1) / lengths.sum(axis=1, keepdims=True)
    length = rng.random(count)
    has_second = length >= thresholds[voices, 0]
    has_third = length >= thresholds[voices, 1]

    invented = np.array([voice.invented for voice in VOICES])
    invented_part = (invented / words.sizes)[voices]
    invented_share = np.where(invented > 0, _INVENTED_SHARE, 0)[voices]
    skews = np.array([voice.skew for voice in VOICES])[voices]

    def word() -> Integers:
        # A power of an even draw is a long tail: a few words everywhere, thousands hardly ever.
        fractions = rng.random(count) ** skews
        is_invented = rng.random(count) < invented_share
        in_stretch = np.where(is_invented, 1 - fractions * invented_part, fractions * (1 - invented_part))
        return words.places(voices, in_stretch)

    suffix = (rng.random(count) / _SUFFIXED_SHARE * len(_SUFFIXES)).astype(np.int64)
    has_suffix = (suffix < len(_SUFFIXES)) & (invented > 0)[voices]
    return pc.binary_join_element_wise(
        prefixes.text.take(pa.array(prefixes.places(voices, rng.random(count)))),
        words.text.take(pa.array(word())),
        joints.text.take(pa.array(np.where(has_second, joints.places(voices, rng.random(count)), 0))),
        words.text.take(pa.array(np.where(has_second, word(), 0))),
        joints.text.take(pa.array(np.where(has_third, joints.places(voices, rng.random(count)), 0))),
        words.text.take(pa.array(np.where(has_third, word(), 0))),
        pa.array(["", *_SUFFIXES]).take(pa.array(np.where(has_suffix, suffix + 1, 0))),
        "",
    )
