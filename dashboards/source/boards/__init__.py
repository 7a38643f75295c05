"""The boards, from the whole fleet to one upstream. What is sick comes first."""

from boards import fleet, origin, pool, service


def boards():
    return [fleet.fleet(), service.service(), pool.pool(), origin.origin()]
