"""A workspace of another machine: looked at by an agent there, kept in a folder here.

- `place`      which workspace, reached how, and the folder here that stands for it
- `reader`     the agent's answers -> deltas, as `store.reader` makes them of a disk
- `listening`  what changes there, as `xpm_tui.ears` hears it here
- `jobs`, `runs`, `living`  what the answers say of these, and of processes there
- `details`    the files of the job on the screen, followed into the folder here
- `deeds`      what is changed there, by the engine's own verbs
- `site`       all of it, as the app uses it
- `copies`     the folders here: where they are, and for how long

What was seen stays in the user's cache folder, so that it can be browsed without the other machine.
"""
