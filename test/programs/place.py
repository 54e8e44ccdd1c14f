"""Asks for a task on the node called argv[1] once the file argv[2] is there, and prints "place refused" or "place ran";
prints "ready for NODE" before.
"""

import os
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=0)
def where():
    return "ran"


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == sys.argv[1])
strategy = NodeAffinitySchedulingStrategy(node, soft=False)
print("ready for", node, flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
try:
    print("place", ray.get(where.options(scheduling_strategy=strategy).remote(), timeout=5))
except (ray.exceptions.TaskUnschedulableError, ray.exceptions.GetTimeoutError) as e:
    print("place refused")
