"""Whether a mail server refuses for now or for good (RFC 5321, 4.2.1)."""

from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

PERMANENT = 500
LONGEST = 200


def permanent_refusal(error: SMTPRecipientsRefused | SMTPSenderRefused | SMTPDataError) -> str:
    """Code and text of a permanent refusal in one line; an empty text if another try may succeed.

    With several recipients, one that may be accepted later is enough for another try.
    """
    if isinstance(error, SMTPRecipientsRefused):
        answers: list[tuple[int, bytes | str]] = list(error.recipients.values())
    else:
        answers = [(error.smtp_code, error.smtp_error)]
    if not answers or any(code < PERMANENT for code, _ in answers):
        return ""
    return "; ".join(f"{code} {_words(text)}" for code, text in answers)[:LONGEST]


def _words(text: bytes | str) -> str:
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(each if each.isprintable() else " " for each in decoded)
    # Servers often quote the address, which the log must not have.
    return " ".join("…" if "@" in word else word for word in plain.split())
