"""One recipient's part of a bounce, and how several tellings of it become one."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..patterns import lazily
from .reply import Reply, find_reply

MAX_WORDS = 1500
"""Characters of a program's own words that are kept where it quotes no reply."""

ADDRESS = r"(?:\"[^\"\s]{1,64}\"|[^\s<>\"'()\[\]{},;:@|=*`]{1,64})@[A-Za-z0-9#](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?"

HEAD = lazily(
    rf"""^(?P<margin>[\s>*•·|–-]{{0,40}})(?:(?:failed\s|intended\s)?recipients?(?:\saddress)?\s?:\s*)?
    (?:<(?P<angled>{ADDRESS})>|["'](?P<quoted>{ADDRESS})["']|(?P<bare>{ADDRESS})(?:\s?<mailto:[^>]{{0,320}}>)?)
    (?P<from>\s*\((?:expanded|generated|originally|ultimately)[^()]{{0,330}}\))?
    (?P<mark>\s*(?:\.\.\.|[:;,–]|-\ ))?\s*
    (?P<rest>.*)$""",
    re.VERBOSE | re.IGNORECASE,
)
"""A line that opens with an address."""

_TOO_FEW = 3
"""Letters without which a text says nothing."""


class Failure(NamedTuple):
    """Who did not get a message, the reply that a bounce quotes or its own words, and who gave the reply."""

    recipient: str | None
    reply: Reply
    relay: str | None = None

    @property
    def weight(self) -> tuple[bool, bool, bool]:
        """How much is known: a reply's code above an enhanced code above words."""
        return (self.reply.code is not None, self.reply.enhanced is not None, bool(self.reply.text))


def says_something(text: str) -> bool:
    """Whether there are words in it."""
    return sum(map(str.isalpha, text[:200])) >= _TOO_FEW


def find_refusal(text: str) -> Reply | None:
    """Like `find_reply`; where a greeting holds a refusal ("220-host 421 4.2.1 Service refused"), that."""
    reply = find_reply(text)
    if reply and reply.code and reply.code.permanent is None:
        inner = find_reply(reply.text)
        if inner and inner.code and inner.code.permanent is not None:
            return inner._replace(phase=reply.phase)
    return reply


def fuller(brief: Reply | None, full: Reply | None) -> Reply:
    """Of two tellings of one reply, the one that has more; Sendmail cuts the brief one after its first line."""
    if brief is None or full is None:
        return brief or full or Reply(None, None, "", None)
    if brief.code is None and full.code is not None and not (brief.text and brief.enhanced):
        return full
    if brief.code != full.code:
        return brief
    joined = full if re.sub(r"\W", "", full.text).startswith(re.sub(r"\W", "", brief.text)) else brief
    return joined._replace(enhanced=brief.enhanced or full.enhanced, phase=brief.phase or full.phase)


def address_of(head: re.Match[str]) -> str:
    """The address of a line that `HEAD` matches."""
    return head["angled"] or head["quoted"] or head["bare"]
