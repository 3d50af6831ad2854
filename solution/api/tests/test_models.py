"""The models are the tables that the scripts make."""

import pytest
from movie_api.extensions import db
from movie_api.genres.models import Genre
from movie_api.movies.models import Movie, Override
from sqlalchemy import inspect


@pytest.mark.parametrize("model", [Genre, Movie, Override])
def test_a_model_has_the_columns_of_its_table(app, model):
    with app.app_context():
        columns = inspect(db.engine).get_columns(model.__tablename__)
        dialect = db.engine.dialect
    in_database = {
        column["name"]: (column["type"].compile(dialect), column["nullable"]) for column in columns
    }
    in_model = {one.name: (one.type.compile(dialect), one.nullable) for one in model.__table__.columns}
    assert in_model == in_database
