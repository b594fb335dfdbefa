"""The tree at the left.

- `tree`, `keys`  what is drawn, and what keys and the mouse do there
- `model`    its rows, from the store; no Textual
- `lines`    what a row says, in the width there is
"""
