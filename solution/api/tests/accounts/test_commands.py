"""`flask --app movie_api users …`: what each command does, prints and refuses."""

import json
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from movie_api.accounts.queries import administration
from movie_database.settings import checkout_root

NEW_PASSWORD = "a lantern above the harbour"
LINK = re.compile(r"^http://localhost:5000/account/reset#token=(\S+)$", re.MULTILINE)


@pytest.fixture
def users(app):
    """Runs `users WORDS`; gives what it printed, and its exit code."""
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=["users", *words])


@pytest.fixture
def audit(database_cursor):
    """What was done, and to whom, as the audit has it."""

    def rows():
        database_cursor.execute("SELECT action, object, actor, detail FROM audit ORDER BY id")
        return database_cursor.fetchall()

    return rows


def sign_in(api, email, password=NEW_PASSWORD):
    return api.post("/auth/login", json={"email": email, "password": password}).status_code


def set_password(api, printed):
    (token,) = LINK.findall(printed)
    answer = api.post("/auth/password/reset/confirm", json={"token": token, "password": NEW_PASSWORD})
    return answer.status_code


def test_an_account_is_made_whose_link_sets_its_password(users, api):
    made = users("create", "Ann@example.com", "--name", "Ann of the Film Club", "--role", "editor")
    assert made.exit_code == 0
    assert set_password(api, made.stdout) == 204
    assert sign_in(api, "ann@example.com") == 200
    (user,) = json.loads(users("list", "--json").stdout)
    assert (user["email"], user["display_name"]) == ("Ann@example.com", "Ann of the Film Club")
    assert (user["role"], user["has_password"], user["disabled_at"]) == ("editor", True, None)


def test_an_account_is_a_user_called_by_its_address_unless_more_is_said(users):
    users("create", "ben@example.com")
    (user,) = json.loads(users("list", "--json").stdout)
    assert (user["role"], user["display_name"], user["has_password"]) == ("user", "ben", False)


def test_a_link_is_good_once(users, api):
    printed = users("create", "ann@example.com").stdout
    assert set_password(api, printed) == 204
    assert set_password(api, printed) == 400


def test_a_link_is_good_for_an_hour(users, api, database_cursor):
    printed = users("create", "ann@example.com").stdout
    database_cursor.execute("SELECT expires_at - now() BETWEEN '59 min' AND '60 min' FROM mails")
    assert database_cursor.fetchone() == (True,)
    database_cursor.execute("UPDATE mails SET expires_at = now()")
    assert set_password(api, printed) == 400


def test_no_mail_is_sent_for_a_link(users, database_cursor):
    users("create", "ann@example.com")
    users("link", "ann@example.com")
    database_cursor.execute("SELECT count(*) FROM procrastinate_jobs")
    assert database_cursor.fetchone() == (0,)


def test_a_new_link_sets_the_password_and_the_one_before_does_not(users, api):
    first = users("create", "ann@example.com").stdout
    second = users("link", "ANN@example.com").stdout
    assert set_password(api, first) == 400
    assert set_password(api, second) == 204


def test_links_begin_with_the_public_address(make_app):
    runner = make_app(public_url="https://films.example.org/api").test_cli_runner()
    printed = runner.invoke(args=["users", "create", "ann@example.com"]).stdout
    assert re.search(r"^https://films\.example\.org/api/account/reset#token=\S+$", printed, re.MULTILINE)


