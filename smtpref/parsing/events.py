"""Events of sending services, as their web hooks, notifications and logs write them: which JSON is one, and whose.

A document comes element by element from `documents.py`; `SERVICES` says whose an element is and what it tells. Envelopes (Amazon SNS and
SQS, form fields, lists below a name) are taken off here, also where what they hold is JSON within a string.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from ..model import OF_EVENTS, Direction, InputFormat, Record
from . import flat_events as flat
from . import nested_events as nested
from . import stalwart
from .documents import MAX_ELEMENT, Documents, Element, NotJson, starts_document
from .facts import Event, objects_in
from .reader import InputLine, Reader

LISTS = frozenset(("events", "mandrill_events", "items", "results", "Bounces", "Messages", "Records"))
"""Members of an object under which services and their interfaces list events."""

_ENVELOPES = ("Message", "Sns", "Body", "body", "detail")
MAX_ENVELOPES = 5
"""An event of Amazon SES in SNS in SQS in an export has four."""


class Service(NamedTuple):
    """A sending service's events: how one is known by its keys, and the records that it gives."""

    format: InputFormat
    owns: Callable[[Event], bool]
    records: Callable[[Event, Record], Iterator[Record]]


SERVICES: tuple[Service, ...] = (
    Service(InputFormat.SES, nested.is_ses, nested.ses_records),
    Service(InputFormat.MAILTRAP, flat.is_mailtrap, flat.mailtrap_records),
    Service(InputFormat.SENDGRID, flat.is_sendgrid, flat.sendgrid_records),
    Service(InputFormat.MAILGUN, nested.is_mailgun, nested.mailgun_records),
    Service(InputFormat.POSTMARK, flat.is_postmark, flat.postmark_records),
    Service(InputFormat.SPARKPOST, nested.is_sparkpost, nested.sparkpost_records),
    Service(InputFormat.MANDRILL, nested.is_mandrill, nested.mandrill_records),
    Service(InputFormat.MAILJET, flat.is_mailjet, flat.mailjet_records),
    Service(InputFormat.BREVO, flat.is_brevo, flat.brevo_records),
    Service(InputFormat.RESEND, nested.is_resend, nested.resend_records),
    Service(InputFormat.MAILERSEND, nested.is_mailersend, nested.mailersend_records),
    Service(InputFormat.POSTAL, nested.is_postal, nested.postal_records),
    Service(InputFormat.KUMOMTA, nested.is_kumomta, nested.kumomta_records),
    Service(InputFormat.STALWART, stalwart.owns_event, stalwart.hook_records),
)


class EventReader(Reader):
    """Gathers JSON documents and reads the events in them."""

    format = InputFormat.SES
    formats = OF_EVENTS

    def __init__(self, source: str, latest: datetime) -> None:
        super().__init__(source, latest)
        self._documents = Documents(LISTS)
        self._waiting: list[InputLine] = []
        """The lines of a document that has shown nobody's event yet."""
        self._waiting_size = 0
        self._is_known = False
        self._returned: list[InputLine] = []

    def take(self, line: InputLine) -> list[Record] | None:
        """An event's lines are this reader's even where it tells of no outcome; those of other JSON are given back."""
        is_first = not self._documents.is_open
        if is_first and not starts_document(line.text):
            return None
        records: list[Record] = []
        is_json = True
        try:
            for element in self._documents.feed(line.number, line.text):
                records += (record._replace(last_line=line.number) for record in self._of_element(element))
        except NotJson:
            is_json = False
        if self._is_known:
            if not is_json and not is_first:
                self._returned = [line]
        elif is_first and not self._documents.is_open:
            return None
        else:
            self._wait(line, is_over=not self._documents.is_open)
        self.is_open = self._documents.is_open
        self._is_known = self._is_known and self.is_open
        return records

    def give_back(self) -> list[InputLine]:
        """The lines of a document that held nobody's event."""
        returned, self._returned = self._returned, []
        return returned

    def finish(self) -> list[Record]:
        """A document that never ended is given back."""
        self._returned += self._waiting
        self._waiting = []
        return []

    def _wait(self, line: InputLine, *, is_over: bool) -> None:
        self._waiting.append(line)
        self._waiting_size += len(line.text)
        if self._waiting_size > MAX_ELEMENT:
            self._documents = Documents(LISTS)
            is_over = True
        if is_over:
            self._returned, self._waiting, self._waiting_size = self._waiting, [], 0

    def _of_element(self, element: Element) -> Iterator[Record]:
        for service, event in self._events_in(element.value, MAX_ENVELOPES):
            self._is_known, self._waiting, self._waiting_size = True, [], 0
            base = Record(self.source, element.line, service.format, direction=Direction.OUTBOUND)
            yield from service.records(event, base)

    def _events_in(self, value: Event, depth: int) -> Iterator[tuple[Service, Event]]:
        service = next((service for service in SERVICES if self.only in (None, service.format) and service.owns(value)), None)
        if service:
            yield service, value
        elif depth:
            lists = [inner for name in value if name in LISTS for inner in objects_in(_unquoted(value[name]))]
            envelopes = [_unquoted(value[name]) for name in _ENVELOPES if name in value]
            for inner in (*lists, *envelopes):
                for item in objects_in(inner if isinstance(inner, list) else [inner]):
                    yield from self._events_in(item, depth - 1)


def _unquoted(value: object) -> object:
    """The JSON that a string holds; what is no such string stays as it is."""
    if not isinstance(value, str) or not starts_document(value.partition("\n")[0]):
        return value
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return value
