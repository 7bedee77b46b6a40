"""`compare`: what really sets two to four entries apart, worked out from their fields, in whole sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from .errors import WrongUsage
from .knowledge import Knowledge, Language, say
from .model import Actor, CodePattern, Comparison, Entry, Kind, Phase
from .reference import Reference, entry_sources
from .wording import joined, mid_sentence, phrase

FEWEST, MOST = 2, 4


def compare_codes(asked: Sequence[str], knowledge: Knowledge, language: Language) -> Comparison:
    """Return two to four codes of any kind side by side. Raises WrongUsage for another number, NotACode for what is none."""
    sides = Reference(knowledge, language).sides(asked)
    if len(sides) < FEWEST:
        raise WrongUsage("error-missing-codes", "smtpref compare 450 550", count=str(len(sides)))
    if len(sides) > MOST:
        few = " ".join(entry.code for entry in sides[:MOST])
        raise WrongUsage("error-too-many-codes", f"smtpref compare {few}", count=str(len(sides)))
    entries = tuple(dict.fromkeys(sides))
    labels = _labels(entries)
    return Comparison(
        entries=entries,
        differences=tuple(_Differences(entries, labels, knowledge, language).sentences()) if len(entries) > 1 else (),
        when={labels[entry]: entry.use for entry in entries},
        more=entry_sources(entries),
        commands=tuple(_commands(entries)),
    )


class _Differences:
    def __init__(self, entries: tuple[Entry, ...], labels: dict[Entry, str], knowledge: Knowledge, language: Language) -> None:
        self._entries = entries
        self._labels = labels
        self._knowledge = knowledge
        self._language = language

    def sentences(self) -> Iterator[str]:
        """The differences, the weightiest first; never none for different codes."""
        found = [
            *self._kinds(),
            *self._memberships(),
            *self._permanence(),
            *self._topics(),
            *self._acts(),
            *self._phases(),
            *self._reasons(),
            *self._registration(),
        ]
        names = {entry.name for entry in self._entries}
        if len(names) > 1 and len({entry.lasting for entry in self._entries}) == 1 and len({entry.kind for entry in self._entries}) == 1:
            found.insert(0, self._each("diff-name", lambda entry: mid_sentence(entry.name)))
        elif not found:
            found.append(self._each("diff-name", lambda entry: mid_sentence(entry.name)))
        yield from found

    def _kinds(self) -> Iterator[str]:
        if len({entry.kind for entry in self._entries}) > 1:
            yield self._each("diff-kind", lambda entry: entry.kind.value, own_phrase=True)

    def _memberships(self) -> Iterator[str]:
        for one in self._entries:
            for other in self._entries:
                if one.kind is Kind.REPLY and other.kind is Kind.ENHANCED and other.code in one.enhanced:
                    yield self._say("diff-goes-with", enhanced=other.code, reply=one.code)
                if other.kind is Kind.CLASS and one.kind is not Kind.CLASS and _belongs(one.code, other.code):
                    yield self._say("diff-member", member=one.code, whole=other.code)

    def _permanence(self) -> Iterator[str]:
        with_digits = (Kind.REPLY, Kind.ENHANCED, Kind.CLASS)
        words = {entry.lasting for entry in self._entries if entry.lasting != "either" or entry.kind in with_digits}
        if len(words) < 2:
            return
        enhanced = [entry.code.split(".", 1) for entry in self._entries if entry.kind is Kind.ENHANCED]
        if len(enhanced) == len(self._entries) and len({detail for _, detail in enhanced}) == 1:
            yield self._say("diff-same-detail", codes=self._list(self._entries))
        has_temporary = "temporary" in words

        def word(entry: Entry) -> str:
            own = entry.lasting
            return "permanent-alone" if own == "permanent" and not has_temporary else own

        yield self._each("diff", word, own_phrase=True)

    def _topics(self) -> Iterator[str]:
        topics = {self._labels[entry]: topic for entry in self._entries if (topic := self._topic(entry))}
        is_one_kind = len({entry.kind for entry in self._entries}) == 1
        if is_one_kind and len(topics) == len(self._entries) and len(set(topics.values())) > 1:
            yield self._each("diff-topic", lambda entry: topics[self._labels[entry]], fact="topic")

    def _topic(self, entry: Entry) -> str | None:
        if entry.kind is Kind.REPLY:
            block = self._knowledge.categories.get(f"x{entry.code[1]}z")
        elif entry.kind is Kind.ENHANCED:
            block = self._knowledge.subjects.get(f"X.{entry.code.split('.')[1]}.x")
        else:
            return None
        if block is None:
            return None
        topic: str = say(block["topic"], self._language)
        return topic

    def _acts(self) -> Iterator[str]:
        if len({entry.acts for entry in self._entries}) < 2:
            return
        parts = []
        for actor, codes in _groups(self._entries, lambda entry: entry.acts.value):
            key = "diff-acts-none" if actor == Actor.NONE else "diff-acts"
            parts.append(self._say(key, codes=self._list(codes), actor=phrase(f"actor-{actor}", self._language)))
        yield self._sentence(parts)

    def _phases(self) -> Iterator[str]:
        sets = [frozenset(entry.phases) for entry in self._entries]
        if not all(sets):
            return
        if not any(one & other for one, other in combinations(sets, 2)):
            yield self._each("diff-phases", lambda entry: self._phase_names(entry.phases), fact="phases")
        elif len(self._entries) == FEWEST:
            for one, other in (self._entries, self._entries[::-1]):
                extra = [phase for phase in one.phases if phase not in other.phases]
                if extra and Phase.ANY not in other.phases:
                    yield self._say(
                        "diff-phases-also", codes=self._labels[one], others=self._labels[other], phases=self._phase_names(extra)
                    )

    def _phase_names(self, phases: Iterable[Phase]) -> str:
        return joined((phrase(f"phase-{phase}", self._language) for phase in phases), self._language, "or")

    def _reasons(self) -> Iterator[str]:
        refusals = [entry for entry in self._entries if entry.reasons and entry.lasting not in ("success", "intermediate")]
        if len(refusals) > 1 and len({entry.reasons[:3] for entry in refusals}) > 1:
            clauses = _groups(refusals, self._reason_names)
            yield self._sentence(self._say("diff-reasons", codes=self._list(group), reasons=names) for names, group in clauses)

    def _reason_names(self, entry: Entry) -> str:
        names = (say(self._knowledge.reasons[reason]["name"], self._language) for reason in entry.reasons[:3])
        return joined(map(mid_sentence, names), self._language, "or")

    def _registration(self) -> Iterator[str]:
        for entry in self._entries:
            if not entry.registered and entry.kind in (Kind.REPLY, Kind.ENHANCED):
                yield self._say("diff-unregistered", codes=self._labels[entry])

    def _sentence(self, clauses: Iterable[str]) -> str:
        """Clauses as one sentence; a code at its start is written as it is, not with a capital."""
        text = "; ".join(clauses)
        starts_with_code = any(text.startswith(self._labels[entry]) for entry in self._entries)
        return f"{text if starts_with_code else text[:1].upper() + text[1:]}."

    def _each(self, key: str, value: Callable[[Entry], str], *, fact: str = "name", own_phrase: bool = False) -> str:
        """One sentence with a clause for every group of entries that have the same value."""
        clauses = []
        for common, group in _groups(self._entries, value):
            name = f"{key}-{common}" if own_phrase else key
            if len(group) > 1 and key != "diff-reasons":
                name += "-many"
            provider = self._knowledge.providers[group[0].provider]["name"] if group[0].provider else ""
            facts = {fact: common, "provider": provider}
            clauses.append(self._say(name, codes=self._list(group), **facts))
        return self._sentence(clauses)

    def _list(self, entries: Iterable[Entry]) -> str:
        return joined((self._labels[entry] for entry in entries), self._language)

    def _say(self, key: str, **facts: str) -> str:
        return phrase(key, self._language, **facts)


def _labels(entries: Sequence[Entry]) -> dict[Entry, str]:
    """What each side is called: its code, or, where two sides have the same, also whose it is."""
    codes = [entry.code for entry in entries]
    return {e: f"{e.provider} {e.code}" if e.provider and codes.count(e.code) > 1 else e.code for e in entries}


def _groups(entries: Iterable[Entry], value: Callable[[Entry], str]) -> list[tuple[str, list[Entry]]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(value(entry), []).append(entry)
    return list(groups.items())


def _belongs(code: str, whole: str) -> bool:
    return CodePattern(whole).matches(code)


def _commands(entries: Sequence[Entry]) -> Iterator[str]:
    """What to ask next: the enhanced codes behind the sides, and the neighbours that are not among them."""
    codes = {entry.code for entry in entries}
    for entry in entries:
        for code in (*entry.enhanced[:1], *(entry.related[:1] if entry.kind is Kind.ENHANCED else ())):
            if code not in codes:
                codes.add(code)
                yield f"smtpref explain {code}"
    for one, other in pairwise(entries):
        related = next((code for code in (*one.related, *other.related) if code not in codes), None)
        if related:
            yield f"smtpref compare {one.code} {related}"
            return
