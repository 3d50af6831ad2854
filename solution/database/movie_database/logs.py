"""One way of logging for all programs: structlog, as text or JSON, to one stream."""

import json
import logging
import re
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from movie_database.settings import Settings

_SECRET_NAMES: Final = re.compile(
    r"password|secret|token|authorization|cookie|dsn|database_url", re.IGNORECASE
)
_SECRET_IN_ADDRESS: Final = re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@")
# C0 and C1 controls and the two separators: a terminal or a log shipper acts on them or sees a new line.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_BUT_LINES: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_PICTURES: Final = 0x2400
_HIDDEN: Final = "***"
_CHATTY: Final = ("urllib3", "yoyo", "asyncio")
_OWN_HANDLER: Final = "movie_database"


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """From now on, structlog's and the standard library's loggers write to the stream, by `LOG_*`.

    Args:
        settings: Says the least level and the form of the lines.
        stream: Where lines go; standard error if none is given.
    """
    stream = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.log_format == "json"
    form: list[Processor] = (
        [_without_secrets, structlog.processors.JSONRenderer(serializer=_json)]
        if as_json
        else [
            _without_secrets,
            _on_one_line,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0),
        ]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *form,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.set_name(_OWN_HANDLER)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == _OWN_HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _CHATTY:
        # Their INFO is our DEBUG: a line for each connection and each statement.
        logging.getLogger(name).setLevel("DEBUG" if settings.log_level == "DEBUG" else "WARNING")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _json(value: object, **options: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=options.get("default") or str)  # type: ignore[arg-type]


def _without_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001
    """Hides values whose names say they are secret, and passwords inside of addresses."""
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = _HIDDEN
        elif isinstance(value, str) and "@" in value:
            event[name] = _SECRET_IN_ADDRESS.sub(rf"\1:{_HIDDEN}@", value)
    return event


def _on_one_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001
    """Shows control characters as pictures: no value can forge a line or talk to the terminal."""
    for name, value in event.items():
        if isinstance(value, str):
            controls = _CONTROLS_BUT_LINES if name == "exception" else _CONTROLS
            event[name] = controls.sub(_picture, value)
    return event


def _picture(control: re.Match[str]) -> str:
    """Unicode's picture of a control character, such as ␊ for a line feed."""
    code = ord(control.group())
    return chr(_PICTURES + code) if code < ord(" ") else "\N{REPLACEMENT CHARACTER}"
