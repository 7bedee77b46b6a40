"""What the human-readable part of a bounce says: who did not get the message, and in which words.

Half of real bounces have nothing else. Programs differ in everything but this: a line that starts with the recipient's address is
followed by what happened, and the returned message comes last. Sendmail alone puts the reply elsewhere, in a transcript.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ..patterns import lazily
from .failure import ADDRESS, HEAD, MAX_WORDS, Failure, address_of, find_refusal, says_something
from .reply import Reply, parse_reply, phase_of
from .transcript import read_transcript

MAX_LINES = 3000
MAX_LINE = 4000
MAX_PARAGRAPH = 8000
MAX_FAILURES = 1000

# What may follow an address that opens a line, where no punctuation does.
_REST = lazily(
    r"<[^<>\s]{3,320}>$|\[.{1,200}\]$|\(.{1,200}\)$|on\s+\w{3},?\s|invalid\b|error\b|failed\b|unknown\b|not\b|rejected\b|[45]\d\d[\s:-]|\([45]\.|#?[45]\.\d",
    re.IGNORECASE,
)
# Whom to ask is nobody who failed to get something.
_ASKS = lazily(r"\b(?:contact|assistance|support|questions?|help|write to|e-?mail to|forward)\b[^.]{0,60}$", re.IGNORECASE)

_LABELLED = lazily(rf"^\s*(?P<label>[A-Za-z][A-Za-z' ]{{2,60}})\s?:\s*<?(?P<address>{ADDRESS})>?\s*$")
_NO_LABEL = lazily(
    r"(?:to|cc|bcc|from|sender|subject|reply.?to|return.?path|mail from|message.?id|errors.?to|e-?mail|contact)\b", re.IGNORECASE
)

# Where the returned message begins, in the words of many programs.
_RETURNED = lazily(
    r"""^(?:
      [\W_]{0,60}(?:below\ this\ line\ is\ a\ copy|(?:this|enclosed|included|below|attached|following)\ is\ (?:a|the)\ copy|copy\ of\ (?:your|the)\ message)
    | [\W_]{0,60}(?:the\ )?(?:headers?|body|text|first\ \d+\ lines)\ of\ (?:the|your)\ (?:original|message|returned)
    | [\W_]{0,60}(?:message|mail)\ (?:text|headers?|header\ lines|body)\ follows?
    | [\W_]{0,60}(?:original|returned|unsent|undelivered|bounced|rejected|failed)\ (?:message|mail)\ (?:as\ follows|follows|below|headers?\b(?!\s\w))
    | [\W_]{2,60}\s?(?:original|returned|unsent|forwarded|undelivered|rejected)\ (?:message|mail)\b(?!\ (?:details|was|could|has))
    | [\W_]{0,60}(?:original|returned|unsent)\ (?:message|mail)(?:\ headers?)?\s*[:.]?\s*$
    | [\W_]{0,60}(?:the\ |your\ )?(?:original\ )?message\ (?:reads|begins|starts|is\ as)\b
    | -{2,}.{0,20}(?:mensaje\ original|message\ original|originalnachricht|原信)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_RETURNED_FIELD = lazily(r"^\s{0,4}(?:Received|Return-Path|DKIM-Signature|Message-ID|MIME-Version)\s?:", re.IGNORECASE)
_MIME_NOISE = lazily(r"^(?:--\S{10,}|Content-(?:Type|Transfer-Encoding|Description|Disposition):.*|\s*charset=.*)$", re.IGNORECASE)

_RELAYS = tuple(
    lazily(pattern, re.IGNORECASE)
    for pattern in (
        r"\bhost:? (?P<relay>(?=\S*[.\[])[^\s,;]{1,255}?(?:\s?[\[(][\w.:]{3,45}[\])])?)(?=[\s:,;]|$)",
        r"\bwhile talking to (?P<relay>\S{1,255}?)[.:]{0,2}(?:\s|$)",
        r"\bServer <?(?P<relay>(?=\S*\.)[^\s<>]{1,255})>? (?:failed|said|replied|returned|rejected)",
        r"\b(?:Remote server|Connected to) \(?(?P<relay>[\w.:-]{4,255})\)?(?: \(\S{1,60}\))? (?:issued|but|said|returned)",
        r"^(?P<relay>[\w.-]{4,255}(?: \[[\w.:]{3,45}\])?) (?:does not like|did not like|failed after)",
        r"\b(?:server for the domain|by the server for)\s\S{1,255} by (?P<relay>[\w.-]{4,255})",
    )
)

_STATUS_FIELD = lazily(r"^\s{0,8}(?:Final-Recipient|Diagnostic-Code)\s?:", re.IGNORECASE | re.MULTILINE)
_SECTION = lazily(r"^\W{0,4}-{3,}\s?[^-].{0,100}-{3,}\W{0,4}$")
_QUOTE = lazily(r"^(?:> ?|\| )")
_GOT = lazily(r"^<<< ?(?P<reply>.*)$")
# What stands around a code in the words of Zoho, of Yahoo ("550: 5.1.1"), and where a line starts with one.
_AROUND_CODES = (
    (lazily(r"ERROR_CODE :([45]\d\d), ERROR_CODE :(?:, )?"), r": \1 "),
    (lazily(r"(?<![\d.:-])([45]\d\d)\s?:(?:\s?:)?\s"), r"\1 "),
)
_NOT_LIKED = lazily(r"\bdid not like our (?:final )?(?P<command>MAIL FROM|RCPT TO|DATA|EHLO|HELO)", re.IGNORECASE)
# Exchange marks what it quotes: "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##".
_HASHED = lazily(r"(?<!\S)#(?=[45]\d\d )|\s*##\s*$")
_CODE_FIRST = lazily(r"([45]\d\d)[ -]")
_MULTILINE = lazily(r"\b([45]\d\d)-")
_MARKED = lazily(r"[(\[#]#?[45]\.\d{1,3}\.\d{1,3}\b|^[45]\.\d{1,3}\.\d{1,3}[\s:]")
_ANY_ADDRESS = lazily(ADDRESS)
_TO = lazily(r"^\s*(?:to|rcpt to|x-original-to)\s?:", re.IGNORECASE)
_ANNOUNCES = lazily(
    r"address(?:es)?\b|\brecipients?\b|\bfollowing\b|\b(?:reason|error|because)\b.{0,40}:$|адрес|получател|宛先|アドレス", re.IGNORECASE
)
# What programs add for the reader's comfort and what tells nothing of the cause.
_EMPTY_WORDS = lazily(
    r"[*\s]*this e-?mail (?:has (?:come from|been scanned)|and any|is intended|is confidential)|[*\s]*(?:this|the) (?:message|communication) (?:and any|is intended)|"
    r"no action is required|please reply|if you feel|please do not resend|for further assistance|delivery attempts will|this is just a|you do not need",
    re.IGNORECASE,
)
_OPENERS = {"]": "[", ")": "(", ">": "<"}
_SERVICE_NAMES = frozenset(
    (
        "postmaster",
        "mailer-daemon",
        "abuse",
        "support",
        "help",
        "helpdesk",
        "webmaster",
        "hostmaster",
        "info",
        "admin",
        "root",
        "no-reply",
        "noreply",
    )
)


def holds_status_fields(text: str) -> bool:
    """Whether a delivery status notification's fields stand in plain text."""
    return bool(_STATUS_FIELD.search(unquoted(text)))


def unquoted(text: str) -> str:
    """`text` without the marks of a reply or a forward, where most of it has them."""
    lines = text.splitlines()[:MAX_LINES]
    quoted = sum(line.startswith((">", "| ")) for line in lines)
    if quoted * 2 <= sum(bool(line.strip()) for line in lines):
        return text
    return "\n".join(_QUOTE.sub("", line) for line in lines)


def read_failures(text: str, known: Sequence[str] = (), own: Collection[str] = ()) -> list[Failure]:
    """Return the recipients that `text` names, each with its reply or words; without any, one failure of nobody with the text's words.

    `known` are recipients that the headers name (X-Failed-Recipients); `own` are addresses of the bounce's sender and receiver.
    """
    lines = unquoted(text).splitlines()[:MAX_LINES]
    told, returned = _halves(lines)
    strangers = frozenset(address.lower() for address in own)
    found = read_transcript(told) or list(_of_heads(told, strangers)) or list(_of_labels(told, strangers))
    found = _named(_merged(found), known)
    everything, relay = _reply_in(_all_worded(_paragraphs(told)))
    if not found:
        recipients: list[str | None] = [*known] or [_mentioned(told, strangers) or _addressed(returned)]
        return [Failure(recipient, everything, relay) for recipient in recipients[:MAX_FAILURES]]
    if everything.code and not any(failure.reply.code for failure in found):
        # MailMarshal tells the reply first and whom it was about afterwards.
        return [failure._replace(reply=everything, relay=failure.relay or relay) for failure in found[:MAX_FAILURES]]
    return [failure if any(failure.weight) else failure._replace(reply=everything) for failure in found[:MAX_FAILURES]]


def _halves(lines: list[str]) -> tuple[list[str], list[str]]:
    """What the program says, and what it returns."""
    told: list[str] = []
    for number, line in enumerate(lines):
        if any(told) and (_RETURNED.match(line[:200]) or _RETURNED_FIELD.match(line[:60])):
            return told, lines[number:]
        if not _MIME_NOISE.match(line[:200]):
            told.append(line[:MAX_LINE].rstrip())
    return told, []


def _of_heads(lines: list[str], own: Collection[str]) -> Iterator[Failure]:
    """What stands below each line that opens with an address."""
    heads = list(_heads(lines))
    others = [(number, match) for number, match in heads if address_of(match).lower() not in own]
    heads = (others or heads)[:MAX_FAILURES]
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    waiting: list[str] = []
    for (number, match), end in zip(heads, ends[-len(heads) :] if heads else [], strict=True):
        words = _worded(_paragraphs([match["rest"], *lines[number + 1 : end]]))
        waiting.append(address_of(match))
        if words or end == len(lines):
            # Addresses listed one below the other share what follows the last.
            reply, relay = _reply_in(words)
            yield from (Failure(address, reply, relay) for address in waiting)
            waiting = []


def _of_labels(lines: list[str], own: Collection[str]) -> Iterator[Failure]:
    """What lines say that end with an address: "User mailbox exceeds allowed size: bob@example.com"."""
    for number, line in enumerate(lines):
        match = _LABELLED.match(line)
        if match and match["address"].lower() not in own and not _NO_LABEL.match(match["label"]):
            words = _worded(_paragraphs(lines[number + 1 : number + 30]))
            tells = _ANNOUNCES.search(match["label"]) is None
            reply, relay = _reply_in(words if words and (_rank(words) is not None or not tells) else match["label"])
            yield Failure(match["address"], reply, relay)


def _heads(lines: list[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """The lines that open with an address, except where that is what goes on, deeper, below another such line."""
    margin: int | None = None
    for number, line in enumerate(lines):
        if not line.strip():
            margin = None
            continue
        match = _head(lines, number, line)
        indentation = len(line) - len(line.lstrip())
        if match and (margin is None or indentation <= margin):
            margin = indentation
            yield number, match


def _head(lines: list[str], number: int, line: str) -> re.Match[str] | None:
    match = HEAD.match(line) if "@" in line else None
    if not match:
        return None
    mark, rest = (match["mark"] or "").strip(), match["rest"]
    if rest and mark in ("", ",") and not match["from"] and not _REST.match(rest):
        return None
    before = lines[number - 1] if number else ""
    return None if _ASKS.search(before[-100:]) else match


def _paragraphs(lines: list[str]) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip(" \t*=-_|#") and not _SECTION.match(line):
            paragraphs[-1].append(_GOT.sub(r"\g<reply>", line.strip()))
        elif paragraphs[-1]:
            paragraphs.append([])
    return [_joined(paragraph)[:MAX_PARAGRAPH] for paragraph in paragraphs if paragraph]


def _joined(lines: list[str]) -> str:
    """Lines as one; where one starts with a code and its neighbour does not, a colon says that a reply begins."""
    text = ""
    for line in lines:
        code = _CODE_FIRST.match(line)
        begins = code and text and code[1] not in text and text[-1].isalnum()
        text += f"{':' if begins else ''} {line}"
    for pattern, plain in _AROUND_CODES:
        text = pattern.sub(plain, text)
    return _HASHED.sub("", text.strip())


def _worded(paragraphs: list[str]) -> str:
    """Of what stands below a recipient, the part that tells why: the paragraph with a reply, else the first that says something."""
    ranked = [(rank, place) for place, paragraph in enumerate(paragraphs) if (rank := _rank(paragraph)) is not None]
    if ranked:
        place = min(ranked)[1]
        # DragonFly puts empty lines between those of a reply.
        code = _MULTILINE.search(paragraphs[place])
        following = [p for p in paragraphs[place + 1 : place + 30] if code and p.startswith(code[1])]
        return " ".join([paragraphs[place], *following])
    words = ""
    for paragraph in paragraphs:
        if _EMPTY_WORDS.match(paragraph):
            break
        words = f"{words} {paragraph}".strip()
        if not paragraph.endswith((":", "--")):
            return words[:MAX_WORDS]
    return ""


def _all_worded(paragraphs: list[str]) -> str:
    """Of a text that names no recipient: the paragraph with a reply, else all that follows the first announcement."""
    worded = _worded(paragraphs)
    if worded and _rank(worded) is not None:
        return worded
    announced = next((place for place, paragraph in enumerate(paragraphs) if paragraph.endswith(":")), -1)
    announced -= announced >= 0 and not _ANNOUNCES.search(paragraphs[announced])
    return " ".join(_telling(paragraphs[announced + 1 :]) or _telling(paragraphs))[:MAX_WORDS]


def _telling(paragraphs: list[str]) -> list[str]:
    """Those that are more than addresses, and no comfort."""
    return [p for p in paragraphs if says_something(_ANY_ADDRESS.sub("", p)) and not _EMPTY_WORDS.match(p)]


def _rank(paragraph: str) -> int | None:
    """How well a paragraph quotes a reply: 0 for code and words, 1 for an enhanced code that is marked as one, 2 for a bare code; None for none."""
    reply = find_refusal(paragraph)
    if reply and reply.code and reply.code.permanent is not None:
        return 0 if says_something(reply.text) else 2
    return 1 if _MARKED.search(paragraph) else None


def _reply_in(words: str) -> tuple[Reply, str | None]:
    """The reply that a program's words quote, and who gave it."""
    relay = next((match["relay"] for pattern in _RELAYS if (match := pattern.search(words))), None)
    reply = find_refusal(words)
    if reply is None or reply.code is None or reply.code.permanent is None:
        bare = parse_reply(words)
        return Reply(None, bare.enhanced, bare.text[:MAX_WORDS], None), relay
    if not says_something(reply.text):
        # Some write the code behind the words: mailbox unavailable. [SMTP Error Code 550]
        reply = reply._replace(text=words[:MAX_WORDS])
    if reply.text[-1:] in _OPENERS and _OPENERS[reply.text[-1]] not in reply.text:
        reply = reply._replace(text=reply.text[:-1].rstrip())
    liked = _NOT_LIKED.search(words) if reply.phase is None else None
    return (reply._replace(phase=phase_of(liked["command"])) if liked else reply), relay


def _merged(failures: list[Failure]) -> list[Failure]:
    """One for each recipient: that of which most is known."""
    best: dict[str, Failure] = {}
    for failure in failures:
        key = (failure.recipient or "").lower()
        if key not in best or failure.weight > best[key].weight:
            best[key] = failure
    return list(best.values())


def _named(failures: list[Failure], known: Sequence[str]) -> list[Failure]:
    """`failures` under the recipients that the headers name, where the text has others (an alias's target, a pipe)."""
    wanted = {address.lower() for address in known}
    if not failures or not wanted:
        return failures
    right = [failure for failure in failures if (failure.recipient or "").lower() in wanted]
    told = {(failure.recipient or "").lower() for failure in right}
    wrong = [failure for failure in failures if failure not in right]
    missing = [address for address in known[:MAX_FAILURES] if address.lower() not in told]
    spare = wrong[: len(missing)] + [failures[-1]] * (len(missing) - len(wrong))
    right += [failure._replace(recipient=address) for address, failure in zip(missing, spare, strict=True)]
    return right


def _mentioned(lines: list[str], own: Collection[str]) -> str | None:
    """The first address in the text that may be the recipient's."""
    found = re.findall(rf"(?<![\w.]){ADDRESS}", "\n".join(lines)[: 1 << 16])
    others = [address for address in found if address.lower() not in own]
    return next((address for address in others if address.partition("@")[0].lower() not in _SERVICE_NAMES), None)


def _addressed(returned: list[str]) -> str | None:
    """The only one whom the returned message was for."""
    to = next((line for line in returned[:200] if _TO.match(line)), "")
    found = _ANY_ADDRESS.findall(to[:MAX_LINE])
    return found[0] if len(found) == 1 else None
