"""A workspace of another machine: looked at by an agent there, kept in a folder here.

- `place`      which workspace, reached how, and the folder here that stands for it
- `reader`     the agent's answers -> deltas, as `store.reader` makes them of a disk
- `listening`  what changes there, as `watcher.Ears` hears it here
- `details`    the files of the job on the screen, followed into the folder here

What was seen stays in the user's cache folder, so that it can be browsed without the other machine.
"""
