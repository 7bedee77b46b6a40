"""What in a text names somebody or something: users, hosts, IP addresses, and where each stands.

In doubt a word is a name. Files, versions, codes, exceptions and two sentences without a blank between them look like hosts and are none;
a top-level domain tells a host from them, or what stands before and after it. Nothing here knows whose a name is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from .patterns import lazily

# A letter or digit of a script with blanks between its words: Chinese and Japanese may stand against a name without one.
_LETTER = r"[^\W\u2e80-\U0010ffff]"
_LABEL = rf"(?:{_LETTER}|-)++"
_DOTTED = rf"{_LABEL}(?:\.{_LABEL})*+"
_WIDE_DOTTED = r"(?:[\w-]{1,63}+\.){1,5}+(?:中国|中國|公司|网络|网址|在线|香港|台灣|台湾|みんな|한국)"
_LOCAL_SIGNS = r"[.+=!'$*~^{}-]"
_AT = r"(?:@|%(?:25)?40|&\#(?:64|x40);|\s?[\[({]at[\])}]\s?)"
_TOKEN = lazily(
    rf"""(?P<scheme>(?<![a-z0-9])[a-z][a-z0-9+.-]{{1,15}}://)(?P<authority>[^\s/?\#<>"'(),;\\]*)(?P<rest>[^\s<>"']*)
    |(?P<local>
        "(?:[^"\\\r\n]|\\.){{1,200}}"(?={_AT})
        |(?:(?<!{_LETTER})(?<!{_LOCAL_SIGNS})(?<!%)|(?<=%40))(?:{_LETTER}|{_LOCAL_SIGNS}|%(?!(?:25)?40))++(?={_AT})
        |[\w.+-]{{0,64}}[\u2e80-\U0010ffff](?={_AT})
     )(?P<at>{_AT})(?P<domain>{_DOTTED}|[\w-]+(?:\.[\w-]+)*)?
    |(?P<name>{_WIDE_DOTTED}|{_LABEL}(?:\.{_LABEL})++)
    |(?P<word>{_LABEL})
    |%(?:25)?40""",
    re.VERBOSE | re.IGNORECASE,
)
AT = lazily(_AT, re.IGNORECASE)
# "user=bob@example.com", "F=bob@example.com": the key is no part of the address; "list-bob=example.com@example.org" is one.
_KEY = lazily(
    r"[a-z]=(?!.*=)|(?:[a-z]{1,10}[_-])?(?:user(?:name)?|id|to|from|rcpt|recipient|sender|mailfrom|e?mail|address|addr|for)=", re.IGNORECASE
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = lazily(rf"(?<!\d)(?<!\d\.){_OCTET}(?:\.{_OCTET}){{3}}(?!\d|\.\d)")
_PARTS = lazily(rf"(?P<ip>{_IPV4.pattern})|{_LABEL}")
_IPV6 = lazily(r"(?:[0-9a-f]{0,4}(?::|%3a)){2,60}+(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})", re.IGNORECASE)
_IN_WORD = lazily(rf"(?!_){_LETTER}")
# "DB::" may be the beginning of "DB::Error"; an address has a digit, or more colons, or is one of RFC 4193.
_OF_ADDRESS = lazily(r"\d|\bf[cd][0-9a-f]{2}:|(?:[a-f]*:){3}", re.IGNORECASE)
_COLON = lazily(":|%3a", re.IGNORECASE)
# Versions ("Version: 5.0.195.56") and Yahoo's codes ("user complaints - 4.16.55.1") may have four numbers.
_BEFORE_VERSION = lazily(r"(?:\bv|\bver|\bversion|\brelease|\bbuild|\bserver id)[\s:=.#]{0,2}$", re.IGNORECASE)
_CODE = lazily(r"(?<= - )4\.\d\d?\.\d\d?\.\d(?![\d.])")
# What stands around a user or a host that has no dot.
_BEFORE_USER = lazily(r"(?:\b(?:user(?:name)?|login)=<?|\brfc822;\s?)$", re.IGNORECASE)
_BEFORE_HOST = lazily(r"(?:\bhelo=<?|\bdns;\s?)$", re.IGNORECASE)
_AFTER_CLIENT = lazily(">: (?:helo|client) ", re.IGNORECASE)
_BRACKETED_IP = lazily(r"\[(?:IPv6:)?[0-9a-f]*[.:][0-9a-f.:]+\]", re.IGNORECASE)
_CALLED_BY_IP = lazily(r"ip(?:-\d{1,3}){4}", re.IGNORECASE)
_CONTEXT = 16
"""Characters before a word that may say what it is."""
_OPAQUE_LENGTH = 16
"""Letters and digits of a link's part from which on it may be an address in another writing."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOBODY = _words(
    "unknown none null localhost localdomain localhost.localdomain user username recipient sender address mailbox domain host hostname name"
    " eof eom crlf cr lf br hr b i p a em tt li ul ol td tr th dd dt div span html body head table font strong pre code center"
)
NO_MACHINE = _words("unknown none local localhost localdomain localhost.localdomain may be forged virtual ipv6")

