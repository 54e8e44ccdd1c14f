"""Works until the file called argv[1] is there: tasks and an actor that only workers may run, and that are tried again
elsewhere when their node goes. Prints "round N on NAMES" after each round, and at the end "sum N of N", what came out and what
should have. The exit code is 0 if the two are the same.
"""

import itertools
import os
import socket
import sys
import time

import ray


@ray.remote(num_cpus=0, resources={"work": 1}, max_retries=-1)
def square(n):
    time.sleep(0.5)
    return n * n, socket.gethostname()


@ray.remote(num_cpus=0, resources={"ledger": 1}, max_restarts=-1, max_task_retries=-1)
class Ledger:
    def add(self, a, b):
        return a + b


ray.init(_node_ip_address=os.environ.get("NODE_IP"), log_to_driver=False, logging_level="ERROR")
ledger, total, wanted = Ledger.remote(), 0, 0
for round in itertools.count(1):
    numbers = range(8 * round, 8 * round + 8)
    done = ray.get([square.remote(n) for n in numbers])
    total = ray.get(ledger.add.remote(total, sum(result for result, _ in done)))
    wanted += sum(n * n for n in numbers)
    print("round", round, "on", *sorted({name for _, name in done}))
    if os.path.exists(sys.argv[1]):
        break
print("sum", total, "of", wanted)
sys.exit(total != wanted)
