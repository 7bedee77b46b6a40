"""Verdicts on usual lines, of which a log has millions that say the same: the reply of the first is read and judged, for all of its kind.

Lines are of a kind if the replies on them have one shape (see `apart.py`) and the same is known of who answered. What is remembered
of a kind is what an ordinary reading of the shape gives; where that is not what the first of its lines tells, nothing is.
A kind is found again by its reply's signs, and known by a pattern that its shape gives, which takes less than taking each reply apart.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

from .apart import RECIPIENT, SENDER, Apart
from .circumstances import Names
from .judging import Judge, Known
from .model import Classified, Record
from .parsing.postfix_usual import UsualLine
from .rules import MAX_TEXT

MAX_FORMS = 5_000
MAX_KINDS = 20_000
MAX_SIGNS = 20_000
"""Forms that are remembered, at 6 KB each, their kinds, and the signs that lead to them; all are forgotten where there are more of any."""

MAX_ALIKE = 100
"""Forms that are tried of those with the same signs, the last found first."""

MAX_NAMES = 10_000
"""Pairs of a relay and a recipient's domain of which it is remembered whose they are."""

# What stands for the host between the words that Postfix puts before a reply; the relay's item says the same.
_RELAY = "relay.example[198.18.0.1]"
_WORDS_BEFORE = (" said: ", " refused to talk to me: ")

_NOBODY: dict[str, str] = {}
_LETTERS = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Form:
    """The replies of one shape: how a record is read from them."""

    def __init__(self, apart: Apart, shape: Record, template: str, varying: tuple[str, ...]) -> None:
        self.shape = shape
        self.template = template
        """The record's text, with %s for each of the things that vary."""

        self.varying = varying
        """What stands in for these."""

        self.kinds: dict[Names, Kind] = {}
        self.apart = apart

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Of a reply in which the addresses stand in."""
        return self.apart.pattern()


class Kind(NamedTuple):
    """What lines have in common that say the same."""

    number: int
    form: Form
    shape: Record
    """What the shape tells."""

    known: Known


class Told(NamedTuple):
    """A line's kind, and the things that vary in its reply."""

    kind: Kind
    values: tuple[str, ...]
    stands_for: dict[str, str]
    """What stands in for the names of the recipient and the sender."""

    def text(self) -> str:
        """The text of the line's record."""
        text = self.kind.form.template % self.values
        for stand_in, name in self.stands_for.items():
            text = text.replace(stand_in, name)
        return text

    def apart(self) -> Apart:
        """The line's reply, taken apart."""
        return Apart(self.kind.shape.text, {**self.stands_for, **dict(zip(self.kind.form.varying, self.values, strict=True))})


