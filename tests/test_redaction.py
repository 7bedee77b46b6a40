"""`--redact`: no address and no IP address of an input is left in any format, nothing else is harmed, and one name has one pseudonym."""

from __future__ import annotations

import io
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtpref.classification import classify_inputs, classify_text
from smtpref.knowledge import Knowledge
from smtpref.line_account import LineAccount
from smtpref.model import Classified
from smtpref.parsing.files import lines_of
from smtpref.redaction import Redactor
from smtpref.render.output import Format, Output
from smtpref.render.results import write_summary
from smtpref.render.stream import write_records
from smtpref.summary import Summary, as_counted, summarise

from .conftest import TESTS, Run

SAMPLES = sorted(
    path
    for path in (TESTS / "cases").rglob("*")
    if path.is_file() and path.name not in ("ORIGIN", "README.md") and not path.name.endswith(".expected.jsonl")
)
YEAR = 2024

# Read on purpose in another way than smtpref reads.
ADDRESS = re.compile(r"[^\s<>()\[\]{}\"',;:|&?@]+@[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]")
FOUR_NUMBERS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
HEX_AND_COLONS = re.compile(r"[0-9A-Fa-f:.]{3,45}")
NO_IP_ADDRESSES = {"4.16.55.1", "5.1.1.9"}
"""A code of Yahoo's, and a number in a test of replies."""

FORMATS = [form for form in Format if form not in (Format.HTML, Format.PROMETHEUS)]
SUMMARY_FORMATS = [form for form in Format if form is not Format.JSONL]

FOREIGN = ("source", "host", "queue_id", "sender", "recipient", "relay", "client", "text", "about", "blocklist", "evidence")


def is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(character.isdigit() for character in text)


def addresses_in(text: str) -> set[str]:
    return {match[0].lower() for match in ADDRESS.finditer(text)}


def ips_in(text: str) -> set[str]:
    v6 = {match[0].rstrip(".").lower() for match in HEX_AND_COLONS.finditer(text) if match[0].count(":") > 1}
    v6 |= {found.removesuffix(":") for found in v6}
    return {found for found in {*FOUR_NUMBERS.findall(text), *v6} if is_ip(found)} - NO_IP_ADDRESSES


def written(records: Iterable[Classified], form: Format, knowledge: Knowledge) -> str:
    stream = io.StringIO()
    write_records(iter(records), Output(stream, io.StringIO(), form, "en", knowledge))
    return stream.getvalue()


@pytest.fixture(scope="module")
def read(knowledge: Knowledge) -> Any:
    """The records of a sample."""
    return cache(lambda sample: tuple(classify_inputs([str(sample)], knowledge, [], None, YEAR)))


def redacted(records: Iterable[Classified], knowledge: Knowledge) -> list[Classified]:
    return [*map(Redactor(knowledge).redact, records)]


def name_of(sample: Path) -> str:
    return f"{sample.parent.name}/{sample.name}"


# Nothing is left


