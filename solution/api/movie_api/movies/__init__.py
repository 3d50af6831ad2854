"""Movies: lists in any order, one movie, a new movie."""
