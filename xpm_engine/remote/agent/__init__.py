"""What runs on the other host, for as long as its standard input is open; jobs outlive it.

- `serving`   the loop: requests in, answers out, a slice of each at a time
- `table`     every request there is, and who answers it
- `files`     reading: places, listings, ranges of files, many small files, checksums
- `storing`   writing: files that can be resumed, and are whole or not there
- `staging`   folders that are put together, and take their place whole
- `sweeping`  shipped code that is in use, and what nothing needs any more
- `tree`      a workspace's jobs and runs in bulk
- `browsing`  what differs from what the asker has seen, for a screen
- `jobs`      claiming, starting, finding and ending jobs
- `room`      what they need, reserved in this machine's pool
- `starting`  how a far job gets its process
- `notifier`  inotify, by ctypes
- `following` files and folders whose changes are streamed

Portable set: plain standard library, Python 3.8 syntax. Writes nothing outside of the workspace
that it is told, but for the machine's pool.
"""
