"""The job that gives tokens back to their providers: an account here is gone, or unlinked."""

import structlog
from movie_jobs.tasks import JobError, Run

from movie_api.accounts import oidc, providers, sealing
from movie_api.accounts.queries import revocations
from movie_api.accounts.sealing import SealError
from movie_api.http.problems import NO_SUCH_PROVIDER, Problem
from movie_api.work import app_context

_log = structlog.get_logger("movie_api.providers")
_OK = 200
_TOO_MANY = 429
_SERVER_FAULTS = 500


def revoke(run: Run) -> None:
    """The provider knows that a token of its is needed no more.

    Raises:
        JobError: It does not, or not yet.
    """
    with app_context(run):
        revocation_id = str(run.arguments["revocation"])
        row = revocations.find(revocation_id)
        if row is None:
            # An earlier run came so far.
            return
        try:
            token = sealing.unseal(run.settings, row.sealed_refresh_token)
            provider = providers.find(run.settings, row.provider)
            status = oidc.revoke(provider, row.client_id, token)
        except SealError:
            raise JobError(
                "the token can't be read: SECRET_KEY was another one", is_transient=False
            ) from None
        except Problem as problem:
            is_transient = problem.kind is not NO_SUCH_PROVIDER
            raise JobError(f"{row.provider}: {problem.detail}", is_transient=is_transient) from None
        if status != _OK:
            is_transient = status == _TOO_MANY or status >= _SERVER_FAULTS
            raise JobError(f"{row.provider} answered {status} to a revocation", is_transient=is_transient)
        revocations.done(revocation_id)
        _log.info("token given back", provider=row.provider)
