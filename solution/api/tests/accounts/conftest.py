"""What the tests of accounts share."""

from collections.abc import Callable

import pytest
from movie_api.accounts.queries import mails
from movie_api.database import write
from movie_testing.factories.accounts import Account


@pytest.fixture
def mailed_token(app, database_cursor) -> Callable[[str], str]:
    """Makes the token of the latest mail of a kind, as the job does that writes the mail."""

    def make(kind: str) -> str:
        database_cursor.execute(
            "SELECT id FROM mails WHERE kind = %s ORDER BY created_at DESC LIMIT 1", (kind,)
        )
        (mail_id,) = database_cursor.fetchone()
        with app.app_context(), write() as connection:
            return mails.make_token(connection, str(mail_id))

    return make


@pytest.fixture
def sign_in(api) -> Callable[..., dict]:
    """Signs an account in by its password; gives what the answer tells."""

    def make(account: Account, **more) -> dict:
        answer = api.post("/auth/login", json={"email": account.email, "password": account.password, **more})
        assert answer.status_code == 200, answer.json
        return answer.json

    return make


@pytest.fixture
def bearer() -> Callable[[str], dict[str, str]]:
    """Makes the headers of a request with this token."""
    return lambda token: {"Authorization": f"Bearer {token}"}


@pytest.fixture
def problem() -> Callable[[object], tuple[int, str]]:
    """The status and the kind of a refusal."""
    return lambda answer: (answer.status_code, answer.json["type"].rpartition("/")[2])
