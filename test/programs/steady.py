"""Counts: an actor on the node called argv[1] adds one each time it is asked, and a task runs on that node in between.
Prints "actor PID" and then "count N" for each round, as long as it lives; each line is
one write, as others write to the same log.
"""

import os
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=0)
class Counter:
    def __init__(self):
        self.n = 0

    def pid(self):
        return os.getpid()

    def add(self):
        self.n += 1
        return self.n


@ray.remote(num_cpus=0)
def echo(n):
    return n


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == sys.argv[1])
here = NodeAffinitySchedulingStrategy(node, soft=False)
counter = Counter.options(scheduling_strategy=here).remote()
print(f"actor {ray.get(counter.pid.remote(), timeout=60)}", flush=True)
while True:
    print(f"count {ray.get(echo.options(scheduling_strategy=here).remote(counter.add.remote()))}", flush=True)
    time.sleep(0.2)
