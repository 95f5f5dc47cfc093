"""The product's side of `benchmarks/flights.py`: a fit task in this process. Arguments: folder of the blobs, facts."""

from __future__ import annotations

import json
import resource
import sys
import time

from adapters.learning.warm import prepare_environment


def main() -> None:
    """Print CPU seconds and the greatest memory in MiB, imports left out of the seconds."""
    prepare_environment()
    from adapters.files.blobs import FileBlobs  # noqa: PLC0415 - after the environment, as in a forkserver
    from adapters.learning.run_task import run_task  # noqa: PLC0415 - idem

    blobs, facts = FileBlobs(f"{sys.argv[1]}/blobs", f"{sys.argv[1]}/scratch"), json.loads(sys.argv[2])
    began = time.process_time()
    outcome = run_task("fit", facts, blobs)
    cpu, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "peak": peak, "fitted": "model_blob" in getattr(outcome, "facts", {})}))


if __name__ == "__main__":
    main()
