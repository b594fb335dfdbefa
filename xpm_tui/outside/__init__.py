"""What is around the app: its terminal, and other programs in it.

- `programs`   the user's editor, pager and shell
- `unpacking`  packed logs as files that such a program can read
- `clipboard`  copying through tmux
- `ending`     the terminal goes, or a signal asks the app to leave
"""
