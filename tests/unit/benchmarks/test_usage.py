"""What containers take under load."""

from benchmarks import memory
from benchmarks.usage import Usage


def test_usage_keeps_peaks_of_each_and_of_all_at_once() -> None:
    usage = Usage()
    for lms, mysql, cpu in ((100.0, 300.0, 5.0), (250.0, 100.0, 15.0)):
        usage.add([held("lms", lms, cpu), held("mysql", mysql, 2.0)])
    usage.seconds = 20.0
    assert usage.facts() == {
        "peak_mib": 400,
        "cores": 0.5,
        "containers": {
            "mysql": {"peak_mib": 300, "limit_mib": 512, "cores": 0.0},
            "lms": {"peak_mib": 250, "limit_mib": 512, "cores": 0.5},
        },
    }


def held(service: str, working_set: float, cpu: float) -> memory.ContainerMemory:
    return memory.ContainerMemory(
        service=service, working_set=working_set, anonymous=working_set, limit=512.0, cpu_seconds=cpu
    )
