"""The tables of movies and of their overrides, as writes use them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from movie_api.extensions import db


class Movie(db.Model):  # type: ignore[name-defined,misc]
    """A movie: from the dumps, or made through the API."""

    __tablename__ = "movies"

    id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")
    )
    imdb_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    source: Mapped[str] = mapped_column(Text(collation="C"))
    title_type: Mapped[str] = mapped_column(Text(collation="C"))
    title: Mapped[str] = mapped_column(Text(collation="C"))
    original_title: Mapped[str | None] = mapped_column(Text(collation="C"))
    title_key: Mapped[str] = mapped_column(Text(collation="C"))
    year: Mapped[int | None] = mapped_column(SmallInteger)
    runtime_minutes: Mapped[int | None] = mapped_column(Integer)
    rating_tenths: Mapped[int | None] = mapped_column(SmallInteger)
    votes: Mapped[int | None] = mapped_column(Integer)
    is_adult: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    genre_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    imdb_link: Mapped[str | None] = mapped_column(Text)
    overrides: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    appeared_in: Mapped[int] = mapped_column(BigInteger)
    changed_in: Mapped[int] = mapped_column(BigInteger)


class Override(db.Model):  # type: ignore[name-defined,misc]
    """A field of a movie that an editor changed, or its deletion."""

    __tablename__ = "movie_overrides"

    movie_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    field: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    dumped: Mapped[Any] = mapped_column(JSONB)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    made_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
