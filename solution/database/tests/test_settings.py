import base64
import ipaddress
import os
import secrets
import shutil
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from movie_database import settings as settings_module
from movie_database.secret_keys import is_guessable
from movie_database.settings import SettingsError, given_settings, read_settings, secret_key

GOOD_KEY = "Q0xq3mV9sT1bYw7rKd5hLz2nJf8gPc4e"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    """No setting of the developer's, and a checkout without `.env`."""
    for name in list(os.environ):
        if name.lower() in settings_module.Settings.model_fields:
            monkeypatch.delenv(name)
    monkeypatch.setattr(settings_module, "checkout_root", lambda: tmp_path)


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


def faults_of(**values):
    with pytest.raises(SettingsError) as raised:
        given_settings(**values)
    return raised.value.faults


def test_every_setting_has_a_default():
    assert given_settings().port == 5000


def test_the_environment_beats_the_file(env_file, monkeypatch):
    env_file.write_text("PORT=1111\nHOST=::1\n")
    monkeypatch.setenv("PORT", "2222")
    settings = read_settings()
    assert (settings.port, settings.host) == (2222, "::1")


def test_an_override_beats_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "2222")
    assert read_settings(port=3333).port == 3333


def test_an_override_of_none_overrides_nothing(monkeypatch):
    monkeypatch.setenv("PORT", "2222")
    assert read_settings(port=None).port == 2222


def test_an_empty_value_is_not_set(env_file, monkeypatch):
    env_file.write_text("PORT=1111\n")
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    settings = read_settings()
    assert (settings.port, settings.server_address) == (1111, None)


def test_given_settings_ignore_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "2222")
    assert given_settings().port == 5000


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        given_settings().port = 1


def test_every_fault_is_told_at_once_by_name():
    faults = faults_of(
        port="0", title_types="movie,film", log_level="loud", database_url="mysql://h/d", db_port="1"
    )
    assert [fault.split()[0] for fault in faults] == [
        "DATABASE_URL",
        "TITLE_TYPES",
        "PORT",
        "LOG_LEVEL",
        "DATABASE_URL",
    ]


def test_a_fault_says_what_was_there_and_what_is_allowed():
    assert faults_of(port="99999") == ["PORT is '99999'; allowed: a whole number from 1 to 65535"]


@pytest.mark.parametrize(
    "values",
    [
        {"database_url": "postgresql://user:hunter2@host"},
        {"database_url": "mysql://user:hunter2@host/name"},
        {"secret_key": "hunter2"},
        {"database_url": "postgresql://user:hunter2@host/name", "db_password": "hunter2"},
    ],
)
def test_no_fault_tells_a_secret(values):
    with pytest.raises(SettingsError) as raised:
        given_settings(**values)
    assert "hunter2" not in str(raised.value) + repr(raised.value.__cause__)


def test_no_secret_is_shown_with_the_settings():
    settings = given_settings(database_url="postgresql://u:hunter2@h/d", secret_key=GOOD_KEY)
    assert "hunter2" not in repr(settings)
    assert GOOD_KEY not in repr(settings)


def test_both_ways_of_naming_a_server_are_refused():
    faults = faults_of(database_url="postgresql://h/d", db_host="h", db_name="d")
    assert faults == ["DATABASE_URL and DB_HOST, DB_NAME are both set: allowed is one or the other"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_each_way_of_writing_postgresql_names_the_driver(scheme):
    settings = given_settings(database_url=f"{scheme}://u:p%40@h:1/d?sslmode=require")
    assert settings.server_address == "postgresql+psycopg2://u:p%40@h:1/d?sslmode=require"


@pytest.mark.parametrize(
    "address",
    ["mysql://h/d", "h/d", "postgresql+psycopg://h/d", "postgresql://h", "postgresql://u:p/q@h:1/d"],
)
def test_other_addresses_of_databases_are_refused(address):
    assert len(faults_of(database_url=address)) == 1


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"db_host": "h"}, "postgresql+psycopg2://postgres@h:5432/movies"),
        ({"db_password": "p@:/"}, "postgresql+psycopg2://postgres:p%40%3A%2F@localhost:5432/movies"),
        (
            {"db_host": "::1", "db_port": "1", "db_user": "u", "db_name": "d"},
            "postgresql+psycopg2://u@[::1]:1/d",
        ),
        ({"db_host": "/run"}, "postgresql+psycopg2://postgres@/movies?host=%2Frun&port=5432"),
    ],
)
def test_the_parts_of_an_address_make_one(values, address):
    assert given_settings(**values).server_address == address


