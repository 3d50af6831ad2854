"""Answers that say no: problem details, one kind a fault, each with a page that explains it.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple

import orjson
from flask import Response

MEDIA_TYPE: Final = "application/problem+json"
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="movie-api"'}
"""The header of a 401 that no token caused. Source: RFC 6750, section 3."""
PAGES_PATH: Final = "/docs/errors/"

Where = Literal["query", "body", "path", "header"]


class Kind(NamedTuple):
    """One kind of problem: its code is never used for another, and has a page below `/docs/errors/`."""

    code: str
    status: HTTPStatus
    title: str
    meaning: str
    remedy: str

    @property
    def type(self) -> str:
        """The path of its page, as problem details name it."""
        return PAGES_PATH + self.code


class Fault(NamedTuple):
    """One thing that is wrong with a request, and where."""

    where: Where
    field: str
    message: str


class Problem(Exception):  # noqa: N818  the word of RFC 9457, and what callers read
    """A request that can't be answered as asked.

    Attributes:
        kind: Which of `KINDS` it is.
        detail: One plain sentence about this occurrence.
        faults: Every fault that was found.
        headers: Headers that the status asks for, such as `Retry-After`.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def body(self, request_id: str | None) -> dict[str, Any]:
        """The members of RFC 9457, and every fault under `errors`."""
        return {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": int(self.kind.status),
            "detail": self.detail,
            "instance": request_id,
            "errors": [
                {"in": fault.where, "field": fault.field, "message": fault.message} for fault in self.faults
            ],
        }

    def response(self, request_id: str | None) -> Response:
        """The problem as an answer."""
        return Response(
            orjson.dumps(self.body(request_id)),
            status=int(self.kind.status),
            headers=self.headers,
            content_type=MEDIA_TYPE,
        )


