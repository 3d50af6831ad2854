import multiprocessing
import signal
import subprocess
import sys
import threading
import time

import psycopg2
import pytest
from movie_database import addresses
from movie_database import migrate as migrate_module
from movie_database.errors import DatabaseUnavailable, MigrationError, UnsuitableDatabase
from movie_database.migrate import migrate

GENRES = "CREATE TABLE genres (id integer);\nCREATE INDEX ON genres (id);\n"
FUNCTION = """
-- A body with semicolons, quotes and a nested dollar quote; and 日本.
CREATE FUNCTION double(number integer) RETURNS integer LANGUAGE plpgsql AS $body$
DECLARE
    text_of_it text := 'it''s; $$ not the end $$';
BEGIN
    IF number IS NULL THEN
        RETURN 0; -- ; "
    END IF;
    EXECUTE $inner$ SELECT 1; $inner$;
    RETURN number * 2;
END;
$body$;

CREATE FUNCTION on_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := double(NEW.id);
    RETURN NEW;
END
$$;

CREATE TRIGGER genres_change BEFORE INSERT ON genres FOR EACH ROW EXECUTE FUNCTION on_change();

CREATE FUNCTION half(number integer) RETURNS integer
BEGIN ATOMIC
    SELECT number / 2;
END;

DO $$ BEGIN PERFORM double(2); END $$;
SELECT 'a row that nobody prints', '100%';
"""


@pytest.fixture
def scripts(tmp_path):
    """A folder of scripts; writes one and gives the folder."""
    folder = tmp_path / "sql-scripts"
    folder.mkdir()

    def write(name, sql):
        (folder / name).write_text(sql, "utf-8")
        return folder

    return write


@pytest.fixture
def connect():
    opened = []

    def make(address):
        opened.append(psycopg2.connect(addresses.libpq_address(address)))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


