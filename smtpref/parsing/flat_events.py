"""Services whose events are one flat object each: what happened, to whom, and what was answered, beside each other.

`is_SERVICE` knows an event by its keys; `SERVICE_records` takes it and a record that already says where it stands, and yields a record for
each recipient of an outcome. What a service only notes (accepted, opened, clicked, unsubscribed) yields none. Where nobody's reply is
quoted, the record's text is the service's own words: its sentence, or else its label, written as its own list of labels does.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Outcome, Record
from .facts import Event, address_of, addresses_of, for_each, name_of, said, text_of, time_of, words_of


def is_sendgrid(event: Event) -> bool:
    if "email" not in event or not isinstance(event.get("event"), str):
        return False
    # "Dropped" is nobody else's word for what was not sent.
    is_drop = event["event"] == "dropped" and "reason" in event
    return is_drop or any(key.startswith("sg_") or key == "smtp-id" for key in event)


def sendgrid_records(event: Event, base: Record) -> Iterator[Record]:
    outcome = _SENDGRID.get(event["event"])
    if outcome is None:
        return
    classification = text_of(event.get("bounce_classification"))
    label = f"bounce_classification {classification}" if classification else ""
    answer = said(event.get("reason"), event.get("response"), enhanced=event.get("status"), label=label)
    if event["event"] == "dropped" and not answer.is_reply:
        # "Invalid" alone could be said of anything.
        answer = said(enhanced=event.get("status"), label=": ".join(filter(None, ("dropped", answer.reply.text))))
    yield base._replace(
        time=time_of(event.get("timestamp")),
        outcome=outcome,
        queue_id=name_of(event.get("sg_message_id")) or name_of(event.get("smtp-id")),
        recipient=address_of(event.get("email")),
        **answer.fields,
    )


_SENDGRID = {
    "delivered": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "bounce": Outcome.BOUNCED,
    "blocked": Outcome.BOUNCED,
    "dropped": Outcome.REJECTED,
    "spamreport": Outcome.COMPLAINT,
}


def is_mailtrap(event: Event) -> bool:
    marks = {"event_id", "sending_stream", "sending_domain_name"}
    return isinstance(event.get("event"), str) and {"email", "message_id"} <= event.keys() and not marks.isdisjoint(event)


def mailtrap_records(event: Event, base: Record) -> Iterator[Record]:
    outcome = _MAILTRAP.get(" ".join(words_of(event["event"]).lower().split()))
    if outcome is None:
        return
    answer = said(
        event.get("response"), words_of(event.get("reason")), code=event.get("response_code"), label=words_of(event.get("bounce_category"))
    )
    yield base._replace(
        time=time_of(event.get("timestamp")),
        outcome=outcome,
        queue_id=name_of(event.get("message_id")),
        recipient=address_of(event.get("email")),
        **answer.fields,
    )


_MAILTRAP = {
    "delivery": Outcome.DELIVERED,
    "soft bounce": Outcome.DEFERRED,
    "bounce": Outcome.BOUNCED,
    "suspension": Outcome.REJECTED,
    "reject": Outcome.REJECTED,
    "spam": Outcome.COMPLAINT,
    "spam complaint": Outcome.COMPLAINT,
}


def is_mailjet(event: Event) -> bool:
    marks = {"MessageID", "Message_GUID", "mj_campaign_id", "mj_contact_id", "mj_message_id", "error_related_to"}
    is_complaint = event.get("event") == "spam" and "source" in event
    return isinstance(event.get("event"), str) and (is_complaint or not marks.isdisjoint(event))


def mailjet_records(event: Event, base: Record) -> Iterator[Record]:
    outcome = _MAILJET.get(event["event"])
    if outcome is None:
        return
    label = ": ".join(filter(None, (text_of(event.get("error_related_to")), text_of(event.get("error")))))
    yield base._replace(
        time=time_of(event.get("time")),
        outcome=outcome,
        queue_id=name_of(event.get("MessageID")) or name_of(event.get("mj_message_id")) or name_of(event.get("Message_GUID")),
        recipient=address_of(event.get("email")),
        **said(event.get("smtp_reply"), event.get("comment"), label=label or text_of(event.get("source"))).fields,
    )


_MAILJET = {
    "sent": Outcome.DELIVERED,
    "bounce": Outcome.BOUNCED,
    "blocked": Outcome.REJECTED,
    "spam": Outcome.COMPLAINT,
}


def is_brevo(event: Event) -> bool:
    marks = {"message-id", "messageId", "ts_event", "ts_epoch", "camp_id", "X-Mailin-custom"}
    return isinstance(event.get("event"), str) and "email" in event and not marks.isdisjoint(event)


def brevo_records(event: Event, base: Record) -> Iterator[Record]:
    kind = "".join(words_of(event["event"]).lower().split())
    outcome = _BREVO.get(kind)
    if outcome is None:
        return
    answer = said(event.get("reason"))
    name = words_of(event["event"])
    # Its own verdict on the address may stand in the event's name alone.
    if kind in _BREVO_VERDICTS and not answer.is_reply and not answer.reply.text.startswith(name):
        answer = said(label=": ".join(filter(None, (name, answer.reply.text))))
    yield base._replace(
        time=time_of(event.get("ts_event"), event.get("ts_epoch"), event.get("ts"), event.get("date")),
        outcome=outcome,
        queue_id=name_of(event.get("message-id")) or name_of(event.get("messageId")),
        sender=address_of(event.get("from")),
        recipient=address_of(event.get("email")),
        **answer.fields,
    )


_BREVO = {
    "delivered": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "softbounce": Outcome.BOUNCED,
    "softbounces": Outcome.BOUNCED,
    "hardbounce": Outcome.BOUNCED,
    "hardbounces": Outcome.BOUNCED,
    "blocked": Outcome.REJECTED,
    "invalidemail": Outcome.REJECTED,
    "invalid": Outcome.REJECTED,
    "error": Outcome.REJECTED,
    "spam": Outcome.COMPLAINT,
    "complaint": Outcome.COMPLAINT,
}
_BREVO_VERDICTS = frozenset(("invalidemail", "invalid", "error", "blocked"))


def is_postmark(event: Event) -> bool:
    if isinstance(event.get("RecordType"), str):
        return not {"MessageID", "ServerID", "TypeCode"}.isdisjoint(event)
    if isinstance(event.get("ErrorCode"), int) and isinstance(event.get("Message"), str):
        return True
    return "TypeCode" in event and "MessageID" in event and "Email" in event


def postmark_records(event: Event, base: Record) -> Iterator[Record]:
    if "ErrorCode" in event:
        # What the interface answers; 0 is the message taken.
        if event["ErrorCode"]:
            recipients = addresses_of(event.get("To"))
            yield from for_each(recipients, base._replace(outcome=Outcome.REJECTED, **said(event["Message"]).fields))
        return
    record_type, kind = event.get("RecordType", "Bounce"), text_of(event.get("Type"))
    outcome: Outcome | None
    if record_type == "SpamComplaint" or (record_type == "Bounce" and kind == "SpamComplaint"):
        outcome = Outcome.COMPLAINT
    elif record_type == "Delivery":
        outcome = Outcome.DELIVERED
    elif record_type == "Bounce" and kind not in _POSTMARK_TRAFFIC:
        outcome = _POSTMARK.get(kind, Outcome.BOUNCED)
    else:
        return
    details = said(event.get("Details"))
    if outcome is not Outcome.DELIVERED and not details.is_reply and not (details.reply.text and kind in _POSTMARK_GENERAL):
        label = f"{kind} ({name_of(event.get('TypeCode'))})"
        words = details.reply.text or text_of(event.get("Description"))
        details = said(enhanced=str(details.reply.enhanced), label=" ".join(filter(None, (label, words))))
    yield base._replace(
        time=time_of(event.get("BouncedAt"), event.get("DeliveredAt")),
        outcome=outcome,
        queue_id=name_of(event.get("MessageID")),
        sender=address_of(event.get("From")),
        recipient=address_of(event.get("Email"), event.get("Recipient")),
        **details.fields,
    )


# Mailbox traffic that arrives where bounces do.
_POSTMARK_TRAFFIC = frozenset(("Subscribe", "Unsubscribe", "OpenRelayTest"))
# Types that say less than any words do.
_POSTMARK_GENERAL = frozenset(("HardBounce", "SoftBounce", "Transient", "Unknown", "SpamComplaint"))
_POSTMARK = {"Transient": Outcome.DEFERRED, "AutoResponder": None, "ChallengeVerification": None}
