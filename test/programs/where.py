"""Runs a task on every node that is alive and prints the names of the nodes where they ran. It finds the cluster as any
program does: by the variables of ray.env.
"""

import os

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=1)
def here():
    return ray.get_runtime_context().get_node_id()


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
names = {n["NodeID"]: n["NodeName"] for n in ray.nodes() if n["Alive"]}
there = [here.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote() for node in names]
print("ran on", *sorted(names[node] for node in ray.get(there, timeout=60)))
