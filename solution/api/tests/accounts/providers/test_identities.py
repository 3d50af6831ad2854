"""Whom of ours a person at a provider is: found, linked or new; and how an account lets go of one."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from movie_api.accounts.queries import identities
from movie_api.accounts.queries.identities import Person
from movie_testing.our_clients import APPLE_APP, APPLE_WEB, settings_of

AT_ONCE = 4


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]


@pytest.fixture
def identities_of(database_cursor):
    """The providers of an account's identities."""

    def read(user_id: str) -> list[str]:
        database_cursor.execute(
            "SELECT provider FROM identities WHERE user_id = %s ORDER BY linked_at", (user_id,)
        )
        return [name for (name,) in database_cursor.fetchall()]

    return read


@pytest.fixture
def deeds(database_cursor):
    """What the audit has, by action."""

    def read() -> list[tuple[str, str]]:
        database_cursor.execute("SELECT action, actor::text FROM audit ORDER BY id")
        return database_cursor.fetchall()

    return read


# ── The first time ──


def test_an_address_that_both_sides_vouch_for_links(api, accounts, token_body, identities_of):
    account = accounts.create(email="Ann@Example.com")
    answer = api.post("/auth/google", json=token_body(email="ann@example.com", email_verified=True))
    assert (answer.json["user"]["id"], identities_of(account.id)) == (account.id, ["google"])


def test_who_is_linked_by_address_is_told(api, accounts, token_body, database_cursor, deeds):
    account = accounts.create()
    api.post("/auth/google", json=token_body(email=account.email, email_verified=True))
    database_cursor.execute("SELECT kind, told, address FROM mails")
    assert database_cursor.fetchall() == [("notice", "identity.linked", account.email)]
    assert deeds() == [("identity.link", account.pseudonym)]


def test_an_address_that_nobody_here_confirmed_does_not_link(api, accounts, token_body, identities_of):
    account = accounts.create(is_verified=False)
    answer = api.post("/auth/google", json=token_body(email=account.email, email_verified=True))
    assert (kind(answer), identities_of(account.id)) == ((409, "address-taken"), [])


@pytest.mark.parametrize("vouches", [False, "false", None, 1, "yes"])
def test_an_address_that_the_provider_does_not_vouch_for_does_not_link(
    api, accounts, token_body, identities_of, vouches
):
    account = accounts.create()
    answer = api.post("/auth/google", json=token_body(email=account.email, email_verified=vouches))
    told = answer.json["user"]
    assert (told["email"], told["email_verified"], identities_of(account.id)) == (None, False, [])
    assert told["id"] != account.id


def test_an_address_that_is_not_vouched_for_is_shown_at_the_identity_alone(api, token_body):
    made = api.post("/auth/google", json=token_body(email="ann@example.com")).json
    listed = api.get("/auth/identities", headers={"Authorization": f"Bearer {made['access_token']}"}).json
    assert (made["user"]["email"], listed[0]["email"]) == (None, "ann@example.com")


def test_apples_relay_is_an_address_as_any_other(api, token_body):
    relay = "x7k2p9@privaterelay.appleid.com"
    body = token_body(APPLE_APP, email=relay, email_verified="true", is_private_email="true")
    told = api.post("/auth/apple", json=body).json["user"]
    assert (told["email"], told["email_verified"]) == (relay, True)


@pytest.mark.parametrize(
    ("claims", "more", "name"),
    [
        ({"name": "Ann"}, {"display_name": "Bob"}, "Ann"),
        ({}, {"display_name": "Bob"}, "Bob"),
        ({"email": "ann.other@example.com"}, {}, "ann.other"),
        ({}, {}, "User"),
        ({"name": " Ann\n\tOther\0 "}, {}, "User"),
        ({"name": "\u200b \x07"}, {"display_name": "Bob"}, "Bob"),
        ({"name": " Ann\n\tOther "}, {}, "Ann Other"),
        ({"name": "A" * 200}, {}, "A" * 80),
        ({"name": ["Ann"], "email": ["ann@example.com"]}, {}, "User"),
    ],
    ids=str,
)
def test_a_new_account_is_called(api, token_body, claims, more, name):
    assert api.post("/auth/google", json=token_body(**claims) | more).json["user"]["display_name"] == name


