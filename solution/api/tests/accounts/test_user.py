"""The caller's own account: reading, changing, exporting and deleting it, and its sessions and keys."""

import json

import pytest
from movie_api.accounts.mailing import send_mail
from movie_jobs.tasks import Run
from movie_testing.factories.accounts import PASSWORD

NEW_PASSWORD = "three wet umbrellas"


def test_a_name_is_changed(api, session_headers):
    headers = session_headers()
    assert (
        api.patch("/auth/user", json={"display_name": "Zoë"}, headers=headers).json["display_name"] == "Zoë"
    )
    assert api.get("/auth/user", headers=headers).json["display_name"] == "Zoë"


def test_nothing_else_of_an_account_is_changed_at_once(api, session_headers, problem):
    answer = api.patch("/auth/user", json={"display_name": "A", "role": "admin"}, headers=session_headers())
    assert problem(answer) == (400, "invalid-body")


def test_a_deleted_account_is_gone_with_all_that_is_personal(
    api, accounts, session_headers, sign_in, database_cursor, problem, database_url, make_settings
):
    account = accounts.create(display_name="Zebulon Quux", email="zebulon@example.com")
    sign_in(account)
    accounts.key(account)
    accounts.identity(account, subject="zebulon-at-google")
    headers = session_headers(account)
    api.post("/auth/email/change", json={"email": "quux@example.com"}, headers=headers)
    assert api.delete("/auth/user", headers=headers).status_code == 204
    assert problem(api.get("/auth/user", headers=headers)) == (401, "bad-token")
    answer = api.post("/auth/login", json={"email": account.email, "password": PASSWORD})
    assert problem(answer) == (401, "wrong-credentials")
    database_cursor.execute("SELECT id::text FROM mails")
    ((last_mail,),) = database_cursor.fetchall()
    send_mail(Run(database_url, make_settings(), 0, {"mail": last_mail}))
    left = dumped(database_cursor)
    assert not [word for word in ("ebulon", "quux@", account.id) if word in left]