_TLDS = _words(
    "com net org edu gov mil int arpa info biz name pro mobi jobs tel cat asia post aero coop museum travel xxx"
    " example test invalid localhost local localdomain internal intranet private lan home corp onion alt"
    " app dev page cloud online site website web store shop tech xyz top club vip email mail live life world today news blog media"
    " digital agency company group team work works business solutions services service systems software technology network host hosting"
    " space zone global international consulting marketing finance bank money insurance legal law health care clinic hospital medical"
    " school academy university college education training church foundation charity ngo ong city town country land house homes estate"
    " realty properties hotel restaurant cafe bar pub food kitchen pizza wine beer coffee garden farm energy solar green eco bio studio"
    " design photo photos photography pictures video film movie music band art gallery gifts fashion style beauty fit fitness yoga sport"
    " sports football golf run bike cars auto motorcycles parts repair tools supply supplies equipment industries engineering construction"
    " builders plumbing cleaning storage shipping delivery express taxi limo flights cruises tours holiday vacations camp events party"
    " wedding date dating singles kids baby family pet dog horse fish fun game games play bet casino poker bingo tips guide guru expert"
    " ninja rocks cool wow lol best one win bid loan loans credit cash fund capital ventures partners holdings investments exchange"
    " market markets trade trading sale sales deals discount promo click link download stream racing science review reviews men icu buzz"
    " monster cyou sbs cfd bond quest lat rest hair skin makeup boats yachts autos ink press report wiki social chat community forum"
    " directory center centre vet dental doctor surgery attorney lawyer gal eus bzh berlin hamburg koeln cologne bayern wien tirol swiss"
    " paris alsace london wales scot irish nyc miami boston vegas quebec tokyo osaka kyoto nagoya okinawa sydney melbourne istanbul ist"
    " moscow amsterdam vlaanderen brussels gent madrid barcelona rio africa joburg capetown durban kiwi inc ltd llc llp gmbh sarl srl"
    " google youtube microsoft azure apple amazon aws sap ibm cisco dell orange bmw audi sony canon"
)
_IDN_TLDS = _words("рф рус укр бел бг срб мон қаз онлайн сайт дети москва ευ ελ 中国 中國 公司 网络 网址 在线 香港 台灣 台湾 みんな 한국")
_EXTENSIONS = _words(
    "txt log html htm xhtml shtml php asp aspx jsp cgi css js mjs ts xml json jsonl yaml yml toml conf cfg ini db cdb sql sqlite csv tsv md5"
    " gz bz2 xz zst zip rar 7z tar tgz jar war cab iso img bin dat tmp bak old orig pid sock lock pem crt cer key csr p12 pfx p7s p7m asc sig"
    " exe dll bat cmd scr vbs ps1 msi pif lnk hta reg sys drv ocx pdf doc docx docm dot xls xlsx xlsm ppt pptx pps rtf odt ods odp tex"
    " eml msg mbox maildir mbx pst ost ics vcf png jpg jpeg gif bmp tif tiff svg webp ico mp3 mp4 avi mov wav ogg mkv"
    " py sh rb so go c h cpp hpp java lua forward procmailrc sieve cdb rpm deb el noarch"
)
_SCRIPTS = frozenset(("pl", "pm", "rs", "cc", "cf", "mc", "ps", "md"))
"""Extensions that are top-level domains as well, and as such the likelier thing outside a path."""
_SETTINGS = frozenset(("main.cf", "master.cf", "sendmail.cf", "submit.cf", "sendmail.mc", "readme.md"))


