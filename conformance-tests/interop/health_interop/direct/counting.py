"""What the counts of a run amount to."""
import statistics

from .clients import lost


def figures(counts, connections):
    """Returns the figures of a run for the page."""
    drains = counts["drains"]
    seconds = [drain["ended"] - drain["began"] for drain in drains]
    return {
        "sent": counts["sent"],
        "lost": lost(counts),
        "reasons": counts["lost"],
        "wrong": counts["wrong"],
        "each": lost(counts) / (connections * len(drains)),
        "connections": counts["connections"],
        "repeated": counts["repeated"],
        "restarts": len(drains),
        "responses": sum(drain["responses"] for drain in drains),
        "announced": sum(drain["announced"] for drain in drains),
        "median": statistics.median(seconds),
        "max": max(seconds),
    }


def wrong(kind, found, tolerated=0):
    """Yields what contradicts the page. So many lost requests do not: the kernel can accept a connection between the
    last look of a server and the end of its listener."""
    if found["wrong"]:
        yield f"{found['wrong']} responses were not those of the application"
    if kind == "heeding" and found["lost"] > tolerated:
        yield f"{found['lost']} of {found['sent']} requests were lost: {found['reasons']}"
