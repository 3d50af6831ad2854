"""Whether the source of the dumps can be reached at all.

A process of its own asks: a name server that does not answer can hold a look-up for longer than
anybody wants to wait, and only a process can be ended in the middle of one.
"""

import subprocess
import sys
from typing import Final
from urllib.parse import urljoin

import click
from movie_database import exits

from movie_launcher import programs

PATIENCE_SECONDS: Final = 8.0
_CONNECT_SECONDS: Final = 6.0
_FILE: Final = "title.basics.tsv.gz"


def why_unreachable(source: str) -> str | None:
    """Why nothing answers at this address; None if something does, be it an error page.

    Asks over the same library, proxies and certificates as the loader, and takes 8 s at most.
    """
    command = programs.module("movie_launcher.reachability", source)
    try:
        asked = subprocess.run(  # noqa: S603 - this module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE_SECONDS:.0f} s"
    return None if asked.returncode == exits.DONE else asked.stdout.strip() or "it can't be asked"


def main(source: str) -> int:
    """Asks, and prints in a few words what is wrong, if nothing answers."""
    import requests  # noqa: PLC0415 - slow, and of use in the process that asks alone

    try:
        requests.head(urljoin(source, _FILE), timeout=_CONNECT_SECONDS, allow_redirects=True)
    except requests.exceptions.ProxyError:
        click.echo("the proxy refuses")
    except requests.exceptions.SSLError:
        click.echo("its certificate is not to be trusted")
    except requests.exceptions.Timeout:
        click.echo(f"no answer within {_CONNECT_SECONDS:.0f} s")
    except requests.exceptions.ConnectionError as error:
        click.echo("its name is not known here" if "NameResolution" in str(error) else "no connection")
    except requests.exceptions.RequestException as error:
        click.echo(error)
    else:
        return exits.DONE
    return exits.FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
