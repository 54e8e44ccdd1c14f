"""Has a task sleep for argv[2] seconds on the node called argv[1]. Prints "naps PID" once it does, and "woke well" when
it has ended. Ray must not run it twice.
"""

import os
import sys
import tempfile
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=1, max_retries=0)
def nap(seconds, sign):
    with open(sign, "w") as file:
        print(os.getpid(), file=file, flush=True)
        time.sleep(seconds)
    return "well"


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == sys.argv[1])
sign = os.path.join(tempfile.mkdtemp(dir=os.environ["HOME"]), "sign")
task = nap.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(float(sys.argv[2]), sign)
while not (os.path.exists(sign) and open(sign).read()):
    ray.wait([task], timeout=0.1)
print("naps", open(sign).read())
print("woke", ray.get(task))
