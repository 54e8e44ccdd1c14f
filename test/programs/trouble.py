"""Starts an actor on the node called argv[1] that makes trouble of one kind, argv[2], and prints "pids" and its pid.

hungry: once it is in a cgroup for memory called "small", it takes memory without end.
stuck: it opens the file argv[3], and does not come back from the kernel.
storm: it leaves a few lines of processes behind, each of which forks and ends as fast as it can, in a session of its
own and deaf to SIGTERM. They are never more than a few at a time, and end by themselves after a minute.
"""

import os
import subprocess
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

STORM = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + 60
for line in range(4):
    if os.fork() == 0:
        while time.monotonic() < end and os.fork() == 0:
            os.setsid()
        os._exit(0)
"""


@ray.remote(num_cpus=1, max_restarts=0)
class Trouble:
    def pid(self):
        return os.getpid()

    def hungry(self):
        eaten = []
        while True:
            with open("/proc/self/cgroup") as f:
                if "/small\n" in f.read():
                    eaten.append(b"x" * 10_000_000)
            time.sleep(0.01)

    def stuck(self, path):
        open(path)

    def storm(self):
        subprocess.run([sys.executable, "-S", "-c", STORM])
        time.sleep(1000)


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == sys.argv[1])
actor = Trouble.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote()
pid = ray.get(actor.pid.remote(), timeout=60)
trouble = getattr(actor, sys.argv[2]).remote(*sys.argv[3:])
print("pids", pid)
ray.get(trouble)
