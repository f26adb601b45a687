"""Measures Patron against a reference that stores nothing, and against peers, in one run.

Only ratios within one run say anything: the load generator shares the machine. The variants take
turns (A B C, A B C, …); the table holds medians over the rounds.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import machine
import servers

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 64
THREADS = 2
BATCH = 50
# The echo's slowest and fastest round lie at most this far apart on a machine that can be trusted.
SPREAD_LIMIT = 0.15
# The share of the processors' time that another machine may have taken.
STOLEN_LIMIT = 0.02


def wrk(server, load, seconds, known=0):
    """Drives a server and returns what wrk tells, with what the server used meanwhile."""
    environment = os.environ | {
        "BENCH_LUA": str(HERE / "lua"),
        "LOAD": load,
        "FIRST": str(server.next),
        "KNOWN": str(known),
        "AUTHORISATIONS": ",".join(servers.authorisations()),
    }
    command = [
        "wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s",
        "-s", str(HERE / "lua" / "load.lua"), f"http://127.0.0.1:{server.port}",
    ]
    result, used = measured(server, lambda: subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True))
    told = json.loads(result.stdout.splitlines()[-1])
    if told["refused"] or told["broken"]:
        sys.exit(f"{server.name}, {load}: {told}; see {server.directory / 'log'}")
    customers = told["requests"] * (BATCH if load == "batch" else 1)
    # Numbers are given out a pair at a time, one to each thread.
    server.next += 2 * (told["sent"] + 2)
    return told | used | {"customers": customers, "rate": customers / told["seconds"]}


def pgbench(server, script, seconds):
    command = [
        "pgbench", "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", str(THREADS), "-T", str(seconds),
        "-f", str(HERE / "postgresql" / script), *server.connection(),
    ]
    result, used = measured(server, lambda: subprocess.run(
        command, capture_output=True, text=True, check=True))
    told = {line.split("=")[0].strip(): line.split("=")[1] for line in result.stdout.splitlines() if "=" in line}
    rate = float(told["tps"].split()[0])
    latency = float(told["latency average"].split()[0])
    return used | {"rate": rate, "customers": rate * seconds, "p50_us": latency * 1000, "p99_us": None}


def measured(server, work):
    def used():
        pids = server.processes()
        return [sum(of(pid) for pid in pids) for of in (machine.cpu_seconds, machine.bytes_written)]

    cpu, written = used()
    times, client = machine.cpu_times(), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy, stolen = machine.busy_share(times, machine.cpu_times())
    cpu_after, written_after = used()
    return result, {
        "cpu": cpu_after - cpu,
        "client_cpu": (after.ru_utime + after.ru_stime) - (client.ru_utime + client.ru_stime),
        "written": written_after - written,
        "memory": sum(machine.resident_mib(pid) for pid in server.processes()),
        "busy": busy,
        "stolen": stolen,
    }


def load_customers(server, count):
    """Fills a server by batches over HTTP, so that what it holds came in as any customer does."""
    begun = time.monotonic()
    while server.next < count:
        wrk(server, "batch", 10)
        done = min(1.0, server.next / count)
        spent = time.monotonic() - begun
        print(f"\r  loading {server.name}: {done:4.0%}, {spent / done - spent:4.0f} s to go ", end="", file=sys.stderr)
    print(file=sys.stderr)


def fresh(patron):
    """A server without customers, for each round anew."""
    patron.remove()
    patron.next = 0
    patron.start()


def held(customers):
    """What the variant is called in which a server holds so many customers."""
    return f"Patron, {customers:,} customers"


def variants(options, work):
    binaries = pathlib.Path(options.binaries)
    template = HERE / "organisation.toml"

    def patron(name):
        return servers.Patron(name, binaries / "patron", work / name, template)

    echo = servers.Echo(binaries / "echo", work / "echo")
    echo.start()
    yield "echo", lambda: wrk(echo, "single", options.seconds)

    def single(new):
        fresh(new)
        wrk(new, "single", 1)
        return wrk(new, "single", options.seconds)

    def batch(new):
        fresh(new)
        return wrk(new, "batch", options.seconds)

    embedded = patron("fresh")
    yield "Patron, fresh", lambda: single(embedded)
    yield "Patron, batches of 50", lambda: batch(embedded)

    for customers in options.customers:
        loaded = patron(f"loaded-{customers}")
        loaded.start()
        load_customers(loaded, customers)
        yield held(customers), lambda loaded=loaded: wrk(loaded, "single", options.seconds)
    if options.customers:
        # The server that holds most.
        known = customers // 2
        yield "  the same, reading", lambda: wrk(loaded, "read", options.seconds, known)
        yield "  the same, 4 of 5 reading", lambda: wrk(loaded, "mixed", options.seconds, known)

    if options.postgresql:
        postgresql = servers.PostgreSQL(options.postgresql, work / "postgresql", HERE / "postgresql" / "schema.sql")
        postgresql.start()
        on_it = servers.PatronOnPostgreSQL("on-postgresql", binaries / "patron", work / "on-postgresql", template, postgresql)
        yield "Patron on PostgreSQL, fresh", lambda: single(on_it)
        yield "Patron on PostgreSQL, batches of 50", lambda: batch(on_it)
        yield "PostgreSQL, one transaction each", lambda: pgbench(postgresql, "transaction.sql", options.seconds)
        yield "PostgreSQL, one statement each", lambda: pgbench(postgresql, "statement.sql", options.seconds)

    if options.pocketbase:
        pocketbase = servers.PocketBase(options.pocketbase, work / "pocketbase")
        pocketbase.start()
        yield "PocketBase", lambda: wrk(pocketbase, "pocketbase", options.seconds)


def median(rounds, key):
    values = [row[key] for row in rounds if row.get(key) is not None]
    return statistics.median(values) if values else None


def table(results):
    heads = ["", "a second", "÷ echo", "CPU µs each", "a core-second", "KB written each", "MiB", "p50 ms", "p99 ms"]
    echo = median(results["echo"], "rate")
    rows = []
    for name, rounds in results.items():
        each = [row | {
            "cpu_us": row["cpu"] / row["customers"] * 1e6,
            "core_second": row["customers"] / row["cpu"],
            "kb": row["written"] / row["customers"] / 1000,
        } for row in rounds]
        p50, p99 = median(each, "p50_us"), median(each, "p99_us")
        rows.append([
            name, f"{median(each, 'rate'):,.0f}", f"{median(each, 'rate') / echo:.2f}",
            f"{median(each, 'cpu_us'):.0f}", f"{median(each, 'core_second'):,.0f}", f"{median(each, 'kb'):.1f}",
            f"{median(each, 'memory'):.0f}", f"{p50 / 1000:.1f}", f"{p99 / 1000:.1f}" if p99 else "–",
        ])
    lines = ["| " + " | ".join(row) + " |" for row in [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]]
    return "\n".join(lines)


def plot(results, counts):
    """The rate by how many customers there are, as a share of the echo's."""
    echo = median(results["echo"], "rate")
    shares = [median(results["Patron, fresh"], "rate") / echo]
    shares += [median(results[held(count)], "rate") / echo for count in counts]
    names = ["none", *(f"{count:,}" for count in counts)]
    highest = max(0.2, *shares)
    width, height, left, step = 640, 260, 60, 150
    place = lambda number, share: (left + 30 + number * step, 220 - share / highest * 180)
    points = [place(number, share) for number, share in enumerate(shares)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="10" y="18">Durable single registrations, as a share of the echo, by customers held</text>',
        f'<line x1="{left}" y1="220" x2="{width - 20}" y2="220" stroke="black"/>',
        '<polyline fill="none" stroke="#2563eb" stroke-width="2" points="'
        + " ".join(f"{x:.0f},{y:.0f}" for x, y in points) + '"/>',
    ]
    for (x, y), share, name in zip(points, shares, names):
        parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#2563eb"/>')
        parts.append(f'<text x="{x:.0f}" y="{y - 10:.0f}" text-anchor="middle">{share:.2f}</text>')
        parts.append(f'<text x="{x:.0f}" y="240" text-anchor="middle">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def trust(results):
    """What speaks against these figures."""
    rates = [row["rate"] for row in results["echo"]]
    spread = (max(rates) - min(rates)) / statistics.median(rates)
    stolen = max(row["stolen"] for rounds in results.values() for row in rounds)
    if spread > SPREAD_LIMIT:
        yield f"the echo's rounds lie {spread:.0%} apart: the machine was busy with something else"
    if stolen > STOLEN_LIMIT:
        yield f"another machine took {stolen:.0%} of the processors"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", required=True, help="where `patron` and `echo` are")
    parser.add_argument("--work", required=True, help="an empty directory for the servers' data, on a real disk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each variant in each round")
    parser.add_argument("--customers", type=int, nargs="*", default=[10_000, 200_000, 2_000_000],
                        help="loaded beforehand, one server each, the most last")
    parser.add_argument("--plot", help="draws the rate by customers into this file, as SVG")
    parser.add_argument("--postgresql", help="where PostgreSQL's programs are; absent leaves it out")
    parser.add_argument("--pocketbase", help="PocketBase's program; absent leaves it out")
    options = parser.parse_args()

    running = list(variants(options, pathlib.Path(options.work)))
    results = {name: [] for name, _ in running}
    for number in range(options.rounds):
        for name, run in running:
            row = run()
            results[name].append(row)
            print(f"round {number + 1}: {name.strip()}: {row['rate']:,.0f} a second", file=sys.stderr)
    print(table(results))
    if options.plot:
        pathlib.Path(options.plot).write_text(plot(results, options.customers))
    for doubt in trust(results):
        print(f"\nDo not trust this: {doubt}.")


if __name__ == "__main__":
    main()
