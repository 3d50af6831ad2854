"""The Flask extensions, made once and bound in `create_app`."""

from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
