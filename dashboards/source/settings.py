"""Everything that a fleet may want to set otherwise. After a change run `python3 dashboards/generate.py`."""

# Where alerts and boards find the runbook: the address of this repository, or of a copy of dashboards/runbook.md.
RUNBOOK = "https://github.com/OWNER/poolscope/blob/main/dashboards/runbook.md"

# Shares are 0 to 1, times are seconds. A floor is the number of events in the last five minutes (WINDOW) without which a
# share says nothing.
THRESHOLDS = {
    "saturated_share": 0.5,  # of the time, a limit kept requests waiting
    "saturated_wait": 0.05,  # mean time that a request was queued
    "long_wait": 1,  # mean time that a request was queued, so long that
    "long_wait_share": 0.1,  # of the time is enough
    "acquire_timeout_share": 0.01,  # of acquisitions, timed out or found the queue full
    "acquire_timeout_floor": 5,
    "acquire_timeout_floor_of_service": 8,  # of all its instances, where each has fewer
    "connect_failure_share": 0.5,  # of attempts to connect to one upstream
    "connect_failure_floor": 5,
    "unreachable_share": 0.1,  # connects that fail, per acquisition
    "upstream_timeout_share": 0.1,  # of requests to one upstream that had a connection
    "upstream_timeout_floor": 5,
    "given_up_floor": 20,  # requests given up, none of the others having had a response
    "upstream_failure_share": 0.1,  # ended as 5xx, connection_lost or invalid_response
    "upstream_failure_floor": 5,
    "silent_share": 0.2,  # of the limit, leases on which the peer has not moved a byte for a minute
    "silent_limit": 500,  # counts as the limit of a pool that has none, or a higher one
    "leaked_leases": 1,  # leases on which our own code has not moved a byte for a minute
    "wasted_share": 0.5,  # connections closed for a reason that can be avoided, per acquisition
    "peer_closed_share": 0.2,  # connections that the peer closed, per acquisition
    "reuse_floor": 30,  # acquisitions, for the two above
    "clients_made": 10,  # HTTP clients made by a process in half an hour
    "clients_made_scrapes": 8,  # in so many different scrapes: a start makes all at once
    "stall": 1,  # age of the turn of a pool's thread, in half of the scrapes of two minutes
    "descriptors_share": 0.85,  # of the file descriptors that a process may open
    "no_descriptor_floor": 3,
    "other_share": 0.01,  # of acquisitions, to upstreams beyond those with series of their own
    "other_floor": 5,
    "instance_failure_share": 0.25,  # of the requests of one instance
    "instance_failure_factor": 1.5,  # times the share of the other instances together
    "instance_failure_floor": 5,
    "missed_share": 0.1,  # of the scrapes of a quarter of an hour
    "missed_changes": 4,  # between success and failure in that time: one outage makes two
}

WINDOW = 300  # of rates; at least four scrape intervals
