"""Services whose events have parts: the message here, the recipient there, the answer in a third object.

As in `flat_events.py`: `is_SERVICE` knows an event by its keys, `SERVICE_records` yields a record for each recipient of an outcome.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Direction, Outcome, Phase, Record
from .facts import (
    Event,
    address_of,
    addresses_of,
    envelope_sender_of,
    first_object,
    for_each,
    name_of,
    objects_in,
    said,
    text_of,
    time_of,
    words_of,
)
from .reply import phase_of


def is_ses(event: Event) -> bool:
    if "TopicArn" in event and event.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return True
    kind = event.get("eventType", event.get("notificationType"))
    if not isinstance(kind, str):
        return False
    # An event that somebody quotes has often lost its "mail".
    parts = ("mail", _SES_PARTS.get(kind, "mail"))
    return kind == "AmazonSnsSubscriptionSucceeded" or any(isinstance(event.get(part), dict) for part in parts)


_SES_PARTS = {
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "DeliveryDelay": "deliveryDelay",
    "Reject": "reject",
    "Rendering Failure": "failure",
    "Send": "send",
    "Open": "open",
    "Click": "click",
    "Subscription": "subscription",
}


def ses_records(event: Event, base: Record) -> Iterator[Record]:
    kind = event.get("eventType") or event.get("notificationType")
    mail = first_object(event.get("mail"))
    base = base._replace(
        time=time_of(mail.get("timestamp")), queue_id=name_of(mail.get("messageId")), sender=envelope_sender_of(mail.get("source"))
    )
    if kind == "Bounce":
        bounce = first_object(event.get("bounce"))
        # The label in the form of the service's own table of bounce types.
        label = "/".join(filter(None, (text_of(bounce.get(key)) for key in ("bounceType", "bounceSubType"))))
        base = _at(base, bounce.get("timestamp"), bounce.get("remoteMtaIp"))._replace(outcome=Outcome.BOUNCED)
        yield from _of_ses_recipients(bounce.get("bouncedRecipients"), label, base)
    elif kind == "DeliveryDelay":
        delay = first_object(event.get("deliveryDelay"))
        base = _at(base, delay.get("timestamp"), delay.get("remoteMtaIp"))._replace(outcome=Outcome.DEFERRED)
        yield from _of_ses_recipients(delay.get("delayedRecipients"), words_of(delay.get("delayType")), base)
    elif kind == "Complaint":
        complaint = first_object(event.get("complaint"))
        # Of an address on the suppression list no recipient complained: the message was never sent.
        unsent = text_of(complaint.get("complaintSubType"))
        base = _at(base, complaint.get("timestamp"))._replace(
            outcome=Outcome.REJECTED if unsent else Outcome.COMPLAINT, text=unsent or text_of(complaint.get("complaintFeedbackType"))
        )
        yield from for_each(addresses_of(*(who.get("emailAddress") for who in objects_in(complaint.get("complainedRecipients")))), base)
    elif kind == "Delivery":
        delivery = first_object(event.get("delivery"))
        base = _at(base, delivery.get("timestamp"), delivery.get("remoteMtaIp"))
        base = base._replace(outcome=Outcome.DELIVERED, **said(delivery.get("smtpResponse")).fields)
        yield from for_each(addresses_of(delivery.get("recipients")), base)
    elif kind in ("Reject", "Rendering Failure"):
        reject, failure = first_object(event.get("reject")), first_object(event.get("failure"))
        text = text_of(reject.get("reason")) or f"Rendering Failure: {text_of(failure.get('errorMessage'))}"
        yield from for_each(addresses_of(mail.get("destination")), base._replace(outcome=Outcome.REJECTED, text=text))


def _of_ses_recipients(recipients: object, label: str, base: Record) -> Iterator[Record]:
    for recipient in objects_in(recipients):
        answer = said(recipient.get("diagnosticCode"), enhanced=recipient.get("status"), label=label)
        yield base._replace(recipient=address_of(recipient.get("emailAddress")), **answer.fields)


def is_resend(event: Event) -> bool:
    data = event.get("data")
    return isinstance(data, dict) and _starts(event.get("type"), "email.") and ("email_id" in data or "to" in data)


def resend_records(event: Event, base: Record) -> Iterator[Record]:
    data = first_object(event["data"])
    outcome = _RESEND.get(event["type"])
    if outcome is None:
        return
    details = first_object(*(data.get(key) for key in ("bounce", "failed", "suppressed", "delivery_delayed")))
    # It sends by Amazon SES, whose labels these are.
    label = "/".join(filter(None, (text_of(details.get("type")), text_of(details.get("subType")))))
    words = (details.get("diagnosticCode"), details.get("message"), details.get("reason"))
    base = base._replace(
        time=time_of(event.get("created_at"), data.get("created_at")),
        outcome=outcome,
        queue_id=name_of(data.get("email_id")),
        sender=address_of(data.get("from")),
        **said(*words, label=label).fields,
    )
    yield from for_each(addresses_of(data.get("to")), base)


_RESEND = {
    "email.delivered": Outcome.DELIVERED,
    "email.delivery_delayed": Outcome.DEFERRED,
    "email.bounced": Outcome.BOUNCED,
    "email.failed": Outcome.REJECTED,
    "email.suppressed": Outcome.REJECTED,
    "email.complained": Outcome.COMPLAINT,
}


def is_mailgun(event: Event) -> bool:
    inner = event.get("event-data", event)
    if not isinstance(inner, dict) or not isinstance(inner.get("event"), str):
        return False
    is_form = "recipient" in inner and ("message-headers" in inner or "body-plain" in inner or {"token", "signature"} <= inner.keys())
    is_api = "recipient" in inner or "message" in inner
    return (
        inner is not event
        or is_form
        or (is_api and not _MAILGUN_MARKS.isdisjoint(inner))
        or (inner["event"] == "rejected" and "reject" in inner)
    )


def mailgun_records(event: Event, base: Record) -> Iterator[Record]:
    event = first_object(event.get("event-data")) or event
    kind, why = event["event"], text_of(event.get("reason"))
    outcome = _MAILGUN.get(kind)
    if outcome is None:
        return
    if kind == "failed" and event.get("severity") == "temporary":
        outcome = Outcome.DEFERRED
    elif why == "old":
        outcome = Outcome.EXPIRED
    # A form that an older web hook posts has the fields of `delivery-status` and of `message.headers` beside the others.
    status = first_object(event.get("delivery-status"), event)
    reject = first_object(event.get("reject"))
    headers = first_object(first_object(event.get("message")).get("headers"))
    envelope = first_object(event.get("envelope"))
    sentences = [status.get(key) for key in ("message", "error", "description", "notification")]
    # Its codes from 498 on and above 600 are its own.
    answer = said(
        *sentences,
        reject.get("reason"),
        reject.get("description"),
        code=status.get("code"),
        enhanced=status.get("enhanced-code"),
        label=words_of(why),
    )
    if kind == "dropped" and answer.is_reply:
        outcome = Outcome.BOUNCED
    message_id = headers.get("message-id") or event.get("Message-Id") or event.get("message-id")
    recipients = addresses_of(event.get("recipient")) or addresses_of(headers.get("to"))
    yield from for_each(
        recipients,
        base._replace(
            time=time_of(event.get("timestamp")),
            outcome=outcome,
            queue_id=(name_of(message_id) or "").strip("<>") or name_of(event.get("id")),
            sender=envelope_sender_of(envelope.get("sender")),
            relay=name_of(status.get("mx-host")),
            **answer.fields,
        ),
    )


_MAILGUN_MARKS = frozenset(("log-level", "delivery-status"))
_MAILGUN = {
    "delivered": Outcome.DELIVERED,
    "failed": Outcome.BOUNCED,
    "bounced": Outcome.BOUNCED,
    "dropped": Outcome.REJECTED,
    "rejected": Outcome.REJECTED,
    "complained": Outcome.COMPLAINT,
}


def is_sparkpost(event: Event) -> bool:
    if isinstance(event.get("msys"), dict):
        return True
    return (
        isinstance(event.get("type"), str) and "rcpt_to" in event and not {"transmission_id", "event_id", "customer_id"}.isdisjoint(event)
    )


def sparkpost_records(event: Event, base: Record) -> Iterator[Record]:
    if isinstance(event.get("msys"), dict):
        event = first_object(*event["msys"].values())
    kind = event.get("type")
    outcome = _SPARKPOST.get(kind) if isinstance(kind, str) else None
    if outcome is None:
        return
    bounce_class = name_of(event.get("bounce_class"))
    label = f"bounce_class {bounce_class}" if bounce_class else text_of(event.get("fbtype"))
    yield base._replace(
        time=time_of(event.get("timestamp")),
        outcome=outcome,
        queue_id=name_of(event.get("message_id")),
        sender=address_of(event.get("msg_from"), event.get("friendly_from")),
        recipient=address_of(event.get("rcpt_to"), event.get("raw_rcpt_to")),
        relay=name_of(event.get("ip_address")) if outcome is not Outcome.COMPLAINT else None,
        **said(event.get("raw_reason"), event.get("reason"), code=event.get("error_code"), label=label).fields,
    )


_SPARKPOST = {
    "delivery": Outcome.DELIVERED,
    "delay": Outcome.DEFERRED,
    "bounce": Outcome.BOUNCED,
    "out_of_band": Outcome.BOUNCED,
    "policy_rejection": Outcome.REJECTED,
    "generation_failure": Outcome.REJECTED,
    "generation_rejection": Outcome.REJECTED,
    "spam_complaint": Outcome.COMPLAINT,
}


def is_mandrill(event: Event) -> bool:
    message = event.get("msg")
    if isinstance(message, dict):
        marks = {"bounce_description", "reject", "diag", "smtp_events"}
        return isinstance(event.get("event"), str) and ("ts" in event or "_id" in event or not marks.isdisjoint(message))
    if "reject_reason" in event and "status" in event:
        return True
    # Changes of its allow and deny lists.
    return (
        event.get("type") in ("blacklist", "whitelist", "denylist", "allowlist")
        and "action" in event
        and ("reject" in event or "entry" in event)
    )


def mandrill_records(event: Event, base: Record) -> Iterator[Record]:
    if "reject_reason" in event:
        # What the interface answers for each recipient.
        if event["status"] == "rejected":
            why = f"reject {text_of(event['reject_reason'])}".strip()
            recipient = address_of(event.get("email"))
            yield base._replace(outcome=Outcome.REJECTED, queue_id=name_of(event.get("_id")), recipient=recipient, **said(label=why).fields)
        return
    message = first_object(event.get("msg"))
    outcome = _MANDRILL.get(event["event"]) if message else None
    if outcome is None:
        return
    reject = message.get("reject")
    label = words_of(message.get("bounce_description"))
    if outcome is Outcome.REJECTED:
        why = text_of(reject.get("reason") if isinstance(reject, dict) else reject)
        label = f"reject {why}".strip()
    attempts = [attempt.get("diag") for attempt in objects_in(message.get("smtp_events"))]
    yield base._replace(
        time=time_of(event.get("ts"), message.get("ts")),
        outcome=outcome,
        queue_id=name_of(message.get("_id")) or name_of(event.get("_id")),
        sender=address_of(message.get("sender")),
        recipient=address_of(message.get("email")),
        **said(message.get("diag"), event.get("diag"), *reversed(attempts), label=label).fields,
    )


_MANDRILL = {
    "delivered": Outcome.DELIVERED,
    "deferral": Outcome.DEFERRED,
    "hard_bounce": Outcome.BOUNCED,
    "soft_bounce": Outcome.BOUNCED,
    "reject": Outcome.REJECTED,
    "spam": Outcome.COMPLAINT,
}


def is_mailersend(event: Event) -> bool:
    return _starts(event.get("type"), "activity.") and isinstance(event.get("data"), dict)


def mailersend_records(event: Event, base: Record) -> Iterator[Record]:
    data = first_object(event["data"])
    outcome = _MAILERSEND.get(event["type"].removeprefix("activity."))
    if outcome is None:
        return
    mail, details = first_object(data.get("email")), first_object(data.get("morph"))
    message = first_object(mail.get("message"))
    yield base._replace(
        time=time_of(data.get("created_at"), event.get("created_at")),
        outcome=outcome,
        queue_id=name_of(message.get("id")) or name_of(mail.get("id")),
        sender=address_of(mail.get("from")),
        recipient=address_of(mail.get("recipient")),
        **said(details.get("readable_reason"), details.get("description"), words_of(details.get("reason"))).fields,
    )


_MAILERSEND = {
    "delivered": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "soft_bounced": Outcome.BOUNCED,
    "hard_bounced": Outcome.BOUNCED,
    "spam_complaint": Outcome.COMPLAINT,
}


def is_postal(event: Event) -> bool:
    return _starts(event.get("event"), "Message", "Domain", "SendLimit") and isinstance(event.get("payload"), dict)


def postal_records(event: Event, base: Record) -> Iterator[Record]:
    payload = event["payload"]
    message = first_object(payload.get("message"), payload.get("original_message"))
    outcome = Outcome.BOUNCED if "bounce" in payload else _POSTAL.get(event["event"])
    # An incoming message goes on to a mailbox or a web address of the owner's.
    if outcome is None or message.get("direction") == "incoming":
        return
    # `output` is what the other server said, `details` is Postal's account of it.
    answer = said(payload.get("output"))
    if not answer.is_reply:
        answer = said(payload.get("details"), payload.get("output"))
    yield base._replace(
        time=time_of(payload.get("timestamp"), event.get("timestamp")),
        outcome=outcome,
        queue_id=name_of(message.get("message_id")) or name_of(message.get("token")),
        sender=address_of(message.get("from")),
        recipient=address_of(message.get("to")),
        **answer.fields,
    )


_POSTAL = {
    "MessageSent": Outcome.DELIVERED,
    "MessageDelayed": Outcome.DEFERRED,
    "MessageHeld": Outcome.DEFERRED,
    "MessageDeliveryFailed": Outcome.BOUNCED,
    "MessageBounced": Outcome.BOUNCED,
}


def is_kumomta(event: Event) -> bool:
    marks = {"response", "queue", "site", "feedback_report", "egress_source", "egress_pool", "bounce_classification", "nodeid"}
    kind = event.get("type")
    return isinstance(kind, str) and kind in _KUMOMTA_TYPES and "recipient" in event and not marks.isdisjoint(event)


def kumomta_records(event: Event, base: Record) -> Iterator[Record]:
    kind = event["type"]
    outcome = _KUMOMTA.get(kind)
    if outcome is None:
        return
    response, peer = first_object(event.get("response")), first_object(event.get("peer_address"))
    content = text_of(response.get("content"))
    # What it answers in a receiver's place is nobody's reply.
    is_own = kind in ("Expiration", "AdminBounce") or content.startswith("KumoMTA internal")
    answer = said(
        content,
        code=None if is_own else response.get("code"),
        enhanced=response.get("enhanced_code"),
        phase=_kumomta_phase(response.get("command")),
    )
    name, address = name_of(peer.get("name")), name_of(peer.get("addr"))
    peer_name = f"{name}[{address}]" if name and address else name or address
    is_inbound = kind == "Rejection"
    base = base._replace(
        time=time_of(event.get("event_time"), event.get("timestamp")),
        direction=Direction.INBOUND if is_inbound else base.direction,
        outcome=outcome,
        queue_id=name_of(event.get("id")),
        sender=envelope_sender_of(event.get("sender")),
        relay=None if is_inbound or kind in ("OOB", "Feedback") else peer_name,
        client=peer_name if is_inbound else None,
        **answer.fields | ({"reply_code": None} if is_own else {}),
    )
    recipients = addresses_of(event.get("recipient"))
    if kind == "Feedback":
        report = first_object(event.get("feedback_report"))
        base = base._replace(text=text_of(report.get("feedback_type")))
        trace = first_object(report.get("supplemental_trace"))
        recipients = addresses_of(report.get("original_rcpt_to")) or addresses_of(trace.get("recipient")) or recipients
    yield from for_each(recipients, base)


def _kumomta_phase(command: object) -> Phase | None:
    text = text_of(command)
    return Phase.END_OF_DATA if text == "." else phase_of(text.split(":")[0]) or phase_of(text.split(" ")[0])


_KUMOMTA = {
    "Delivery": Outcome.DELIVERED,
    "TransientFailure": Outcome.DEFERRED,
    "Bounce": Outcome.BOUNCED,
    "AdminBounce": Outcome.BOUNCED,
    "OOB": Outcome.BOUNCED,
    "Expiration": Outcome.EXPIRED,
    "Rejection": Outcome.REJECTED,
    "Feedback": Outcome.COMPLAINT,
}
_KUMOMTA_TYPES = frozenset((*_KUMOMTA, "Reception", "Delayed", "AdminRebind", "DeferredInjectionRebind", "XferIn", "XferOut", "Any"))


def _at(base: Record, time: object, relay: object = None) -> Record:
    return base._replace(time=time_of(time) or base.time, relay=name_of(relay))


def _starts(kind: object, *beginnings: str) -> bool:
    return isinstance(kind, str) and kind.startswith(beginnings)