@pytest.mark.parametrize("form", FORMATS)
def test_no_address_and_no_ip_address_of_an_input_is_left(form, knowledge, read, monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")
    left = {}
    for sample in SAMPLES:
        content = "\n".join([sample.read_bytes().decode("utf-8", "replace"), written(read(sample), Format.JSONL, knowledge)])
        records = redacted(read(sample), knowledge)
        printed = written(records, form, knowledge)
        if form is Format.RICH:
            # A lone record is a panel, with facts that a row has no room for.
            printed += "".join(written([item], form, knowledge) for item in records)
        lowered = printed.lower().replace("\\", "")
        found = {address for address in addresses_in(content) if address in lowered}
        found |= ips_in(content) & ips_in(printed)
        if found:
            left[name_of(sample)] = found
    assert left == {}


@pytest.fixture(scope="module")
def redacted_summaries(knowledge: Knowledge, read: Any) -> dict[Path, Summary]:
    """What the samples come to, each with the shapes of all its lines, as if none had been understood."""
    found = {}
    for sample in SAMPLES:
        redactor = Redactor(knowledge)
        summary = summarise(map(redactor.redact, map(as_counted, read(sample))))
        account = LineAccount()
        for _ in account.follow(lines_of(sample.read_bytes()), lambda number: ("-", number)):
            pass
        account.close()
        shapes = {redactor.text(shape): count for shape, count in account.shapes.items()}
        found[sample] = summary._replace(lines=account.counts, not_understood=shapes)
    return found


@pytest.mark.parametrize("form", SUMMARY_FORMATS)
def test_no_address_and_no_ip_address_of_an_input_is_left_in_its_summary(form, knowledge, redacted_summaries, monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")
    monkeypatch.setenv("LINES", "2000")
    left = {}
    for sample, summary in redacted_summaries.items():
        stream = io.StringIO()
        write_summary(summary, Output(stream, stream, form, "en", knowledge))
        content, printed = sample.read_bytes().decode("utf-8", "replace"), stream.getvalue()
        # As a person reads it: HTML's and Markdown's escapes are none of the address.
        lowered = unescape(printed).lower().replace("\\", "").replace("<mark>", "").replace("</mark>", "")
        found = {address for address in addresses_in(content) if address in lowered}
        found |= ips_in(content) & ips_in(lowered)
        if found:
            left[name_of(sample)] = found
    assert left == {}


def test_a_sender_of_many_messages_stays_one_when_it_is_redacted(knowledge):
    log = "\n".join(
        f"Oct  1 08:00:0{n} mx1 postfix/qmgr[9]: A{n}B2C3D4E5: from=<bounce+{n}f3-bob=example.net@news.example.com>, size=1, nrcpt=1 (queue active)\n"
        f"Oct  1 08:00:0{n} mx1 postfix/smtp[1]: A{n}B2C3D4E5: to=<bob@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=1, "
        "delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
        for n in range(3)
    )
    redactor = Redactor(knowledge)
    (sender,) = summarise(map(redactor.redact, map(as_counted, classify_text(log, knowledge)))).all.senders
    assert re.fullmatch(r"user\d+@host\d+", sender)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_no_domain_of_an_address_is_left_but_a_providers(sample, knowledge, read):
    redactor = Redactor(knowledge)
    domains = {address.rpartition("@")[2] for item in read(sample) for address in addresses_in(json.dumps(foreign(item)))}
    domains = {domain for domain in domains if "." in domain and redactor.text(f"a@{domain}") != f"user1@{domain}"}
    hidden = {domain for domain in domains if domain not in Redactor(knowledge).text(f"a@{domain}")}
    for item in redacted(read(sample), knowledge):
        text = json.dumps({key: value for key, value in foreign(item).items() if key != "source"}).lower()
        assert {domain for domain in hidden if re.search(rf"(?<![\w.-]){re.escape(domain)}(?![\w-])", text)} == set()


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_nothing_but_names_changes_and_the_match_stays_a_slice(sample, knowledge, read):
    for before, after in zip(read(sample), redacted(read(sample), knowledge), strict=True):
        old, new = before.to_dict(), after.to_dict()
        assert {key: value for key, value in old.items() if key not in FOREIGN} == {
            key: value for key, value in new.items() if key not in FOREIGN
        }
        assert {key: value is None or value == "" for key, value in old.items()} == {
            key: value is None or value == "" for key, value in new.items()
        }
        evidence = new["evidence"]
        assert (evidence["by"], evidence["rule"]) == (old["evidence"]["by"], old["evidence"]["rule"])
        assert evidence["match"] in new["text"] or evidence["match"] == old["evidence"]["match"]
        if old["queue_id"] and "@" not in old["queue_id"]:
            assert new["queue_id"] == old["queue_id"]
        assert new["source"] == old["source"] or sample.parent.name in ("cur", "new")


def foreign(item: Classified) -> dict[str, Any]:
    return {key: value for key, value in item.to_dict().items() if key in FOREIGN}


# What becomes of a text

GONE = [
    ("<bob@example.com>: User unknown", "<user1@host2>: User unknown"),
    ("bob@example.com, ann@example.com, bob@example.org", "user1@host2, user3@host2, user1@host4"),
    ("BOB@Example.COM is bob@example.com", "user1@host2 is user1@host2"),
    ('"ada lovelace"@example.com', "user1@host2"),
    ("jürgen@exämple.com", "user1@host2"),
    ("bounce-1-bob=example.com@lists.example.org", "user1@host2"),
    ("SRS0=ab=cd=example.com=bob@example.net", "user1@host2"),
    ("F=bob@example.com from=<> to=bob@example.com", "F=user1@host2 from=<> to=user1@host2"),
    ("{bob@example.com} 'ann@example.com'", "{user1@host2} 'user3@host2'"),
    ("bob@[192.0.2.1] and bob@[IPv6:2001:db8::1]", "user1@[ip2] and user1@[IPv6:ip3]"),
    ("root@localhost, root@web", "user1@localhost, user1@host2"),
    ("bob [at] example.com", "user1 [at] host2"),
    ("x%40bob@example.com", "user1%40host2@host3"),
    ("mailto:bob@example.com?subject=x", "mailto:user1@host2?subject=x"),
    ("message <20240305.AB1@mx.example.com>", "message <user1@host2>"),
    ("收件人bob@example.com不存在", "收件人user1@host2不存在"),
    ("用户@例子.中国 拒绝", "user1@host2 拒绝"),
    ("id=bob%40example.com;ip=192.0.2.1;r=mx.example.net", "id=user1%40host2;ip=ip3;r=host4"),
    ("ip=2001%3Adb8%3A%3A1&x", "ip=ip1&x"),
    ("https://bob:secret@mx.example.com:8443/x", "https://user1@host2:8443/x"),
    ("http://example.com/unsubscribe/Ym9iQGV4YW1wbGUuY29t", "http://host1/unsubscribe/…"),
    ("http://[2001:db8::1]:80/", "http://[ip1]:80/"),
    ("http://bl.example.org/?ip=192.0.2.1", "http://host1/?ip=ip2"),
    ("Final-Recipient: rfc822; bob", "Final-Recipient: rfc822; user1"),
    ("Remote-MTA: dns; mx1", "Remote-MTA: dns; host1"),
    ("Remote-MTA: dns; [192.0.2.1]", "Remote-MTA: dns; [ip1]"),
    ("connect to mx.example.com[192.0.2.1]:25: refused", "connect to host1[ip2]:25: refused"),
    ("connect to net[192.0.2.1]:25", "connect to host1[ip2]:25"),
    ("from unknown[2001:db8::12]: 554", "from unknown[ip1]: 554"),
    ("::1, [::1]:25, 0:0:0:0:0:0:0:1", "ip1, [ip1]:25, ip1"),
    ("192.0.2.1 is ::ffff:192.0.2.1", "ip1 is ip1"),
    ("IPv6:2001:db8::1: refused", "IPv6:ip1: refused"),
    ("Mail from 192.0.2.1, 192.0.2.2. 192.0.2.0/24.", "Mail from ip1, ip2. ip3/24."),
    ("<bob>: User unknown", "<user1>: User unknown"),
    ("<friend>: Helo command rejected; helo=<friend>", "<host1>: Helo command rejected; helo=<host1>"),
    ("ip-10-0-0-5 said", "host1 said"),
    ("host mx1.example.photography said", "host host1 said"),
    ("bücher.example, пример.рф, MX.EXAMPLE.COM, xn--bcher-kva.example", "host1, host2, host3, host4"),
    ("/help/lists.example.org.html, mail.example.com.log", "/help/host1.html, host2.log"),
    ("refused by example.com.Please wait", "refused by host1.Please wait"),
    ("smtp.mailfrom=example.com header.from=example.com", "smtp.mailfrom=host1 header.from=host1"),
]

STAYS = [
    "550 5.1.1 User unknown, 4.7.650, 421-4.7.0, (#5.1.1), 5.7.1",
    "at 10:00:00, 2024-03-05T10:00:00.123Z, 00:11:22:33:44:55, 12:30",
    "Exim 4.94.2, Postfix 3.4.13, TLSv1.2, Sendmail 8.14.7/8.14.7, Version: 5.0.195.56, v1.2.3.4, server id 15.1.225.41",
    "user complaints - 4.16.55.1; see",
    "1.3.6.1.4.1.311 and 1.2.3.4.5",
    "invoice.zip report.pdf.exe backup.tar.gz /usr/lib/mail/deliver.pl main.cf setup.py mail.log /etc/postfix/cacert.pem",
    "javax.mail.MessagingException, smtplib.SMTPRecipientsRefused, RESOLVER.ADR.RecipientNotFound, STOREDRV.Deliver",
    "Mail::SpamAssassin DB::Error",
    "rejected.Please try, refused.See, 822.bis, e.g. and i.e. so",
    "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD",
    "gmail-smtp-in.l.google.com mx3.hotmail.com mta7.am0.yahoodns.net mail.ru hotmail-com.olc.protection.outlook.com",
    "https://support.google.com/mail/?p=UnsolicitedMessageError - gsmtp",
    "https://www.spamhaus.org/query/ip/ blocked using zen.spamhaus.org and b.barracudacentral.org",
    "[TSS04] (S3150) DT:SPM 163 RL000001 [BL23] IB212 OFR_506",
    "retry in 300 s, uid=0, <>, <eof>, <CR><LF>, unknown user, p = 0.95, 6/6",
]

AT_PROVIDERS = [
    ("bob@gmail.com", "user1@host2.gmail.com"),
    ("postmaster@rx.t-online.de", "user1@host2.rx.t-online.de"),
    ("example-com.mail.protection.outlook.com", "host1.mail.protection.outlook.com"),
    ("c-192-0-2-1.hsd1.comcast.net", "host1.comcast.net"),
    ("bob.free.fr", "host1.free.fr"),
    ("1.2.0.192.zen.spamhaus.org", "host1.zen.spamhaus.org"),
    ("https://www.spamhaus.org/query/ip/192.0.2.1", "https://www.spamhaus.org/query/ip/ip1"),
]


@pytest.mark.parametrize(("text", "expected"), [*GONE, *AT_PROVIDERS])
def test_a_name_gives_way_to_its_pseudonym(knowledge, text, expected):
    assert Redactor(knowledge).text(text) == expected


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_name_stays(knowledge, text):
    assert Redactor(knowledge).text(text) == text


def row(knowledge: Knowledge, line: str) -> dict[str, Any]:
    return redacted(classify_text(line, knowledge), knowledge)[0].to_dict()


def test_the_fields_of_a_record_speak_of_the_same_names_as_its_text(knowledge):
    line = (
        "2024-03-05T10:00:00 mx1 postfix/smtp[1]: 4C1D2E3F01: to=<bob@example.com>, relay=mx.example.com[192.0.2.1]:25, dsn=5.1.1, "
        "status=bounced (host mx.example.com[192.0.2.1] said: 550 5.1.1 <bob@example.com>: User unknown at mx.example.com)"
    )
    got = row(knowledge, line)
    assert {key: got[key] for key in FOREIGN if key != "evidence"} == {
        "source": "-",
        "host": "host1",
        "queue_id": "4C1D2E3F01",
        "sender": None,
        "recipient": "user2@host3",
        "relay": "host4[ip5]:25",
        "client": None,
        "text": "<user2@host3>: User unknown at host4",
        "about": "user2@host3",
        "blocklist": None,
    }


def test_a_reply_that_calls_the_recipient_by_a_bare_name_is_redacted(knowledge):
    line = (
        "2024-03-05T10:00:00 zweistein postfix/local[1]: 4C1D2E3F01: to=<jdoe77@example.com>, relay=local, dsn=5.1.1, "
        'status=bounced (unknown user: "jdoe77" at zweistein, /home/jdoe77/Maildir)'
    )
    got = row(knowledge, line)
    assert (got["relay"], got["text"]) == ("local", 'unknown user: "user2" at host1, /home/user2/Maildir')


def test_a_recipient_called_like_a_word_of_the_reply_leaves_the_reply_alone(knowledge):
    line = (
        "2024-03-05T10:00:00 mail postfix/local[1]: 4C1D2E3F01: to=<user@example.com>, relay=local, dsn=5.1.1, "
        'status=bounced (unknown user: mail for "user" refused)'
    )
    assert row(knowledge, line)["text"] == 'unknown user: mail for "user" refused'


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("bob", "user1"),
        ("Bob Smith <bob@example.com>", "user1@host2"),
        ("bob@example.com,ann@example.com", "user1@host2, user3@host2"),
        ('"|/usr/bin/procmail"', "user1"),
        ("<>", "<>"),
    ],
)
def test_an_address_field_holds_nothing_but_pseudonyms(knowledge, recipient, expected):
    item = classify_text("550 5.1.1 User unknown", knowledge)[0]
    changed = item._replace(record=item.record._replace(recipient=recipient))
    assert Redactor(knowledge).redact(changed).record.recipient == expected


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("mail.example.net (ylmf-pc) [203.0.113.5]:40112", "host1 (host2) [ip3]:40112"),
        ("mail.example.net [203.0.113.5] (may be forged)", "host1 [ip2] (may be forged)"),
        ("unknown[203.0.113.5]", "unknown[ip1]"),
        ("mx1.example.com[private/dovecot-lmtp]", "host1[private/dovecot-lmtp]"),
        ("EX1", "host1"),
        ("[2001:db8::1]", "[ip1]"),
        ("localhost[127.0.0.1]", "localhost[ip1]"),
    ],
)
def test_every_name_of_a_machine_field_is_replaced(knowledge, client, expected):
    item = classify_text("550 5.1.1 User unknown", knowledge)[0]
    changed = item._replace(record=item.record._replace(client=client))
    assert Redactor(knowledge).redact(changed).record.client == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/var/log/mail.example.log", "/var/log/mail.example.log"),
        ("mail.log.1.gz", "mail.log.1.gz"),
        ("bob@example.com.mbox", "user1@host2.mbox"),
        ("/logs/192.0.2.1/mail.log", "/logs/ip1/mail.log"),
        ("/home/x/Maildir/cur/1709632839.M1P2.mx1.example.com,S=1:2,S", "/home/x/Maildir/cur/1709632839.M1P2.host1,S=1:2,S"),
    ],
)
def test_a_path_keeps_everything_but_addresses_and_a_maildirs_host(knowledge, source, expected):
    item = classify_text("550 5.1.1 User unknown", knowledge)[0]
    changed = item._replace(record=item.record._replace(source=source))
    assert Redactor(knowledge).redact(changed).record.source == expected


