"""The terms of mail, closed by an RFC or by what is promised: phases, outcomes, formats. Reasons, providers and blocklists are open, in `codes.yaml`."""

from __future__ import annotations

from enum import StrEnum

STDIN = "-"
"""The source of what was read from stdin."""


class Category(StrEnum):
    """What part of mail a reason is about."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    REPUTATION = "reputation"
    RATE = "rate"
    CONTENT = "content"
    POLICY = "policy"
    TRANSPORT = "transport"
    SYSTEM = "system"
    PROTOCOL = "protocol"
    NONE = "none"


class Bounce(StrEnum):
    """What a refusal means for the recipient's address."""

    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"
    NONE = "none"


class Action(StrEnum):
    """What to do now."""

    REMOVE_ADDRESS = "remove-address"
    RETRY_LATER = "retry-later"
    SLOW_DOWN = "slow-down"
    FIX_AUTHENTICATION = "fix-authentication"
    FIX_DNS = "fix-dns"
    FIX_CONTENT = "fix-content"
    FIX_CONFIGURATION = "fix-configuration"
    REQUEST_DELISTING = "request-delisting"
    CONTACT_POSTMASTER = "contact-postmaster"
    REVIEW_SUPPRESSION = "review-suppression"
    NONE = "none"


class Actor(StrEnum):
    """Who has to act first."""

    SENDER = "sender"
    SENDER_ADMIN = "sender-admin"
    RECIPIENT = "recipient"
    RECEIVER_ADMIN = "receiver-admin"
    NONE = "none"


class Phase(StrEnum):
    """The command, or the moment, that a reply answers (RFC 5321 section 4.3.2 and the extensions)."""

    CONNECT = "connect"
    HELO = "helo"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END_OF_DATA = "end-of-data"
    BDAT = "bdat"
    BURL = "burl"
    RSET = "rset"
    VRFY = "vrfy"
    EXPN = "expn"
    HELP = "help"
    NOOP = "noop"
    QUIT = "quit"
    ETRN = "etrn"
    ATRN = "atrn"
    ANY = "any"


class Outcome(StrEnum):
    """What the input itself says became of a message."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DISCARDED = "discarded"
    COMPLAINT = "complaint"


class Direction(StrEnum):
    """Whether this server tried to deliver, or refused somebody."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class InputFormat(StrEnum):
    """What an input is read as."""

    REPLY = "reply"
    POSTFIX = "postfix"
    EXIM = "exim"
    SENDMAIL = "sendmail"
    OPENSMTPD = "opensmtpd"
    QMAIL = "qmail"
    EXCHANGE = "exchange"
    M365 = "m365"
    DSN = "dsn"
    ARF = "arf"
    AUTO_REPLY = "auto-reply"
    POSTQUEUE_JSON = "postqueue-json"
    POSTQUEUE = "postqueue"
    MAILQ = "mailq"
    DIALOGUE = "dialogue"
    EXCEPTION = "exception"
    SES = "ses"
    SENDGRID = "sendgrid"
    MAILGUN = "mailgun"
    POSTMARK = "postmark"
    SPARKPOST = "sparkpost"
    MANDRILL = "mandrill"
    BREVO = "brevo"
    MAILJET = "mailjet"
    RESEND = "resend"
    MAILERSEND = "mailersend"
    MAILTRAP = "mailtrap"
    POSTAL = "postal"
    POWERMTA = "powermta"
    KUMOMTA = "kumomta"
    IRONPORT = "ironport"
    HARAKA = "haraka"
    MADDY = "maddy"
    STALWART = "stalwart"
    ZONEMTA = "zonemta"
    COURIER = "courier"
    HMAILSERVER = "hmailserver"
    MAILENABLE = "mailenable"


QUEUES = frozenset((InputFormat.POSTQUEUE, InputFormat.POSTQUEUE_JSON, InputFormat.MAILQ))
"""Formats that list what waits at the moment."""

OF_EVENTS = frozenset(
    (
        InputFormat.SES,
        InputFormat.SENDGRID,
        InputFormat.MAILGUN,
        InputFormat.POSTMARK,
        InputFormat.SPARKPOST,
        InputFormat.MANDRILL,
        InputFormat.BREVO,
        InputFormat.MAILJET,
        InputFormat.RESEND,
        InputFormat.MAILERSEND,
        InputFormat.MAILTRAP,
        InputFormat.POSTAL,
        InputFormat.KUMOMTA,
        InputFormat.STALWART,
    )
)
"""The formats of sending services' events."""


class Kind(StrEnum):
    """What an entry of the reference explains."""

    REPLY = "reply"
    ENHANCED = "enhanced"
    CLASS = "class"
    PROVIDER = "provider"
    BLOCKLIST = "blocklist"
    REASON = "reason"


class EvidenceBy(StrEnum):
    """What kind of evidence decided, strongest first."""

    PROVIDER = "provider"
    TEXT = "text"
    ENHANCED_CODE = "enhanced-code"
    REPLY_CODE = "reply-code"
    FORMAT = "format"
