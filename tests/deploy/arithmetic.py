"""Checks that requests fit into memory, pods onto nodes, and connections into the database. One set of figures is for every manifest.

The figures are measured: docs/kubernetes.md#how-large-a-pod-is says how, and on which machines.
"""

import math
import re

# MiB that Spin takes without requests, and that one held request adds, as the kernel counts them for the container.
IDLE = 45
HELD = 0.42
# Spin's pool where nothing sets SPIN_MAX_INSTANCE_COUNT: crates/core/src/lib.rs of Spin 3.6.3.
POOL = 1000
# Of the pool, what the gateway leaves for a probe, a client that comes by another way, and a second gateway's rounding.
SPARE = 0.1
# The part of the database's workers that is left for the purge, the scripts and people who look at it.
RESERVE = 0.1
# Millicores of a node with two cores that pods may have (https://learn.microsoft.com/azure/aks/node-resource-reservations: 100 are the
# kubelet's), less what the cluster's own pods on it request.
NODE = 1900 - 500


def mebibytes(quantity):
    """Kubernetes', Container Apps' and compose's ways to write memory."""
    number, unit = re.fullmatch(r"([\d.]+)\s*(\w+)", str(quantity)).groups()
    return float(number) * {"mi": 1, "m": 1, "gi": 1024, "g": 1024}[unit.lower()]


def millicores(quantity):
    return int(quantity.removesuffix("m")) if str(quantity).endswith("m") else round(float(quantity) * 1000)


def memory_problems(where, limit, pool=None):
    """Spin refuses before the kernel kills: the limit covers every instance of the pool."""
    pool = POOL if pool is None else int(pool)
    needed = IDLE + pool * HELD
    if limit is None:
        yield f"{where}: there is no memory limit, so the machine's memory is the limit"
    elif mebibytes(limit) < needed:
        yield f"{where}: {pool} held requests take {needed:.0f} MiB, and the limit is {limit}: the kernel kills before Spin refuses"


def gateway_problems(pool, limits, proxies):
    """The gateway refuses before Spin does: what all its proxies and routes let through to one pod leaves room in its pool."""
    total = proxies * sum(limits)
    if total > pool * (1 - SPARE):
        yield f"the gateway lets {total} requests through to a pod ({proxies} proxies, {limits} a route), and Spin holds {pool}"


def connection_problems(where, pool, workers, replicas, surge):
    """Connections of all replicas, also in the middle of a rollout, leave a reserve of the database's workers."""
    if pool * (replicas + surge) > workers * (1 - RESERVE):
        yield f"{where}: {replicas} replicas and {surge} more in a rollout have {pool} connections each, of {workers} workers"


def room_problems(nodes, pods):
    """All pods at their most, in the middle of a rollout, fit onto the most nodes. `pods`: (name, millicores, most, surge)."""
    needed = sum(cores * (most + math.ceil(surge)) for _, cores, most, surge in pods)
    if needed > nodes * NODE:
        yield f"{', '.join(f'{most} + {math.ceil(surge)} × {cores}m of {name}' for name, cores, most, surge in pods)} are {needed}m, {nodes} nodes have {nodes * NODE}m"