class Kind(StrEnum):
    """What a name is the name of."""

    USER = "user"
    HOST = "host"
    IP = "ip"
    OPAQUE = "opaque"
    """A part of a link that may be anything in another writing, such as Base64."""


class Name(NamedTuple):
    """A name and where it stands."""

    start: int
    end: int
    kind: Kind
    text: str


class Reading(NamedTuple):
    """How a text is read: what is taken for a name in it."""

    own: Mapping[str, Kind] = {}
    """Bare names, in small letters, that are names here wherever they stand."""
    sure: bool = False
    """What looks like a host is one, whatever its last label."""
    all_words: bool = False
    """Every word is a host."""
    only_addresses: bool = False
    """Nothing is a host by itself: a path, an id."""
    in_link: bool = False


IN_TEXT = Reading()


def names_in(text: str, reading: Reading = IN_TEXT) -> Iterator[Name]:
    """Yield the names in `text`, in their order; an address is two of them, its user and its host."""
    start = 0
    for begin, end in _ipv6_stretches(text):
        yield from _between(text, start, begin, reading)
        yield Name(begin, end, Kind.IP, text[begin:end])
        start = end
    yield from _between(text, start, len(text), reading)


def words_of(text: str) -> list[str]:
    """The words of a text, those with dots as a whole."""
    found: list[str] = re.findall(_DOTTED, text)
    return found


def canonical_ip(written: str) -> str:
    """An IP address in one of the many forms in which it may be written."""
    try:
        number = IPv6Address(_COLON.sub(":", written))
    except AddressValueError:
        return written
    return str(number.ipv4_mapped or number.compressed)


def has_letter(name: str) -> bool:
    return any(map(str.isalpha, name))


def _between(text: str, begin: int, end: int, reading: Reading) -> Iterator[Name]:
    for token in _TOKEN.finditer(text, begin, end):
        if token["scheme"]:
            yield from _names_of_link(text, token, reading)
        elif token["at"]:
            yield from _names_of_address(token)
        elif token["name"]:
            yield from _names_of_dotted(text, token.start(), token["name"], reading)
        elif token["word"] and (kind := _kind_of_word(text, token.start(), token["word"], reading)):
            yield Name(*token.span(), kind, token["word"])


def _names_of_link(text: str, token: re.Match[str], reading: Reading) -> Iterator[Name]:
    start, end = token.span("authority")
    user, at, host = token["authority"].rpartition("@")
    if at:
        yield Name(start, start + len(user), Kind.USER, user)
    name = re.match(_DOTTED, host)
    if name:
        yield from _names_of_dotted(text, end - len(host), name[0], reading._replace(sure=True))
    yield from _between(text, *token.span("rest"), reading._replace(in_link=True))


def _names_of_address(token: re.Match[str]) -> Iterator[Name]:
    local, domain = token["local"], _without_tail(token["domain"] or "")
    key = _KEY.match(local)
    lead = key.end() if key else len(local) - len(local.lstrip("'{*~.=-"))
    if lead < len(local):
        yield Name(token.start() + lead, token.end("local"), Kind.USER, local[lead:])
    if domain:
        start = token.end("at")
        yield Name(start, start + len(domain), Kind.IP if _IPV4.fullmatch(domain) else Kind.HOST, domain)


def _names_of_dotted(text: str, start: int, word: str, reading: Reading) -> Iterator[Name]:
    name = _without_tail(word)
    end = start + len(name)
    kind = reading.own.get(name.lower())
    if kind is None and not reading.only_addresses and _is_host(text, start, name, reading):
        kind = Kind.HOST
    elif kind is None and _is_in_angles(text, start, end) and has_letter(name) and not _IPV4.search(name):
        kind = Kind.USER
    if kind:
        yield Name(start, end, kind, name)
        return
    for part in _PARTS.finditer(word):
        begin = start + part.start()
        if part["ip"] and not _is_number(text, begin):
            yield Name(begin, begin + len(part[0]), Kind.IP, part[0])
        elif own := reading.own.get(part[0].lower()):
            yield Name(begin, begin + len(part[0]), own, part[0])


