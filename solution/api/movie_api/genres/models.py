"""The table of genres, as writes use it."""

from sqlalchemy import BigInteger, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from movie_api.extensions import db


class Genre(db.Model):  # type: ignore[name-defined,misc]
    """A genre; its id is kept for ever."""

    __tablename__ = "genres"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text(collation="C"))
    changed_in: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
