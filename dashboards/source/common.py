"""What rules and boards have in common."""

SERVICE = "cluster, namespace, job"
INSTANCE = f"{SERVICE}, instance"


class Clock:
    """Writes durations; a test may run the rules at a tenth of their times."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, seconds):
        milliseconds = round(seconds * self.scale * 1000)
        for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
            if milliseconds % size == 0:
                return f"{milliseconds // size}{unit}"
        raise ValueError(seconds)
