"""What kind of notice a message is, and its records: a bounce, an abuse report, an automatic reply; ordinary mail is none.

The machine-readable part decides where there is one. Without it a message is a bounce only when a mail system sent it, or says so in its
subject or headers, and its text tells of a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import Direction, InputFormat, Outcome, Record
from ..patterns import lazily
from .bounce_text import holds_status_fields, read_failures, unquoted
from .delivery_status import read_status, status_records
from .failure import MAX_WORDS, Failure
from .message import Headers, Message, Part, iso_time
from .reply import Reply, find_reply

_DAEMON = lazily(
    r"^(?:mailer-?daemon|post_?master|mail[._-]?(?:delivery|daemon|system|router)|mdaemon|mmdf|uucp|smtp[._-]?(?:agent|server|gateway)"
    r"|symantec_antivirus|e\d+_smtp)\b|mailer-daemon|postmaster@|mail delivery (?:(?:sub)?system|service)|mail administrator|system administrator",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = lazily(
    r"""\bundeliver|\bnon[- ]?(?:remis|deliver|recapit|entreg)|deliver(?:y|ies)\s(?:status|fail|report|notif|problem|error|has|of)|\bnot\s(?:be\s|been\s|yet\s)*deliver
    | returned\s(?:mail|e-?mail|message|to\ssender)|return(?:ing)?\s(?:message\s)?to\ssender|fail(?:ure|ed)[:,]?\s(?:notice|delivery|mail|to\sdeliver)|mail\s?(?:system\s)?(?:delivery\s)?(?:fail|error|was\snot)
    | message\s(?:delivery\s|status\s)?(?:fail|delayed|not\s|bounce|rejected|undeliver)|\bdelayed\b.{0,20}(?:mail|message|hours?)|(?:delivery|message|mail)\s?.{0,40}\bdelayed\b|\bbounced?\b
    | processing\serror|user\sunknown|unzustellbar|unbestellbar|zustell(?:ung|fehler)|nicht\szugestellt|r?e?n?on\s?distribu|échec|echec\sd|devuelto|no\sentregad|não\s(?:foi\s)?entreg|mancata\sconsegna
    | onbestelbaar|недоставленн|не\sдоставлен|配信|送信(?:エラー|不能|失敗)|不達|退信|无法(?:投递|送达)|傳送失敗|loop\salert|automatically\srejected|warning:.{0,80}(?:deliver|unknown|delay)""",
    re.IGNORECASE | re.VERBOSE,
)
_FAILS = lazily(
    r"""(?:not|n't|un)\s?(?:able\sto\s|be\s|been\s|yet\s|possible\sto\s)*(?:deliver|reach|accept|process|sent|find|found|exist)|undeliver|\bfail(?:ed|ure|s)?\b|permanent\s(?:fatal\s)?error|fatal\serror
    | \breject(?:ed|ion)?\b|returned\s(?:below|to)|did\snot\sreach|\bdelayed\b|unknown|deferred|bounce|quota|\bfull\b|transcript\sof\ssession|does\snot|doesn't|invalid|disabled|encountered|problem|loop|duplicat|could\snot|abort|unrout|\berrors?\b|no\s(?:such|user|mailbox|account|valid)
    | n'a\spas|no\s(?:pudo|se\spudo|ha\spodido|existe)|nicht\s|non\s(?:è|e'|remis|distribu)|не\sможет|não|できません|でき(?:なかった|ません)|ません|无法|失败|不存在|退回""",
    re.IGNORECASE | re.VERBOSE,
)
# Parcels are not delivered either: it has to be a message.
_MESSAGE_FAILED = lazily(
    r"""\b(?:e-?mail|mail|message)\b.{0,80}\b(?:could|can|was|were|has|have)(?:\s?not|n't)\s(?:yet\s)?be(?:en)?\s(?:delivered|sent)|undeliver(?:able|ed)\s(?:e-?mail|mail|message)
    | (?:unable|n't\sable)\sto\sdeliver\s(?:your|the)\s(?:e-?mail|mail|message)|(?:e-?mail|mail|message)\b.{0,60}\bdid\snot\sreach|duplicated\smessage-id
    | (?:message|courriel|e-?mail)\sn'a\spas?\spu|(?:mensaje|correo)\b.{0,40}\bno\s(?:pudo|ha\spodido|se\spudo)|(?:nachricht|e-?mail)\b.{0,60}\bnicht\szugestellt|messaggio\b.{0,40}\bnon\sè\sstato""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_DELAY = lazily(
    r"""not\s(?:yet\s)?been\s(?:yet\s)?delivered|has\snot\s(?:yet\s)?been|have\snot\syet|been\sdelayed|\bis\sdelayed|warning\smessage\sonly|just\sa\swarning|will\s(?:be\sretried|continue\sto\s(?:be\sretried|try|attempt|retry|be))
    | delivery\sattempts\swill\scontinue|attempts\s(?:will|to)\s(?:be\s)?continue|still\strying|keep\strying|no\saction\sis\srequired""",
    re.IGNORECASE | re.VERBOSE,
)
_DELAYED_SUBJECT = lazily(r"\bdelay(?:ed)?\b|^\W{0,10}warning\b(?!.{0,100}unknown)|not\syet\sbeen", re.IGNORECASE)

_AUTO_SUBJECT = lazily(
    r"""^\W{0,3}(?:(?:automatic(?:ally)?|auto)[\s_-]*(?:reply|response|generated\sreply|answer|replied)|auto:|autoreply|(?:i\sam\s|i'm\s)?out\sof\s(?:the\s)?office|out-of-office|vacation\s(?:reply|message|notice|auto)|on\s(?:vacation|holiday|leave)(?:\s*$|[:,.(]|\s(?:from|till?|until))|away\sfrom\s(?:my|the)
    | automatische\s(?:antwort|abwesenheit)|abwesen|autoantwort|réponse\sautomatique|reponse\sautomatique|absence\sdu|absent\s(?:du|jusqu|from|until)|respuesta\sautom|fuera\sde\s(?:la\s)?oficina|resposta\sautom|fora\sdo\sescrit|risposta\sautom
    | fuori\s(?:sede|ufficio)|automatisch\s(?:antwoord|bericht)|afwezig|autosvar|automatisk\s?svar|autom.{0,3}\ssvar|automaattinen|odpowied.\sautomat|automatick[áa]\sodpov|автоответ|автоматический\sответ
    | 自動(?:応答|返信|回覆|回复)|不在|自动(?:回复|答复)|자동\s?(?:응답|회신)|trả\slời\stự\sđộng|otomatik\sy|automatikus\sv|απάντηση)""",
    re.IGNORECASE | re.VERBOSE,
)
_AUTO_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-autoreply-from",
    "x-auto-response",
    "x-mail-autoreply",
)
_VERBATIM_HEAD = lazily(r"^\s*(?:reason|error|the following (?:reason|error) was given|because)[^:]{0,40}:\s*$", re.IGNORECASE)
_COMPLAINS = lazily(r"\bcomplaint about message from\b|\babuse report\b|\bfeedback[- ]loop\b|\bspam report\b", re.IGNORECASE)
_REFUSES = lazily(r"\brejected\b|\brefused\b", re.IGNORECASE)
_NO_COMPLAINT = frozenset(("not-spam", "opt-out-list"))
_FAILED_AUTHENTICATION = "auth-failure"
_REDACTED = lazily(r"redacted|^\W*$", re.IGNORECASE)


