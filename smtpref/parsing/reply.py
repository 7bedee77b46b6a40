"""The text of a reply: its reply code, its enhanced code and its words; the one place that finds codes in text.

A reply seldom comes alone: programs wrap it (`host mx said: 550 ...`, `smtp; 550 ...`, `(550, b'5.1.1 ...')`), repeat its code inside
a multi-line one, and nest one reply in another. `find_reply` takes the wrapping off; `nested_starts` says where inner replies begin.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..model import EnhancedCode, Phase, ReplyCode
from ..patterns import lazily

REPLY_FIRST = r"[2-5]\d\d(?:[ -]|$)"
CODE_FIRST = lazily(REPLY_FIRST)
"""A text that begins with a reply code, and nothing before it."""

_ENHANCED = r"[245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})"

# There are few codes, and each is met many times.
reply_code = lru_cache(maxsize=1000)(ReplyCode.parse)
enhanced_code = lru_cache(maxsize=1000)(EnhancedCode.parse)

# RFC 5321 section 4.2 ends the second digit at 5; 471, 571, 585 and 591 are sent all the same.
_CODE = r"(?:[2-5][0-5]\d|471|571|585|591)"

# What stands before the code of a reply: nothing, the punctuation of whoever quotes it, or a dialogue's arrow.
_BEFORE = r"""(?:^|[\s:;("'=|>\[,]|<-|\bb')"""
# What stands after: the end, or a separator and something that is not another number (a size, a date, a port); a host name may begin with one.
_AFTER = rf"""(?=$|["')\]]|:\s*(?!\d)|,\s*b?["']|[ \t]*[-#][ \t]*#?(?!\d\d(?!\d*[a-z][\w-]*\.[a-z]))|[ \t]+(?:{_ENHANCED}(?![\d.])|[^\d\s]|\d+(?![\d.:/-]*$)))"""

_LEADING_CODE = lazily(rf"{_CODE}(?!\d)")
_REPLY = lazily(rf"{_BEFORE}(?P<code>{_CODE}){_AFTER}")

# Within words a number is a reply only behind the punctuation that quotes one, or before an enhanced code ("300 seconds" is none).
_NESTED = lazily(
    rf"""(?:[:;("'>|]\s?|\s)(?P<code>{_CODE})[ -](?:\s*#?{_ENHANCED}(?![\d.])|(?<=[:;("'>|].{{4}})(?=\D)|(?<=[:;("'>|]\s.{{4}})(?=\D))"""
)

_ASKED_ABOUT_SENDER = lazily(r"\bsender (?:address rejected: (?:undeliverable|unverified) address|verif\w+ fail)", re.IGNORECASE)

# Contexts that say outright that a reply follows; they win over a number met earlier.
_ANNOUNCED = lazily(
    r"""(?:
      \bsaid:                                       # Postfix, and mail programs that quote it
    | \brefused\ to\ talk\ to\ me:
    | \b(?:responded|replied|answered|returned)(?:\ with)?:?
    | \bsmtp;                                       # Diagnostic-Code
    | \b(?:stat|status|reason|response|reply|diag|message|error|result)[=:]
    | <<<
    | \b(?:got|unexpected|response|error|reply|status|smtp)\ code:?
    | \bwith\ message
    )\s*["'(\[]?\s*
    """,
    re.VERBOSE | re.IGNORECASE,
)

_SAID = " said: "
_LEADING_ENHANCED = lazily(rf"\s*[-(\[]?\s*#?-?\s*({_ENHANCED})(?![\d.]*\d)[)\]:]?[ \t]*-?[ \t]*")
_MARKED_ENHANCED = lazily(rf"(?:\(#?|\[#?|#\s?|- )({_ENHANCED})(?!\.?\d)[)\]]?")
_INNER_ENHANCED = lazily(r"(?<![\w.])([245]\.[0-7]\.(?:0|[1-9]\d{0,2}))(?![\w-]|\.\d)")
_FIRST_ENHANCED = lazily(rf"({_ENHANCED}) - ")
# Exchange 2003 ends its sentences with "<mx.example.com #5.1.1>".
_BARE_ENHANCED = lazily(rf"(?:^|[:;(=\[]\s?#?|smtp;\s?|\s#)({_ENHANCED})(?=[\s:;,)\]>]|$)")

# Amid other words a number is a code where an enhanced code follows, or where the word before it speaks of replies.
_SPEAKS_OF_CODES = lazily(
    r"\b(?:codes?|errors?|status|reply|response|smtp|failed|rejected|refused|returned|returns|got|with)[\s:=(]*$", re.IGNORECASE
)
_QUOTES = lazily(r"""(?:^|[\s>\])}]:|[:;"'=|>,]\s|[("'=|>\[]|<-|<\*\*|\bb')\s*$|^\s*$""")
# The value of a field that counts something is no code: "mailsize=321 smtpstatus=250".
_COUNTED = lazily(r"(?:size|len|length|bytes|port|pid|uid|nrcpt|count)=$", re.IGNORECASE)
_COUNTS = lazily(r"\s(?:[kKMG]?i?[bB](?:ytes)?|bytes|messages?|mails|users|domains|seconds|ms)\b")

# The end may be missing: syslog cuts a line at 1 or 2 KiB.
_IN_REPLY_TO = lazily(r"\s*\(in reply to (?:the )?(?P<command>[\w ]{1,40}?)(?: c\w{0,6})?\s*\)?\s*\)?$", re.IGNORECASE)
_AFTER_COMMAND = lazily(
    r"\b(?:after|for|in response to)\s+(?:pipelined\s+)?(?:sending\s+)?(?P<command>"
    r"initial connection|EHLO|HELO|STARTTLS|AUTH|MAIL FROM|RCPT TO|end of data|DATA|BDAT)",
    re.IGNORECASE,
)

_PHASES = {
    "initial connection": Phase.CONNECT,
    "connect": Phase.CONNECT,
    "ehlo": Phase.EHLO,
    "lhlo": Phase.EHLO,
    "helo": Phase.HELO,
    "starttls": Phase.STARTTLS,
    "auth": Phase.AUTH,
    "mail": Phase.MAIL,
    "mail from": Phase.MAIL,
    "rcpt": Phase.RCPT,
    "rcpt to": Phase.RCPT,
    "data": Phase.DATA,
    "bdat": Phase.BDAT,
    "end of data": Phase.END_OF_DATA,
    "end-of-message": Phase.END_OF_DATA,
    "rset": Phase.RSET,
    "vrfy": Phase.VRFY,
    "expn": Phase.EXPN,
    "etrn": Phase.ETRN,
    "noop": Phase.NOOP,
    "quit": Phase.QUIT,
}

_TRAILER = lazily(r"""\s*(?:\(?state 1[0-9]\)?\.?|\[\d{3}\]|["'])\s*$""")
_TRAILER_ENDS = frozenset(".)]\"' 0123456789") | {""}
LONGEST_TRAILER = 20
_BYTES_LITERAL = lazily(r"""^\s*,\s*b?(["'])(?P<text>(?:\\.|(?!\1)[^\\])*)(?:\1|$)""", re.DOTALL)
_SPACES = lazily(r"\s+")


class Reply(NamedTuple):
    """A reply without its wrapping."""

    code: ReplyCode | None
    enhanced: EnhancedCode | None
    text: str
    phase: Phase | None


def phase_of(command: str) -> Phase | None:
    """The phase that a command's name stands for, however a program writes it ("RCPT TO", "end of DATA", "END-OF-MESSAGE")."""
    return _PHASES.get(" ".join(command.lower().split()))


def find_reply(text: str) -> Reply | None:
    """Take the first reply out of what surrounds it; None where `text` holds no reply code and no enhanced code."""
    line, phase = _without_in_reply_to(" ".join(text.split()))
    match = _find_code(line)
    if match:
        before = line[: match.start("code")]
        reply = _parse(*_without_in_reply_to(line[match.start("code") :]), phase or _phase_before(before))
        # IronPort puts the enhanced code first: "5.1.0 - Unknown address error 550-'no such user'"
        first = _FIRST_ENHANCED.match(before)
        return reply._replace(enhanced=enhanced_code(first[1])) if first and reply.enhanced is None else reply
    bare = _BARE_ENHANCED.search(line)
    if bare:
        rest = line[bare.end(1) :].lstrip(" :;,)]-")
        # qmail puts it last: "Sorry, I couldn't find any host named example.invalid. (#5.1.2)"
        return Reply(None, enhanced_code(bare[1]), line if bare.start() and not re.search(r"\w", rest) else rest, phase)
    return None


def parse_reply(text: str, phase: Phase | None = None) -> Reply:
    """Read a reply that starts with its code, or with none at all."""
    return _parse(*_without_in_reply_to(" ".join(text.split())), phase)


def _parse(line: str, own_phase: Phase | None, phase: Phase | None) -> Reply:
    code = reply_code(line[:3]) if _LEADING_CODE.match(line) else None
    rest = line[3:] if code else line
    literal = _BYTES_LITERAL.match(rest) if code and "," in rest[:4] else None
    if literal:
        first, *others = literal["text"].replace("\\r", "").split("\\n")
        rest = " ".join([first, *(_LEADING_ENHANCED.sub("", line, count=1) if _LEADING_ENHANCED.match(line) else line for line in others)])
    # A forwarded multi-line reply repeats its code before every line; the hyphen marks all but the last.
    is_multiline = code is not None and rest.startswith("-")
    rest = rest.lstrip("- :,)]\"'") if code else rest
    leading = _LEADING_ENHANCED.match(rest)
    enhanced = enhanced_code(leading[1]) if leading and _agree(leading[1], code) else None
    if enhanced and leading:
        rest = rest[leading.end() :]
    if code and (is_multiline or f" {line[:3]}-" in rest):
        rest = _without_repeated_codes(rest, str(code), str(enhanced) if enhanced else None)
    enhanced = enhanced or _later_enhanced(rest, code)
    trailer = _TRAILER.search(rest, max(0, len(rest) - LONGEST_TRAILER)) if rest[-1:] in _TRAILER_ENDS else None
    return Reply(code, enhanced, (rest[: trailer.start()] if trailer else rest).strip(), own_phase or phase)


def nested_starts(text: str) -> list[int]:
    """Where the words of replies inside `text` begin, the innermost (last) first; what the sender's host said when it was asked is none."""
    starts: list[int] = []
    for match in _NESTED.finditer(text):
        begin = match.end("code")
        rest = text[begin:].lstrip("- :")
        begin = len(text) - len(rest)
        leading = _LEADING_ENHANCED.match(rest)
        starts.append(begin + leading.end() if leading else begin)
    if starts and _ASKED_ABOUT_SENDER.search(text):
        return []
    return [start for start in reversed(starts) if start < len(text)]


def _find_code(line: str) -> re.Match[str] | None:
    # By far the most frequent, and the same as what follows would find.
    said = line.find(_SAID) if line.startswith("host ") else -1
    match = _REPLY.match(line, said + len(_SAID) - 1) if said >= 0 else None
    if match:
        return match
    first = _REPLY.match(line)
    if first and not line[: first.start("code")] and _is_code(line, first):
        return first
    for announcement in _ANNOUNCED.finditer(line):
        match = _REPLY.match(line, announcement.end()) or _REPLY.match(line, announcement.end() - 1)
        if match:
            return match
    return next((match for match in _REPLY.finditer(line) if _is_code(line, match)), None)


def _is_code(line: str, match: re.Match[str]) -> bool:
    before, after = line[: match.start("code")], line[match.end("code") :]
    leading = _LEADING_ENHANCED.match(after)
    if (leading and _agree(leading[1], reply_code(match["code"]))) or not before or _SPEAKS_OF_CODES.search(before):
        return True
    if _COUNTED.search(before):
        return False
    return bool(_QUOTES.search(before) and re.match(r"[-, :]\s*[^\s\d,:)\]]", after) and not _COUNTS.match(after))


def _phase_before(prefix: str) -> Phase | None:
    if "refused to talk to me" in prefix:
        return Phase.CONNECT
    match = _AFTER_COMMAND.search(prefix)
    return phase_of(match["command"]) if match else None


def _without_in_reply_to(line: str) -> tuple[str, Phase | None]:
    start = max(0, len(line) - 80)
    match = _IN_REPLY_TO.search(line, start) if "reply to" in line[start:].lower() else None
    return (line[: match.start()], phase_of(match["command"])) if match else (line, None)


def _without_repeated_codes(text: str, code: str, enhanced: str | None) -> str:
    own = re.escape(enhanced) if enhanced else _ENHANCED
    repeated = re.compile(rf"(?:^|(?<=\s)|\?){code}(?:-| |$)(?:\s*{own}(?![\d.]))?\s*")
    return _SPACES.sub(" ", repeated.sub(" ", text))


def _later_enhanced(text: str, code: ReplyCode | None) -> EnhancedCode | None:
    marked = (*_MARKED_ENHANCED.finditer(text), *_INNER_ENHANCED.finditer(text))
    return next((enhanced_code(m[1]) for m in marked if _agree(m[1], code)), None)


def _agree(enhanced: str, code: ReplyCode | None) -> bool:
    """Whether the enhanced code may belong to this reply: RFC 2034 section 4 asks for the same class, and senders mix 4 and 5."""
    return code is None or (enhanced[0] == "2") == (200 <= code.value < 300)
