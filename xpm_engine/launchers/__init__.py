"""Launchers: where and how a job starts.

- `base`      the contract; `choosing`: a launcher by its name
- `local`     this machine; `warm`: its jobs are forked where that is safe
- `ssh`       other machines; `bundle`: the code that travels there
- `fake`      for tests of plans: nothing is executed
- `machine`   what this machine has
"""
