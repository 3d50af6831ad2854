"""What the programs need to reach PostgreSQL: settings, the server, the schema. Knows nothing of movies."""
