"""Accounts: who may sign in and how, and what they are allowed."""
