import psycopg2
import pytest
from movie_database import addresses


@pytest.mark.parametrize("number", range(10))
def test_each_test_gets_a_database_of_its_own(database_url, number):
    with psycopg2.connect(addresses.libpq_address(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO genres (name) VALUES ('Drama')")
        cursor.execute("SELECT count(*) FROM genres")
        assert cursor.fetchone() == (1,)
    connection.close()