def test_an_address_that_is_none_is_not_kept(api, token_body, database_cursor):
    api.post("/auth/google", json=token_body(email="no address", email_verified=True))
    database_cursor.execute("SELECT users.email, identities.email FROM users JOIN identities ON true")
    assert database_cursor.fetchall() == [(None, None)]


def test_a_new_account_is_in_the_audit(api, token_body, deeds):
    api.post("/auth/google", json=token_body())
    assert [action for action, _ in deeds()] == ["user.register"]


def test_where_nobody_may_register_no_provider_makes_an_account(make_app, provider, token_body):
    closed = make_app(**settings_of(provider), registration=False).test_client()
    assert kind(closed.post("/auth/google", json=token_body())) == (403, "registration-closed")


def test_where_nobody_may_register_who_has_an_account_signs_in(make_app, provider, accounts, token_body):
    closed = make_app(**settings_of(provider), registration=False).test_client()
    accounts.identity(accounts.create(), "google", "7")
    assert closed.post("/auth/google", json=token_body(sub="7")).status_code == 200


# ── The next time ──


def test_an_address_that_changed_changes_no_account(api, token_body):
    first = api.post("/auth/google", json=token_body(sub="1", email="a@example.com", email_verified=True))
    second = api.post("/auth/google", json=token_body(sub="1", email="b@example.com", email_verified=True))
    assert first.json["user"] == second.json["user"]


def test_who_takes_an_address_over_gets_no_account_with_it(api, token_body, database_cursor):
    first = api.post("/auth/google", json=token_body(sub="1", email="a@example.com", email_verified=True))
    database_cursor.execute("UPDATE users SET email = 'b@example.com', email_key = 'b@example.com'")
    second = api.post("/auth/google", json=token_body(sub="2", email="a@example.com", email_verified=True))
    assert first.json["user"]["id"] != second.json["user"]["id"]


def test_a_name_that_was_changed_here_stays(api, token_body):
    made = api.post("/auth/google", json=token_body(sub="1", name="Ann")).json
    headers = {"Authorization": f"Bearer {made['access_token']}"}
    api.patch("/auth/user", json={"display_name": "Annie"}, headers=headers)
    again = api.post("/auth/google", json=token_body(sub="1", name="Ann")).json
    assert again["user"]["display_name"] == "Annie"


def test_a_disabled_account_is_not_signed_in(api, accounts, token_body):
    accounts.identity(accounts.create(is_disabled=True), "google", "7")
    answer = api.post("/auth/google", json=token_body(sub="7"))
    assert (kind(answer), answer.json["detail"]) == (
        (401, "provider-token-refused"),
        "The account is disabled.",
    )


def test_a_disabled_account_is_not_linked_by_its_address(api, accounts, token_body, identities_of):
    account = accounts.create(is_disabled=True)
    answer = api.post("/auth/google", json=token_body(email=account.email, email_verified=True))
    assert (kind(answer), identities_of(account.id)) == ((401, "provider-token-refused"), [])


# ── At once ──


@pytest.mark.parametrize("email", ["ann@example.com", None])
def test_first_sign_ins_at_once_are_one_account(app, make_app, provider, token_body, database_cursor, email):
    bodies = [token_body(sub="1", email=email, email_verified=True) for _ in range(AT_ONCE)]
    apps = [app, *(make_app(**settings_of(provider)) for _ in range(AT_ONCE - 1))]

    def sign_in(number: int):
        return apps[number].test_client().post("/auth/google", json=bodies[number])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(sign_in, range(AT_ONCE)))
    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    assert len({answer.json["user"]["id"] for answer in answers}) == 1
    database_cursor.execute("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM identities)")
    assert database_cursor.fetchone() == (1, 1)


