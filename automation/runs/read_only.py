"""Where a look at a stack is made, so that nothing that others may be using is written: settings and backend of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automation.stack import ROOT, Stack, refuse_settings

# Of secrets that nobody has set, in a backend that is gone after the look.
NO_SECRETS = "of-a-look"


@contextmanager
def copied_settings(work: Path, name: str) -> Iterator[None]:
    """A copy of a tenant's settings (`tenants/Pulumi.<tenant>.yaml`) in a work dir: the CLI writes what they lack.

    https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/cmd/pulumi/stack/secrets.go
    Raises PortalError for settings that a symbolic link leads out of the checkout.
    """
    folder = work / "tenants"
    # What a look that was killed has left.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    written = ROOT / "tenants" / f"Pulumi.{name}.yaml"
    refuse_settings(name)
    if written.exists():
        shutil.copyfile(written, folder / written.name)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def backend(name: str, work: Path) -> Iterator[dict[str, str]]:
    """The environment of a look: nothing more where the tenant has a stack, else an empty backend with one.

    Raises PortalError with Pulumi's own reason.
    """
    if Stack(name=name).exists():
        yield {}
        return
    # In the workspace, which is this look's alone: what one that was killed has left goes with the next.
    folder = work / "state"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    environ = {"PULUMI_BACKEND_URL": f"{folder.as_uri()}?metadata=skip"}
    if not (work / "tenants" / f"Pulumi.{name}.yaml").exists():
        # Where settings are written, secrets among them may be wanted, and are the operator's.
        environ["PULUMI_CONFIG_PASSPHRASE"] = NO_SECRETS
    try:
        Stack(name=name, environ={**os.environ, **environ}, folder=work).ensure()
        yield environ
    finally:
        shutil.rmtree(folder, ignore_errors=True)
