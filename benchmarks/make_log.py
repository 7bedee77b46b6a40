"""A Postfix log as a busy server writes it, the same for the same size and seed: python benchmarks/make_log.py MEGABYTES [SEED] > mail.log.

Of a hundred messages 78 are sent, 9 deferred, 9 bounced and 4 refused; the lines of messages at the same time run into one another.
The replies are the rules' own examples, so that what is measured is what the rules know, with other names and ids in each.
"""

from __future__ import annotations

import heapq
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

from smtpref.knowledge import load_knowledge
from smtpref.parsing.reply import parse_reply

FIRST = datetime(2026, 10, 1)
DOMAINS = [f"{name}.example" for name in ("mail", "news", "shop", "school", "clinic", "bank", "press", "city", "uni", "farm")]
HOSTS = [
    "gmail-smtp-in.l.google.com",
    "mx1.hotmail.com",
    "mta5.am0.yahoodns.net",
    "mx01.mail.icloud.com",
    *(f"mx1.{name}" for name in DOMAINS),
]
SENT = [
    "250 2.0.0 OK  {epoch} {hex}si{number}abc.{small} - gsmtp",
    "250 2.0.0 Ok: queued as {ID}",
    "250 2.6.0 <{hex}@news.example> [InternalId={number}{number}] {number} bytes in 0.{small}, 40.{small} KB/sec Queued mail for delivery",
    "250 OK id=1AbCdE-{small}fGh-Ij",
    "250 ok dirdel",
]


def examples() -> dict[str, list[str]]:
    """The replies that rules and providers' codes are tested with, by the digit that they start with."""
    knowledge = load_knowledge()
    texts = [text for rule in knowledge.rules.values() for text in rule["matches"]]
    found: dict[str, list[str]] = {"4": [], "5": []}
    for text in texts:
        code = parse_reply(text).code
        if code and code.class_digit in found and "(" not in text:
            found[code.class_digit].append(" ".join(text.split()))
    return found


def message(chance: random.Random, when: datetime, replies: dict[str, list[str]]) -> Iterator[tuple[datetime, str]]:
    """The lines of one message, each with its time."""
    queue_id = f"{chance.randrange(16**11):011X}"
    client = f"app{chance.randrange(9)}.example[192.0.2.{chance.randrange(200)}]"
    recipient = f"user{chance.randrange(5000)}@{chance.choice(DOMAINS)}"
    sender = f"bounce+{chance.randrange(16**8):08x}@news.example"
    relay = f"{chance.choice(HOSTS)}[198.51.100.{chance.randrange(250)}]:25"
    smtpd, later = f"postfix/smtpd[{chance.randrange(9999)}]", when + timedelta(seconds=chance.random() * 20)
    kind = chance.choices(("sent", "deferred", "bounced", "refused"), (78, 9, 9, 4))[0]
    yield when, f"{smtpd}: connect from {client}"
    if kind == "refused":
        yield (
            when,
            (
                f"{smtpd}: NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <{recipient}>: Relay access denied; "
                f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<app>"
            ),
        )
        yield later, f"{smtpd}: disconnect from {client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
        return
    yield when, f"{smtpd}: {queue_id}: client={client}"
    yield when, f"postfix/cleanup[77]: {queue_id}: message-id=<{chance.randrange(16**16):016x}@news.example>"
    yield when, f"postfix/qmgr[88]: {queue_id}: from=<{sender}>, size={chance.randrange(99999)}, nrcpt=1 (queue active)"
    yield when, f"{smtpd}: disconnect from {client} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"
    reply = chance.choice(SENT if kind == "sent" else replies["4" if kind == "deferred" else "5"])
    if kind == "sent":
        number, small = chance.randrange(10**6, 10**7), chance.randrange(100, 999)
        reply = reply.format(
            epoch=int(later.timestamp()), hex=f"{chance.randrange(16**14):014x}", number=number, small=small, ID=queue_id[::-1]
        )
        said = f"({reply})"
    else:
        reply = reply.replace("bob@example.com", recipient).replace("192.0.2.1", f"203.0.113.{chance.randrange(250)}")
        said = f"(host {relay.rpartition(':')[0]} said: {reply} (in reply to RCPT TO command))"
    status = {"sent": "2.0.0", "deferred": "4.0.0", "bounced": "5.0.0"}[kind]
    yield (
        later,
        f"postfix/smtp[99]: {queue_id}: to=<{recipient}>, relay={relay}, delay=1.2, delays=0.1/0/0.6/0.5, dsn={status}, status={kind} {said}",
    )
    if kind != "deferred":
        yield later, f"postfix/qmgr[88]: {queue_id}: removed"


def log(size: int, seed: int = 1) -> Iterator[str]:
    """The lines of a log of about `size` bytes."""
    chance = random.Random(seed)
    replies = examples()
    waiting: list[tuple[datetime, int, str]] = []
    when, written, count = FIRST, 0, 0
    while written < size:
        when += timedelta(seconds=chance.random() / 5)
        for time, text in message(chance, when, replies):
            count += 1
            heapq.heappush(waiting, (time, count, text))
        while waiting and waiting[0][0] <= when:
            time, _, text = heapq.heappop(waiting)
            line = f"{time:%b} {time.day:2} {time:%H:%M:%S} mx1 {text}\n"
            written += len(line)
            yield line


if __name__ == "__main__":
    sys.stdout.writelines(log(int(float(sys.argv[1]) * 1e6), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
