"""Genres: the whole list, and their names for the other features."""