@pytest.mark.parametrize("email", ["ann@example.com", None])
def test_of_many_first_sign_ins_at_once_none_is_lost(app, database_cursor, email):
    def sign_in(number: int) -> set[str]:
        found = set()
        for subject in range(20):
            address = email and f"{subject}@example.com"
            person = Person("google", str(subject), address, is_verified=True, display_name=str(number))
            with app.app_context():
                found.add((subject, str(identities.sign_in(person, may_register=True).id)))
        return found

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(sign_in, range(2))
    assert first == second
    database_cursor.execute("SELECT count(*) FROM users")
    assert database_cursor.fetchone() == (20,)


# ── Linking, from a session ──


def test_a_session_links_an_identity(api, accounts, session_headers, token_body, identities_of):
    account = accounts.create()
    answer = api.post("/auth/google", json=token_body() | {"link": True}, headers=session_headers(account))
    assert (answer.status_code, answer.json["user"]["id"]) == (200, account.id)
    assert identities_of(account.id) == ["google"]


def test_who_links_is_told_and_is_in_the_audit(
    api, accounts, session_headers, token_body, database_cursor, deeds
):
    account = accounts.create()
    api.post("/auth/google", json=token_body() | {"link": True}, headers=session_headers(account))
    database_cursor.execute("SELECT told, address FROM mails")
    assert database_cursor.fetchall() == [("identity.linked", account.email)]
    assert deeds() == [("identity.link", account.pseudonym)]


def test_what_is_linked_signs_in_whatever_its_address(api, accounts, session_headers, token_body):
    account = accounts.create()
    other = accounts.create()
    body = token_body(sub="1", email=other.email, email_verified=True)
    api.post("/auth/google", json=body | {"link": True}, headers=session_headers(account))
    assert api.post("/auth/google", json=token_body(sub="1")).json["user"]["id"] == account.id


def test_linking_once_more_changes_nothing(api, accounts, session_headers, token_body, identities_of, deeds):
    account = accounts.create()
    for _ in range(2):
        body = token_body(sub="1") | {"link": True}
        assert api.post("/auth/google", json=body, headers=session_headers(account)).status_code == 200
    assert (identities_of(account.id), len(deeds())) == (["google"], 1)


def test_an_identity_of_another_is_not_linked(api, accounts, session_headers, token_body, identities_of):
    owner, account = accounts.create(), accounts.create()
    accounts.identity(owner, "google", "7")
    body = token_body(sub="7") | {"link": True}
    assert kind(api.post("/auth/google", json=body, headers=session_headers(account))) == (
        409,
        "identity-taken",
    )
    assert (identities_of(owner.id), identities_of(account.id)) == (["google"], [])


def test_nobody_links_without_a_session(api, token_body):
    answer = api.post("/auth/google", json=token_body() | {"link": True})
    assert kind(answer) == (401, "sign-in-needed")


def test_an_old_session_links_nothing(api, session_headers, token_body):
    body = token_body() | {"link": True}
    answer = api.post("/auth/google", json=body, headers=session_headers(minutes_ago=16))
    assert kind(answer) == (403, "sign-in-again")


def test_a_key_links_nothing(api, accounts, token_body):
    headers = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    answer = api.post("/auth/google", json=token_body() | {"link": True}, headers=headers)
    assert kind(answer) == (403, "not-allowed")


# ── The list, and letting go ──


def test_the_list_tells_each_identity_of_the_caller_alone(api, accounts, session_headers):
    account = accounts.create()
    ids = [accounts.identity(account, name) for name in ("google", "apple")]
    accounts.identity(accounts.create())
    listed = api.get("/auth/identities", headers=session_headers(account)).json
    assert [(one["id"], one["provider"]) for one in listed] == list(
        zip(ids, ("google", "apple"), strict=True)
    )
    assert set(listed[0]) == {"id", "provider", "email", "linked_at", "used_at"}


def unlink(api, headers, identity_id: str):
    return api.delete(f"/auth/identities/{identity_id}", headers=headers)


