"""Work that nobody waits for: a queue in PostgreSQL, a worker, and alerts. Knows nothing of movies."""
