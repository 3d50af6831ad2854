"""`python -m movie_launcher`, which is what run.sh becomes."""

from movie_launcher.cli import main

if __name__ == "__main__":
    main()
