"""A job that starts a Ray of its own, in the folder argv[1], and leaves a process in a session of its own behind."""

import os
import subprocess
import sys

import ray


@ray.remote(num_cpus=1)
def leave():
    return subprocess.Popen(["sleep", "1000"], start_new_session=True).pid


assert "RAY_ADDRESS" not in os.environ
ray.init(num_cpus=1, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, logging_level="ERROR", _temp_dir=sys.argv[1])
print("job left", ray.get(leave.remote(), timeout=60), flush=True)
os._exit(5)
