"""Hearing of changes in folders of this machine.

- `opening`    which of the two this machine has
- `inotify`    on Linux: one descriptor and one thread for all folders
- `watchdogs`  elsewhere, by watchdog
"""