INVALID_PARAMETERS: Final = Kind(
    "invalid-parameters",
    HTTPStatus.BAD_REQUEST,
    "The query is not valid",
    "A parameter is unknown, is given too often, or has a value that is not allowed.",
    "Each entry of `errors` names a parameter and what is wrong with it; all of them are told at once.",
)
INVALID_CURSOR: Final = Kind(
    "invalid-cursor",
    HTTPStatus.BAD_REQUEST,
    "The cursor is not one of ours",
    "The cursor was changed on its way, was cut short, or was signed by another server.",
    "Take the addresses in the Link header as they are, or begin again without a cursor.",
)
OTHER_CURSOR: Final = Kind(
    "cursor-of-another-list",
    HTTPStatus.BAD_REQUEST,
    "The cursor belongs to another list",
    "A cursor marks a place in one list: the same filters, the same sort, the same direction.",
    "Begin again without a cursor, and change filters or order only there; page_size may change at any time.",
)
UNKNOWN_AFTER_ID: Final = Kind(
    "after-id-not-in-list",
    HTTPStatus.BAD_REQUEST,
    "What the page should begin after is not in this list",
    "after_id names a row that does not exist, or that the filters leave out.",
    "Name a row of this list, or follow the cursor in the Link header: it stays good when a row is gone.",
)
MALFORMED_ID: Final = Kind(
    "malformed-id",
    HTTPStatus.BAD_REQUEST,
    "The id is not one",
    "Ids are UUIDs; a movie's or a person's may be IMDb's: tt or nm and 7 to 10 digits. A load's is a whole"
    " number.",
    "Take the id from an answer of this API, or from the address of IMDb's page.",
)
MALFORMED_REQUEST: Final = Kind(
    "malformed-request",
    HTTPStatus.BAD_REQUEST,
    "The request is not valid HTTP",
    "The request line or a header can't be read.",
    "Send the request with a client that follows RFC 9112.",
)
MALFORMED_BODY: Final = Kind(
    "malformed-body",
    HTTPStatus.BAD_REQUEST,
    "The body is not JSON",
    "The body can't be read as JSON in UTF-8.",
    "Send one JSON object; every character of a text must be a valid one (no halves of a surrogate pair).",
)
INVALID_BODY: Final = Kind(
    "invalid-body",
    HTTPStatus.BAD_REQUEST,
    "The body is not valid",
    "A field is missing, is unknown, or has a value that is not allowed.",
    "Each entry of `errors` names a field and what is wrong with it; all of them are told at once.",
)
LINK_NOT_VALID: Final = Kind(
    "link-not-valid",
    HTTPStatus.BAD_REQUEST,
    "The link is not valid",
    "What a mail's link carries works once, and for an hour; this was used, is older, or was never ours.",
    "Ask for a new mail.",
)
WEAK_PASSWORD: Final = Kind(
    "weak-password",
    HTTPStatus.BAD_REQUEST,
    "The password is too easy to guess",
    "It is one of those that are tried first, or is made of the address or the name beside it.",
    "Take another one: several words that have nothing to do with each other are a good one.",
)
SIGN_IN_NEEDED: Final = Kind(
    "sign-in-needed",
    HTTPStatus.UNAUTHORIZED,
    "This needs an account",
    "The request carries no token and no key.",
    "Sign in at /auth/login, and send the access token or an API key: Authorization: Bearer …",
)
BAD_TOKEN: Final = Kind(
    "bad-token",
    HTTPStatus.UNAUTHORIZED,
    "The token is not good",
    "It can't be read, was not made by this server, is out of date, or its session, key or account ended.",
    "Take a new one at /auth/token/refresh or /auth/login; reading the catalogue needs none at all.",
)
WRONG_CREDENTIALS: Final = Kind(
    "wrong-credentials",
    HTTPStatus.UNAUTHORIZED,
    "The address or the password is wrong",
    "No account has this address and this password. Which of the two is wrong is told to nobody.",
    "Try again, or ask for a link to set a new password: /auth/password/reset",
)
PROVIDER_REFUSED: Final = Kind(
    "provider-token-refused",
    HTTPStatus.UNAUTHORIZED,
    "The provider's token or code is not good",
    "Its signature, issuer, audience, time or nonce is not what it must be, or the provider refused it.",
    "Begin the sign-in anew, with a nonce of /auth/nonce; `detail` tells what was wrong.",
)
NOT_ALLOWED: Final = Kind(
    "not-allowed",
    HTTPStatus.FORBIDDEN,
    "This account, or this key, may not do that",
    "The operation needs another role, or is not within the key's scopes, or is never done by a key.",
    "Ask an admin for the role, or make a key that has the scope; /docs tells what each operation needs.",
)
SIGN_IN_AGAIN: Final = Kind(
    "sign-in-again",
    HTTPStatus.FORBIDDEN,
    "This needs a fresh sign-in",
    "What can't be undone, or opens the account to others, needs a sign-in within the last 15 minutes.",
    "Sign in anew, and send the request with the new token.",
)
CSRF_TOKEN_MISSING: Final = Kind(
    "csrf-token-missing",
    HTTPStatus.FORBIDDEN,
    "The CSRF token is missing or wrong",
    "Where the access token comes in a cookie, a write must bring the value of the cookie movie_csrf.",
    "Send it in the header X-CSRF-Token (for a refresh: that of movie_refresh_csrf).",
)
WRONG_PASSWORD: Final = Kind(
    "wrong-password",
    HTTPStatus.FORBIDDEN,
    "The current password is wrong",
    "A password is changed by who knows it.",
    "Try again, or ask for a link to set a new one: /auth/password/reset",
)
REGISTRATION_CLOSED: Final = Kind(
    "registration-closed",
    HTTPStatus.FORBIDDEN,
    "Nobody can register here",
    "It is switched off (REGISTRATION), or this server can send no mails (SMTP_HOST, PUBLIC_URL).",
    "Ask who runs the server for an account.",
)
NO_SUCH_PAGE: Final = Kind(
    "no-such-address",
    HTTPStatus.NOT_FOUND,
    "There is nothing at this address",
    "The path is none of this API's.",
    "See /docs for every address.",
)
NO_SUCH_MOVIE: Final = Kind(
    "no-such-movie",
    HTTPStatus.NOT_FOUND,
    "There is no such movie",
    "No movie has this id.",
    "Find the movie in /movies, and take its id from there.",
)
NO_SUCH_OVERRIDE: Final = Kind(
    "no-such-override",
    HTTPStatus.NOT_FOUND,
    "The field is not overridden",
    "No editor changed this field of the movie, or it says again what the dumps say.",
    "The movie's `overrides` names every field that is.",
)
NO_SUCH_GENRE: Final = Kind(
    "no-such-genre",
    HTTPStatus.NOT_FOUND,
    "There is no such genre",
    "No genre has this id.",
    "Find the genre in /genres, and take its id from there.",
)
NO_SUCH_PERSON: Final = Kind(
    "no-such-person",
    HTTPStatus.NOT_FOUND,
    "There is no such person",
    "No person has this id, and none ever had.",
    "Find the person by name in /people, and take the id from there.",
)
NO_SUCH_LOAD: Final = Kind(
    "no-such-load",
    HTTPStatus.NOT_FOUND,
    "There is no such load",
    "No load of the dumps has this id.",
    "Find the load in /dataset/loads.",
)
NO_SUCH_PROVIDER: Final = Kind(
    "no-such-provider",
    HTTPStatus.NOT_FOUND,
    "There is no such provider",
    "This server is not set up to sign in through it.",
    "See /auth/providers.",
)
NO_SUCH_ENTRY: Final = Kind(
    "no-such-entry",
    HTTPStatus.NOT_FOUND,
    "Your account has no such entry",
    "No session, key or identity of this account has this id.",
    "See the list that it would be in.",
)
MOVIE_RETIRED: Final = Kind(
    "movie-retired",
    HTTPStatus.GONE,
    "The movie was retired",
    "It was in the catalogue, and is gone from the dumps or was deleted; it may come back under its id.",
    "Take it out of what you keep; /movies/changes tells every movie that was retired.",
)
PRECONDITION_FAILED: Final = Kind(
    "changed-meanwhile",
    HTTPStatus.PRECONDITION_FAILED,
    "It was changed meanwhile",
    "The version that If-Match names is not the one that is there now: somebody else, or a load, changed it.",
    "Read it again, see whether the change is still wanted, and send it with the new ETag.",
)
PRECONDITION_REQUIRED: Final = Kind(
    "if-match-needed",
    HTTPStatus.PRECONDITION_REQUIRED,
    "The header If-Match is missing",
    "Without it, a change could overwrite another one that its sender never saw.",
    "Read what is to be changed, and send its ETag in If-Match; * stands for whatever version is there.",
)
CLIENT_TOO_SLOW: Final = Kind(
    "client-too-slow",
    HTTPStatus.REQUEST_TIMEOUT,
    "The request did not come in time",
    "The connection was silent before the whole body had come.",
    "Send the request again, whole.",
)
METHOD_NOT_ALLOWED: Final = Kind(
    "method-not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "The method is not allowed here",
    "The address exists, and does not take this method.",
    "The Allow header names the methods that it takes.",
)
MOVIE_EXISTS: Final = Kind(
    "movie-exists",
    HTTPStatus.CONFLICT,
    "The movie exists already",
    "A movie with this IMDb id is there, or was and is retired.",
    "Read it at /movies/{imdb_id}; a retired one comes back when the dumps name it again, or is restored.",
)
DUMPED_ID: Final = Kind(
    "imdb-id-of-the-dumps",
    HTTPStatus.CONFLICT,
    "The movie's IMDb id is that of the dumps",
    "By that id, the next load finds the movie: its link may be written another way, and not lead elsewhere.",
    "Leave imdb_link out, or give one with the same id.",
)
NOT_DELETED: Final = Kind(
    "movie-not-deleted",
    HTTPStatus.CONFLICT,
    "No editor deleted the movie",
    "Only what an editor deleted is restored; a movie that is gone from the dumps comes back with them.",
    "Read the movie: it may be there.",
)
GENRE_EXISTS: Final = Kind(
    "genre-exists",
    HTTPStatus.CONFLICT,
    "The name is another genre's",
    "Case does not tell two genres apart, and a name that a genre had before still means that genre.",
    "Take another name, or merge the two: POST /genres/{id}/merge",
)
GENRE_IN_USE: Final = Kind(
    "genre-in-use",
    HTTPStatus.CONFLICT,
    "Movies have this genre",
    "A genre is deleted when no movie has it, not even a retired one.",
    "Merge it into another one: POST /genres/{id}/merge",
)
SAME_GENRE: Final = Kind(
    "same-genre",
    HTTPStatus.CONFLICT,
    "Both are the same genre",
    "A genre can't be merged into itself.",
    "Name the genre that stays in `into`, and the one that goes in the address.",
)
KEY_USED: Final = Kind(
    "idempotency-key-used",
    HTTPStatus.CONFLICT,
    "The Idempotency-Key was used for something else",
    "Within the last 24 hours, another request was sent with the same key: another body, or another address.",
    "Take a new key for what is new; the same key is for the same request, sent again.",
)
LAST_WAY_IN: Final = Kind(
    "last-way-in",
    HTTPStatus.CONFLICT,
    "It is the last way to sign in",
    "Without it, nobody could sign in to the account any more.",
    "Set a password first, or link another provider; or delete the account.",
)
LAST_ADMIN: Final = Kind(
    "last-admin",
    HTTPStatus.CONFLICT,
    "It is the last admin",
    "Without it, nobody could manage this server's users any more.",
    "Make another account an admin first.",
)
IDENTITY_TAKEN: Final = Kind(
    "identity-taken",
    HTTPStatus.CONFLICT,
    "It belongs to another account",
    "This account at the provider signs in another user here.",
    "Sign in with it, and remove it there first.",
)
ADDRESS_TAKEN: Final = Kind(
    "address-taken",
    HTTPStatus.CONFLICT,
    "Another account has this e-mail address",
    "An account here has the address that the provider vouches for, and never confirmed it.",
    "Sign in to that account as you are used to, and link the provider from there.",
)
TOO_MANY_ENTRIES: Final = Kind(
    "too-many-entries",
    HTTPStatus.CONFLICT,
    "The account has too many of these",
    "There is a limit to how many keys an account has.",
    "Revoke one that is not needed.",
)
BODY_TOO_LARGE: Final = Kind(
    "body-too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    "No body that this API takes needs so many bytes.",
    "Send less; the limit is in `detail`.",
)
ADDRESS_TOO_LONG: Final = Kind(
    "address-too-long",
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "The address is too long",
    "The request line has more bytes than this server reads.",
    "Give fewer parameters.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Kind(
    "unsupported-media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The body is of a type that is not taken",
    "Bodies are JSON in UTF-8, and not compressed.",
    "Send the header Content-Type: application/json, and no Content-Encoding.",
)
EXPECTATION_FAILED: Final = Kind(
    "expectation-failed",
    HTTPStatus.EXPECTATION_FAILED,
    "The expectation can't be met",
    "The Expect header asks for something other than 100-continue.",
    "Leave the Expect header out.",
)
TOO_MANY_REQUESTS: Final = Kind(
    "too-many-requests",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests",
    "So many of these were not expected from one address, or for one account, in so short a time.",
    "Try again after the seconds in the Retry-After header.",
)
HEADERS_TOO_LARGE: Final = Kind(
    "headers-too-large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The headers are too large",
    "The headers have more bytes, or are more, than this server reads.",
    "Send fewer headers.",
)
INTERNAL_ERROR: Final = Kind(
    "internal-error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong on our side",
    "The fault is in this program; it is in its log under the request id.",
    "Tell who runs the server the request id in `instance`.",
)
UNSUPPORTED_CODING: Final = Kind(
    "unsupported-transfer-coding",
    HTTPStatus.NOT_IMPLEMENTED,
    "The transfer coding is not taken",
    "The Transfer-Encoding header names something other than chunked.",
    "Send the body with Content-Length, or chunked.",
)
DATABASE_AWAY: Final = Kind(
    "database-away",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database can't be reached",
    "The server is up, and its database does not answer.",
    "Try again after the seconds in the Retry-After header.",
)
DATABASE_BUSY: Final = Kind(
    "database-busy",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The database took too long",
    "The query was given up, or waited too long for another one.",
    "Try again after the seconds in the Retry-After header, or ask for less.",
)
PROVIDER_AWAY: Final = Kind(
    "provider-away",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The provider can't be reached",
    "Google, Apple or another provider did not answer, or not as it should.",
    "Try again after the seconds in the Retry-After header, or sign in another way.",
)
NO_DATA: Final = Kind(
    "no-data",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "There is no data yet",
    "The database answers, and no dumps were loaded into it.",
    "Load the data: ./run.sh load",
)

