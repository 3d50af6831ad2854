"""Those that are tried first."""

from pathlib import Path

import pytest
from movie_api.accounts import common_passwords
from movie_api.accounts.common_passwords import is_common

LIST = Path(common_passwords.__file__).with_suffix(".txt")


@pytest.mark.parametrize(
    "password", ["1q2w3e4r5t", "basketball", "iloveyou143", "needforspeed", "contrasena"]
)
def test_what_is_listed_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize("password", ["password123!", "dragon2024!!", "2024liverpool", "пароль2024"])  # noqa: RUF001
def test_a_listed_word_with_a_little_added_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    ["1234567890", "8901234567", "0987654321", "abcdefghij", "qwertyuiop", "poiuytrewq", "defghijklmnop"],
)
def test_a_row_of_keys_or_of_the_alphabet_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize("password", ["xk3xk3xk3xk3", "kumquat!kumquat!"])
def test_what_repeats_something_too_short_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "nine lives of a film club",
        "correct horse battery staple",
        "m9x!kk2lpq",
        "dragon over the old town",
        "dragon-81736254",
    ],
)
def test_others_are_not_common(password):
    assert not is_common(password)


def test_every_line_of_the_list_is_found():
    assert [line for line in LIST.read_text("utf-8").splitlines() if not is_common(line)] == []


def test_no_line_of_the_list_is_found_with_something_put_behind_it():
    # By letters, for digits and signs at the end are taken off before.
    lines = set(LIST.read_text("utf-8").splitlines())
    longer = [f"{line}qzj" for line in sorted(lines)[::50]]
    assert [word for word in longer if word not in lines and common_passwords._is_listed(word)] == []


def test_the_list_is_in_the_order_that_it_is_searched_in():
    lines = LIST.read_bytes().splitlines()
    assert lines == sorted(set(lines))
    assert LIST.read_bytes().endswith(b"\n")


def test_the_list_is_in_lower_case_as_it_is_asked():
    text = LIST.read_text("utf-8")
    assert text == text.lower()


def test_the_list_names_its_sources_and_their_licences():
    notice = LIST.with_name("common_passwords.NOTICE.txt").read_text("utf-8")
    assert all(one in notice for one in ("Django", "zxcvbn", "SecLists", "Redistributions in binary form"))
