"""The dataset: what was loaded, and whether this server can answer."""