def dumped(cursor) -> str:
    """Every row of every table of ours."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    texts = []
    for (table,) in cursor.fetchall():
        cursor.execute(f'SELECT row_to_json(one)::text FROM "{table}" AS one')
        texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_the_audit_keeps_a_pseudonym(api, accounts, session_headers, database_cursor):
    account = accounts.create()
    api.delete("/auth/user", headers=session_headers(account))
    database_cursor.execute("SELECT actor::text, action FROM audit")
    assert database_cursor.fetchall() == [(account.pseudonym, "user.delete")]


def test_the_last_admin_can_not_be_deleted(api, accounts, session_headers, problem):
    first, second = accounts.create(role="admin"), accounts.create(role="admin")
    accounts.create(role="admin", is_disabled=True)
    assert api.delete("/auth/user", headers=session_headers(first)).status_code == 204
    headers = session_headers(second)
    assert problem(api.delete("/auth/user", headers=headers)) == (409, "last-admin")
    assert api.get("/auth/user", headers=headers).status_code == 200


def test_a_user_is_deleted_whoever_is_admin(api, accounts, session_headers):
    accounts.create(role="admin")
    assert api.delete("/auth/user", headers=session_headers()).status_code == 204


def test_a_deletion_needs_a_fresh_sign_in(api, session_headers, problem):
    answer = api.delete("/auth/user", headers=session_headers(minutes_ago=16))
    assert problem(answer) == (403, "sign-in-again")


def test_the_export_tells_all_that_is_kept(api, accounts, session_headers):
    account = accounts.create(email="ann@example.com")
    accounts.key(account)
    accounts.identity(account, subject="ann-at-google")
    headers = session_headers(account)
    api.post("/auth/email/change", json={"email": "new@example.com"}, headers=headers)
    key = {"name": "backup", "scopes": ["account:read"]}
    api.post("/auth/keys", json=key, headers=headers)
    answer = api.get("/auth/export", headers=headers)
    told = answer.json
    assert "attachment" in answer.headers["Content-Disposition"]
    assert {name: len(rows) for name, rows in told.items()} == {
        "user": 1,
        "identities": 1,
        "sessions": 1,
        "api_keys": 2,
        "mails": 1,
        "idempotency_keys": 0,
        "audit": 1,
    }
    assert told["identities"][0]["subject"] == "ann-at-google"


def test_the_export_has_every_table_that_names_a_user(database_cursor, api, session_headers):
    database_cursor.execute(
        "SELECT conrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid = 'users'::regclass"
    )
    told = api.get("/auth/export", headers=session_headers()).json
    assert {name for (name,) in database_cursor.fetchall()} <= set(told)


def test_the_export_holds_no_secret(api, accounts, session_headers, database_cursor):
    account = accounts.create()
    key = accounts.key(account)
    text = json.dumps(api.get("/auth/export", headers=session_headers(account)).json)
    database_cursor.execute("SELECT password_hash FROM users WHERE id = %s", (account.id,))
    assert key not in text
    assert database_cursor.fetchone()[0] not in text


def test_a_password_is_changed_by_who_knows_it_and_ends_all_sessions(
    api, accounts, session_headers, bearer, problem, sign_in
):
    account = accounts.create()
    elsewhere, here = session_headers(account), session_headers(account)
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = api.post("/auth/password/change", json=change, headers=here)
    assert api.get("/auth/user", headers=bearer(answer.json["access_token"])).status_code == 200
    for headers in (elsewhere, here):
        assert problem(api.get("/auth/user", headers=headers)) == (401, "bad-token")
    sign_in(account._replace(password=NEW_PASSWORD))


def test_a_wrong_current_password_changes_nothing(api, accounts, session_headers, problem, sign_in):
    account = accounts.create()
    for wrong in ("another password", None):
        change = {"current_password": wrong, "new_password": NEW_PASSWORD}
        answer = api.post("/auth/password/change", json=change, headers=session_headers(account))
        assert problem(answer) == (403, "wrong-password")
    sign_in(account)


def test_a_first_password_needs_a_fresh_sign_in(api, accounts, session_headers, problem, sign_in):
    account = accounts.create(password=None)
    change = {"new_password": NEW_PASSWORD}
    old = session_headers(account, minutes_ago=16)
    assert problem(api.post("/auth/password/change", json=change, headers=old)) == (403, "sign-in-again")
    assert api.post("/auth/password/change", json=change, headers=session_headers(account)).status_code == 200
    sign_in(account._replace(password=NEW_PASSWORD))


def test_a_weak_new_password_is_refused(api, accounts, session_headers, problem):
    account = accounts.create(email="annabelle@example.com")
    change = {"current_password": PASSWORD, "new_password": "Annabelle12"}
    answer = api.post("/auth/password/change", json=change, headers=session_headers(account))
    assert problem(answer) == (400, "weak-password")
    assert answer.json["errors"][0]["field"] == "new_password"


def test_a_reset_sets_the_password_and_ends_all_sessions(
    api, accounts, session_headers, mailed_token, problem, sign_in, database_cursor
):
    account = accounts.create()
    headers = session_headers(account)
    assert api.post("/auth/password/reset", json={"email": account.email}).status_code == 202
    # The job that writes the mail looks whose the address is.
    database_cursor.execute("UPDATE mails SET user_id = %s WHERE kind = 'reset'", (account.id,))
    confirm = {"token": mailed_token("reset"), "password": NEW_PASSWORD}
    assert api.post("/auth/password/reset/confirm", json=confirm).status_code == 204
    assert problem(api.get("/auth/user", headers=headers)) == (401, "bad-token")
    sign_in(account._replace(password=NEW_PASSWORD))
    again = api.post("/auth/password/reset/confirm", json=confirm)
    assert problem(again) == (400, "link-not-valid")


@pytest.mark.parametrize("is_mailed", [True, False])
def test_only_a_link_that_was_mailed_proves_the_address(
    api, accounts, mailed_token, database_cursor, is_mailed
):
    account = accounts.create(is_verified=False)
    api.post("/auth/password/reset", json={"email": account.email})
    token = mailed_token("reset")
    database_cursor.execute(
        "UPDATE mails SET user_id = %s, sent_at = CASE WHEN %s THEN now() END", (account.id, is_mailed)
    )
    api.post("/auth/password/reset/confirm", json={"token": token, "password": NEW_PASSWORD})
    database_cursor.execute("SELECT email_verified_at IS NOT NULL FROM users WHERE id = %s", (account.id,))
    assert database_cursor.fetchone() == (is_mailed,)


def test_a_reset_for_an_unknown_address_is_answered_alike(api, accounts, queries):
    account = accounts.create()
    answers = {}

    def ask(email):
        answer = api.post("/auth/password/reset", json={"email": email})
        answers[email] = (answer.status_code, answer.json)

    known = queries.count(lambda: ask(account.email))
    unknown = queries.count(lambda: ask("nobody@example.com"))
    assert (known, answers[account.email]) == (unknown, answers["nobody@example.com"])


def test_a_new_address_is_the_accounts_when_its_mail_is_confirmed(
    api, accounts, session_headers, mailed_token, database_cursor
):
    account = accounts.create(email="old@example.com")
    headers = session_headers(account)
    asked = api.post("/auth/email/change", json={"email": "new@example.com"}, headers=headers)
    assert asked.status_code == 202
    assert api.get("/auth/user", headers=headers).json["email"] == "old@example.com"
    token = mailed_token("email_change")
    assert api.post("/auth/email/verify", json={"token": token}).json["email"] == "new@example.com"
    assert api.get("/auth/user", headers=headers).json["email"] == "new@example.com"
    database_cursor.execute("SELECT address, told FROM mails WHERE kind = 'notice'")
    assert database_cursor.fetchall() == [("old@example.com", "email.changed")]


def test_an_address_of_another_account_is_answered_alike_and_never_taken(
    api, accounts, session_headers, mailed_token, problem
):
    accounts.create(email="taken@example.com")
    headers = session_headers()
    free = api.post("/auth/email/change", json={"email": "free@example.com"}, headers=headers)
    taken = api.post("/auth/email/change", json={"email": "taken@example.com"}, headers=headers)
    assert (free.status_code, free.json) == (taken.status_code, taken.json)
    token = mailed_token("email_change")
    assert problem(api.post("/auth/email/verify", json={"token": token})) == (409, "address-taken")


def test_a_newer_change_of_address_voids_the_older_link(api, session_headers, mailed_token, problem):
    headers = session_headers()
    api.post("/auth/email/change", json={"email": "one@example.com"}, headers=headers)
    older = mailed_token("email_change")
    api.post("/auth/email/change", json={"email": "two@example.com"}, headers=headers)
    assert problem(api.post("/auth/email/verify", json={"token": older})) == (400, "link-not-valid")


def test_a_change_of_address_needs_a_fresh_sign_in(api, session_headers, problem):
    headers = session_headers(minutes_ago=16)
    answer = api.post("/auth/email/change", json={"email": "new@example.com"}, headers=headers)
    assert problem(answer) == (403, "sign-in-again")


def test_sessions_are_told_and_ended_one_by_one(api, accounts, session_headers, problem):
    account = accounts.create()
    here, elsewhere = session_headers(account), session_headers(account)
    told = api.get("/auth/sessions", headers=here).json
    (other,) = [one for one in told if not one["is_current"]]
    assert api.delete(f"/auth/sessions/{other['id']}", headers=here).status_code == 204
    assert problem(api.get("/auth/user", headers=elsewhere)) == (401, "bad-token")
    assert api.get("/auth/user", headers=here).status_code == 200


def test_a_session_tells_whence_it_signed_in(api, accounts, sign_in, bearer):
    told = sign_in(accounts.create())
    (session,) = api.get("/auth/sessions", headers=bearer(told["access_token"])).json
    assert (session["address"], session["method"]) == ("127.0.0.1", "password")
    assert session["user_agent"].startswith("Werkzeug")


def test_a_session_of_another_is_none_of_the_callers(api, accounts, session_headers, problem):
    other = accounts.create()
    session_id, _ = accounts.session(other)
    answer = api.delete(f"/auth/sessions/{session_id}", headers=session_headers())
    assert problem(answer) == (404, "no-such-entry")


def test_of_too_many_sessions_the_one_unused_longest_ends(api, accounts, sign_in, bearer, database_cursor):
    account = accounts.create()
    for _ in range(50):
        accounts.session(account)
    database_cursor.execute(
        "UPDATE sessions SET refreshed_at = now() - interval '9 days'"
        " WHERE id = (SELECT id FROM sessions LIMIT 1) RETURNING id"
    )
    (oldest,) = database_cursor.fetchone()
    told = sign_in(account)
    sessions = api.get("/auth/sessions", headers=bearer(told["access_token"])).json
    assert len(sessions) == 50
    assert str(oldest) not in {one["id"] for one in sessions}


def test_a_key_acts_for_its_user_within_its_scopes(api, session_headers, bearer, problem):
    headers = session_headers(role="editor")
    made = api.post("/auth/keys", json={"name": "backup", "scopes": ["account:read"]}, headers=headers)
    key = bearer(made.json["key"])
    assert made.status_code == 201
    assert api.get("/auth/user", headers=key).status_code == 200
    answer = api.post("/movies", json={"title": "A"}, headers=key)
    assert problem(answer) == (403, "not-allowed")


def test_days_are_whole_however_json_writes_them(api, session_headers):
    new = {"name": "k", "scopes": ["account:read"], "days": 30.0}
    assert api.post("/auth/keys", json=new, headers=session_headers()).status_code == 201


def test_a_key_is_shown_once_and_kept_as_a_hash(api, session_headers, database_cursor):
    headers = session_headers()
    key = api.post("/auth/keys", json={"name": "k", "scopes": ["account:read"]}, headers=headers).json["key"]
    (listed,) = api.get("/auth/keys", headers=headers).json
    assert "key" not in listed
    assert key.startswith(listed["hint"])
    assert key not in dumped(database_cursor)


def test_a_key_ends(api, session_headers, bearer, database_cursor, problem):
    headers = session_headers()
    made = api.post("/auth/keys", json={"name": "k", "scopes": ["account:read"], "days": 1}, headers=headers)
    database_cursor.execute("UPDATE api_keys SET expires_at = now()")
    answer = api.get("/auth/user", headers=bearer(made.json["key"]))
    assert (problem(answer), answer.json["detail"]) == ((401, "bad-token"), "The API key is out of date.")


def test_a_revoked_key_opens_nothing(api, session_headers, bearer, problem):
    headers = session_headers()
    made = api.post("/auth/keys", json={"name": "k", "scopes": ["account:read"]}, headers=headers).json
    assert api.delete(f"/auth/keys/{made['id']}", headers=headers).status_code == 204
    assert problem(api.get("/auth/user", headers=bearer(made["key"]))) == (401, "bad-token")
    assert problem(api.delete(f"/auth/keys/{made['id']}", headers=headers)) == (404, "no-such-entry")


def test_an_account_has_at_most_fifty_keys(api, accounts, session_headers, problem):
    account = accounts.create()
    for _ in range(50):
        accounts.key(account)
    new = {"name": "k", "scopes": ["account:read"]}
    answer = api.post("/auth/keys", json=new, headers=session_headers(account))
    assert problem(answer) == (409, "too-many-entries")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scopes", []),
        ("scopes", ["all"]),
        ("scopes", "account:read"),
        ("days", 0),
        ("days", 367),
        ("name", ""),
    ],
)
def test_a_wrong_field_of_a_key_is_named(api, session_headers, field, value, problem):
    new = {"name": "k", "scopes": ["account:read"]} | {field: value}
    answer = api.post("/auth/keys", json=new, headers=session_headers())
    assert problem(answer) == (400, "invalid-body")
    assert answer.json["errors"][0]["field"] == field


def test_a_movie_has_its_maker_in_the_audit(api, accounts, database_cursor):
    editor = accounts.create(role="editor")
    headers = {"Authorization": f"Bearer {accounts.key(editor)}"}
    movie = api.post("/movies", json={"title": "Made by Ann"}, headers=headers).json
    database_cursor.execute("SELECT actor::text, action, object, api_key_id IS NOT NULL FROM audit")
    assert database_cursor.fetchall() == [(editor.pseudonym, "movie.create", movie["id"], True)]
