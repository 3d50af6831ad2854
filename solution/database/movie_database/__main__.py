"""`python -m movie_database`."""

from movie_database.cli import main

main()
