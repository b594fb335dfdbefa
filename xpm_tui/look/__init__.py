"""How things look: signs, words and colours.

- `signs`    state -> glyph, word, name of a style
- `words`    numbers, times and what users wrote, in words
- `themes`   name of a style -> colour, in each theme (the only part that needs Textual)

Texts carry the *names* of styles (``xpm.failed``), so that one text is right in every theme.
What users wrote goes through `plain` before it is drawn.
"""

from __future__ import annotations

from xpm_tui.look.signs import (
    BAR_FULL,
    BAR_REST,
    CURSOR,
    DRIFTED,
    FOLDED,
    MARKED,
    PINNED,
    PLANS,
    STATES,
    UNFOLDED,
    StateLook,
    bar,
    count_text,
    held_words,
    state_glyph,
    state_text,
    wait_text,
)
from xpm_tui.look.words import (
    ago,
    cut,
    duration,
    hidden_words,
    ordinal,
    percent,
    plain,
    plural,
    silence_words,
    size,
    when,
    when_long,
)

__all__ = [
    "BAR_FULL",
    "BAR_REST",
    "CURSOR",
    "DRIFTED",
    "FOLDED",
    "MARKED",
    "PINNED",
    "PLANS",
    "STATES",
    "UNFOLDED",
    "StateLook",
    "ago",
    "bar",
    "count_text",
    "cut",
    "duration",
    "held_words",
    "hidden_words",
    "ordinal",
    "percent",
    "plain",
    "plural",
    "silence_words",
    "size",
    "state_glyph",
    "state_text",
    "wait_text",
    "when",
    "when_long",
]