def test_without_a_server_the_embedded_one_is_meant():
    assert given_settings().server_address is None


@pytest.mark.parametrize("text", ["true", "1", "yes", "on", "TRUE"])
def test_a_switch_is_on_in_each_usual_word(text):
    assert given_settings(skip_load_data=text).skip_load_data is True


def test_nobody_writes_without_an_account_unless_it_is_said():
    assert given_settings().anonymous_writes is False
    assert given_settings(anonymous_writes="true").anonymous_writes is True


def test_title_types_are_separated_by_commas():
    assert given_settings(title_types=" tvMovie ,movie,, movie").title_types == ("tvMovie", "movie")


def test_no_title_type_at_all_is_refused():
    assert faults_of(title_types=" , ")[0].startswith("TITLE_TYPES is ' , '")


def test_trusted_proxies_are_addresses_and_networks():
    networks = given_settings(trusted_proxies="10.0.0.0/8, ::1").trusted_proxies
    assert networks == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize("proxies", ["10.0.0.1/8", "proxy.example", "10.0.0.0/8;::1"])
def test_other_trusted_proxies_are_refused(proxies):
    assert len(faults_of(trusted_proxies=proxies)) == 1


@pytest.mark.parametrize(
    "source", ["ftp://host/", "https://user:password@host/", "http://", "file:///folder", "http://h:99999/"]
)
def test_other_sources_of_dumps_are_refused(source):
    assert len(faults_of(dataset_source=source)) == 1


@pytest.mark.parametrize("address", ["movies.example", "https://h/?a=b", "https://h/#a", "https://u@h/"])
def test_other_public_addresses_are_refused(address):
    assert len(faults_of(public_url=address)) == 1


def test_a_public_address_ends_without_a_slash():
    assert given_settings(public_url="https://h/movies/").public_url == "https://h/movies"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "movies-1.example"])
def test_hosts_to_listen_at(host):
    assert given_settings(host=host).host == host


@pytest.mark.parametrize("host", ["http://h", "h:80", "a b", "1::2::3"])
def test_other_hosts_are_refused(host):
    assert len(faults_of(host=host)) == 1


@pytest.mark.parametrize("key", ["short", "a" * 64, "abc" * 20])
def test_a_secret_key_that_is_easy_to_guess_is_refused(key):
    assert "too easy to guess" in faults_of(secret_key=key)[0]


@pytest.mark.parametrize(
    "key",
    [
        "changeme-changeme-please-changeme",
        "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
        "change-this-before-you-go-live-please",
        "django-insecure-3k!q0v$w8z2#m5x@r7t1y9b4n6",
        "this is a secret, and is told to nobody",
        "your-secret-key-goes-here-0123456789",
        "a-string-secret-at-least-256-bits-long",
        "\\2\\1thisismyscretkey\\1\\2\\e\\y\\y\\h",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "192B9BDD22AB9ED4D12E236C78AFCB9A393EC15F71BBF5DC987D54727823BCBF",
    ],
)
def test_a_secret_key_that_stands_in_somebodys_documentation_is_refused(key):
    assert "too easy to guess" in faults_of(secret_key=key)[0]