def test_an_address_that_has_an_account_gets_no_other(users, accounts):
    accounts.create(email="ann@example.com")
    ended = users("create", "ANN@example.com")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "There is an account with the address ANN@example.com already.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["create", "nobody"],
        ["create", "ann@"],
        ["create", "two words@localhost"],
        ["create", "ann@example.com", "--name", " Ann"],
        ["create", "ann@example.com", "--name", "A" * 81],
        ["create", "ann@example.com", "--role", "king"],
        ["promote", "ann@example.com"],
        ["promote", "ann@example.com", "king"],
        ["demote", "ann@example.com", "admin"],
        ["delete", "ann@example.com"],
        ["list", "ann@example.com"],
    ],
)
def test_wrong_words_are_told_and_change_nothing(users, words, database_cursor):
    ended = users(*words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "Error: " in ended.stderr
    database_cursor.execute("SELECT count(*) FROM users")
    assert database_cursor.fetchone() == (0,)


def test_an_address_of_this_machine_alone_is_as_good(users, api):
    assert set_password(api, users("create", "admin@localhost").stdout) == 204
    assert sign_in(api, "admin@localhost") == 200


def test_a_promotion_holds_at_once_for_who_is_signed_in(users, api, accounts, session_headers):
    account = accounts.create(role="user")
    headers = session_headers(account)
    assert api.post("/movies", json={"title": "X"}, headers=headers).status_code == 403
    ended = users("promote", account.email, "editor")
    assert (ended.exit_code, ended.stdout) == (0, f"{account.email} has the role editor.\n")
    assert api.post("/movies", json={"title": "X"}, headers=headers).status_code == 201


def test_a_user_is_named_by_its_id_as_well(users, accounts):
    account = accounts.create(role="editor")
    ended = users("demote", account.id)
    assert ended.stdout == f"{account.email} has the role user.\n"


def test_a_promotion_can_lead_down(users, accounts):
    accounts.create(role="admin")
    other = accounts.create(role="admin")
    assert users("promote", other.email, "editor").exit_code == 0


def test_a_role_that_an_account_has_is_no_change(users, accounts, audit):
    account = accounts.create(role="editor")
    ended = users("promote", account.email, "editor")
    assert ended.stdout == f"{account.email} has the role editor already.\n"
    assert audit() == []


@pytest.mark.parametrize("words", [["demote"], ["promote", "editor"], ["disable"]])
def test_the_last_admin_stays_one(users, accounts, words):
    last = accounts.create(role="admin")
    accounts.create(role="admin", is_disabled=True)
    ended = users(words[0], last.email, *words[1:])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "This is the last account that is an admin.\n"
    assert [user["role"] for user in json.loads(users("list", "--json").stdout)] == ["admin", "admin"]
    assert users("list", "--json").stdout.count('"disabled_at":null') == 1


def test_of_two_last_admins_that_are_disabled_at_once_one_stays(app, accounts, database_cursor):
    pair, starts = [accounts.create(role="admin") for _ in range(2)], threading.Barrier(2)

    def disable(account):
        with app.app_context():
            starts.wait()
            administration.disable(account.email)

    with ThreadPoolExecutor(2) as pool:
        faults = [done.exception() for done in [pool.submit(disable, account) for account in pair]]
    assert [str(fault) for fault in faults if fault] == ["This is the last account that is an admin."]
    database_cursor.execute("SELECT count(*) FROM users WHERE disabled_at IS NULL")
    assert database_cursor.fetchone() == (1,)


def test_who_is_disabled_is_let_in_by_nothing(users, api, accounts, session_headers):
    account = accounts.create(role="editor")
    session, key = session_headers(account), {"Authorization": f"Bearer {accounts.key(account)}"}
    assert api.get("/auth/user", headers=session).status_code == 200
    assert users("disable", account.email).stdout == f"{account.email} is disabled.\n"
    assert api.get("/auth/user", headers=session).status_code == 401
    assert api.get("/auth/user", headers=key).status_code == 401
    assert sign_in(api, account.email, account.password) == 401


def test_who_is_enabled_signs_in_anew_and_has_its_keys(users, api, accounts, session_headers):
    account = accounts.create(role="editor")
    session, key = session_headers(account), {"Authorization": f"Bearer {accounts.key(account)}"}
    users("disable", account.email)
    assert users("enable", account.email).stdout == f"{account.email} is enabled.\n"
    assert api.get("/auth/user", headers=session).status_code == 401
    assert api.get("/auth/user", headers=key).status_code == 200
    assert sign_in(api, account.email, account.password) == 200


@pytest.mark.parametrize(("command", "told"), [("disable", "disabled"), ("enable", "enabled")])
def test_what_is_so_already_is_no_change(users, accounts, audit, command, told):
    account = accounts.create(is_disabled=command == "disable")
    assert users(command, account.email).stdout == f"{account.email} is {told} already.\n"
    assert audit() == []


def test_a_link_of_before_is_void_once_the_account_was_disabled(users, api):
    printed = users("create", "ann@example.com").stdout
    users("disable", "ann@example.com")
    users("enable", "ann@example.com")
    assert set_password(api, printed) == 400


def test_who_is_disabled_gets_no_link(users, accounts):
    account = accounts.create(is_disabled=True)
    ended = users("link", account.email)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "The account is disabled: enable it first.\n"


def test_an_account_without_an_address_gets_no_link(users, accounts, database_cursor):
    account = accounts.create()
    database_cursor.execute("UPDATE users SET email = NULL, email_key = NULL, email_verified_at = NULL")
    ended = users("link", account.id)
    assert ended.exit_code == 1
    assert ended.stderr == "The account has no e-mail address to sign in with a password.\n"


@pytest.mark.parametrize("who", ["nobody@example.com", "2f8a4c1e-6d3b-4f5a-9e7c-0b1d2a3c4e5f", "'; --"])
@pytest.mark.parametrize("words", [["promote", "admin"], ["demote"], ["disable"], ["enable"], ["link"]])
def test_a_name_that_nobody_has_is_told(users, who, words):
    ended = users(words[0], who, *words[1:])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == f"There is no account with the address or id {who}.\n"


def test_all_that_is_done_is_on_record_by_pseudonym(users, accounts, audit):
    accounts.create(role="admin")
    users("create", "ann@example.com", "--role", "editor")
    users("promote", "ann@example.com", "admin")
    users("disable", "ann@example.com")
    users("enable", "ann@example.com")
    users("link", "ann@example.com")
    rows = audit()
    assert [row[0] for row in rows] == [
        "user.create",
        "user.role",
        "user.disable",
        "user.enable",
        "user.link",
    ]
    assert len({row[1] for row in rows}) == 1
    assert {row[2] for row in rows} == {None}
    assert [row[3] for row in rows[:2]] == [{"role": "editor"}, {"role": "admin", "before": "editor"}]
    assert "ann" not in repr(rows)


def test_the_list_shows_names_as_they_are_and_who_is_disabled(users, accounts):
    accounts.create(email="ann@example.com", display_name="[red]Ann[/red]", role="admin")
    accounts.create(email="ben@example.com", is_disabled=True)
    accounts.create(email="eve@example.com", password=None)
    heading, ann, ben, eve = (
        line for line in users("list").stdout.splitlines() if "@" in line or "ID" in line
    )
    assert heading.split() == ["E-mail", "Name", "Role", "State", "Since", "(UTC)", "ID"]
    assert ann.split()[:3] == ["ann@example.com", "[red]Ann[/red]", "admin"]
    assert "disabled" in ben
    assert "no password" in eve


def test_an_empty_list_says_so(users):
    assert users("list").stdout == "There are no accounts.\n"
    assert json.loads(users("list", "--json").stdout) == []


def test_the_first_admin_is_made_by_a_command_too_and_once(app, users):
    file = app.extensions["settings"].data_dir / "first-admin.env"
    assert users("first-admin").stdout.endswith(f"The first admin's file: {file}\n")
    assert file.is_file()
    assert users("first-admin").stdout == "There are accounts already.\n"
    assert users("first-admin", "--quiet").stdout == ""
    (user,) = json.loads(users("list", "--json").stdout)
    assert (user["email"], user["role"]) == ("admin@localhost", "admin")


@pytest.mark.parametrize("words", [[], ["list"], ["create"], ["promote"], ["demote"], ["disable"], ["link"]])
def test_help_tells_what_a_command_does(users, words):
    ended = users(*words, "--help")
    assert ended.exit_code == 0
    assert "Usage: " in ended.stdout


def test_a_database_that_is_away_is_told_in_one_line(make_app):
    app = make_app(database_url="postgresql://nobody:hidden-word@127.0.0.1:9/movies")
    ended = app.test_cli_runner().invoke(args=["users", "list"])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("No connection to PostgreSQL at ")
    assert ended.stderr.count("\n") == 1
    assert "hidden-word" not in ended.stderr


def test_the_command_runs_as_the_readme_says(database_url, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "movie_api", "users", "list", "--json"],
        cwd=checkout_root() / "solution" / "api",
        env={"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")
