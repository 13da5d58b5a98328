"""How long it takes to check many tenant files, each by itself and all against each other.

python -m benchmarks.tenants                  1,000 generated files
python -m benchmarks.tenants --count 4000 --json
"""

import argparse
import json
import statistics
import tempfile
import time
from ipaddress import IPv4Network
from pathlib import Path

from config.tenant.fleet import Fleet
from config.tenant.tenant import load_valid

# Room for 4,096 portals.
POOL = IPv4Network("10.64.0.0/12")
# One in so many has a name, host, subnet, port or directory of another.
CLASHING = 20


def tenant_file(number: int, other: int) -> str:
    """A tenant's file with choices as real ones have; `other` is the number whose host, port and subnet it takes."""
    subnet = IPv4Network((int(POOL.network_address) + other * 256, 24))
    return f"""# yaml-language-server: $schema=../config/tenant.schema.json
title: Tenant {number}
hosts:
  lms: learn{other}.example.com
  cms: studio{number}.example.com
listen:
  address: 127.0.0.1
  port: {10000 + other}
placement:
  subnet: {subnet}
admin:
  email: admin@tenant{number}.example.com
mail:
  domains: [tenant{number}.example.com]
sizes:
  lms: {{memory: 768MiB, workers: 3}}
  elasticsearch: {{memory: 1GiB}}
worker_groups:
  lms-workers-heavy: {{queues: [high_mem], memory: 768MiB}}
"""


def write_files(folder: Path, count: int, clashing: bool) -> None:
    """`count` files; where they clash, every twentieth takes what the one before it has."""
    for number in range(count):
        other = number - 1 if clashing and number % CLASHING == 1 else number
        (folder / f"tenant-{number:05}.yaml").write_text(tenant_file(number, other))


def measure(count: int, clashing: bool, rounds: int) -> dict[str, object]:
    """Seconds of one core, the median of some rounds, and what was found."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "tenants"
        folder.mkdir()
        write_files(folder, count, clashing)
        seconds = []
        for _ in range(rounds):
            start = time.process_time()
            good, findings = load_valid(folder, Fleet(pool=POOL))
            seconds.append(time.process_time() - start)
    return {
        "tenants": count,
        "good": len(good),
        "findings": len(findings),
        "seconds": round(statistics.median(seconds), 2),
        "worst": round(max(seconds), 2),
    }


def main() -> None:
    """Print a line for files without a clash and one for files with many."""
    words = argparse.ArgumentParser(prog="benchmarks.tenants", description=__doc__)
    words.add_argument("--count", type=int, default=1000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--json", action="store_true")
    options = words.parse_args()
    measurements = [measure(options.count, clashing, options.rounds) for clashing in (False, True)]
    if options.json:
        print(json.dumps(measurements))
        return
    for each in measurements:
        print(
            f"{each['tenants']} tenants: {each['seconds']} s of one core (worst {each['worst']}), "
            f"{each['good']} good, {each['findings']} findings"
        )


if __name__ == "__main__":
    main()
