"""One question a module, one table each; `python -m benchmarks` runs them."""
