"""The first start: one admin, and one file that lets its owner in."""

import re
import shlex
import stat
import subprocess
import threading

import httpx
import pytest
from movie_api.accounts.first_admin import FirstAdminError, make_first_admin
from movie_testing.api_server import running_api, start_api

NEW_PASSWORD = "a lantern above the harbour"


@pytest.fixture
def settings(make_settings, database_url):
    return make_settings(database_url=database_url)


@pytest.fixture
def count(database_cursor):
    """How many rows a table has."""

    def rows(table):
        database_cursor.execute(f"SELECT count(*) FROM {table}")
        return database_cursor.fetchone()[0]

    return rows


def read(path):
    """What the file's lines say, as a shell reads them."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {name: "".join(shlex.split(value)) for name, _, value in (line.partition("=") for line in lines)}


def test_a_first_start_lets_its_owner_in_and_adds_a_movie_as_the_readme_says(database_url, tmp_path):
    with running_api(database_url, tmp_path) as api:
        told = read(tmp_path / "data" / "first-admin.env")
        page, _, token = told["ADMIN_LINK"].partition("#token=")
        assert page == f"http://localhost:{api.url.rpartition(':')[2]}/account/reset"

        body = {"token": token, "password": NEW_PASSWORD}
        assert httpx.post(f"{api.url}/auth/password/reset/confirm", json=body).status_code == 204
        body = {"email": told["ADMIN_EMAIL"], "password": NEW_PASSWORD}
        signed_in = httpx.post(f"{api.url}/auth/login", json=body).json()
        assert (signed_in["user"]["role"], signed_in["user"]["email"]) == ("admin", "admin@localhost")

        headers = {"Authorization": f"Bearer {told['API_KEY']}"}
        assert httpx.post(f"{api.url}/movies", json={"title": "X"}, headers=headers).status_code == 201
        assert httpx.get(f"{api.url}/auth/user", headers=headers).status_code == 403


def test_a_start_logs_the_files_path_and_nothing_secret(database_url, tmp_path):
    with running_api(database_url, tmp_path, log_level="DEBUG") as api:
        told = read(tmp_path / "data" / "first-admin.env")
    log = api.log.read_text()
    assert str(tmp_path / "data" / "first-admin.env") in log
    assert told["API_KEY"] not in log
    assert told["ADMIN_LINK"].partition("#token=")[2] not in log


def test_a_restart_makes_nothing_anew(database_url, tmp_path, count):
    with running_api(database_url, tmp_path):
        pass
    file = tmp_path / "data" / "first-admin.env"
    before = file.read_bytes()
    with running_api(database_url, tmp_path) as api:
        assert api.log.read_text().count("Made the first admin") == 1
    assert file.read_bytes() == before
    assert (count("users"), count("api_keys"), count("mails")) == (1, 1, 1)


def test_a_file_that_was_removed_stays_away(settings, database_url):
    path = make_first_admin(settings, database_url)
    path.unlink()
    assert make_first_admin(settings, database_url) is None
    assert not path.exists()


def test_of_many_first_starts_at_once_one_makes_the_admin(make_settings, database_url, tmp_path, count):
    made, starts = [], threading.Barrier(8)

    def start(number):
        settings = make_settings(database_url=database_url, data_dir=tmp_path / str(number))
        starts.wait()
        made.append(make_first_admin(settings, database_url))

    threads = [threading.Thread(target=start, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert [path for path in made if path] == list(tmp_path.glob("*/first-admin.env"))
    assert (count("users"), count("api_keys"), count("mails")) == (1, 1, 1)


def test_two_servers_that_start_at_once_make_one_admin_whose_file_is_good(database_url, tmp_path, count):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with running_api(database_url, folders[0]), running_api(database_url, folders[1]) as api:
        (file,) = tmp_path.glob("*/data/first-admin.env")
        headers = {"Authorization": f"Bearer {read(file)['API_KEY']}"}
        assert httpx.post(f"{api.url}/movies", json={"title": "X"}, headers=headers).status_code == 201
    assert count("users") == 1


def test_the_file_is_its_owners_alone_whatever_was_there(settings, database_url):
    path = settings.data_dir / "first-admin.env"
    path.parent.mkdir(parents=True)
    path.write_text("of a database that is gone")
    path.chmod(0o644)
    make_first_admin(settings, database_url)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path).keys() == {"ADMIN_EMAIL", "ADMIN_LINK", "API_KEY"}
    assert [one.name for one in path.parent.iterdir()] == ["first-admin.env"]


def test_where_there_are_users_there_is_no_first_admin(settings, database_url, accounts, count):
    accounts.create(role="user")
    assert make_first_admin(settings, database_url) is None
    assert count("users") == 1
    assert not settings.data_dir.exists()


def test_a_file_that_cannot_be_written_lets_nothing_be_made(settings, database_url, count):
    # A folder is in its way: root may write anywhere else.
    (settings.data_dir / "first-admin.env" / "in the way").mkdir(parents=True)
    with pytest.raises(FirstAdminError, match="can't be written: Is a directory"):
        make_first_admin(settings, database_url)
    assert (count("users"), count("api_keys"), count("mails"), count("audit")) == (0, 0, 0, 0)
    assert [one.name for one in settings.data_dir.iterdir()] == ["first-admin.env"]


def test_a_server_whose_file_cannot_be_written_does_not_start_and_says_why(database_url, tmp_path, count):
    (tmp_path / "data" / "first-admin.env").mkdir(parents=True)
    api = start_api(database_url, tmp_path)
    assert api.process.wait(30) == 1
    assert api.log.read_text().splitlines()[-1].startswith("The first admin was not made: ")
    assert "Traceback" not in api.log.read_text()
    assert count("users") == 0


def test_the_admin_has_the_address_of_the_setting(make_settings, database_url, database_cursor):
    settings = make_settings(database_url=database_url, admin_email="Boss@films.example.org")
    told = read(make_first_admin(settings, database_url))
    assert told["ADMIN_EMAIL"] == "Boss@films.example.org"
    database_cursor.execute("SELECT email_key, role, display_name, email_verified_at FROM users")
    assert database_cursor.fetchone() == ("boss@films.example.org", "admin", "Admin", None)


def test_a_shell_reads_the_file_whatever_the_address_holds(make_settings, database_url, tmp_path):
    settings = make_settings(database_url=database_url, admin_email="$(touch${IFS}owned)'@localhost")
    path = make_first_admin(settings, database_url)
    ended = subprocess.run(
        ["sh", "-c", '. "$1"; printf %s "$ADMIN_EMAIL $ADMIN_LINK"', "sh", path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    email, _, link = ended.stdout.partition(" ")
    assert email == "$(touch${IFS}owned)'@localhost"
    assert re.fullmatch(r"http://localhost:\d+/account/reset#token=[\w-]{43}", link)
    assert not (tmp_path / "owned").exists()


def test_the_key_is_good_for_90_days_and_writes_the_catalogue_alone(settings, database_url, database_cursor):
    make_first_admin(settings, database_url)
    database_cursor.execute("SELECT scopes, expires_at - created_at FROM api_keys")
    ((scopes, period),) = database_cursor.fetchall()
    assert (scopes, period.days) == (["catalogue:write"], 90)


def test_a_server_that_is_open_to_everybody_warns(database_url, tmp_path):
    with running_api(database_url, tmp_path, anonymous_writes="true") as api:
        assert httpx.post(f"{api.url}/movies", json={"title": "X"}).status_code == 201
    assert "ANONYMOUS_WRITES is on: anybody who reaches this server can add movies" in api.log.read_text()


def test_a_server_that_is_not_open_does_not_warn(database_url, tmp_path):
    with running_api(database_url, tmp_path) as api:
        pass
    assert "ANONYMOUS_WRITES" not in api.log.read_text()