def _kind_of_word(text: str, start: int, word: str, reading: Reading) -> Kind | None:
    """What a word without a dot is, where something says that it is a name."""
    lowered, end = word.lower(), start + len(word)
    if lowered in reading.own or reading.only_addresses:
        return reading.own.get(lowered)
    if reading.all_words:
        return Kind.HOST if has_letter(word) and lowered not in NO_MACHINE else None
    if lowered in NOBODY:
        return None
    if _is_called_host(text, start, end) or _CALLED_BY_IP.fullmatch(word):
        return Kind.HOST
    is_called_user = _BEFORE_USER.search(text[max(0, start - _CONTEXT) : start]) and not word.isdecimal()
    if is_called_user or (_is_in_angles(text, start, end) and word[0].islower()):
        return Kind.USER
    return Kind.OPAQUE if reading.in_link and _is_opaque(word) else None


def _is_host(text: str, start: int, name: str, reading: Reading) -> bool:
    """Whether a word with dots in it names a host, not a file, a version, an exception or the seam of two sentences."""
    labels, end = name.split("."), start + len(name)
    last = labels[-1].lower()
    is_name = len(last) > 1 and (last.isalpha() or last.startswith("xn--"))
    if reading.sure or _is_called_host(text, start, end):
        return has_letter(name) and (is_name or not _IPV4.search(name))
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    is_script = last in _SCRIPTS and before in ("/", "\\") and after != "/"
    if not is_name or is_script or last in _EXTENSIONS or name.lower() in _SETTINGS:
        return False
    # With a top-level domain that the list lacks: modules, and properties such as "smtp.mailfrom=", have fewer labels.
    is_long = len(labels) > 2 and name.islower() and name.isascii() and after != "=" and not labels[0].isdecimal()
    return is_long or _is_top_level(last)


def _is_called_host(text: str, start: int, end: int) -> bool:
    """Whether what stands around a word says that it is a host: "helo=<friend>", "mx1[192.0.2.1]", "<friend>: Helo command rejected"."""
    return bool(
        _BEFORE_HOST.search(text[max(0, start - _CONTEXT) : start])
        or _BRACKETED_IP.match(text, end)
        or (_is_in_angles(text, start, end) and _AFTER_CLIENT.match(text, end))
    )


def _is_number(text: str, start: int) -> bool:
    """Whether what has the form of an IPv4 address is a version or a code."""
    return bool(_BEFORE_VERSION.search(text[max(0, start - _CONTEXT) : start]) or _CODE.match(text, start))


def _is_in_angles(text: str, start: int, end: int) -> bool:
    return text[max(0, start - 1) : start] == "<" and text[end : end + 1] == ">"


def _without_tail(name: str) -> str:
    """A host's name without what was put to it: the first word of the next sentence ("example.com.Please"), a file's extension."""
    rest, _, last = name.rpartition(".")
    is_tail = last.istitle() or last.lower() in _EXTENSIONS
    return rest if is_tail and "." in rest and _is_top_level(rest.rpartition(".")[2].lower()) else name


def _is_top_level(label: str) -> bool:
    return (
        label in _TLDS
        or label in _IDN_TLDS
        or label.startswith("xn--")
        or (len(label) == 2 and label.isascii() and label.isalpha() and label not in _EXTENSIONS)
    )


def _is_opaque(word: str) -> bool:
    """Whether a part of a link may be an address in another writing, such as Base64."""
    return any(len(piece) >= _OPAQUE_LENGTH and not piece.isalpha() and has_letter(piece) for piece in re.split("[-_]", word))


def _ipv6_stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where IPv6 addresses stand in `text`; times and fingerprints have as many colons and are none."""
    for run in _IPV6.finditer(text):
        start, end = run.span()
        if start and _IN_WORD.match(text, start - 1):
            # "IPv6:2001:db8::1": the run began inside a word.
            first = _COLON.search(text, start, end)
            start = first.end() if first else end
        if _IN_WORD.match(text, end):
            end = max(text.rfind(":", start, end) + 1, start)
        if text.endswith(":", start, end) and (text.endswith(":::", start, end) or not text.endswith("::", start, end)):
            end -= 1
        try:
            IPv6Address(_COLON.sub(":", text[start:end]))
        except AddressValueError:
            continue
        if _OF_ADDRESS.search(text, start, end):
            yield start, end
