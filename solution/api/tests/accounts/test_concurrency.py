"""What happens at once, in several workers of a real server."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from movie_testing.api_server import running_api

pytestmark = pytest.mark.slow

WORKERS = 3
LIMITS = dict.fromkeys(("sign_in_limit", "sign_in_address_limit"), "off")
NEW_PASSWORD = "seven seats in the front row"


@pytest.fixture
def client(database_url, tmp_path):
    """A client of a real server; each of its requests is a connection of its own, to any of the workers."""
    with (
        running_api(database_url, tmp_path, web_concurrency=WORKERS, **LIMITS) as server,
        httpx.Client(base_url=server.url, timeout=60, headers={"Connection": "close"}) as client,
    ):
        yield client


@pytest.fixture
def tokens(client) -> Callable[..., dict[str, Any]]:
    """Signs an account in, at the server."""

    def make(account) -> dict[str, Any]:
        body = {"email": account.email, "password": account.password}
        return client.post("/auth/login", json=body).raise_for_status().json()

    return make


@pytest.fixture
def refresh(client) -> Callable[[str], httpx.Response]:
    def ask(token: str) -> httpx.Response:
        return client.post("/auth/token/refresh", json={"refresh_token": token})

    return ask


@pytest.fixture
def statuses(client) -> Callable[[str], set[int]]:
    """What the workers answer to who has this access token: asked so often that each of them is."""

    def ask(token: str) -> set[int]:
        headers = {"Authorization": f"Bearer {token}"}
        with ThreadPoolExecutor(WORKERS) as pool:
            return set(
                pool.map(
                    lambda _: client.get("/auth/user", headers=headers).status_code,
                    range(8 * WORKERS),
                )
            )

    return ask


def at_once(times: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """The answers to so many requests, none of which is sent before all can be."""
    barrier = threading.Barrier(times)

    def wait_and_ask(number: int) -> httpx.Response:
        barrier.wait(timeout=30)
        return ask(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(wait_and_ask, range(times)))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("times", [2, 20])
def test_refreshes_at_once_with_one_token_all_go_on(accounts, tokens, refresh, statuses, times):
    token = tokens(accounts.create())["refresh_token"]
    answers = at_once(times, lambda _: refresh(token))
    assert [answer.status_code for answer in answers] == [200] * times
    siblings = [answer.json() for answer in answers]
    assert len({one["refresh_token"] for one in siblings}) == times
    assert [refresh(one["refresh_token"]).status_code for one in siblings] == [200] * times
    assert statuses(siblings[0]["access_token"]) == statuses(siblings[-1]["access_token"]) == {200}


def test_after_a_sign_out_during_refreshes_nothing_of_the_session_works(
    client, accounts, tokens, refresh, statuses
):
    first = tokens(accounts.create())
    made = [first]

    def ask(number: int) -> httpx.Response:
        if number == 0:
            return client.post("/auth/logout", headers=bearer(first["access_token"]))
        token = first["refresh_token"]
        # A tab that goes on refreshing until it is told that the session is over.
        while (answer := refresh(token)).is_success:
            made.append(answer.json())
            token = answer.json()["refresh_token"]
        return answer

    signed_out, *told = at_once(6, ask)
    assert (signed_out.status_code, {answer.status_code for answer in told}) == (204, {401})
    assert {refresh(one["refresh_token"]).status_code for one in made} == {401}
    assert [statuses(one["access_token"]) for one in (made[0], made[-1])] == [{401}] * 2


def test_a_stolen_refresh_token_ends_the_session_for_the_thief_and_for_the_owner(
    accounts, tokens, refresh, statuses, database_cursor
):
    stolen = tokens(accounts.create())["refresh_token"]
    of_thief = refresh(refresh(stolen).json()["refresh_token"]).json()
    assert statuses(of_thief["access_token"]) == {200}
    # Ten seconds go by.
    database_cursor.execute("UPDATE refresh_tokens SET used_at = used_at - interval '11 s'")
    assert [answer.status_code for answer in at_once(4, lambda _: refresh(stolen))] == [401] * 4
    assert refresh(of_thief["refresh_token"]).status_code == 401
    assert statuses(of_thief["access_token"]) == {401}


def test_a_thief_who_refreshes_at_the_very_moment_of_the_owner_keeps_nothing(
    accounts, tokens, refresh, statuses, database_cursor
):
    stolen = tokens(accounts.create())["refresh_token"]
    of_thief = refresh(stolen).json()
    database_cursor.execute("UPDATE refresh_tokens SET used_at = used_at - interval '11 s'")
    shown = [stolen, of_thief["refresh_token"]]
    answers = at_once(8, lambda number: refresh(shown[number % 2]))
    made = [answer.json() for answer in answers if answer.is_success]
    assert {answer.status_code for answer in answers[::2]} == {401}
    assert {refresh(one["refresh_token"]).status_code for one in [of_thief, *made]} == {401}
    assert statuses(of_thief["access_token"]) == {401}


def test_of_admins_that_delete_their_accounts_at_once_one_stays(client, accounts, tokens, database_cursor):
    # The first start made one, who has never signed in.
    database_cursor.execute("DELETE FROM users")
    admins = [tokens(accounts.create(role="admin")) for _ in range(4)]
    answers = at_once(
        4,
        lambda number: client.delete("/auth/user", headers=bearer(admins[number]["access_token"])),
    )
    assert sorted(answer.status_code for answer in answers) == [204, 204, 204, 409]
    database_cursor.execute("SELECT count(*) FROM users WHERE role = 'admin'")
    assert database_cursor.fetchone() == (1,)


def test_a_mails_token_that_is_used_many_times_at_once_works_once(
    client, mailed_token, accounts, tokens, database_cursor
):
    account = accounts.create()
    client.post("/auth/register", json=registration()).raise_for_status()
    token = mailed_token("registration")
    answers = at_once(6, lambda _: client.post("/auth/email/verify", json={"token": token}))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5
    client.post("/auth/password/reset", json={"email": account.email}).raise_for_status()
    database_cursor.execute("UPDATE mails SET user_id = %s WHERE kind = 'reset'", (account.id,))
    body = {"token": mailed_token("reset"), "password": NEW_PASSWORD}
    answers = at_once(6, lambda _: client.post("/auth/password/reset/confirm", json=body))
    assert sorted(answer.status_code for answer in answers) == [204] + [400] * 5


def registration() -> dict[str, str]:
    return {"email": "ann@example.com", "password": NEW_PASSWORD, "display_name": "Ann"}


def test_a_password_change_ends_other_sessions_in_all_workers_at_once(client, accounts, tokens, statuses):
    account = accounts.create()
    others = [tokens(account) for _ in range(3)]
    mine = tokens(account)
    body = {"current_password": account.password, "new_password": NEW_PASSWORD}
    answer = client.post("/auth/password/change", json=body, headers=bearer(mine["access_token"]))
    assert [statuses(one["access_token"]) for one in [*others, mine]] == [{401}] * 4
    assert statuses(answer.json()["access_token"]) == {200}


def test_of_password_changes_at_once_one_holds_and_its_session_alone_goes_on(
    client, accounts, tokens, refresh, statuses
):
    account = accounts.create()
    sessions = [tokens(account) for _ in range(4)]
    wanted = [f"{NEW_PASSWORD} {number}" for number in range(4)]

    def change(number: int) -> httpx.Response:
        body = {"current_password": account.password, "new_password": wanted[number]}
        headers = bearer(sessions[number]["access_token"])
        return client.post("/auth/password/change", json=body, headers=headers)

    answers = at_once(4, change)
    assert sum(answer.is_success for answer in answers) == 1
    assert {refresh(one["refresh_token"]).status_code for one in sessions} == {401}
    go_on = [
        number
        for number, answer in enumerate(answers)
        if answer.is_success and statuses(answer.json()["access_token"]) == {200}
    ]
    credentials = [{"email": account.email, "password": password} for password in wanted]
    opened = [
        number for number, body in enumerate(credentials) if client.post("/auth/login", json=body).is_success
    ]
    assert (len(opened), go_on) == (1, opened)
