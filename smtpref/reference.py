"""`explain`: what a person typed -> entries; codes that nobody registered are explained by their digits.

Entries are made here from blocks of `codes.yaml` in one language. Nothing is printed, and no message is judged.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from .wording import joined, phrase

ENHANCED_SUBJECT = re.compile(r"X\.(\d{1,3})(?:\.X)?")
_PAIR = re.compile(r"([1-6]\d\d)[ -]+\(?#?((?:[245]|X)\.\d{1,3}\.\d{1,3})\)?")
_DECORATION = re.compile(r"^(?:smtp;?|code|error|status)\s*(?=\d)", re.IGNORECASE)
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
        # Microsoft writes S3140 and S(3140) alike.
        found = tuple(self._entries(text)) or tuple(self._entries(text.replace("(", "").replace(")", "")))
        if not found:
            raise NotACode(given, tuple(self.nearest(given)))
        return found

    def nearest(self, given: str) -> list[str]:
        """Up to three codes, reasons or names that are written much like `given`."""
        text = _undecorated(given)
        digits = [code for code in self.knowledge.replies if len(text) == 2 and code.startswith(text)]
        if digits:
            return digits[:3]
        if text[:1].isdigit():
            known: Iterable[str] = (*self.knowledge.replies, *(f"5{code[1:]}" for code in self.knowledge.enhanced))
        else:
            known = (*self.knowledge.reasons, *self.knowledge.providers, *self.knowledge.blocklists)
        return difflib.get_close_matches(text.lower(), list(known), n=3, cutoff=0.5)

    def provider_id(self, name: str) -> str:
        """The id of the provider called `name`. Raises NotACode where there is none."""
        provider = self._provider(name)
        if provider is None:
            raise NotACode(name, tuple(difflib.get_close_matches(name.lower(), self.knowledge.providers, n=3, cutoff=0.5)))
        identity: str = provider["id"]
        return identity

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
        for block in self.knowledge.blocklists.values():
            yield self._blocklist(block)

    def grouped(self, asked: Sequence[str], *, pair_codes: bool) -> Iterator[str]:
        """Join a provider with the code behind it, and, where asked, a reply code with the enhanced code of its class."""
        words = list(asked)
        while words:
            word = words.pop(0)
            if (words and self._provider(word)) or (
                words
                and pair_codes
                and re.fullmatch(r"[1-6]\d\d", word)
                and re.fullmatch(rf"[{word[0]}X]\.\d+\.\d+", words[0], re.IGNORECASE)
            ):
                yield f"{word} {words.pop(0)}"
            else:
                yield word

    def _provider(self, name: str) -> Block | None:
        wanted = name.lower().strip()
        for provider in self.knowledge.providers.values():
            if wanted in (provider["id"], provider["name"].lower(), *(a.lower() for a in provider.get("aliases", ()))):
                return provider
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
        blocklist = self._find_blocklist(text)
        if blocklist:
            yield self._blocklist(blocklist)
        users = self.knowledge.users_of(text)
        is_registered = text in self.knowledge.replies or f"X{upper[1:]}" in self.knowledge.enhanced
        for provider in users or (() if is_registered else self.knowledge.providers.values()):
            yield from self._own_codes(provider, text)

    def _of_provider(self, provider: Block, text: str) -> Iterator[Entry]:
        """What the provider means by a code, then what the registry does; nothing where neither knows it."""
        code = _undecorated(text)
        pair = _PAIR.fullmatch(code.upper())
        for part in (pair[2], pair[1]) if pair else (code,):
            yield from self._own_codes(provider, part, is_named=True)
        yield from (entry for entry in self._entries(code) if entry.provider != provider["id"])

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
            if match:
                yield self._family_code(provider, family, code, match)
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
            block = {**block, "fix": self.knowledge.classes[f"{digit}.x.x"]["fix"]}
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

    def _family_code(self, provider: Block, family: Block, code: str, match: re.Match[str]) -> Entry:
        meaning = self._said(family["meaning"]).replace("{code}", code)
        for part in family.get("parts", ()):
            value = part["values"].get(match[part["group"]])
            if value:
                meaning += f" {self._said(value)}"
        return self._provider_code(provider, {**family, "meaning": _same(meaning)}, code)

    def _find_blocklist(self, name: str) -> Block | None:
        wanted = name.lower().rstrip(".")
        for block in self.knowledge.blocklists.values():
            if wanted in (block["zone"].lower(), block["name"].lower(), *(other.lower() for other in block.get("names", ()))):
                return block
        return None

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
                "enhanced": tuple(block.get("enhanced", ())),
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
            "meaning": {self.language: meaning, "en": meaning},
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
                "fix": {self.language: [*self._said(cls["fix"])[:1], *self._said(topic["fix"])], "en": self._said(topic["fix"])},
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
            "fix": {self.language: fix, "en": fix},
            "sources": sources,
        }
        return self._entry(block, kind, code, registered=False, permanent=permanent, class_name=class_name)

    def _name_of_class(self, code: str) -> str:
        name: str = self._said(self.knowledge.classes[code]["name"])
        return name

    def _said(self, text: Mapping[str, Any]) -> Any:
        return say(text, self.language)


def _has_block(provider: Block, code: str) -> bool:
    return any(block["code"].lower() == code for block in provider.get("codes", ()))


def _same(text: str) -> dict[str, str]:
    """A text that is in the asked language already."""
    return {"en": text, "vi": text}


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
