"""The pool of a machine: what it can run at a time, shared by all plans of its user.

Portable set: plain standard library, Python 3.8 syntax. One subject a module:

- `folder`        where it is, who may use it, and the one mutex
- `sharing`       the arithmetic: who may go, who must wait, for what
- `reservations`  what a running attempt holds, and what is given back for the dead
- `member`        a plan in the pool: it asks, waits in line, and is woken
"""
