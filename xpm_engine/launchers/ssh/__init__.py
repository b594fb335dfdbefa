"""Other machines over ssh: jobs run there, and are watched, killed and read here.

- `launcher`  the contract, over one host or several
- `balance`   which host of several a job goes to
- `host`      one host of a plan: its connection, and the way of each job through it
- `site`      what there is on the host, and the code that was brought there
- `worker`    a thread that does one thing after the other
- `work`      one job on its way
- `sending`   orders on their way: shipped, given room, sent
- `shipping`  what must be there before: code, upstream results, the order
- `starts`    orders without a start: asked about, sent again, given up
- `arrivals`  what comes back: its threads, and the end here
- `mirror`    what comes back while it runs, as the files of the local job folder
- `endings`   ends that do not come by themselves: stopped, given up, found dead
- `fetching`  what its result brings here when it is done
"""

from xpm_engine.launchers.ssh.launcher import SshLauncher

__all__ = ["SshLauncher"]
