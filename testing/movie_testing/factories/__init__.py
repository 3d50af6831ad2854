"""Factories: what a test needs is in the database, and nothing else."""
