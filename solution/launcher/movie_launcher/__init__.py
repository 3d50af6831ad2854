"""What run.sh calls: brings the database, the loader and the API together."""
