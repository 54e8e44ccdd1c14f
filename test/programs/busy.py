"""Starts an actor that never ends its work on the node called argv[1], with a child in a session of its own and a
double-forked one, and prints the three pids. "deaf" as argv[2]: the actor and its children ignore SIGTERM.
"""

import os
import signal
import subprocess
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=1)
class Busy:
    def __init__(self, deaf):
        if deaf:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def family(self):
        apart = self.spawn("setsid sleep 1000 & echo $!; wait")
        orphan = self.spawn("(setsid sleep 1000 & echo $!)")
        return os.getpid(), apart, orphan

    def spawn(self, script):
        child = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)
        return int(child.stdout.readline())

    def work(self):
        while True:
            sum(range(1000))
            time.sleep(0.01)


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == sys.argv[1])
actor = Busy.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote("deaf" in sys.argv[2:])
pids = ray.get(actor.family.remote(), timeout=60)
work = actor.work.remote()
print("pids", *pids)
ray.get(work)
