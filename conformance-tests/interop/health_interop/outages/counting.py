"""Figures and conclusions from what was counted."""
import collections

# The checks that are compared: options of the instances. With two of them, an instance that is cut off leaves.
KINDS = {
    "required": ["--check=required"],
    "shared": ["--check=shared"],
    "rejecting": ["--check=shared", "--reject"],
    "peers": ["--check=shared", "--reject", "--peers={peers}"],
}
LEAVING = ("required", "peers")
OUTAGES = ("stopped", "frozen")


def tenths(lines):
    """Returns the number of requests by tenth of a second since 1970, from lines `QUERIES TIME COUNT`."""
    counts = collections.Counter()
    for line in lines:
        if line.startswith("QUERIES "):
            _, tenth, count = line.split()
            counts[int(tenth)] += int(count)
    return counts


def by_tenth(times):
    """Returns the number of events by tenth of a second, from their times in seconds."""
    return collections.Counter(int(time * 10) for time in times)


def peak(counts, since, seconds):
    """Returns the total, the highest number in a tenth of a second, and its ratio to the mean, of the seconds since."""
    first = int(since * 10)
    length = int(seconds * 10)
    window = [counts[tenth] for tenth in range(first, first + length)]
    total = sum(window)
    highest = max(window)
    return {"total": total, "peak": highest, "ratio": highest * length / total if total else None}


def difference(before, after):
    """Returns how much the numbers of one request have grown."""
    return {name: after[name] - before[name] for name in after}


def wrong(result, instances):
    """Returns what contradicts the page: one sentence each."""
    shared = result["check"] != "required"
    for outage in OUTAGES:
        found = result[outage]
        if found["answered"]:
            yield f"the database was not {outage}: {found['answered']} queries were answered meanwhile"
        if not found["queries"]["failed"]:
            yield f"{outage}: no query failed"
        still = found["still"]
        if still["failed"] * 10 > still["sent"]:
            yield f"{outage}: {still['failed']} of {still['sent']} queries fail long after the database has returned"
        lost = found["static"]["failed"]
        if shared and lost:
            yield f"{outage}: {lost} requests without the database were lost"
        if not shared and not lost:
            yield f"{outage}: no request without the database was lost, although all instances must leave"
        left = len(found["left"])
        if left != (0 if shared else instances):
            yield f"{outage}: {left} of {instances} instances left"
        alert = found["responses"]
        if alert != {"/ready": 200 if shared else 503, "/alert": 503}:
            yield f"{outage}: an instance responded {alert}"
    cut = result["cut"]
    if cut["left"] != (["a"] if result["check"] in LEAVING else []):
        yield f"a was cut off, and left: {', '.join(cut['left']) or 'none'}"
    if not cut["queries"]["failed"]:
        yield "a was cut off, and no query failed"
    if cut["static"]["failed"]:
        yield f"a was cut off, and {cut['static']['failed']} requests without the database were lost"
    if shared and result["static"]["failed"]:
        yield f"{result['static']['failed']} of all requests without the database were lost"
