"""What could go, why, who needs it all the same; and the way to the trash and back.

- `obsolete`, `offers`, `offering`  what could go, and the plan that somebody asked for
- `folding`, `fold_words`  rows that are alike, as one
- `clean`, `clean_json`, `offer_json`  the plan carried out and taken back; both as JSON
- `budget`, `usage`   what frees so many bytes; what takes how many
- `pins`              what no clean moves
- `policies`, `retention`, `after_run`  what ``[retention]`` says, and when
- `gone`, `trash_facts`  what left the workspace
- `shipped`           code on a host that no job needs
"""
