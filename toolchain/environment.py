"""The environment in which the plain pulumi command works, for a shell and for our own programs."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from toolchain.paths import Paths, home

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


# What is on this machine is asked directly, whatever proxy the way to others goes through: the CLI, its language host and its
# plugins talk to each other there. Python's gRPC takes a proxy for 127.0.0.1, too, unless it is told otherwise; Go never does.
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
DIRECT = ("localhost", "127.0.0.1", "::1")
# gRPC reads lower case alone, no_grpc_proxy before no_proxy, and knows no `*` (seen with grpcio 1.85); requests, docker-py and
# urllib read lower case before upper case, and `*` where it stands alone; Go and curl read either.
NO_PROXY = ("no_proxy", "NO_PROXY", "no_grpc_proxy")

# The CLI's own choice is four a core. A service that waits for its health holds one, and uses next to no CPU.
PARALLEL = "32"


def exports(
    paths: Paths, env: Mapping[str, str], first: tuple[Path, ...], *, own_plugins: bool
) -> dict[str, str]:
    """The variables that differ from an environment's. first: the folders that come first on PATH.

    What the operator has set of backend and passphrase stays.
    """
    variables = {
        "PATH": path(paths, env.get("PATH", ""), first),
        "PULUMI_HOME": str(paths.pulumi_home),
        "PULUMI_BACKEND_URL": env.get("PULUMI_BACKEND_URL") or paths.backend,
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_PARALLEL": env.get("PULUMI_PARALLEL") or PARALLEL,
        # The repository's files are UTF-8, whatever the locale is that a program of ours is started in.
        "PYTHONUTF8": "1",
    }
    if not env.get("HOME", "").startswith("/"):
        variables["HOME"] = str(home(env))
    variables |= direct(env)
    if not (env.get("PULUMI_CONFIG_PASSPHRASE") or env.get("PULUMI_CONFIG_PASSPHRASE_FILE")):
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(paths.passphrase)
    if own_plugins:
        # The CLI would try to download plugins it does not find, and wait for that where nothing answers.
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "1"
    return variables


def direct(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that except this machine from the proxies of an environment; none where it has no proxy."""
    if not any(env.get(name) or env.get(name.upper()) for name in PROXIES):
        return {}
    excluded = {name: env.get(name, "") for name in NO_PROXY}
    # Who set one of the two cases meant both; gRPC's own stands for itself where it is set.
    usual = excluded["no_proxy"] or excluded["NO_PROXY"]
    variables = {
        "no_proxy": usual,
        "NO_PROXY": excluded["NO_PROXY"] or usual,
        "no_grpc_proxy": (excluded["no_grpc_proxy"] or usual).replace("*", ""),
    }
    return {name: _with_direct(value) for name, value in variables.items()}


def _with_direct(addresses: str) -> str:
    there = [each.strip() for each in addresses.split(",") if each.strip()]
    if there == ["*"]:
        return "*"
    return ",".join([*there, *(each for each in DIRECT if each not in there)])


def path(paths: Paths, before: str, first: tuple[Path, ...]) -> str:
    """PATH with our folders in front, once, and Debian's system folders at its end where a user's lacks them."""
    ours = [str(folder) for folder in first]
    rest = [each for each in before.split(":") if each and not _is_ours(paths, each)]
    missing = [each for each in SYSTEM_PATH.split(":") if each not in rest]
    return ":".join([*ours, *rest, *missing])


def without_ours(paths: Paths, before: str) -> str:
    """PATH as it is without us: what the machine itself has."""
    return path(paths, before, ())


def _is_ours(paths: Paths, folder: str) -> bool:
    return folder.startswith((f"{paths.cache}/bin-", f"{paths.cache}/venv-"))


def shell(variables: Mapping[str, str]) -> str:
    """Lines for a POSIX shell's eval."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
