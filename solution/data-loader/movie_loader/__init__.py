"""Brings IMDb's daily dumps into PostgreSQL, one module a stage; `load` joins them."""
