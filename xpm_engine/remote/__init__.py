"""Another host: the agent that is piped to its python3, and the connection to it.

- `frames`      the protocol, the same code at both ends
- `agent`       what runs on the other host; with `frames` and the portable set it travels there
- `archive`     what travels, and the first line that the far Python reads
- `pipes`       a command whose standard streams lead there
- `greeting`    the agent's hello, behind what the far shell prints first
- `connection`  requests to one living agent, and what it streams back
- `answers`     who waits for these, and the other side's errors as ours
- `link`        a connection that is made again when it was cut
- `openssh`     the user's ssh: its command, its one shared connection a host, what its errors mean
"""
