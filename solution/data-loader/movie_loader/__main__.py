"""`python -m movie_loader` is `movie-loader`."""

from movie_loader.cli import main

main()
