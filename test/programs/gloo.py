"""The job of a cluster: an all-reduce by Gloo among the job itself and an actor on each node, to which the job has sent its
environment, as RL trainers do. It prints one line of JSON.
"""

import datetime
import json
import os
import sys
import threading

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

NAMES = ["GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME", "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME"]


def add_up(rank, size, meeting):
    """What all ranks have together: 1 + 2 + … + size. Debian's PyTorch has no libuv for the meeting."""
    sys.path.append("/usr/lib/python3/dist-packages")  # behind all that this host's Ray has of its own
    import torch
    import torch.distributed

    torch.distributed.init_process_group(
        "gloo",
        init_method=meeting + "?use_libuv=0",
        rank=rank,
        world_size=size,
        timeout=datetime.timedelta(seconds=60),
    )
    part = torch.tensor([rank + 1])
    torch.distributed.all_reduce(part)
    torch.distributed.destroy_process_group()
    return part.item()


@ray.remote(num_cpus=1)
class Member:
    def has(self):
        return {name: os.environ.get(name) for name in NAMES}

    def add_up(self, *args):
        return add_up(*args)


@ray.remote(num_cpus=0)
def interface():
    return os.environ["GLOO_SOCKET_IFNAME"]


def on(node):
    return NodeAffinitySchedulingStrategy(node, soft=False)


sent = {k: v for k, v in os.environ.items() if k not in ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")}
ray.init(log_to_driver=False, logging_level="ERROR", runtime_env={"env_vars": sent})
nodes = {n["NodeName"]: n["NodeID"] for n in ray.nodes() if n["Alive"]}
members = {name: Member.options(scheduling_strategy=on(node)).remote() for name, node in sorted(nodes.items())}
found = {"job": {name: os.environ.get(name) for name in NAMES}}
for name, member in members.items():
    found[name] = ray.get(member.has.remote(), timeout=60)

size = len(members) + 1
meeting = f"tcp://{ray.util.get_node_ip_address()}:29500"
sums = [m.add_up.remote(rank, size, meeting) for rank, m in enumerate(members.values(), start=1)]
# The job takes part itself, so it needs its own host's: asked for after its environment was sent.
here = on(ray.get_runtime_context().get_node_id())
os.environ["GLOO_SOCKET_IFNAME"] = ray.get(interface.options(scheduling_strategy=here).remote(), timeout=60)
own = []
part = threading.Thread(target=lambda: own.append(add_up(0, size, meeting)), daemon=True)
part.start()
first, _ = ray.wait(sums, timeout=60)
ray.get(first)  # one that has failed says why, and the others would wait for it
others = ray.get(sums, timeout=60)
part.join(60)
found["sums"] = own + others
print("found", json.dumps(found), flush=True)
