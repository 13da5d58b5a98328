"""What the mailer is told of a tenant's choices; the password of a smarthost is not among it."""

from config.tenant.tenant import Tenant
from config.values.networks import subnet

PORT = 8025
SMARTHOST_SECRET = "mailer-smarthost-password"  # noqa: S105 (its name)
# In the stack's file, where the CLI writes it encrypted.
SMARTHOST_KEY = "smarthostPassword"


def environment(tenant: Tenant) -> dict[str, str]:
    """The mailer's environment: see images/mailer/entry."""
    mail = tenant.mail
    variables = {
        "MAIL_DELIVERY": mail.delivery,
        "MAIL_DOMAINS": ",".join(tenant.sender_domains),
        "MAIL_HOSTNAME": tenant.hosts.lms,
        "MAIL_NETWORK": str(subnet(tenant.placement.subnet, "mail")),
    }
    if mail.delivery == "smarthost":
        variables |= {"MAIL_SMARTHOST": mail.smarthost, "MAIL_USERNAME": mail.username}
    return variables


def missing_password(tenant: Tenant) -> str:
    """What is said of a smarthost whose password nobody has given."""
    return (
        f"tenants/{tenant.name}.yaml: mail/smarthost: '{tenant.mail.smarthost}' has no password yet, expected one in "
        f'the stack: eval "$(./portal env)" && pulumi config set --secret {SMARTHOST_KEY} --stack {tenant.name}'
    )
