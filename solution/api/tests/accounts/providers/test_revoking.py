"""Tokens go back to their provider when an account is deleted, or an identity let go."""

import secrets

import pytest
from movie_api import work
from movie_api.accounts import jobs, sealing
from movie_api.accounts.revoking import revoke
from movie_api.extensions import db
from movie_jobs.tasks import JobError, Run
from movie_testing.our_clients import APPLE_APP, APPLE_WEB, settings_of


@pytest.fixture
def signed_in(api, code_body):
    """Signs in by Apple; gives the headers of a session."""

    def make(client_id: str = APPLE_WEB) -> dict[str, str]:
        made = api.post("/auth/apple", json=code_body(client_id)).json
        return {"Authorization": f"Bearer {made['access_token']}"}

    return make


@pytest.fixture
def jobs_put(database_cursor):
    """The arguments of the jobs that wait to tell a provider."""

    def read() -> list[dict]:
        database_cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = 'api:revoke'")
        return [arguments for (arguments,) in database_cursor.fetchall()]

    return read


@pytest.fixture
def run_jobs(app, jobs_put, database_url):
    """Runs what the worker would run."""

    def run(settings=None) -> None:
        settings = settings or app.extensions["settings"]
        try:
            for arguments in jobs_put():
                revoke(Run(database_url, settings, arguments=arguments))
        finally:
            with work._app(database_url, settings).app_context():
                db.engine.dispose()

    yield run
    work._app.cache_clear()


@pytest.fixture
def left(database_cursor):
    """How many tokens are still to be given back."""

    def count() -> int:
        database_cursor.execute("SELECT count(*) FROM token_revocations")
        return database_cursor.fetchone()[0]

    return count


@pytest.mark.parametrize("client_id", [APPLE_WEB, APPLE_APP])
def test_apple_is_told_when_an_account_is_deleted(api, signed_in, provider, run_jobs, left, client_id):
    before = set(provider.given())
    headers = signed_in(client_id)
    (token,) = set(provider.given()) - before
    assert api.delete("/auth/user", headers=headers).status_code == 204
    run_jobs()
    assert {"token": token, "client_id": client_id} in provider.revoked()
    assert left() == 0


def test_a_provider_is_told_when_its_identity_is_let_go(
    api, accounts, session_headers, code_body, provider, run_jobs, left
):
    account = accounts.create()
    headers = session_headers(account)
    before = set(provider.given())
    api.post("/auth/apple", json=code_body(APPLE_WEB, link=True), headers=headers)
    (token,) = set(provider.given()) - before
    (identity,) = api.get("/auth/identities", headers=headers).json
    assert api.delete(f"/auth/identities/{identity['id']}", headers=headers).status_code == 204
    run_jobs()
    assert token in {one["token"] for one in provider.revoked()}
    assert left() == 0


def test_a_job_carries_an_id_and_nothing_secret(api, signed_in, jobs_put):
    api.delete("/auth/user", headers=signed_in())
    (arguments,) = jobs_put()
    assert [name for name in arguments if name not in ("failures", "error")] == ["revocation"]


def test_where_there_is_no_token_nobody_is_told(api, token_body, jobs_put):
    made = api.post("/auth/apple", json=token_body(APPLE_APP)).json
    api.delete("/auth/user", headers={"Authorization": f"Bearer {made['access_token']}"})
    assert jobs_put() == []


def test_a_job_that_came_through_before_does_nothing(api, signed_in, run_jobs, provider):
    api.delete("/auth/user", headers=signed_in())
    run_jobs()
    asked = provider.asked("/revoke")
    run_jobs()
    assert provider.asked("/revoke") == asked


@pytest.mark.parametrize("trouble", ["error", "redirect"])
def test_a_provider_that_is_in_trouble_is_told_later(api, signed_in, provider, run_jobs, left, trouble):
    api.delete("/auth/user", headers=signed_in())
    provider.set_trouble("/revoke", trouble)
    with pytest.raises(JobError) as raised:
        run_jobs()
    provider.set_trouble("/revoke", None)
    assert (raised.value.is_transient, left()) == (True, 1)
    run_jobs()
    assert left() == 0


def test_a_provider_that_does_not_take_us_for_its_client_is_not_told_again(
    api, signed_in, provider, run_jobs, left, make_settings, database_url
):
    api.delete("/auth/user", headers=signed_in())
    ours = settings_of(provider) | {"apple_key_id": "ANOTHER000"}
    with pytest.raises(JobError) as raised:
        run_jobs(make_settings(**ours, database_url=database_url))
    assert (raised.value.is_transient, left()) == (False, 1)


def test_a_provider_that_is_not_set_up_any_more_is_not_told(
    api, signed_in, run_jobs, left, make_settings, database_url
):
    api.delete("/auth/user", headers=signed_in())
    with pytest.raises(JobError) as raised:
        run_jobs(make_settings(database_url=database_url))
    assert (raised.value.is_transient, left()) == (False, 1)


def test_a_token_that_another_key_sealed_is_told_in_a_line(
    api, signed_in, provider, run_jobs, make_settings, database_url
):
    api.delete("/auth/user", headers=signed_in())
    others = settings_of(provider) | {"secret_key": secrets.token_hex(32), "database_url": database_url}
    with pytest.raises(JobError, match="SECRET_KEY") as raised:
        run_jobs(make_settings(**others))
    assert not raised.value.is_transient


def test_the_worker_has_the_task(make_settings):
    (task,) = [task for task in jobs.tasks(make_settings()) if task.name == "revoke"]
    assert (task.takes_arguments, task.backoff.retries > 10) == (True, True)


def test_what_is_sealed_is_read_with_the_same_key_alone(make_settings):
    ours, others = (make_settings(secret_key=secrets.token_hex(32)) for _ in range(2))
    sealed = sealing.seal(ours, "a token")
    assert sealing.unseal(ours, sealed) == "a token"
    with pytest.raises(sealing.SealError):
        sealing.unseal(others, sealed)


def test_what_is_sealed_twice_is_not_the_same(make_settings):
    ours = make_settings(secret_key=secrets.token_hex(32))
    assert sealing.seal(ours, "a token") != sealing.seal(ours, "a token")


@pytest.mark.parametrize("sealed", ["", "x", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30."])
def test_what_was_never_sealed_is_not_read(make_settings, sealed):
    with pytest.raises(sealing.SealError):
        sealing.unseal(make_settings(secret_key=secrets.token_hex(32)), sealed)