def notice_records(message: Message, base: Record) -> list[Record]:
    """The records of a message; none where it is ordinary mail."""
    for read in (_status, _complaint, _disposition, _automatic):
        records = read(message, base)
        if records is not None:
            return records
    return list(_bounce(message, base))


def _status(message: Message, base: Record) -> list[Record] | None:
    """Of a delivery status part, or of its fields in plain text where the parts got lost."""
    parts = _parts_of(message, "message/delivery-status")
    texts = list(message.texts())
    human = texts[0] if texts else ""
    records: list[Record] = []
    for text in [part.text for part in parts] or (_loose_fields(texts) if _is_bounce(message) else []):
        failures = _failures(message, human)
        records += status_records(text, failures, "" if text is human else human, base._replace(sender=_sender(message)))
    return records or None


def _parts_of(message: Message, kind: str) -> list[Part]:
    """The message's own parts of a kind, or those of a report that somebody forwards; not those of one that a bounce returns."""
    parts = message.kinds(kind)
    own = [part for part in parts if not part.returned]
    return own if own or _is_bounce(message) else parts


def _loose_fields(texts: list[str]) -> list[str]:
    return [unquoted(text) for text in texts if holds_status_fields(text) and read_status(unquoted(text))[1]][:1]


def _complaint(message: Message, base: Record) -> list[Record] | None:
    """Of an abuse report (RFC 5965), or of a provider's that has only the message complained about."""
    parts = _parts_of(message, "message/feedback-report")
    if parts:
        fields, recipients = _report_fields(parts[0])
    elif _COMPLAINS.search(message.headers.get("subject")) and "x-hmxmroriginalrecipient" in message.returned:
        fields, recipients = {"feedback-type": "abuse"}, [message.returned.get("x-hmxmroriginalrecipient")]
    else:
        return None
    kind = fields.get("feedback-type", "abuse").strip().lower()
    if kind in _NO_COMPLAINT:
        return []
    sender = fields.get("original-mail-from", "").strip()
    told: list[str | None] = [each for each in recipients if not _REDACTED.search(each)]
    return [
        base._replace(
            format=InputFormat.ARF,
            time=iso_time(fields.get("arrival-date", "") or fields.get("received-date", "")) or base.time,
            host=_first(fields.get("reporting-mta", "").rpartition(";")[2].split()),
            direction=Direction.OUTBOUND,
            # A report about authentication is nobody's complaint.
            outcome=None if kind == _FAILED_AUTHENTICATION else Outcome.COMPLAINT,
            sender=sender.strip("<>") if sender else _first(message.returned.addresses("return-path")),
            recipient=recipient,
            text=kind,
        )
        for recipient in told or [_complainer(message)]
    ]


