"""Takes out of technical details what nobody may read there: credentials, and what a customer's record holds."""

from __future__ import annotations

import re
from typing import Final

MAX_DETAIL: Final = 4_000

_RULES: Final = (
    # postgresql://user:secret@host
    (re.compile(r"(?P<kept>\w://[^\s:/@]*):[^\s@]*@"), r"\g<kept>:***@"),
    # password=secret, "token": "secret", secret_access_key = ...
    # Only from the beginning of a word, with no second thought: a word of 50,000 letters took a minute and a half.
    (
        re.compile(
            r"(?i)(?P<kept>(?<![\w-])(?=[\w-]++[\"']?\s*[=:])(?>[\w-]*"
            r"(?:password|passwd|pwd|secret|token|credential|access_key|api_key|authorization)"
            r"[\w-]*+[\"']?\s*[=:]\s*))(?:\"[^\"]*\"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&)]+)"
        ),
        r"\g<kept>***",
    ),
    # PostgreSQL quotes the record in these lines, and the offending value at the end of a message.
    (re.compile(r"(?m)^(?P<kept>[^\S\n]*(?:DETAIL|CONTEXT|QUERY|STATEMENT|PARAMETERS):).*$"), r"\g<kept> ***"),
    (
        re.compile(r"(?m)(?P<kept>(?:invalid input \w+ for|out of range for|invalid \w+)[^:\n]*:) \".*\"$"),
        r'\g<kept> "***"',
    ),
)


def without_secrets(text: str) -> str:
    """The text with `***` in place of every secret that can be told by what stands before it."""
    for rule, new in _RULES:
        text = rule.sub(new, text)
    return text


def scrubbed(detail: str) -> str:
    """The detail as it may be stored and shown to engineers, at most MAX_DETAIL characters, its end kept."""
    detail = without_secrets(detail).replace("\x00", "").encode(errors="replace").decode()
    return detail if len(detail) <= MAX_DETAIL else "…" + detail[-MAX_DETAIL + 1 :]
