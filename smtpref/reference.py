"""`explain`: what a person typed -> entries; codes that nobody registered are explained by their digits.

Entries are made here from blocks of `codes.yaml` in one language. Nothing is printed, and no message is judged.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .built import Block
from .errors import NotACode
from .knowledge import Knowledge, Language, say
from .model import (
    ENHANCED_CODE,
    REPLY_CODE,
    Action,
    Actor,
    BlocklistFacts,
    Bounce,
    Category,
    CodePattern,
    EnhancedCode,
    Entry,
    Kind,
    Phase,
    ProviderUse,
    ReplyCode,
    ReturnCode,
    Source,
)
from .patterns import lazily
from .wording import joined, phrase

MOST_USES = 8
"""Codes of one provider that are told beside a reply code."""

ENHANCED_SUBJECT = lazily(r"X\.(\d{1,3})(?:\.X)?")
_PAIR = lazily(r"([1-6]\d\d)[ ,/-]+\(?#?((?:[245]|X)\.\d{1,3}\.\d{1,3})\)?")
_DECORATION = lazily(r"^(?:smtp;?|code|error|status):?\s*(?=\d)", re.IGNORECASE)
_LETTERS_FOR_DIGITS = str.maketrans("OolI", "0011")
_CLASS_PERMANENCE = {"4": False, "5": True}


class Reference:
    """Answers questions about codes from one Knowledge, in one language."""

    def __init__(self, knowledge: Knowledge, language: Language) -> None:
        self.knowledge = knowledge
        self.language = language

    def sides(self, asked: Sequence[str]) -> list[Entry]:
        """The first entry of each CODE of a comparison. Raises NotACode for what is none."""
        return [self.entries(given)[0] for given in self.grouped(asked, pair_codes=False)]

    def entries(self, given: str) -> tuple[Entry, ...]:
        """The entries for one CODE, the most exact first, at least one. Raises NotACode where there are none."""
        text = _undecorated(given)
        # Microsoft writes S3140 and S(3140) alike; O and l pass for digits; reasons have hyphens where people have blanks.
        spellings = (text, text.replace("(", "").replace(")", ""), text.translate(_LETTERS_FOR_DIGITS), text.replace(" ", "-"))
        found = next(filter(None, (tuple(self._entries(spelling)) for spelling in dict.fromkeys(spellings))), ())
        if not found:
            raise NotACode(given, self.nearest(given))
        return found

    def nearest(self, given: str) -> tuple[str, ...]:
        """Up to three commands that a person may have meant who gave `given` for a code."""
        text = _undecorated(given)
        provider = self._provider(text)
        if provider:
            return (f"smtpref search --provider {provider['id']}",)
        owner, _, rest = text.partition(" ")
        if rest and self._provider(owner):
            known_alone = [f"smtpref explain {rest}"] if any(self._entries(_undecorated(rest))) else []
            return (*known_alone, f"smtpref search --provider {self.provider_id(owner)}")
        if text[:1].isdigit():
            known = [code for code in self.knowledge.replies if code.startswith(text)] if len(text) == 2 else []
            near = known or _alike(text, (*self.knowledge.replies, *(f"5{code[1:]}" for code in self.knowledge.enhanced)))
        else:
            near = _alike(text.lower(), (*self.knowledge.reasons, *self.knowledge.blocklists))
        commands = [f"smtpref explain {code}" for code in near[:3]]
        return (*commands[:2], f"smtpref search {shlex.quote(text)}") if text else tuple(commands)

    def provider_id(self, name: str) -> str:
        """The id of the provider called `name`. Raises NotACode where there is none."""
        provider = self._provider(name)
        if provider is None:
            near = _alike(name.lower(), tuple(self.knowledge.providers))
            raise NotACode(name, tuple(f"smtpref search --provider {other}" for other in near) or ("smtpref search",))
        identity: str = provider["id"]
        return identity

    def reason_id(self, name: str) -> str:
        """The reason called `name`. Raises NotACode where there is none."""
        wanted = name.lower().replace(" ", "-")
        if wanted not in self.knowledge.reasons:
            near = _alike(wanted, tuple(self.knowledge.reasons))
            raise NotACode(name, tuple(f"smtpref search --reason {other}" for other in near) or ("smtpref search",))
        return wanted

    def every_entry(self) -> Iterator[Entry]:
        """All entries of the reference, group by group."""
        for code in self.knowledge.classes:
            yield self._class(code)
        for code in self.knowledge.subjects:
            yield self._subject(code)
        for code in self.knowledge.replies:
            yield self._reply(ReplyCode.parse(code))
        for code in self.knowledge.enhanced:
            yield self._registered(code, None)
        for reason in self.knowledge.reasons:
            yield self._reason(reason)
        for provider in self.knowledge.providers.values():
            for block in provider.get("codes", ()):
                yield self._provider_code(provider, block, block["code"])
            for family in provider.get("families", ()):
                yield self._family_code(provider, family, family["code"], None)
        for block in self.knowledge.blocklists.values():
            yield self._blocklist(block)

    def grouped(self, asked: Sequence[str], *, pair_codes: bool) -> Iterator[str]:
        """Join a provider with the code behind it, and, where asked, a reply code with the enhanced code of its class."""
        words = list(asked)
        while words:
            word = words.pop(0)
            joined_words = f"{word}-{words[0]}".lower() if words else ""
            if joined_words in self.knowledge.reasons:
                yield joined_words
                words.pop(0)
                continue
            owner = f"{word} " if words and self._provider(word) else ""
            code = words.pop(0) if owner else word
            if words and pair_codes and _is_pair(code, words[0]):
                code += f" {words.pop(0)}"
            yield owner + code

    def _provider(self, name: str) -> Block | None:
        wanted = name.lower().strip()
        for marks in self.knowledge.marks["providers"]:
            if wanted in (marks["id"], marks["name"].lower(), *(alias.lower() for alias in marks.get("aliases", ()))):
                return self.knowledge.providers[marks["id"]]
        return None

    def _entries(self, text: str) -> Iterator[Entry]:
        pair = _PAIR.fullmatch(text.upper())
        if pair:
            yield from self._entries(pair[2])
            yield from self._entries(pair[1])
            return
        owner, _, rest = text.partition(" ")
        provider = self._provider(owner) if rest else None
        if provider:
            yield from self._of_provider(provider, rest.strip())
            return
        is_known = text in self.knowledge.replies or f"X{text[1:]}" in self.knowledge.enhanced
        groups = (self._by_registry(text), self._by_providers(text))
        for group in groups if is_known else reversed(groups):
            yield from group

    def _by_registry(self, text: str) -> Iterator[Entry]:
        """The entry of a reply code, an enhanced code, a class, a reason or a blocklist, registered or explained by its digits."""
        upper = text.upper().replace("*", "X")
        if REPLY_CODE.fullmatch(text) and (text in self.knowledge.replies or "2" <= text[0] <= "5"):
            yield self._reply(ReplyCode.parse(text))
        elif ENHANCED_CODE.fullmatch(text):
            yield self._enhanced(EnhancedCode.parse(text))
        elif upper in self.knowledge.enhanced:
            yield self._registered(upper, None)
        elif re.fullmatch(r"X\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})", upper):
            yield self._from_digits(upper, None, int(upper.split(".")[1]))
        elif re.fullmatch(r"[1-6](?:XX|YZ)|[2-5][0-5][XZ]|[245](?:\.X){1,2}|[245]\.\d{1,3}\.X", upper) or ENHANCED_SUBJECT.fullmatch(upper):
            yield self._pattern(upper)
        elif text.lower() in self.knowledge.reasons:
            yield self._reason(text.lower())
        else:
            yield from map(self._blocklist, self._find_blocklists(text))

    def _by_providers(self, text: str) -> Iterator[Entry]:
        """What providers mean by a code of their own. A plain word is only their handle of a phrase: it counts with the provider named."""
        if text.isalpha() and text.islower():
            return
        users = self.knowledge.users_of(text)
        is_registered = text in self.knowledge.replies or f"X{text[1:]}" in self.knowledge.enhanced
        for provider in users or (() if is_registered else self.knowledge.providers.values()):
            yield from self._own_codes(provider, text)

    def _of_provider(self, provider: Block, text: str) -> Iterator[Entry]:
        """What the provider means by a code, then what the registry does; nothing where neither knows it."""
        code = _undecorated(text)
        pair = _PAIR.fullmatch(code.upper())
        for part in (pair[2], pair[1]) if pair else (code,):
            yield from self._own_codes(provider, part, is_named=True)
        for entry in self._entries(code):
            if entry.provider != provider["id"]:
                yield entry._replace(uses=tuple(self._uses_with(provider, code)) or entry.uses)

    def _own_codes(self, provider: Block, code: str, *, is_named: bool = False) -> Iterator[Entry]:
        """The provider's blocks for a code, or else the family that it belongs to; with the provider named, what comes with the number too."""
        blocks = provider.get("codes", ())
        found = [block for block in blocks if block["code"].lower() == code.lower()]
        if is_named:
            found = found or [block for block in blocks if code in block.get("enhanced", ())]
        for block in found:
            yield self._provider_code(provider, block, block["code"])
        if found:
            return
        for family in provider.get("families", ()):
            match = re.fullmatch(family["pattern"], code, re.IGNORECASE)
            if match or _undecorated(family["code"]).lower() == code.lower():
                yield self._family_code(provider, family, code if match else family["code"], match)
                return

    # Entries from blocks

    def _reply(self, code: ReplyCode) -> Entry:
        block = self.knowledge.replies.get(str(code))
        if block is None:
            return self._reply_from_digits(code)
        return self._entry(
            block,
            Kind.REPLY,
            str(code),
            permanent=code.permanent,
            class_name=self._name_of_class(f"{code.class_digit}yz"),
            registered=block.get("registered", True),
        )

    def _enhanced(self, code: EnhancedCode) -> Entry:
        if code.any_class in self.knowledge.enhanced:
            return self._registered(code.any_class, code)
        return self._from_digits(str(code), code.class_digit, code.subject)

    def _registered(self, any_class: str, code: EnhancedCode | None) -> Entry:
        block = self.knowledge.enhanced[any_class]
        digit = code.class_digit if code else None
        variant = next((v for v in block.get("variants", ()) if v["class"] == digit), None)
        if variant:
            block = {**block, **variant}
        elif code and digit not in block["classes"]:
            block = {**block, **self._unusual_class(block, code)}
        if code:
            related = [EnhancedCode(code.class_digit, *map(int, other.split(".")[1:])) for other in block.get("related", ())]
            replies = [reply for reply in block.get("replies", ()) if reply[0] == code.class_digit]
            block = {**block, "related": [str(other) for other in related], "replies": replies}
            example = block["example"]
            if str(code) not in example:
                block = {**block, "example": None}
        return self._entry(
            block,
            Kind.ENHANCED,
            str(code) if code else any_class,
            permanent=code.permanent if code else None,
            class_name=self._name_of_class(f"{digit}.x.x") if digit else None,
        )

    def _unusual_class(self, block: Block, code: EnhancedCode) -> Block:
        """What changes where a registered code stands with a first digit that makes no sense with it, as in 2.1.1."""
        cls = self.knowledge.classes[f"{code.class_digit}.x.x"]
        said = phrase(
            "unusual-class", self.language, code=code, cls=self._said(cls["name"]), any_class=code.any_class, name=self._said(block["name"])
        )
        return {"acts": cls["acts"], "fix": cls["fix"], "meaning": _same(f"{said} {self._said(cls['meaning'])}"), "reasons": []}

    def _class(self, code: str) -> Entry:
        block = self.knowledge.classes[code]
        return self._entry(block, Kind.CLASS, code, permanent=_CLASS_PERMANENCE.get(code[0]), class_name=say(block["name"], self.language))

    def _subject(self, code: str) -> Entry:
        return self._entry(self.knowledge.subjects[code], Kind.CLASS, code)

    def _reason(self, reason: str) -> Entry:
        block = self.knowledge.reasons[reason]
        codes = [code for code, other in self.knowledge.replies.items() if reason in other["reasons"]]
        enhanced = [code for code, other in self.knowledge.enhanced.items() if reason in other["reasons"]]
        return self._entry(
            {**block, "replies": codes, "enhanced": enhanced, "use": block["meaning"]},
            Kind.REASON,
            reason,
            uses=(),
            bounce=Bounce(block["bounce"]),
            category=Category(block["category"]),
            action=Action(block["action"]),
        )

    def _provider_code(self, provider: Block, block: Mapping[str, Any], code: str) -> Entry:
        codes = joined((*block.get("replies", ()), *block.get("enhanced", ())), self.language, "or")
        key = "provider-when-codes" if codes else "provider-when"
        when = _same(phrase(key, self.language, provider=provider["name"], codes=codes))
        block = {"sources": provider["sources"], "when": when, "use": block["meaning"], **block}
        permanent = block.get("permanent")
        return self._entry(
            block,
            Kind.PROVIDER,
            code,
            registered=False,
            permanent=permanent,
            class_name=None if permanent is None else self._name_of_class("5.x.x" if permanent else "4.x.x"),
            provider=provider["id"],
            certain=block.get("certain", True),
            uses=(),
        )

    def _family_code(self, provider: Block, family: Block, code: str, match: re.Match[str] | None) -> Entry:
        meaning = self._said(family["meaning"]).replace("{code}", code)
        groups = match.groupdict() if match else {}
        for part in family.get("parts", ()):
            value = part["values"].get(groups.get(part["group"]))
            if value:
                meaning += f" {self._said(value)}"
        return self._provider_code(provider, {**family, "meaning": _same(meaning)}, code)

    def _find_blocklists(self, name: str) -> list[Block]:
        """The blocklist of that zone or name; else those that have it as a word of their name or as their operator."""
        wanted = name.lower().rstrip(".")
        if not wanted:
            return []
        blocks = list(self.knowledge.blocklists.values())
        exact = [b for b in blocks if wanted in (b["zone"].lower(), b["name"].lower(), *(other.lower() for other in b.get("names", ())))]
        return exact or [b for b in blocks if wanted in (*b["name"].lower().split(), b.get("operator", "").lower())]

    def _blocklist(self, block: Block) -> Entry:
        facts = BlocklistFacts(
            zone=block["zone"],
            operator=block.get("operator"),
            lists=tuple(block["lists"]),
            status=block["status"],
            lookup=block.get("lookup"),
            removal=self._said(block["removal"]),
            return_codes=tuple(
                ReturnCode(code["value"], self._said(code["meaning"]), code.get("refused", False)) for code in block.get("return_codes", ())
            ),
        )
        return self._entry(
            {**block, "name": _same(block["name"]), "use": block["meaning"], "reasons": ["blocklisted"]},
            Kind.BLOCKLIST,
            block["zone"],
            blocklist=facts,
        )

    def _entry(self, block: Mapping[str, Any], kind: Kind, code: str, **facts: Any) -> Entry:
        lang = self.language
        return Entry(
            **{
                "code": code,
                "kind": kind,
                "name": say(block["name"], lang),
                "registered": True,
                "class_name": None,
                "permanent": None,
                "acts": Actor(block["acts"]),
                "meaning": say(block["meaning"], lang),
                "when": say(block["when"], lang),
                "use": say(block["use"], lang),
                "phases": tuple(map(Phase, block.get("phases", ()))),
                "fix": tuple(say(block["fix"], lang)),
                "example": block.get("example"),
                "provider": None,
                "related": tuple(block.get("related", ())),
                "sources": tuple(map(self.knowledge.source, block["sources"])),
                "reasons": tuple(block.get("reasons", ())),
                "replies": tuple(block.get("replies", ())),
                "enhanced": tuple(other for other in block.get("enhanced", ()) if other != code),
                "uses": tuple(self._uses(code)),
                "note": say(block["note"], lang) if "note" in block else None,
                **facts,
            }
        )

    def _uses(self, code: str) -> Iterator[ProviderUse]:
        """What providers mean by the same number."""
        for provider in self.knowledge.users_of(code):
            for block in provider.get("codes", ()):
                if block["code"] == code or (code in block.get("enhanced", ()) and not _has_block(provider, code)):
                    yield ProviderUse(
                        provider["id"], provider["name"], code, say(block["meaning"], self.language), block.get("certain", True)
                    )

    def _uses_with(self, provider: Block, reply_code: str) -> Iterator[ProviderUse]:
        """What a provider says with a reply code, by its own codes that come with it."""
        blocks = [block for block in provider.get("codes", ()) if reply_code in block.get("replies", ())]
        for block in blocks[:MOST_USES]:
            meaning = f"{block['code']}: {self._said(block['meaning'])}"
            yield ProviderUse(provider["id"], provider["name"], block["code"], meaning, block.get("certain", True))

    # Entries from digits

    def _pattern(self, upper: str) -> Entry:
        if "." not in upper:
            if upper[1] in "XY":
                return self._class(f"{upper[0]}yz")
            return self._reply_range(upper)
        parts = upper.split(".")
        digit, subject = parts[0], parts[1]
        if subject == "X":
            return self._class(f"{digit}.x.x")
        if digit == "X" and f"X.{subject}.x" in self.knowledge.subjects:
            return self._subject(f"X.{subject}.x")
        code = f"{digit}.{subject}.x"
        return self._from_digits(code, None if digit == "X" else digit, int(subject), kind=Kind.CLASS)

    def _reply_range(self, upper: str) -> Entry:
        digit, second = upper[0], upper[1]
        cls, category = self.knowledge.classes[f"{digit}yz"], self.knowledge.categories[f"x{second}z"]
        code = f"{digit}{second}z"
        known = [c for c in self.knowledge.replies if CodePattern(code).matches(c)]
        meaning = f"{say(cls['meaning'], self.language)} {say(category['meaning'], self.language)}"
        if known:
            meaning += " " + phrase("codes-like", self.language, codes=", ".join(known))
        block = {
            **cls,
            "name": {
                "en": f"{cls['name']['en']}: {category['name']['en']}",
                "vi": f"{say(cls['name'], 'vi')}: {say(category['name'], 'vi')}",
            },
            "meaning": _same(meaning),
            "example": None,
            "related": known,
            "sources": list(dict.fromkeys([*cls["sources"], *category["sources"]])),
        }
        return self._entry(block, Kind.CLASS, code, permanent=_CLASS_PERMANENCE.get(digit), class_name=self._name_of_class(f"{digit}yz"))

    def _reply_from_digits(self, code: ReplyCode) -> Entry:
        cls = self.knowledge.classes[f"{code.class_digit}yz"]
        category = self.knowledge.categories.get(f"x{str(code)[1]}z")
        names = [self._said(cls["name"]), *([self._said(category["name"])] if category else [])]
        meaning = phrase("unregistered-meaning", self.language, code=code, digits=", ".join(names))
        if not code.is_in_grammar:
            meaning += " " + phrase("outside-grammar", self.language)
        sources = list(dict.fromkeys([*cls["sources"], *(category["sources"] if category else ())]))
        return self._unregistered(cls, str(code), names[-1], meaning, sources, Kind.REPLY, code.permanent, names[0])

    def _from_digits(self, code: str, digit: str | None, subject: int, kind: Kind = Kind.ENHANCED) -> Entry:
        cls = self.knowledge.classes[f"{digit}.x.x"] if digit else None
        topic = self.knowledge.subjects.get(f"X.{subject}.x")
        subject_name = self._said(topic["name"]) if topic else phrase("unknown-subject", self.language, subject=subject)
        names = [*([self._said(cls["name"])] if cls else []), subject_name]
        permanent = _CLASS_PERMANENCE.get(digit or "")
        base = topic or cls or self.knowledge.classes["5.x.x"]
        sources = list(dict.fromkeys([*(cls["sources"] if cls else ()), *(topic["sources"] if topic else ()), "RFC 3463 2"]))
        if kind is Kind.CLASS and topic and cls:
            block = {
                **topic,
                "name": _same(f"{names[0]}: {names[1]}"),
                "meaning": _same(f"{self._said(cls['meaning'])} {self._said(topic['meaning'])}"),
                "fix": _same([*self._said(cls["fix"])[:1], *self._said(topic["fix"])]),
                "example": None,
                **({"acts": cls["acts"]} if digit == "2" else {}),
                "related": [],
                "sources": sources,
            }
            return self._entry(block, kind, code, permanent=permanent, class_name=names[0])
        meaning = phrase("unregistered-meaning", self.language, code=code, digits=", ".join(names))
        return self._unregistered(base, code, subject_name, meaning, sources, kind, permanent, names[0] if cls else None)

    def _unregistered(
        self,
        base: Block,
        code: str,
        name: str,
        meaning: str,
        sources: list[str],
        kind: Kind,
        permanent: bool | None,
        class_name: str | None,
    ) -> Entry:
        fix = [phrase("unregistered-fix", self.language), *self._said(base["fix"])]
        block = {
            "name": _same(phrase("unregistered-name", self.language, category=name)),
            "acts": base["acts"],
            "meaning": _same(meaning),
            "when": base["when"],
            "use": _same(phrase("unregistered-use", self.language)),
            "fix": _same(fix),
            "sources": sources,
        }
        return self._entry(block, kind, code, registered=False, permanent=permanent, class_name=class_name)

    def _name_of_class(self, code: str) -> str:
        name: str = self._said(self.knowledge.classes[code]["name"])
        return name

    def _said(self, text: Mapping[str, Any]) -> Any:
        return say(text, self.language)


def _is_pair(code: str, following: str) -> bool:
    """Whether a reply code and an enhanced code of its class follow each other."""
    return bool(REPLY_CODE.fullmatch(code) and re.fullmatch(rf"[{code[0]}X]\.\d{{1,3}}\.\d{{1,3}}", following, re.IGNORECASE))


def _has_block(provider: Block, code: str) -> bool:
    return any(block["code"].lower() == code for block in provider.get("codes", ()))


def _alike(text: str, known: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(text, known, n=3, cutoff=0.5)


def _same(said: Any) -> dict[str, Any]:
    """A text or list that is in the asked language already."""
    return {"en": said, "vi": said}


def _undecorated(given: str) -> str:
    """A CODE without what pasting leaves around it: quotes, brackets, "smtp;", commas."""
    text = " ".join(given.split()).strip("\"'`.,:;!?")
    text = _DECORATION.sub("", text).lstrip("#;: ")
    if text.startswith(("(", "[")) and text.endswith((")", "]")):
        text = text[1:-1]
    return text.lstrip("#").strip()


def entry_sources(entries: Sequence[Entry]) -> tuple[Source, ...]:
    """All sources of the entries, each once."""
    return tuple(dict.fromkeys(source for entry in entries for source in entry.sources))
