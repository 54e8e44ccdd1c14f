"""A small program of GRPO's shape on real Ray: data preparation, engines, verifiers and learners as actors in placement
groups with resources of their own, over both nodes. The policy is a table that learns to add two digits, so that the
rewards can be seen to rise; nothing here is a stand-in for Ray.

Run by raynoded as the [job] of the head: RAY_ADDRESS and the token's path are in its environment.
"""

import math
import random
import time

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

DIGITS, GROUP, STEPS, RATE = 5, 16, 12, 2.0
ANSWERS = 2 * DIGITS - 1
PROMPTS = [(a, b) for a in range(DIGITS) for b in range(DIGITS)]


def softmax(logits):
    top = max(logits)
    weights = [math.exp(x - top) for x in logits]
    return [w / sum(weights) for w in weights]


def here():
    return ray.util.get_node_ip_address()


@ray.remote
class DataPreparation:
    def where(self):
        return here()

    def batches(self, step, parts):
        prompts = PROMPTS[:]
        random.Random(step).shuffle(prompts)
        return [prompts[i::parts] for i in range(parts)]


@ray.remote
class Engine:
    """Samples a group of answers for every prompt, with the weights it was given last."""

    def where(self):
        return here()

    def load(self, weights):
        self.weights = weights

    def generate(self, prompts):
        return [(p, random.choices(range(ANSWERS), softmax(self.weights[p]), k=GROUP)) for p in prompts]


@ray.remote
class Verifier:
    def where(self):
        return here()

    def score(self, samples):
        return [(p, answers, [float(a == sum(p)) for a in answers]) for p, answers in samples]


@ray.remote
class Learner:
    """Turns rewards into advantages relative to their group, and those into a gradient; the learners add theirs up."""

    def __init__(self):
        self.weights = {p: [0.0] * ANSWERS for p in PROMPTS}

    def where(self):
        return here()

    def gradient(self, scored):
        gradient = {}
        for prompt, answers, rewards in scored:
            mean = sum(rewards) / len(rewards)
            deviation = math.sqrt(sum((r - mean) ** 2 for r in rewards) / len(rewards)) + 1e-6
            probability, g = softmax(self.weights[prompt]), [0.0] * ANSWERS
            for answer, reward in zip(answers, rewards):
                advantage = (reward - mean) / deviation / len(answers)
                for a in range(ANSWERS):
                    g[a] += advantage * ((a == answer) - probability[a])
            gradient[prompt] = g
        return gradient

    def apply(self, *gradients):
        for gradient in gradients:
            for prompt, g in gradient.items():
                self.weights[prompt] = [w + RATE * x for w, x in zip(self.weights[prompt], g)]
        return self.weights


def place(actor, resource, count):
    """Starts count actors in a placement group of their own, on whichever node has the resource."""
    group = placement_group([{resource: 1, "CPU": 1}] * count, strategy="PACK")
    ray.get(group.ready(), timeout=60)
    return [
        actor.options(
            num_cpus=1, resources={resource: 1},
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=i),
        ).remote()
        for i in range(count)
    ]


def main():
    ray.init(address="auto", log_to_driver=False, logging_level="WARNING")
    nodes = [n["NodeManagerAddress"] for n in ray.nodes() if n["Alive"]]
    print(f"driver: {len(nodes)} nodes: {', '.join(sorted(nodes))}", flush=True)
    preparation = place(DataPreparation, "preparation", 1)
    learners = place(Learner, "learner", 2)
    engines = place(Engine, "engine", 2)
    verifiers = place(Verifier, "verifier", 1)
    for name, actors in {"data preparation": preparation, "learners": learners, "engines": engines, "verifiers": verifiers}.items():
        print(f"driver: {name} on {', '.join(ray.get([a.where.remote() for a in actors]))}", flush=True)
    weights = ray.get(learners[0].apply.remote())
    reward = 0.0
    for step in range(1, STEPS + 1):
        start = time.monotonic()
        shared = ray.put(weights)
        ray.get([e.load.remote(shared) for e in engines])
        batches = ray.get(preparation[0].batches.remote(step, len(engines)))
        samples = [e.generate.remote(b) for e, b in zip(engines, batches)]
        scored = [verifiers[0].score.remote(s) for s in samples]
        gradients = [learner.gradient.remote(s) for learner, s in zip(learners, scored)]
        weights = ray.get([learner.apply.remote(*gradients) for learner in learners])[0]
        rewards = [r for part in ray.get(scored) for _, _, group in part for r in group]
        reward = sum(rewards) / len(rewards)
        print(f"driver: step {step:2d}  reward {reward:.2f}  {1000 * (time.monotonic() - start):4.0f} ms", flush=True)
    if reward < 0.5:
        raise SystemExit(f"the policy has not learned: reward {reward:.2f}")


if __name__ == "__main__":
    main()
