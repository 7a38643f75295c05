"""The series of an instance in a situation, in promtool's notation."""

from situations import END, HEALTHY, Rate, SICK_FROM, SICK_UNTIL, STEP


def times():
    return range(0, END + 1, STEP)


def level(value, time):
    """A level while it lasts; that of a word is not constant."""
    since = time - SICK_FROM
    words = {
        "once": 1,
        "a hundred at once": 100,
        "for three minutes": 1 if since < 180 else 0,
        "one long turn": 30 if since == 0 else 0,
        "missed once": since != 0,
        "missed for ninety seconds": since >= 90,
        "every other": since // STEP % 2,
    }
    return words[value] if isinstance(value, str) else value


def play(instance, sick, *, until=SICK_UNTIL, start=SICK_FROM, missed=False, restart=None, born=None):
    """The input series of one instance."""
    down = set()
    ups = sick.get("up", 1)
    for time in times():
        lasting = start <= time < until
        if missed and time // STEP % 4 == 3:
            down.add(time)
        if restart is not None and restart <= time < restart + 2 * STEP:
            down.add(time)
        if lasting and not level(ups, time):
            down.add(time)
    series = []
    for name in {**HEALTHY, **sick}:
        if name == "up":
            values = [0 if time in down else 1 for time in times()]
        else:
            well, ill = HEALTHY.get(name), sick.get(name, HEALTHY.get(name))
            values = samples(name, well, ill, start, until, restart, born if name in sick else None)
            gone = False
            for index, time in enumerate(times()):
                if time in down:
                    values[index] = None if gone else "stale"
                    gone = True
                else:
                    gone = False
        series.append({"series": labelled(name, instance), "values": notation(values)})
    return series


def samples(name, well, ill, start, until, restart, born):
    values, total = [], 0.0
    if name == "http_client_pools_created_total":
        total = well
    for time in times():
        lasting = start <= time < until
        now = ill if lasting else well
        if restart is not None and time == restart:
            total = 1.0 if name == "http_client_pools_created_total" else 0.0
        if name == "process_start_time_seconds":
            values.append(restart if restart is not None and time >= restart else now)
            continue
        if born and time < start:
            values.append(None)
            continue
        if isinstance(ill, Rate) or isinstance(well, Rate):
            if born and time == start and isinstance(ill, Rate):
                total = ill.per_second * 300
            elif not (born == "burst" and lasting) and isinstance(now, Rate):
                total += now.per_second * STEP
            values.append(round(total, 4))
        elif now is None:
            # A counter that rose by "once" stays; a level that only the situation has ends with it.
            values.append(values[-1] if values and name.split("{")[0].endswith("_total") else 0 if not born else None)
        else:
            values.append(level(now, time))
    return values


def labelled(name, instance):
    base, _, labels = name.partition("{")
    own = f'job="shop", instance="{instance}"'
    return f"{base}{{{own}, {labels}" if labels else f"{base}{{{own}}}"


def notation(values):
    """promtool's notation, with runs of equal steps shortened."""
    parts, index = [], 0
    while index < len(values):
        value, end = values[index], index
        if isinstance(value, str) or value is None:
            while end + 1 < len(values) and values[end + 1] == value:
                end += 1
            length = end - index + 1
            parts += ["stale"] * length if value == "stale" else [f"_x{length}"]
        else:
            step = None
            while end + 1 < len(values) and isinstance(values[end + 1], (int, float)):
                difference = round(values[end + 1] - values[end], 4)
                if step is not None and difference != step:
                    break
                step, end = difference, end + 1
            if end - index < 2:
                end = index
                parts.append(f"{value:.10g}")
            else:
                parts.append(f"{value:.10g}{'+' if step >= 0 else '-'}{abs(step):.10g}x{end - index}")
        index = end + 1
    return " ".join(parts)
