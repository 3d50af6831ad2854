import pytest
from movie_database.addresses import (
    database_name,
    libpq_address,
    make_address,
    sqlalchemy_address,
    with_database,
    without_password,
)


def test_libpq_gets_the_address_without_a_driver():
    assert libpq_address("postgresql+psycopg2://u:p@h:1/d?x=y") == "postgresql://u:p@h:1/d?x=y"


def test_another_database_keeps_the_server_and_its_options():
    assert (
        with_database("postgresql+psycopg2://u:p@h:1/d?x=y", "a b")
        == "postgresql+psycopg2://u:p@h:1/a%20b?x=y"
    )


def test_another_database_on_a_socket_keeps_the_socket():
    address = make_address(host="/run/x", port=1, user="u", password=None, database="d")
    assert with_database(address, "e") == "postgresql+psycopg2://u@/e?host=%2Frun%2Fx&port=1"


def test_the_name_of_a_database_is_decoded():
    assert database_name("postgresql://h/a%20b") == "a b"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg2://u:hunter2@h:1/d", "h:1/d"),
        ("postgresql+psycopg2://u:hunter2@/d?host=/run", "the local socket/d"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_password(address, shown):
    assert without_password(address) == shown


def test_a_password_that_breaks_the_address_is_not_told():
    with pytest.raises(ValueError, match="percent-encode") as raised:
        sqlalchemy_address("postgresql://u:hunter2/x@h:1/d")
    assert "hunter2" not in str(raised.value)
