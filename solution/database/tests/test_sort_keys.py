import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from movie_database.sort_keys import sort_key


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Amélie", "amelie"),
        ("ÄÖÜ ẞ", "aou ss"),
        ("Ⅳ ﬁlm", "iv film"),
        ("İstanbul", "istanbul"),
        ("Смерть Сталина", "смерть сталина"),
        ("東京物語", "東京物語"),
        ("", ""),
    ],
)
def test_case_and_accents_do_not_count(title, key):
    assert sort_key(title) == key


def test_composed_and_decomposed_text_have_one_key():
    assert sort_key("Amélie") == sort_key(unicodedata.normalize("NFD", "Amélie"))


def test_the_first_two_hundred_characters_count():
    assert sort_key("É" * 500) == "e" * 200


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_of_ascii_the_key_is_the_lower_case(text):
    assert sort_key(text) == text.lower()[:200]


@given(st.text(max_size=1000))
def test_a_key_fits_its_column(text):
    assert len(sort_key(text).encode("utf-8", "surrogatepass")) <= 1024


@given(st.text())
def test_no_mark_is_left(text):
    assert not any(map(unicodedata.combining, sort_key(text)))