@pytest.mark.parametrize(
    "key",
    [
        "password password password password",
        "filmfestival filmfestival filmfe",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
    ],
)
def test_a_secret_key_that_is_made_by_a_pattern_is_refused(key):
    assert "too easy to guess" in faults_of(secret_key=key)[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_hex(16),
        lambda: secrets.token_hex(32),
        lambda: secrets.token_urlsafe(24),
        lambda: secrets.token_urlsafe(48),
        lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
        lambda: str(uuid.uuid4()),
    ],
)
def test_a_secret_key_that_is_random_is_taken(make):
    assert not any(is_guessable(make()) for _ in range(2_000))


def test_a_secret_key_of_words_that_do_not_repeat_is_taken():
    given_settings(secret_key="a secret that both servers hold, 3f9c1b7e5d")


@pytest.mark.parametrize("name", ["PROT", "DATABSE_URL", "TITLE_TYPE", "database-url"])
def test_a_misspelt_name_in_the_file_is_told_with_the_nearest(env_file, name):
    env_file.write_text(f"{name}=1\n")
    with pytest.raises(SettingsError, match=f"^{name} in .env is no setting; the nearest is "):
        read_settings()


def test_other_programs_names_in_the_file_are_none_of_our_business(env_file):
    env_file.write_text("COMPOSE_PROJECT_NAME=movies\nPATH_TO_X=1\n")
    assert read_settings().port == 5000


def test_a_file_that_cannot_be_read_is_told(env_file):
    env_file.write_bytes(b"PORT=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env can't be read"):
        read_settings()


def test_a_secret_key_is_made_once_and_kept_for_its_owner_alone(tmp_path):
    settings = given_settings(data_dir=tmp_path / "new")
    first = secret_key(settings)
    kept = tmp_path / "new" / "secret_key"
    assert secret_key(settings) == first
    assert len(first) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_secret_key_that_is_given_is_used_and_not_kept(tmp_path):
    assert secret_key(given_settings(data_dir=tmp_path, secret_key=GOOD_KEY)) == GOOD_KEY
    assert list(tmp_path.iterdir()) == []


def test_a_kept_key_that_is_not_whole_is_refused(tmp_path):
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(SettingsError, match="does not hold a whole key"):
        secret_key(given_settings(data_dir=tmp_path))


def test_processes_that_make_the_key_at_the_same_moment_agree(tmp_path):
    code = (
        "import sys; from movie_database.settings import given_settings, secret_key;"
        " settings = given_settings(data_dir=sys.argv[1]); print('ready', flush=True);"
        " sys.stdin.readline(); print(secret_key(settings))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    keys = {process.communicate()[0] for process in processes}
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def read_elsewhere(package_folder, folder, *names):
    """What a process in another folder reads, with the package at that place."""
    code = (
        "from movie_database.settings import read_settings; settings = read_settings();"
        f" print(*(getattr(settings, name) for name in {names}))"
    )
    environment = {"PYTHONPATH": str(package_folder), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return told.stdout.split()


def copy_package(folder):
    package = Path(settings_module.__file__).parent
    shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_paths_belong_to_the_checkout_whatever_the_current_folder(tmp_path):
    (tmp_path / "sql-scripts").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".env").write_text("DATA_DIR=kept/../data\nDATASET_SOURCE=dumps\n")
    package_folder = copy_package(tmp_path / "solution" / "database")
    read = read_elsewhere(package_folder, tmp_path / "elsewhere", "data_dir", "dataset_source", "sql_scripts")
    assert read == [f"{tmp_path}/data", f"{tmp_path}/dumps", f"{tmp_path}/sql-scripts"]


def test_outside_of_a_checkout_paths_belong_to_the_current_folder(tmp_path):
    package_folder = copy_package(tmp_path / "lib" / "site-packages")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / ".env").write_text("PORT=1111\n")
    read = read_elsewhere(package_folder, tmp_path / "app", "port", "data_dir", "sql_scripts")
    assert read == ["1111", f"{tmp_path}/app/.data", f"{tmp_path}/app/sql-scripts"]
