"""The terminal app.

- `cli`         `xpm-tui`; `app`: what is wired to what; `terminal_app`: what any app needs
- `watcher`     reads the workspace in a thread and keeps `store`, the app's model of it, true
- `ears`        hears of changes in folders, for the watcher
- `screens`, `widgets`, `look`  what is seen
- `actions`     what the keys do; `deeds`, `changes`: what is done to the workspace, and taken back
- `facts`, `filtering`, `cleaning`  what is told of jobs, found among them, offered to be removed
- `far`         a workspace of another machine; `fetching`: results that are still there
- `outside`     other programs in the terminal
- `session`     what is kept until the next time
- `demo`        the experiment of ``--demo``
- `clock`, `settling`  what time it is; what the collector need not look at
"""