def _report_fields(part: Part) -> tuple[dict[str, str], list[str]]:
    fields: dict[str, str] = {}
    recipients: list[str] = []
    for line in part.text.splitlines()[:1000]:
        name, colon, value = line.partition(":")
        if colon and not name[:1].isspace():
            fields.setdefault(name.strip().lower(), value.strip())
            if name.strip().lower() == "original-rcpt-to":
                recipients.append(value.strip().strip("<>"))
    return fields, recipients


def _complainer(message: Message) -> str | None:
    """Where the report does not say who complained: the one whom the message was for."""
    for names in (("x-hmxmroriginalrecipient",), ("x-original-to", "delivered-to", "envelope-to"), ("to",)):
        found = [address for address in message.returned.addresses(*names) if not _REDACTED.search(address)]
        if len(set(found)) == 1:
            return found[0]
    return None


def _disposition(message: Message, base: Record) -> list[Record] | None:
    """Of a message disposition notification (RFC 8098): a refusal is one, that it was read is none."""
    parts = [part for part in message.kinds("message/disposition-notification") if not part.returned]
    if not parts:
        return None
    fields, _ = _report_fields(parts[0])
    disposition = fields.get("disposition", "").lower()
    text = next(message.texts(), "")
    # Outlook reports as deleted what nobody read.
    is_refusal = "rejected" in message.headers.get("auto-submitted").lower() or _REFUSES.search(text)
    if disposition.startswith("manual-action") or not (is_refusal or re.search(r";\s*(?:denied|failed)", disposition)):
        return []
    failures = _failures(message, text)
    recipient = fields.get("final-recipient", "").rpartition(";")[2].strip().strip("<>")
    words = _reason_given(text)
    reply = find_reply(words) or Reply(None, None, words, None)
    return [
        _notice(message, base)._replace(
            direction=Direction.OUTBOUND,
            outcome=Outcome.REJECTED,
            recipient=recipient or (failures[0].recipient if failures else None),
            reply_code=reply.code,
            enhanced_code=reply.enhanced,
            text=reply.text,
        )
    ]


def _reason_given(text: str) -> str:
    """The words after "The following reason was given:", or after the first sentence that ends in a colon."""
    lines = [line.strip() for line in text.splitlines()[:200]]
    starts = [number for number, line in enumerate(lines) if _VERBATIM_HEAD.match(line)] or [
        number for number, line in enumerate(lines) if line.endswith(":")
    ]
    rest = lines[starts[0] + 1 :] if starts else lines
    return " ".join(" ".join(rest).split())[:MAX_WORDS]