def rows(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall() if cursor.description else []
    connection.commit()
    return found


def test_scripts_are_applied_once_in_the_order_of_their_numbers(empty_database_url, scripts):
    scripts("0002_more.sql", "ALTER TABLE genres ADD name text;")
    folder = scripts("0001_genres.sql", GENRES)
    assert migrate(empty_database_url, folder) == ["0001_genres.sql", "0002_more.sql"]
    assert migrate(empty_database_url, folder) == []


def test_a_new_script_is_applied_to_a_database_that_has_the_old_ones(empty_database_url, scripts):
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    folder = scripts("0002_more.sql", "ALTER TABLE genres ADD name text;")
    assert migrate(empty_database_url, folder) == ["0002_more.sql"]


def test_functions_and_triggers_are_applied_as_they_are_written(empty_database_url, scripts, connect):
    scripts("0001_genres.sql", GENRES)
    migrate(empty_database_url, scripts("0002_functions.sql", FUNCTION))
    connection = connect(empty_database_url)
    rows(connection, "INSERT INTO genres VALUES (21)")
    assert rows(connection, "SELECT id, half(id) FROM genres") == [(42, 21)]


def test_a_script_that_fails_leaves_nothing_and_those_before_it_stay(empty_database_url, scripts, connect):
    scripts("0001_genres.sql", GENRES)
    folder = scripts("0002_bad.sql", "CREATE TABLE half_done ();\n\nALTER TABLE nothing ADD x text;\n")
    with pytest.raises(MigrationError, match=r'^0002_bad\.sql: relation "nothing" does not exist$'):
        migrate(empty_database_url, folder)
    found = rows(connect(empty_database_url), "SELECT to_regclass('half_done'), to_regclass('genres')::text")
    assert found == [(None, "genres")]


def test_a_syntax_error_is_told_with_its_line(empty_database_url, scripts):
    folder = scripts("0001_bad.sql", "-- 日本\nSELECT 1;\nCREATE TABEL x ();\n")
    with pytest.raises(MigrationError, match=r'^0001_bad\.sql:3: syntax error at or near "TABEL"$'):
        migrate(empty_database_url, folder)


def test_a_script_that_was_mended_after_it_failed_is_applied(empty_database_url, scripts):
    with pytest.raises(MigrationError):
        migrate(empty_database_url, scripts("0001_genres.sql", "CREATE TABEL x ();"))
    assert migrate(empty_database_url, scripts("0001_genres.sql", GENRES)) == ["0001_genres.sql"]


def test_an_applied_script_that_was_edited_is_refused_with_what_to_do(empty_database_url, scripts):
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    folder = scripts("0001_genres.sql", GENRES + "CREATE TABLE more ();")
    with pytest.raises(MigrationError, match=r"0001_genres\.sql was changed after .* as a new script$"):
        migrate(empty_database_url, folder)


def test_line_ends_of_another_system_are_no_edit(empty_database_url, scripts):
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    folder = scripts("0001_genres.sql", "")
    (folder / "0001_genres.sql").write_bytes(GENRES.replace("\n", "\r\n").encode())
    assert migrate(empty_database_url, folder) == []


def test_an_older_program_runs_on_a_newer_schema(empty_database_url, scripts):
    scripts("0001_genres.sql", GENRES)
    folder = scripts("0002_more.sql", "ALTER TABLE genres ADD name text;")
    migrate(empty_database_url, folder)
    (folder / "0002_more.sql").unlink()
    assert migrate(empty_database_url, folder) == []


def test_a_script_that_ends_its_transaction_is_refused(empty_database_url, scripts):
    with pytest.raises(MigrationError, match="must not say COMMIT"):
        migrate(empty_database_url, scripts("0001_genres.sql", "CREATE TABLE x (); COMMIT;"))


@pytest.mark.parametrize("name", ["genres.sql", "1_genres.sql", "0001-genres.sql"])
def test_a_script_without_a_number_is_refused(empty_database_url, scripts, name):
    with pytest.raises(MigrationError, match="must have a name such as"):
        migrate(empty_database_url, scripts(name, GENRES))


def test_two_scripts_of_one_number_are_refused(empty_database_url, scripts):
    scripts("0001_genres.sql", GENRES)
    with pytest.raises(MigrationError, match=r"0001_genres\.sql and 0001_movies\.sql have one number"):
        migrate(empty_database_url, scripts("0001_movies.sql", GENRES))


def test_a_folder_without_scripts_is_refused(empty_database_url, tmp_path):
    with pytest.raises(MigrationError, match=r"holds no \.sql files; SQL_SCRIPTS"):
        migrate(empty_database_url, tmp_path)


def test_a_lock_of_yoyo_that_a_killed_process_left_is_broken(empty_database_url, scripts, connect):
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    rows(connect(empty_database_url), "INSERT INTO yoyo_lock VALUES (1, now(), 4711)")
    folder = scripts("0002_more.sql", "ALTER TABLE genres ADD name text;")
    assert migrate(empty_database_url, folder) == ["0002_more.sql"]


def test_yoyos_own_command_sees_what_was_applied(empty_database_url, scripts):
    folder = scripts("0001_genres.sql", GENRES)
    migrate(empty_database_url, folder)
    command = [sys.executable, "-m", "yoyo", "list", "--no-config-file", "--batch", "--database"]
    command += [addresses.libpq_address(empty_database_url), folder]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1].split()[:2] == ["A", "0001_genres"]


def test_a_script_waits_for_locks_that_others_hold(empty_database_url, scripts, connect):
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    folder = scripts("0002_more.sql", "SET LOCAL lock_timeout = '20ms'; ALTER TABLE genres ADD name text;")
    holder = connect(empty_database_url)
    holder.cursor().execute("LOCK TABLE genres IN ACCESS SHARE MODE")
    threading.Timer(0.5, holder.rollback).start()
    assert migrate(empty_database_url, folder) == ["0002_more.sql"]


def test_a_script_that_never_gets_its_locks_says_so(empty_database_url, scripts, connect, monkeypatch):
    monkeypatch.setattr(migrate_module, "LOCK_PATIENCE_SECONDS", 0.1)
    migrate(empty_database_url, scripts("0001_genres.sql", GENRES))
    folder = scripts("0002_more.sql", "SET LOCAL lock_timeout = '20ms'; ALTER TABLE genres ADD name text;")
    holder = connect(empty_database_url)
    holder.cursor().execute("LOCK TABLE genres IN ACCESS SHARE MODE")
    with pytest.raises(MigrationError, match=r"^0002_more\.sql: other work on the database kept its tables"):
        migrate(empty_database_url, folder)


def test_no_other_migration_runs_meanwhile(empty_database_url, scripts, connect):
    folder = scripts("0001_genres.sql", GENRES)
    other = connect(empty_database_url)
    rows(other, f"SELECT pg_advisory_lock({migrate_module._ADVISORY_LOCK})")
    thread = threading.Thread(target=migrate, args=(empty_database_url, folder))
    thread.start()
    time.sleep(0.3)
    waited = rows(other, "SELECT to_regclass('genres')")
    rows(other, "SELECT pg_advisory_unlock_all()")
    thread.join()
    assert waited == [(None,)]
    assert rows(other, "SELECT to_regclass('genres')::text") == [("genres",)]


