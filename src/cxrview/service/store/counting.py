"""Counts of the ledger, all of one moment."""

import sqlite3
from collections import Counter

from cxrview.service.records import Counts, DestinationCounts, HourCounts
from cxrview.service.store.schema import transaction

_HOUR = 3600


def count_all(connection: sqlite3.Connection) -> Counts:
    """Count images and deliveries; one transaction reads all, so that they belong together."""
    with transaction(connection, "DEFERRED"):
        totals = dict(connection.execute("SELECT name, number FROM totals"))
        states = Counter(
            dict(connection.execute("SELECT state, count(*) FROM images GROUP BY state"))
        )
        failures = dict(
            connection.execute(
                "SELECT code, count(*) FROM images WHERE state = 'failed' GROUP BY code"
            )
        )
        deliveries = Counter(
            {
                (destination, state): number
                for destination, state, number in connection.execute(
                    "SELECT destination, state, count(*) FROM deliveries "
                    "GROUP BY destination, state"
                )
            }
        )
        known = {
            name: (since, reason)
            for name, since, reason in connection.execute(
                "SELECT name, failing_since, reason FROM destinations"
            )
        }
        undelivered = connection.execute(
            "SELECT count(*) FROM images WHERE rule IS NULL AND state != 'waiting'"
        ).fetchone()[0]
    forgotten = {
        name.removeprefix("stored:"): number
        for name, number in totals.items()
        if name.startswith("stored:")
    }
    names = sorted({name for name, _ in deliveries} | set(known) | set(forgotten))
    destinations = {
        name: DestinationCounts(
            stored=deliveries[name, "stored"] + forgotten.get(name, 0),
            waiting=deliveries[name, "waiting"],
            dead=deliveries[name, "dead"],
            failing_since=known.get(name, (None, ""))[0],
            reason=known.get(name, (None, ""))[1],
        )
        for name in names
    }
    return Counts(
        received=totals.get("received", 0),
        waiting=states["waiting"],
        classified=states["classified"] + totals.get("classified", 0),
        review=states["review"] + totals.get("review", 0),
        refused=states["refused"] + totals.get("refused", 0),
        failed=states["failed"] + totals.get("failed", 0),
        repeated=totals.get("repeated", 0),
        conflicting=totals.get("conflicting", 0),
        deliveries=totals.get("deliveries", 0),
        stored=sum(one.stored for one in destinations.values()),
        to_be_stored=sum(one.waiting for one in destinations.values()),
        dead=sum(one.dead for one in destinations.values()),
        undelivered=undelivered,
        failures=failures,
        destinations=destinations,
    )


def count_hours(connection: sqlite3.Connection, now: float, hours: int) -> list[HourCounts]:
    """Count what happened in each of the last hours, the oldest first; the last one is not over."""
    first = (int(now // _HOUR) - hours + 1) * _HOUR
    queries = {
        "received": "SELECT received_at FROM images WHERE received_at >= ?",
        "classified": "SELECT settled_at FROM images WHERE settled_at >= ? AND state != 'failed'",
        "failed": "SELECT settled_at FROM images WHERE settled_at >= ? AND state = 'failed'",
        "stored": "SELECT stored_at FROM deliveries WHERE stored_at >= ?",
    }
    with transaction(connection, "DEFERRED"):
        found = {
            name: dict(
                connection.execute(
                    f"SELECT CAST((at - {first}) / {_HOUR} AS INTEGER), count(*) FROM "
                    f"({query.replace('_at FROM', '_at AS at FROM', 1)}) GROUP BY 1",
                    (first,),
                )
            )
            for name, query in queries.items()
        }
    return [
        HourCounts(
            start=float(first + number * _HOUR),
            **{name: counts.get(number, 0) for name, counts in found.items()},
        )
        for number in range(hours)
    ]