def test_numbers_go_on_from_record_to_record_and_a_name_keeps_its_own(knowledge):
    lines = "550 <bob@example.com> no\n550 <ann@example.org> no\n550 <bob@example.com> no\n"
    texts = [item.record.text for item in redacted(classify_text(lines, knowledge), knowledge)]
    assert texts == ["<user1@host2> no", "<user3@host4> no", "<user1@host2> no"]


def test_somebody_called_like_a_pseudonym_gets_another(knowledge):
    assert Redactor(knowledge).text("user1@host3") == "user2@host4"


# Laws

LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
DOMAIN = st.builds(lambda labels, last: ".".join([*labels, last]), st.lists(LABEL, min_size=1, max_size=3), st.sampled_from(["test", "de"]))
LOCAL = st.from_regex(r"[a-z0-9](?:[a-z0-9.+_=%'-]{0,30}[a-z0-9])?", fullmatch=True)
WRAPPED = st.sampled_from(["<{}>", "{}", "({})", "to={}", "for {}:", "'{}'", '"{}"', "[{}]", "{}, {}", "RCPT TO:<{}>: no", "中{}中", "{}."])


@settings(deadline=None)
@given(LOCAL, DOMAIN, WRAPPED)
def test_no_address_survives_whatever_stands_around_it(knowledge, local, domain, wrapped):
    address = f"{local}@{domain}"
    redactor = Redactor(knowledge)
    first, second = redactor.text(wrapped.replace("{}", address)), redactor.text(wrapped.replace("{}", address))
    assert first == second
    assert domain not in first or redactor.text(domain).endswith(domain)
    assert address not in first