def test_processes_that_start_at_the_same_moment_apply_each_script_once(empty_database_url, scripts):
    names = [f"000{number}_t.sql" for number in range(1, 6)]
    for name in names:
        folder = scripts(name, f"CREATE TABLE t{name[3]} (); SELECT pg_sleep(0.02);")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        applied = pool.starmap(migrate, [(empty_database_url, folder)] * 3, chunksize=1)
    assert sorted(name for names in applied for name in names) == [
        f"000{number}_t.sql" for number in range(1, 6)
    ]


def test_a_migration_that_was_killed_is_taken_up_where_it_stopped(empty_database_url, scripts):
    scripts("0001_genres.sql", GENRES)
    folder = scripts("0002_slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(60);")
    code = (
        "import sys; from pathlib import Path; from movie_database.migrate import migrate;"
        " migrate(sys.argv[1], Path(sys.argv[2]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, empty_database_url, folder], stdout=subprocess.PIPE, text=True
    ) as process:
        assert "0001_genres.sql" in process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    scripts("0002_slow.sql", "CREATE TABLE slow ();")
    assert migrate(empty_database_url, folder) == ["0002_slow.sql"]


@pytest.fixture
def made_anew(empty_database_url, connect):
    """Makes the test's database anew, in another encoding or locale."""

    def make(options):
        maintenance = connect(addresses.with_database(empty_database_url, "postgres"))
        maintenance.autocommit = True
        name = addresses.database_name(empty_database_url)
        with maintenance.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        return empty_database_url

    return make


def test_a_database_in_another_encoding_is_refused_with_what_to_do(made_anew, scripts):
    address = made_anew("ENCODING 'SQL_ASCII' LOCALE 'C'")
    with pytest.raises(UnsuitableDatabase, match=r"encoded in SQL_ASCII.* make it anew: CREATE"):
        migrate(address, scripts("0001_genres.sql", GENRES))


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_database_that_knows_ascii_letters_alone_is_refused_with_what_to_do(made_anew, scripts, locale):
    address = made_anew(f"ENCODING 'UTF8' LOCALE '{locale}'")
    with pytest.raises(UnsuitableDatabase, match=r"LC_CTYPE (C|POSIX), .* make it anew: CREATE"):
        migrate(address, scripts("0001_genres.sql", GENRES))


def test_a_server_that_is_too_old_is_refused(empty_database_url, scripts, monkeypatch):
    monkeypatch.setattr(migrate_module, "OLDEST_SERVER", 99)
    with pytest.raises(UnsuitableDatabase, match=r"The server is PostgreSQL \d+.*; 99 or newer is needed"):
        migrate(empty_database_url, scripts("0001_genres.sql", GENRES))


def test_an_extension_that_the_server_lacks_is_told_before_anything_is_applied(
    empty_database_url, scripts, connect
):
    scripts("0001_genres.sql", GENRES)
    folder = scripts(
        "0002_search.sql", 'CREATE EXTENSION IF NOT EXISTS "pg_nothing";\ncreate extension plpgsql;'
    )
    with pytest.raises(UnsuitableDatabase, match=r"^The server lacks pg_nothing: install"):
        migrate(empty_database_url, folder)
    assert rows(connect(empty_database_url), "SELECT to_regclass('genres')") == [(None,)]


def test_a_server_that_does_not_answer_is_told_in_one_line():
    with pytest.raises(DatabaseUnavailable, match=r"^No connection to PostgreSQL at 127.0.0.1:1/d: [^\n]+$"):
        migrate("postgresql+psycopg2://u:hunter2@127.0.0.1:1/d")


def test_a_start_with_nothing_to_do_takes_no_lock(database_url, connect):
    other = connect(database_url)
    other.cursor().execute(f"SELECT pg_advisory_lock({migrate_module._ADVISORY_LOCK})")
    assert migrate(database_url) == []


def test_each_table_and_column_of_the_schema_has_its_comment(database_url, connect):
    undocumented = rows(
        connect(database_url),
        """
        SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
            AND attnum > 0 AND NOT attisdropped AND relname !~ '^(_?yoyo|procrastinate_)'
            AND (col_description(pg_class.oid, attnum) IS NULL
                OR obj_description(pg_class.oid, 'pg_class') IS NULL)
        """,
    )
    assert undocumented == []
