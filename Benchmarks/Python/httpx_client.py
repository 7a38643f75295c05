"""Measures Python's httpx, and prints one line of JSON."""

import argparse
import asyncio
import json
import resource
import ssl
import sys
import time

import httpx


def cpu_us() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def peak_rss_kib() -> int:
    """Not from getrusage: its figure includes what the process had before it became this program."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def send_in_turn(client: httpx.AsyncClient, url: str, requests: int, size: int) -> list[float]:
    latencies = []
    for _ in range(requests):
        begin = time.perf_counter()
        response = await client.get(url)
        if response.status_code != 200 or len(response.content) != size:
            sys.exit(f"wrong answer: status {response.status_code}, {len(response.content)} bytes")
        latencies.append((time.perf_counter() - begin) * 1e6)
    return latencies


async def send(client: httpx.AsyncClient, url: str, concurrency: int, requests: int, size: int) -> list[float]:
    """One task for each request in flight; each sends its share one after the other."""
    share, rest = divmod(requests, concurrency)
    tasks = (send_in_turn(client, url, share + (task < rest), size) for task in range(concurrency))
    return [latency for latencies in await asyncio.gather(*tasks) for latency in latencies]


async def measure(arguments: argparse.Namespace) -> dict:
    connections = arguments.concurrency
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    verify = ssl.create_default_context(cafile=arguments.ca)
    async with httpx.AsyncClient(limits=limits, verify=verify, trust_env=False, timeout=60) as client:
        await send(client, arguments.url, connections, arguments.warmup, arguments.bytes)
        cpu, begin = cpu_us(), time.perf_counter()
        latencies = await send(client, arguments.url, connections, arguments.requests, arguments.bytes)
        seconds, cpu = time.perf_counter() - begin, cpu_us() - cpu
    latencies.sort()
    return {
        "client": "httpx",
        "requests": arguments.requests,
        "seconds": seconds,
        "cpu_us_per_request": cpu / arguments.requests,
        "p50_us": percentile(latencies, 50),
        "p99_us": percentile(latencies, 99),
        "peak_rss_kib": peak_rss_kib(),
        "errors": 0,
    }


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--url", required=True)
parser.add_argument("--concurrency", type=int, required=True)
parser.add_argument("--requests", type=int, required=True)
parser.add_argument("--warmup", type=int, default=0)
parser.add_argument("--bytes", type=int, required=True)
parser.add_argument("--ca")
print(json.dumps(asyncio.run(measure(parser.parse_args()))))
