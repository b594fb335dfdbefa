"""Launchers: where and how a job starts."""