class UsualLines:
    """Usual lines, judged by their kinds."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._fixed = judge.anatomy.fixed
        self._forms: dict[tuple[object, ...], Form | None] = {}
        self._by_signs: dict[tuple[object, ...], list[Form]] = {}
        self._names: dict[tuple[str, str], Names] = {}
        self._kinds = 0
        self._kinds_forgotten = 0

    def classified(self, usual: UsualLine, source: str) -> Classified:
        """Return what the line tells, with its verdict: what the judge says of its record."""
        return self.as_told(self.told(usual), usual, source)

    def as_told(self, told: Told | None, usual: UsualLine, source: str) -> Classified:
        """Return what `classified` does, of a line that is told already."""
        if told:
            shape = told.kind.shape
            record = Record(
                source,
                usual.line,
                shape.format,
                usual.time,
                usual.host,
                shape.direction,
                shape.outcome,
                usual.queue_id,
                usual.sender,
                usual.recipient,
                usual.relay if usual.relay != "none" else None,
                usual.client,
                shape.phase,
                shape.reply_code,
                shape.enhanced_code,
                told.text(),
            )
            known = told.kind.known
            verdict = known.verdict_on(record, told.apart()) if known.varies or known.blamed else known.verdict
            if verdict:
                return Classified(record, verdict)
        record = usual.record(source)
        return Classified(record, self._judge.judge(record))

    def told(self, usual: UsualLine) -> Told | None:
        """The kind of a line; None where its reply is alone."""
        _, _, _, _, sender, recipient, relay, _, dsn, status, text = usual
        relay = relay or ""
        words = ""
        if text.startswith("host "):
            for word in _WORDS_BEFORE:
                host, words, reply = text.partition(word)
                if words and relay.startswith(host[5:]):
                    text = reply
                    break
                words = ""
        user, _, domain = recipient.rpartition("@")
        named, stands_for = text, _NOBODY
        if user in text or (sender and sender in text) or (".example" in text and (RECIPIENT[1] in text or SENDER[1] in text)):
            found = self._judge.anatomy.named(text, recipient, sender)
            if found is None:
                return None
            named, stands_for = found
        pair = (relay.partition("[")[0], domain)
        names = self._names.get(pair) or self._remember_names(pair, usual)
        signs = (named[:9], named.encode().translate(None, _LETTERS), words, dsn, status)
        forms = self._by_signs.get(signs) or []
        for place, form in enumerate(forms):
            match = form.pattern.fullmatch(named)
            if match and self._fixed.isdisjoint(values := match.groups()):
                if place:
                    forms.insert(0, forms.pop(place))
                kind = form.kinds.get(names) or self._new_kind(form, names, usual)
                return Told(kind, values, stands_for)
        return self._told_by_shape(usual, text, words, names, signs)

    def _told_by_shape(self, usual: UsualLine, text: str, words: str, names: Names, signs: tuple[object, ...]) -> Told | None:
        apart = self._judge.anatomy.take(text, usual.recipient, usual.sender)
        if apart is None:
            return None
        key = (apart.shape, words, usual.dsn, usual.status)
        form = self._forms.get(key)
        if form:
            # Met again: worth a pattern.
            if len(self._by_signs) >= MAX_SIGNS:
                self._by_signs.clear()
            alike = self._by_signs.setdefault(signs, [])
            if form not in alike:
                alike.insert(0, form)
                del alike[MAX_ALIKE:]
        elif key not in self._forms:
            form = self._forms[key] = self._new_form(usual, words, apart)
        if form is None:
            return None
        names_alone = {name: value for name, value in apart.stands_for.items() if name not in form.varying}
        kind = form.kinds.get(names) or self._new_kind(form, names, usual)
        return Told(kind, tuple(apart.stands_for[name] for name in form.varying), names_alone)

    def _remember_names(self, pair: tuple[str, str], usual: UsualLine) -> Names:
        if len(self._names) >= MAX_NAMES:
            self._names.clear()
        relay = usual.relay if usual.relay != "none" else None
        names = self._names[pair] = self._judge.told_by_names(Record("", 0, "", relay=relay, recipient=usual.recipient))
        return names

    def _new_form(self, usual: UsualLine, words: str, apart: Apart) -> Form | None:
        self._make_room()
        first = usual.record("")
        text = f"host {_RELAY}{words}{apart.shape}" if words else apart.shape
        shape = usual._replace(text=text).record("")
        if len(first.text) > MAX_TEXT or shape._replace(text=apart.restored(shape.text)) != first:
            return None
        varying = tuple(apart.varying)
        template = shape.text.replace("%", "%%")
        for stand_in in varying:
            template = template.replace(stand_in, "%s")
        if template.replace("%%", "").count("%s") != len(varying):
            return None
        return Form(apart, shape, template, varying)

    def _new_kind(self, form: Form, names: Names, usual: UsualLine) -> Kind:
        self._make_room()
        relay = usual.relay if usual.relay != "none" else None
        shape = form.shape._replace(relay=relay, recipient=usual.recipient, sender=usual.sender)
        known = self._judge.known(form.apart._replace(shape=shape.text), shape)
        kind = form.kinds[names] = Kind(self._kinds, form, shape, known)
        self._kinds += 1
        return kind

    def _make_room(self) -> None:
        if len(self._forms) >= MAX_FORMS or self._kinds - self._kinds_forgotten >= MAX_KINDS:
            self._forms.clear()
            self._by_signs.clear()
            self._kinds_forgotten = self._kinds
