"""What mails say. Nothing that somebody typed in is part of it: anybody can have one sent to anybody."""

from typing import Final, NamedTuple

from movie_api.accounts.links import Page


class MailText(NamedTuple):
    """A mail, but for its addresses.

    Attributes:
        subject: Its subject.
        body: `{link}` is what to open, for `{lifetime}`; `{site}` where we are, `{sign_in}` and `{forgot}`
            pages of it.
        page: Which one the link opens; None: there is no such link.
    """

    subject: str
    body: str
    page: Page | None = None


_NOT_YOU: Final = """\
If it wasn't you, somebody else has access to your account: set a new password at once, which signs
everybody out.

    {forgot}
"""

TEXTS: Final = {
    "registration": MailText(
        "Confirm your e-mail address",
        """\
Hello,

somebody, probably you, asked for an account with this e-mail address at {site}
The account is there as soon as you open this link and confirm:

    {link}

The link is good for {lifetime}, and once.

If it wasn't you, do nothing: without your confirmation there will be no account.
""",
        "verify",
    ),
    "registration.known": MailText(
        "You have an account already",
        """\
Hello,

somebody, probably you, asked for an account with this e-mail address at {site}
There is one already. To sign in:

    {sign_in}

If you don't know your password any more, set a new one:

    {forgot}

If it wasn't you, do nothing: your account is as it was.
""",
    ),
    "reset": MailText(
        "Set a new password",
        """\
Hello,

somebody, probably you, asked to set a new password for your account at {site}
To do so, open this link:

    {link}

The link is good for {lifetime}, and once. If you asked more than once, only the newest mail's link works.

If it wasn't you, do nothing: your password is as it was, and nobody but you got this link.
""",
        "reset",
    ),
    "email_change": MailText(
        "Confirm your new e-mail address",
        """\
Hello,

somebody, probably you, wants to use this e-mail address for an account at {site}
The account has it as soon as you open this link and confirm:

    {link}

The link is good for {lifetime}, and once.

If it wasn't you, do nothing: without your confirmation nothing is changed.
""",
        "verify",
    ),
    "email_change.taken": MailText(
        "This e-mail address has an account already",
        """\
Hello,

somebody, probably you, wanted to use this e-mail address for another account at {site}
It belongs to an account already, so nothing was changed. To sign in to that one:

    {sign_in}

If it wasn't you, do nothing: your account is as it was.
""",
    ),
    "password.changed": MailText(
        "Your password was changed",
        f"""\
Hello,

the password of your account at {{site}} was changed, and all its sessions were ended.

If it was you, there is nothing to do.

{_NOT_YOU}""",
    ),
    "email.changed": MailText(
        "Your e-mail address was changed",
        """\
Hello,

your account at {site} has another e-mail address now, and mails go there from now on.
This is the last one to this address.

If it was you, there is nothing to do.

If it wasn't you, somebody else has access to your account, and a new password can't be asked for by this
address any more: tell those who run {site} at once.
""",
    ),
    "user.deleted": MailText(
        "Your account was deleted",
        """\
Hello,

your account at {site} was deleted, and all that was kept of you with it.
This is the last mail that you get from us.

If it wasn't you, somebody else had access to your account: tell those who run {site}, and change your
password wherever else you use it.
""",
    ),
    "identity.linked": MailText(
        "A new way to sign in to your account",
        f"""\
Hello,

an account at another provider was linked to yours at {{site}} and can sign in to it from now on.

If it was you, there is nothing to do.

{_NOT_YOU}
Then sign in, and remove the link from your account.
""",
    ),
}
"""By name: a mail's kind, what a notice tells, or what is said in place of a mail with a token."""
