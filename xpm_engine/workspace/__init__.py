"""The workspace: every path, record and ticket of the folder tree on disk."""