@settings(deadline=None)
@given(
    st.ip_addresses().filter(lambda number: str(number) != "::"),
    WRAPPED,
    st.sampled_from(["{}", "{}:25", "[{}]", "x[{}]:25", "ip={}", "https://www.spamhaus.org/query/ip/{}"]),
)
@example(ipaddress.ip_address("0.0.0.0"), "{}", "{}")
@example(ipaddress.ip_address("::1"), "{}", "[{}]")
@example(ipaddress.ip_address("fdaa::beef"), "{}", "{}")
def test_no_ip_address_survives_whatever_stands_around_it(knowledge, number, wrapped, form):
    written_so = f"[{number}]:25" if number.version == 6 and form == "{}:25" else form.replace("{}", str(number))
    assert str(number) not in Redactor(knowledge).text(wrapped.replace("{}", written_so))


@settings(deadline=None)
@given(st.lists(st.tuples(LOCAL, DOMAIN), max_size=20), st.lists(st.ip_addresses(v=4), max_size=20))
def test_different_names_have_different_pseudonyms(knowledge, addresses, numbers):
    redactor = Redactor(knowledge)
    by_name = {f"{local}@{domain}": redactor.text(f"<{local}@{domain}>") for local, domain in addresses}
    by_name |= {str(number): redactor.text(f"[{number}]") for number in numbers}
    assert len(set(by_name.values())) == len(by_name)


