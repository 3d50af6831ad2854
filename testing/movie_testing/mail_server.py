"""A mail server on the loopback address that keeps what it gets, and refuses what it is told to refuse."""

import asyncio
import email
import ipaddress
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Security = Literal["starttls", "tls", "none"]
Step = Literal["mail", "recipient", "data"]

_START_SECONDS: Final = 10


class ReceivedMail(NamedTuple):
    """A mail that the server took.

    Attributes:
        sender: As the envelope has it.
        recipients: Likewise.
        message: What was sent.
        content: Its very bytes.
        is_encrypted: Whether it came by TLS.
        user: Who signed in; None: nobody.
    """

    sender: str
    recipients: list[str]
    message: EmailMessage
    content: bytes
    is_encrypted: bool
    user: str | None


@dataclass
class MailServer:
    """Takes mails on a free port of 127.0.0.1, for as long as the block runs.

    Attributes:
        security: How it is reached: TLS from the start, TLS by STARTTLS, or neither.
        certificate: A file of its key and certificate, such as `certificate_file` makes.
        user: Who may sign in; None: nobody can.
        password: Of that user.
        offers_utf8: Whether it takes addresses in other scripts.
        reply_to: Gives the reply to a mail that came, such as `250 OK`; None: all are taken.
        mails: What it took, in order.
    """

    security: Security = "none"
    certificate: Path | None = None
    user: str | None = None
    password: str | None = None
    offers_utf8: bool = False
    reply_to: Callable[[EmailMessage], str] | None = None
    mails: list[ReceivedMail] = field(default_factory=list)
    _refusals: dict[Step, deque[str]] = field(
        default_factory=lambda: {"mail": deque(), "recipient": deque(), "data": deque()}
    )

    def __enter__(self) -> Self:
        """Begin to listen."""
        context = self._context()
        self._loop = asyncio.new_event_loop()
        self._connections: set[SMTP] = set()

        def connect() -> SMTP:
            connection = SMTP(
                self,
                hostname="localhost",
                tls_context=context if self.security == "starttls" else None,
                enable_SMTPUTF8=self.offers_utf8,
                authenticator=self._authenticate if self.user is not None else None,
                auth_require_tls=self.security == "starttls",
                auth_exclude_mechanism=() if self.user is not None else ("PLAIN", "LOGIN"),
                loop=self._loop,
            )
            self._connections.add(connection)
            return connection

        listening = self._loop.create_server(
            connect, "127.0.0.1", 0, ssl=context if self.security == "tls" else None
        )
        self._server = self._loop.run_until_complete(listening)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    def refuse(self, step: Step, *replies: str) -> None:
        """Refuse the next mails at this step by these replies, such as `550 5.1.1 No such user`."""
        self._refusals[step].extend(replies)

    async def handle_MAIL(  # noqa: N802 - the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say whether the sender may send."""
        del server, session
        if reply := self._next_refusal("mail"):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say whether there is such a mailbox."""
        del server, session
        if reply := self._next_refusal("recipient"):
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail."""
        del server
        if reply := self._next_refusal("data"):
            return reply
        content = envelope.original_content or b""
        credentials: Any = session.auth_data
        user = credentials.login.decode() if session.authenticated else None
        message = email.message_from_bytes(content, policy=default_policy)
        if self.reply_to and (reply := self.reply_to(message)) and not reply.startswith("250"):
            return reply
        is_encrypted = self.security == "tls" or session.ssl is not None
        self.mails.append(
            ReceivedMail(envelope.mail_from or "", envelope.rcpt_tos, message, content, is_encrypted, user)
        )
        return "250 OK"

    def _authenticate(self, _server: SMTP, _session: Any, _envelope: Any, _way: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data == LoginPassword(
            (self.user or "").encode(), (self.password or "").encode()
        )
        return AuthResult(success=is_right, handled=False, auth_data=data)

    def _next_refusal(self, step: Step) -> str | None:
        return self._refusals[step].popleft() if self._refusals[step] else None

    def _context(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            if isinstance(connection.transport, asyncio.WriteTransport):
                connection.transport.abort()
        await self._server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def certificate_file(path: Path, *names: str) -> Path:
    """The file, which now holds a key and a certificate of it for these names, signed by itself.

    A client trusts it if SSL_CERT_FILE names this file.

    Args:
        path: Where to write it.
        *names: Host names and addresses.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a mail server of the tests")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(one) for one in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
