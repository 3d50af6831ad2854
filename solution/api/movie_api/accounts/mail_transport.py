"""How mails leave: by a server, or into a folder where whoever asks for them is on this machine too.

What goes wrong is told by numbers and by our own words: a server's words hold addresses of people.
"""

import contextlib
import os
import re
import secrets
import smtplib
import ssl
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from movie_database.settings import Settings
from movie_jobs.tasks import JobError

from movie_api.accounts.links import serves_this_machine
from movie_api.http.addresses import is_loopback

TIMEOUT_SECONDS: Final = 20.0
"""How long the server may take for each of its answers."""
FOLDER: Final = "mails"
KEPT_DAYS: Final = 30

_ENHANCED: Final = re.compile(rb"[245]\.(\d{1,3})\.\d{1,3}\b")
_OF_POLICY: Final = b"7"
_FOR_GOOD: Final = 500
_REFUSED: Final = (
    (smtplib.SMTPSenderRefused, "the sender (MAIL_FROM)"),
    (smtplib.SMTPAuthenticationError, "SMTP_USER with SMTP_PASSWORD"),
    (smtplib.SMTPResponseException, "the mail"),
)


def refuse_unsafe(settings: Settings) -> None:
    """Mails can leave by these settings, and no password is readable on the way.

    Raises:
        JobError: They can't, or it would be.
    """
    host = settings.smtp_host
    if host is None:
        if not serves_this_machine(settings):
            message = "SMTP_HOST is not set: mails are written to a folder only where nobody else is served"
            raise JobError(message, is_transient=False)
    elif settings.smtp_security == "none" and settings.smtp_user is not None and not is_loopback(host):
        message = "SMTP_SECURITY is none: everybody on the way to SMTP_HOST could read SMTP_PASSWORD"
        raise JobError(message, is_transient=False)


def send(settings: Settings, message: EmailMessage) -> None:
    """The mail is with the server, or in the folder.

    Raises:
        JobError: It is not; transient if it may be at another try.
    """
    refuse_unsafe(settings)
    if settings.smtp_host is None:
        _put_down(settings.data_dir / FOLDER, message)
    else:
        _hand_over(settings, settings.smtp_host, message)


def remove_old(settings: Settings) -> None:
    """No file of a mail is in the folder for longer than its row is in the database."""
    too_old = time.time() - KEPT_DAYS * 86_400
    for file in (settings.data_dir / FOLDER).glob("*.eml"):
        with contextlib.suppress(OSError):  # it was removed meanwhile, or is none of ours
            if file.stat().st_mtime < too_old:
                file.unlink()


def _put_down(folder: Path, message: EmailMessage) -> None:
    """A file of the mail is in the folder, there as a whole or not at all, for its owner alone."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.eml"
    draft = folder / f".{name}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes(policy=message.policy.clone(linesep="\n")))
            draft.rename(folder / name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        message_text = f"the mail can't be written to {folder}: {error.strerror or type(error).__name__}"
        raise JobError(message_text, is_transient=True) from None


def _hand_over(settings: Settings, host: str, message: EmailMessage) -> None:
    try:
        with contextlib.closing(_connect(settings, host)) as server:
            if settings.smtp_user is not None:
                password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
                server.login(settings.smtp_user, password)
            server.send_message(message)
            # It has the mail: what becomes of the connection now changes nothing.
            with contextlib.suppress(OSError):
                server.quit()
    except (OSError, UnicodeError) as error:
        # Without "from": the cause holds addresses, and one of them our password.
        raise _failure(error) from None


def _connect(settings: Settings, host: str) -> smtplib.SMTP:
    """The server, on a way that nobody reads along, unless SMTP_SECURITY is none."""
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, settings.smtp_port, timeout=TIMEOUT_SECONDS)
    if settings.smtp_security == "starttls":
        try:
            server.starttls(context=context)
        except OSError:
            server.close()
            raise
    return server


def _failure(error: OSError | UnicodeError) -> JobError:
    """What went wrong, without anybody's address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _refused_recipient(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        what = next(what for kind, what in _REFUSED if isinstance(error, kind))
        return _refusal(what, error.smtp_code, error.smtp_error)
    match error:
        case UnicodeError():
            message = "SMTP_USER and SMTP_PASSWORD must be of ASCII characters"
        case smtplib.SMTPServerDisconnected():
            message = "the mail server ended the connection"
        case smtplib.SMTPException():
            # The library's own words, of what the server does not offer.
            message = f"the mail server can't do what SMTP_SECURITY or SMTP_USER need: {error}"
        case ssl.SSLCertVerificationError():
            message = f"the mail server's certificate is not good: {error.verify_message}"
        case _:
            message = f"the mail server can't be reached: {error.strerror or type(error).__name__}"
    is_lacking = isinstance(error, smtplib.SMTPException | UnicodeError)
    return JobError(message, is_transient=isinstance(error, smtplib.SMTPServerDisconnected) or not is_lacking)


def _refused_recipient(code: int, reply: bytes) -> JobError:
    """The recipient is refused: the business of whoever gave that address, unless it is all of them."""
    told = _refusal("the recipient", code, reply)
    enhanced = _ENHANCED.match(reply)
    is_policy = enhanced is not None and enhanced[1] == _OF_POLICY
    return JobError(str(told), is_transient=told.is_transient, is_told=not is_policy)


def _refusal(what: str, code: int, reply: bytes | str) -> JobError:
    """The server said no: for now, or for good. Source: RFC 5321, 4.2.1, and RFC 3463."""
    reply = reply.encode("ascii", "replace") if isinstance(reply, str) else reply
    enhanced = _ENHANCED.match(reply)
    numbers = f"{code} {enhanced[0].decode()}" if enhanced else str(code)
    return JobError(f"the mail server refuses {what} ({numbers})", is_transient=code < _FOR_GOOD)