KINDS: Final = {
    kind.code: kind
    for kind in (
        INVALID_PARAMETERS,
        INVALID_CURSOR,
        OTHER_CURSOR,
        UNKNOWN_AFTER_ID,
        MALFORMED_ID,
        MALFORMED_REQUEST,
        MALFORMED_BODY,
        INVALID_BODY,
        LINK_NOT_VALID,
        WEAK_PASSWORD,
        SIGN_IN_NEEDED,
        BAD_TOKEN,
        WRONG_CREDENTIALS,
        PROVIDER_REFUSED,
        NOT_ALLOWED,
        SIGN_IN_AGAIN,
        CSRF_TOKEN_MISSING,
        WRONG_PASSWORD,
        REGISTRATION_CLOSED,
        NO_SUCH_PAGE,
        NO_SUCH_MOVIE,
        NO_SUCH_OVERRIDE,
        NO_SUCH_GENRE,
        NO_SUCH_PERSON,
        NO_SUCH_LOAD,
        NO_SUCH_PROVIDER,
        NO_SUCH_ENTRY,
        MOVIE_RETIRED,
        CLIENT_TOO_SLOW,
        METHOD_NOT_ALLOWED,
        MOVIE_EXISTS,
        DUMPED_ID,
        NOT_DELETED,
        GENRE_EXISTS,
        GENRE_IN_USE,
        SAME_GENRE,
        KEY_USED,
        LAST_WAY_IN,
        LAST_ADMIN,
        IDENTITY_TAKEN,
        ADDRESS_TAKEN,
        TOO_MANY_ENTRIES,
        PRECONDITION_FAILED,
        PRECONDITION_REQUIRED,
        BODY_TOO_LARGE,
        ADDRESS_TOO_LONG,
        UNSUPPORTED_MEDIA_TYPE,
        EXPECTATION_FAILED,
        TOO_MANY_REQUESTS,
        HEADERS_TOO_LARGE,
        INTERNAL_ERROR,
        UNSUPPORTED_CODING,
        DATABASE_AWAY,
        DATABASE_BUSY,
        PROVIDER_AWAY,
        NO_DATA,
    )
}