def test_an_identity_beside_a_password_can_go(api, accounts, session_headers, identities_of, deeds):
    account = accounts.create()
    identity_id = accounts.identity(account)
    assert unlink(api, session_headers(account), identity_id).status_code == 204
    assert (identities_of(account.id), deeds()) == ([], [("identity.unlink", account.pseudonym)])


def test_an_identity_beside_another_can_go(api, accounts, session_headers, identities_of):
    account = accounts.create(password=None)
    google, _ = accounts.identity(account), accounts.identity(account, "apple")
    assert unlink(api, session_headers(account), google).status_code == 204
    assert identities_of(account.id) == ["apple"]


def test_the_last_way_in_stays(api, accounts, session_headers, identities_of):
    account = accounts.create(password=None)
    identity_id = accounts.identity(account)
    assert kind(unlink(api, session_headers(account), identity_id)) == (409, "last-way-in")
    assert identities_of(account.id) == ["google"]


def test_a_provider_that_is_not_set_up_any_more_is_no_way_in(api, accounts, session_headers):
    account = accounts.create(password=None)
    google, _ = accounts.identity(account), accounts.identity(account, "oidc/gone")
    assert kind(unlink(api, session_headers(account), google)) == (409, "last-way-in")


def test_a_password_without_an_address_is_no_way_in(api, accounts, session_headers, database_cursor):
    account = accounts.create()
    database_cursor.execute("UPDATE users SET email = NULL, email_key = NULL, email_verified_at = NULL")
    assert kind(unlink(api, session_headers(account), accounts.identity(account))) == (409, "last-way-in")


def test_of_two_that_go_at_once_one_stays(app, accounts, session_headers, identities_of):
    account = accounts.create(password=None)
    ids = [accounts.identity(account, name) for name in ("google", "apple")]
    headers = session_headers(account)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: unlink(app.test_client(), headers, one), ids))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert len(identities_of(account.id)) == 1


def test_an_identity_of_another_can_not_go(api, accounts, session_headers, identities_of):
    owner = accounts.create()
    identity_id = accounts.identity(owner)
    assert kind(unlink(api, session_headers(), identity_id)) == (404, "no-such-entry")
    assert identities_of(owner.id) == ["google"]


def test_what_is_no_id_is_told(api, session_headers):
    assert kind(unlink(api, session_headers(), "google")) == (400, "malformed-id")


def test_letting_go_takes_a_fresh_sign_in(api, accounts, session_headers):
    account = accounts.create()
    headers = session_headers(account, minutes_ago=16)
    assert kind(unlink(api, headers, accounts.identity(account))) == (403, "sign-in-again")


def test_an_identity_that_was_let_go_is_a_stranger_again(api, accounts, session_headers, token_body):
    account = accounts.create()
    unlink(api, session_headers(account), accounts.identity(account, "google", "7"))
    assert api.post("/auth/google", json=token_body(sub="7")).json["user"]["id"] != account.id


def test_a_refresh_token_goes_with_what_signed_in_last(api, code_body, provider, database_cursor):
    provider.set_person(sub=secrets.token_hex(8))
    seals = set()
    for client_id in (APPLE_WEB, APPLE_APP):
        api.post("/auth/apple", json=code_body(client_id))
        database_cursor.execute("SELECT client_id, sealed_refresh_token FROM identities")
        ((kept_id, sealed),) = database_cursor.fetchall()
        assert kept_id == client_id
        seals.add(sealed)
    assert len(seals) == 2


def test_a_sign_in_without_a_refresh_token_keeps_the_one_that_is_there(
    api, code_body, token_body, provider, database_cursor
):
    subject = secrets.token_hex(8)
    provider.set_person(sub=subject)
    api.post("/auth/apple", json=code_body(APPLE_WEB))
    api.post("/auth/apple", json=token_body(APPLE_APP, sub=subject))
    database_cursor.execute("SELECT client_id, sealed_refresh_token IS NOT NULL FROM identities")
    assert database_cursor.fetchall() == [(APPLE_WEB, True)]
