"""What a mail server's refusal means: for now, or for good (RFC 5321, 4.2.1)."""

from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

PERMANENT = 500
LONGEST = 200


def final(error: SMTPRecipientsRefused | SMTPSenderRefused | SMTPDataError) -> str:
    """Code and words of a refusal for good, as one line; nothing where another try may succeed.

    Of several recipients one that may be taken later is enough for another try.
    """
    if isinstance(error, SMTPRecipientsRefused):
        answers = list(error.recipients.values())
    else:
        answers = [(error.smtp_code, error.smtp_error)]
    if not answers or any(code < PERMANENT for code, _ in answers):
        return ""
    return "; ".join(f"{code} {_words(text)}" for code, text in answers)[:LONGEST]


def _words(text: bytes | str) -> str:
    told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(each if each.isprintable() else " " for each in told)
    # A log has nobody's address, and servers like to say it.
    return " ".join("…" if "@" in word else word for word in plain.split())
