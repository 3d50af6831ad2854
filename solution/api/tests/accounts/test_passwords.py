"""Which passwords are taken, and how they are compared."""

import pytest
from argon2 import PasswordHasher
from movie_api.accounts import passwords
from movie_api.http.problems import Problem


def refusal_of(password, *told):
    with pytest.raises(Problem) as refused:
        passwords.refuse_weak(password, "password", *told)
    return refused.value


def test_a_common_password_is_refused_and_the_field_is_named():
    problem = refusal_of("Password123!")
    assert problem.kind.code == "weak-password"
    assert [(fault.where, fault.field) for fault in problem.faults] == [("body", "password")]


def test_upper_case_makes_no_common_password_a_good_one():
    assert refusal_of("QwErTyUiOp").kind.code == "weak-password"


@pytest.mark.parametrize("password", ["aaaaaaaaaaab", "ab ab ab ab ab", "1111111111!"])
def test_few_different_characters_are_refused(password):
    assert refusal_of(password).kind.code == "weak-password"


@pytest.mark.parametrize(
    "password",
    ["ann.archer@example.com", "Ann.Archer1", "ann.archer!!!", "Miss Archer"],
)
def test_what_is_made_of_the_address_or_the_name_is_refused(password):
    assert refusal_of(password, "ann.archer@example.com", "Miss Archer").kind.code == "weak-password"


@pytest.mark.parametrize(
    "password",
    ["nine lives of a film club", "ann.archer likes old trains", "m9x!kk2lpq", "日本の映画が大好きです"],
)
def test_others_are_taken(password):
    passwords.refuse_weak(password, "password", "ann.archer@example.com", "Ann")


def test_no_refusal_repeats_the_password():
    problem = refusal_of("Password123!")
    assert "assword123" not in str(problem.body("x"))


def test_a_hash_is_its_passwords_alone():
    kept = passwords.hash_of("nine lives of a film club")
    assert passwords.matches("nine lives of a film club", kept)
    assert not passwords.matches("nine lives of a film clubs", kept)


def test_a_hash_is_made_as_rfc_9106_says():
    assert passwords.hash_of("nine lives of a film club").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_nothing_matches_where_there_is_no_password():
    assert not passwords.matches("nine lives of a film club", None)


def test_what_is_no_hash_matches_nothing():
    assert not passwords.matches("nine lives of a film club", "nine lives of a film club")


def test_a_hash_of_less_effort_is_outdated():
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("nine lives of a film club")
    assert passwords.is_outdated(cheap)
    assert not passwords.is_outdated(passwords.hash_of("nine lives of a film club"))