def _automatic(message: Message, base: Record) -> list[Record] | None:
    """Of an automatic reply (RFC 3834 and the older signs), by the one who is away."""
    headers = message.headers
    submitted = headers.get("auto-submitted").lower()
    is_reply = (
        submitted.startswith("auto-replied")
        or any(name in headers for name in _AUTO_FIELDS)
        or headers.get("precedence").lower() in ("auto_reply", "auto-reply")
    )
    by_subject = bool(_AUTO_SUBJECT.search(headers.get("subject")))
    if not (is_reply or by_subject) or submitted == "no" or (_is_bounce(message) if not by_subject else _says_bounce(headers)):
        return None
    words = " ".join(next(message.texts(), "").split())
    return [_notice(message, base)._replace(text=(words or headers.get("subject"))[:MAX_WORDS])]


def _notice(message: Message, base: Record) -> Record:
    headers = message.headers
    answered = _first(headers.addresses("from"))
    return base._replace(format=InputFormat.AUTO_REPLY, recipient=answered, sender=_first(headers.addresses("to")))


def _bounce(message: Message, base: Record) -> Iterator[Record]:
    """Of a bounce that only people can read."""
    if not _is_bounce(message):
        return
    sender, returned = _sender(message), _returned_recipient(message)
    is_answer = "in-reply-to" in message.headers
    is_told = "x-failed-recipients" in message.headers
    is_daemon = is_told or bool(_DAEMON.search(message.headers.get("from")))
    for text in message.texts():
        failures = _failures(message, text)
        quotes = any(failure.reply.code or failure.reply.enhanced for failure in failures)
        named = [failure for failure in failures if failure.recipient]
        # A postmaster writes other mail too.
        if not (named or returned or _says_bounce(message.headers) or "mailer-daemon" in message.headers.get("from").lower()):
            continue
        if not (is_told or quotes or (_FAILS.search(text[:20_000]) and (is_daemon or named))):
            continue
        is_delayed = bool(_DELAYED_SUBJECT.search(message.headers.get("subject")) or _DELAY.search(text[:20_000]))
        for failure in failures:
            yield base._replace(
                direction=Direction.OUTBOUND,
                outcome=Outcome.DEFERRED if is_delayed else Outcome.BOUNCED,
                sender=sender,
                recipient=failure.recipient or returned,
                relay=failure.relay,
                phase=failure.reply.phase,
                reply_code=failure.reply.code,
                enhanced_code=failure.reply.enhanced,
                text=failure.reply.text,
                # A person may write about a bounce too; a program answers nobody.
                words_only=not (is_daemon or quotes or (_MESSAGE_FAILED.search(text[:20_000]) and not is_answer)),
            )
        return


def _is_bounce(message: Message) -> bool:
    """Whether a mail system wrote this about a message that it could not deliver."""
    headers = message.headers
    if _says_bounce(headers):
        return True
    return bool(_DAEMON.search(headers.get("from"))) or (headers.get("from").strip() in ("<>", "") and headers.get("return-path") == "<>")


def _says_bounce(headers: Headers) -> bool:
    is_report = "report-type=delivery-status" in headers.get("content-type").replace('"', "").lower()
    return is_report or "x-failed-recipients" in headers or bool(_BOUNCE_SUBJECT.search(headers.get("subject")))


def _failures(message: Message, text: str) -> list[Failure]:
    headers = message.headers
    own = {*headers.addresses("from", "to", "return-path", "delivered-to"), *([address] if (address := _sender(message)) else [])}
    return read_failures(text, headers.addresses("x-failed-recipients"), own)


def _sender(message: Message) -> str | None:
    """Who sent what came back: its envelope's sender, to whom this was sent too."""
    return _first(message.returned.addresses("return-path")) or _first(message.headers.addresses("to"))


def _returned_recipient(message: Message) -> str | None:
    recipients = list(dict.fromkeys(message.returned.addresses("to", "cc")))
    return recipients[0] if len(recipients) == 1 else None


def _first(found: list[str]) -> str | None:
    return next(iter(found), None)