@settings(deadline=None)
@given(st.text(max_size=300))
@example("@@@ a@ @b <@> [::] %40 &#64; ://x a://@b.c")
@example('"' * 300)
@example("a." * 100)
@example(":" * 200)
def test_any_text_is_read(knowledge, text):
    assert isinstance(Redactor(knowledge).text(text), str)


def pieces() -> Iterator[st.SearchStrategy[str]]:
    yield LOCAL
    yield st.builds("{}@{}".format, LOCAL, DOMAIN)
    yield st.ip_addresses().map(str)
    yield st.sampled_from(["User unknown", "blocked using", "mailbox full", "550", "5.1.1", "<", ">", "[", "]", ": "])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(*pieces()), max_size=12).map(" ".join))
def test_the_match_of_any_reply_stays_a_slice(knowledge, words):
    for item in classify_text(f"550 5.1.1 {words} User unknown", knowledge):
        after = Redactor(knowledge).redact(item)
        match = after.verdict.evidence.match
        assert match in after.record.text or match == item.verdict.evidence.match


# The command


@pytest.mark.parametrize(("form", "summary"), [*((form, False) for form in FORMATS), *((form, True) for form in SUMMARY_FORMATS)])
def test_the_option_redacts_every_format(run: Run, form: Format, summary: bool) -> None:
    log = TESTS / "cases" / "readme.log"
    options = ["--redact", "--year", "2026", "-f", form.value, *(["--summary"] if summary else [])]
    printed = run("classify", *options, str(log), env={"COLUMNS": "500"}).stdout
    assert addresses_in(log.read_text()) & addresses_in(printed.replace("\\", "")) == set()
    assert ips_in(log.read_text()) & ips_in(printed) == set()
    assert not re.search(r"\bexample\.(?:com|net|org|edu)\b", printed)
    assert summary or "user2@host3" in printed


def test_filters_know_the_true_names_and_only_pseudonyms_are_printed(run):
    log = str(TESTS / "cases" / "readme.log")
    printed = run("classify", "--redact", "--recipient", "bob@example.com", "-f", "jsonl", log).stdout
    assert [json.loads(line)["recipient"] for line in printed.splitlines()] == ["user2@host3"]
