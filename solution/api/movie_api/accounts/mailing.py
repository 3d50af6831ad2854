"""Mails, as the worker writes and sends them.

A mail can leave twice, if the worker dies or the connection breaks while it does: what is sent again has a
new token, and the one before is good no more. None is lost without a failed job that tells of it.
"""

from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Final
from urllib.parse import urlsplit

import structlog
from movie_database.settings import Settings
from movie_jobs.tasks import JobError, Run

from movie_api.accounts import mail_transport
from movie_api.accounts.links import account_link, own_address
from movie_api.accounts.mail_texts import TEXTS
from movie_api.accounts.queries import mails
from movie_api.accounts.queries.mails import Letter
from movie_api.http.addresses import is_loopback
from movie_api.work import app_context

SENDER_NAME: Final = "Movie API"
_FALLBACK_SENDER: Final = "movies@localhost"
# RFC 5322: a line may be this long. Kept whole, a link can be read and copied in the mail's source too.
_POLICY: Final = SMTP.clone(max_line_length=998, cte_type="7bit")
_LIFETIME: Final = f"{mails.TOKEN_HOURS} hour{'' if mails.TOKEN_HOURS == 1 else 's'}"

_log = structlog.get_logger(__name__)


def send_mail(run: Run) -> None:
    """The mail of the job's row is sent, unless it was, or nobody wants it any more.

    Args:
        run: Its argument `mail` is the row's id.

    Raises:
        JobError: It could not be sent.
        NotNowError: The database is away.
    """
    # Before a token is made, which would make an older one void for nothing.
    refuse_without_address(run.settings)
    mail_transport.refuse_unsafe(run.settings)
    mail_id = str(run.arguments["mail"])
    with app_context(run):
        letter = mails.take_up(mail_id)
        if letter is None:
            return
        mail_transport.send(run.settings, write(letter, run.settings))
        mails.mark_sent(mail_id)
    _log.info("Sent a mail", text=letter.text, mail=mail_id)


def refuse_without_address(settings: Settings) -> None:
    """It is known where links lead to.

    Raises:
        JobError: It is not. A request's word is never taken for it: who asks for a mail would choose.
    """
    if settings.public_url is None and not is_loopback(settings.host):
        message = "PUBLIC_URL is not set: links in mails need it where HOST is not loopback"
        raise JobError(message, is_transient=False)


def write(letter: Letter, settings: Settings) -> EmailMessage:
    """The whole mail.

    Args:
        letter: What is written, and to whom.
        settings: Say where links lead, and who sends it.

    Raises:
        JobError: There is no such text, or an address that no header can hold.
    """
    text = TEXTS.get(letter.text)
    if text is None:
        raise JobError("there is no text for this kind of mail", is_transient=False)
    message = EmailMessage(_POLICY)
    message["From"] = _mailbox(_sender(settings), "MAIL_FROM is no address that a mail can have", SENDER_NAME)
    message["To"] = _mailbox(letter.address, "the recipient's address is none that a mail can have")
    message["Subject"] = text.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=_domain(settings))
    # RFC 3834: no vacation notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        text.body.format(
            link=account_link(settings, text.page, letter.token) if text.page else "",
            lifetime=_LIFETIME,
            site=own_address(settings),
            sign_in=account_link(settings, "sign-in"),
            forgot=account_link(settings, "forgot"),
        )
    )
    return message


def _sender(settings: Settings) -> str:
    user = settings.smtp_user or ""
    return settings.mail_from or (user if "@" in user else _FALLBACK_SENDER)


def _mailbox(address: str, refusal: str, name: str = "") -> Address:
    try:
        return Address(name, addr_spec=address)
    except (ValueError, IndexError, MessageError):
        # Without "from": the cause holds the address.
        raise JobError(refusal, is_transient=False) from None


def _domain(settings: Settings) -> str:
    """Our host as a message's id holds it. Source: RFC 5322, 3.6.4."""
    host = urlsplit(own_address(settings)).hostname or "localhost"
    return f"[IPv6:{host}]" if ":" in host else host.encode("idna").decode("ascii")
