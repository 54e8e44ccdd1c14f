"""The job of a head: by which network interface NCCL would be found, called from the job, from a task, and with less or
more in its environment. Its argument is the library. It prints one line of JSON.
"""

import json
import os
import re
import subprocess
import sys

import ray

CALL = """
import ctypes, sys
identity = ctypes.create_string_buffer(128)
sys.exit(ctypes.CDLL(sys.argv[1]).ncclGetUniqueId(identity))
"""


def uses(library, env):
    """What NCCL says in a process of its own: it looks once in each."""
    said = subprocess.run(
        [sys.executable, "-c", CALL, library], env={**env, "NCCL_DEBUG": "INFO"}, capture_output=True, text=True
    )
    found = re.search(r"Bootstrap: Using (\S+):\S+<0>", said.stdout)
    return found.group(1) if said.returncode == 0 and found else said.stdout + said.stderr


def look(library):
    own = dict(os.environ)
    alone = {k: v for k, v in own.items() if not k.startswith("NCCL_")}
    chosen = {**own, "NCCL_SOCKET_IFNAME": "=lo"}
    return {"as it is": uses(library, own), "alone": uses(library, alone), "chosen": uses(library, chosen)}


ray.init(log_to_driver=False, logging_level="ERROR")
sent = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
task = ray.remote(num_cpus=1)(look)
found = {
    "job": look(sys.argv[1]),
    "task": ray.get(task.remote(sys.argv[1])),
    "sent": ray.get(task.options(runtime_env={"env_vars": sent}).remote(sys.argv[1])),
}
print("found", json.dumps(found), flush=True)
