"""An extractor is upgraded: ``python benches/bench_upgrade.py [FILES]``.

How long the first answer takes, how long it takes until every record is replaced, and how long a save waits
to be found meanwhile, beside the same when nothing else is done.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from currant.extract import OutlineExtractor, Registry
from currant.service import Service


class Next(OutlineExtractor):
    version = "next"


def save(service: Service, name: str) -> float:
    """Seconds from the end of a save to the first query that finds it."""
    path = service.root / "d0" / f"{name}.py"
    path.write_text(f"def {name}(): pass\n")
    closed = time.perf_counter()
    while not service.query.find(name, exact=True):
        time.sleep(0.002)  # a caller that asks without a pause would take the processor from the workers
    return time.perf_counter() - closed


def report(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    p50 = statistics.median(ordered)
    print(f"{name:40} p50 {p50 * 1e3:6.0f} ms   p99 {p99 * 1e3:6.0f} ms   n {len(ordered)}")


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 8_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "root"
        for number in range(files):
            path = root / f"d{number // 100}" / f"m{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"def f{number}_{k}(a):\n    return a\n\n" for k in range(60)))
        began = time.perf_counter()
        with Service(root, live=False) as service:
            service.sync(3_600)
        print(f"{files:,} files, first index {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        with Service(root, registry=Registry([Next()], max_file_mb=8)) as service:
            service.sync(3_600)
            print(f"first answer after the upgrade {time.perf_counter() - began:.2f} s")
            meanwhile, quiet = list[float](), list[float]()
            while service.get_status()["upgrade"]["outdated"]:
                meanwhile.append(save(service, f"meanwhile_{len(meanwhile)}"))
            service.sync(3_600)
            print(f"every record replaced after {time.perf_counter() - began:.1f} s")
            for number in range(50):
                quiet.append(save(service, f"quiet_{number}"))
    if meanwhile:
        report("save -> found, while records are replaced", meanwhile)
    report("save -> found, afterwards", quiet)


if __name__ == "__main__":
    main()
