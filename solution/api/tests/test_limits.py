"""How often somebody may do something."""

import pytest
from movie_api import limits
from movie_api.http.problems import Problem


@pytest.fixture
def spend(app):
    """Spends as a request from this address would; gives what was spent."""

    def make(kind="sign_in", account="ann@example.com", address="203.0.113.7"):
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            return limits.spend(kind, account)

    return make


def test_ten_fail_and_the_next_is_refused(spend):
    for _ in range(10):
        spend()
    with pytest.raises(Problem) as refused:
        spend()
    assert refused.value.kind.code == "too-many-requests"
