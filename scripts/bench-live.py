#!/usr/bin/env python3
"""Figures of the live tenant for docs/performance.md: the simulator in its own
process, `serve` in another, on the same machine, over HTTP.

    scripts/bench-live.py steady RATE SECONDS     constant records a second
    scripts/bench-live.py backfill RECORDS        a first start that finds so many
    scripts/bench-live.py blobs NUMBER            a first start that lists so many blobs
    scripts/bench-live.py outage                  10,000 people, 24 hours of outage at 600 times real time
    scripts/bench-live.py idle SECONDS            requests that a tenant costs on which nothing happens
    scripts/bench-live.py hubs RATE SECONDS PARTITIONS   constant records a second through four event hubs of so many partitions
    scripts/bench-live.py drain RECORDS PARTITIONS       a first start that finds so many records in four event hubs

Run `make build` first. Memory is the peak of the resident set (VmHWM), CPU time is
user and system of the process.
"""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

BIN = os.path.abspath(os.environ.get("BIN", "bin/daybreak"))
QUOTA = 60000  # a minute; the vendor's baseline of 2,000 rises with seats


class World:
    """A simulator and a product that collects from it."""

    def __init__(self, sim_flags, poll="1s", provider="m365"):
        self.dir = tempfile.mkdtemp(prefix="daybreak-bench-")
        self.sim_log = open(f"{self.dir}/sim.log", "w")
        self.sim = subprocess.Popen(
            [BIN, "sim", provider, "--listen", "127.0.0.1:0", "--json", "--quiet", "--secret-file", f"{self.dir}/secret",
             *(["--quota", str(QUOTA)] if provider == "m365" else []), *sim_flags],
            stdout=subprocess.PIPE, stderr=self.sim_log)
        self.card = json.loads(self.sim.stdout.readline())
        with open(f"{self.dir}/daybreak.toml", "w") as f:
            f.write('[server]\nlisten = "127.0.0.1:0"\n' + self.card["source"] + f'poll = "{poll}"\n')
            if provider == "m365":
                f.write(f"requests_per_minute = {QUOTA}\n")
        self.data = f"{self.dir}/data"
        self.serve = None

    def start(self):
        log = f"{self.dir}/serve.log"
        with open(log, "w") as f:
            self.serve = subprocess.Popen([BIN, "serve", "--config", f"{self.dir}/daybreak.toml", "--data", self.data], stderr=f)
        while '"msg":"serving"' not in open(log).read():
            if self.serve.poll() is not None:
                sys.exit(open(log).read())
            time.sleep(0.1)
        self.began, self.cpu0 = time.time(), (cpu(self.sim), cpu(self.serve))

    def stop(self):
        self.peak = peak(self.serve)
        self.serve.send_signal(signal.SIGINT)
        self.serve.wait()

    def end(self):
        if self.serve and self.serve.poll() is None:
            self.stop()
        self.sim.terminate()
        self.sim.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def coverage(self):
        out = subprocess.run([BIN, "coverage", "--json", "--since", "8d", "--data", self.data], capture_output=True)
        return json.loads(out.stdout) if out.returncode == 0 else None

    def unlisted(self):
        out = subprocess.run([BIN, "status", "--json", "--data", self.data], capture_output=True)
        if out.returncode != 0:
            return 1
        return sum(x["unlisted_seconds"] + x["backlog"] for s in json.loads(out.stdout)["sources"] for x in s["streams"])

    def metrics(self):
        url = open(f"{self.data}/api.address").read().split()[2]
        lines = (l.rsplit(" ", 1) for l in urllib.request.urlopen(url + "/metrics").read().decode().splitlines() if l[:1] != "#")
        return {l[0]: float(l[1]) for l in lines}

    def found(self, query):
        """Records that a search finds."""
        out = subprocess.run([BIN, "search", "--json", "--data", self.data, query + " | count"], capture_output=True, check=True)
        return json.loads(out.stdout)["count"]

    def get(self, path):
        with urllib.request.urlopen(self.card["api"] + path) as r:
            return json.load(r)

    def spent(self):
        return cpu(self.sim) - self.cpu0[0], cpu(self.serve) - self.cpu0[1]


def cpu(p):
    f = open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def peak(p):
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{p.pid}/status").read())[1]) / 1024


def delays(c):
    for l in c["latency"]:
        if l["live"] and not l.get("operation"):
            a, i = l["offered_to_searchable"], l["received_to_searchable"]
            print(f"  {l['stream']:28} {l['records']:>10} records  offered to searchable p50 {a['p50']:.2f} s p99 {a['p99']:.2f} s"
                  f"  of which received to searchable p50 {i['p50']:.2f} s p99 {i['p99']:.2f} s")


def share(sorted_list, q):
    return sorted_list[min(len(sorted_list) - 1, int(q * len(sorted_list)))]


def report(w, records, seconds):
    sim, serve = w.spent()
    print(f"  {records:,} records in {seconds:.0f} s: {records / seconds:,.0f}/s; CPU {1e6 * serve / records:.1f} us a record in serve,"
          f" {1e6 * sim / records:.1f} in the simulator; peak memory serve {peak(w.serve):.0f} MiB, simulator {peak(w.sim):.0f} MiB", flush=True)


def steady(rate, seconds):
    w = World(["--rate", str(rate), "--people", "100000", "--slot", "1s", "--history", "1s"])
    try:
        w.start()
        last, at = 0, time.time()
        while time.time() - w.began < seconds:
            time.sleep(min(30, max(1, seconds - (time.time() - w.began))))
            c = w.coverage()
            t, now = c["statement"]["totals"], time.time()
            print(f"  {now - w.began:5.0f} s: {(t['stored'] - last) / (now - at):,.0f}/s, {t['outstanding']} blobs to fetch", flush=True)
            last, at = t["stored"], now
        report(w, last, at - w.began)
        delays(c)
    finally:
        w.end()


def settle(w, what):
    """Waits until nothing is left to fetch, and returns the coverage."""
    quiet = 0
    while True:
        time.sleep(2)
        c = w.coverage()
        if c is None:
            continue
        s = c["statement"]
        t = s["totals"]
        print(f"  {time.time() - w.began:5.0f} s: {t['stored']:,} records, {t['sealed']:,} of {t['blobs']:,} blobs", flush=True)
        busy = t["outstanding"] > 0 or t["stored"] == 0 or w.unlisted() > 0
        quiet = 0 if busy else quiet + 1
        if quiet == 2:
            print(f"  {what}")
            return c


def backfill(records):
    hours = 6
    w = World(["--rate", str(records / hours / 3600), "--people", "100000", "--slot", "5s", "--history", f"{hours}h"])
    try:
        w.start()
        c = settle(w, "everything is fetched")
        report(w, c["statement"]["totals"]["stored"], time.time() - w.began)
        delays(c)
    finally:
        w.end()


def blobs(number):
    hours = math.ceil(number / 3600 / 9)  # some nine blobs a second
    w = World(["--rate", "30", "--people", "1000", "--slot", "1s", "--max-records", "4", "--history", f"{hours}h"])
    try:
        w.start()
        c = settle(w, "everything is fetched")
        t = c["statement"]["totals"]
        print(f"  {t['blobs']:,} blobs")
        report(w, t["stored"], time.time() - w.began)
    finally:
        w.end()


def outage():
    w = World(["--people", "10000", "--speed", "600", "--history", "1h", "--start", "2026-03-03T06:00:00Z"])
    try:
        w.start()
        settle(w, "before the outage")
        w.stop()
        print("  24 hours go by", flush=True)
        time.sleep(24 * 3600 / 600)
        w.start()
        c = settle(w, "caught up")
        report(w, c["statement"]["totals"]["stored"], time.time() - w.began)
        delays(c)
        print(" ", c["statement"]["totals"]["intervals"])
    finally:
        w.end()


def idle(seconds):
    w = World(["--people", "10", "--rate", "0.0001", "--history", "1s"], poll="3s")
    try:
        w.start()
        time.sleep(90)  # the back-fill of the empty past
        first, t = w.get("/sim/v1/requests")["operations"], time.time()
        time.sleep(seconds)
        last, spent = w.get("/sim/v1/requests")["operations"], time.time() - t
        by = {k: (v - first.get(k, 0)) * 3600 / spent for k, v in last.items()}
        print(f"  requests an hour: {sum(by.values()):,.0f} of the vendor's 120,000 ({sum(by.values()) / 1200:.1f} %):",
              {k: round(v) for k, v in by.items() if v})
    finally:
        w.end()


def hubs(rate, seconds, partitions):
    w = World(["--load", str(rate), "--load-for", f"{seconds}s", "--retention", "90s", *HUBS, "--partitions", str(partitions)], poll="10s", provider="eventhubs")
    try:
        w.start()  # the load began a moment ago
        watch(w)
        sent = json.loads(w.sim.stdout.readline())["sent"]
        print(f"  sent: {sent['records']:,} records in {sent['messages']:,} messages, {sent['records'] / sent['seconds']:,.0f}/s, {sent['bytes'] / sent['records']:,.0f} B each")
        whole(w, sent)
        for l in w.coverage()["latency"]:
            if l["live"] and not l.get("operation"):
                a, i = l["offered_to_searchable"], l["received_to_searchable"]
                print(f"  {l['stream'].split('/')[1]:46} {l['records']:>9} records  sent to searchable " + " ".join(f"{q} {a[q]:.2f} s" for q in ("p50", "p95", "p99"))
                      + f"  of which received to searchable p50 {i['p50']:.2f} s p99 {i['p99']:.2f} s")
    finally:
        w.end()


def drain(records, partitions):
    w = World(["--backlog", str(records), *HUBS, "--partitions", str(partitions)], poll="10s", provider="eventhubs")
    try:
        sent = json.loads(w.sim.stdout.readline())["sent"]
        print(f"  {sent['records']:,} records in {sent['messages']:,} messages, {sent['bytes'] / sent['records']:,.0f} B each", flush=True)
        w.start()
        watch(w)
        whole(w, sent)
    finally:
        w.end()


HUBS = ["--people", "100000", "--history", "6h"]


def watch(w):
    """Returns when nothing more comes and all of the log is searchable and judged."""
    at, last, lags, seen, said = time.time(), -1, [], 0, time.time()
    while time.time() - at < 5:
        time.sleep(0.3)
        m, now = w.metrics(), time.time()
        entries, stored = m["daybreak_log_entries"], m["daybreak_mapped_records_total"]
        if m["daybreak_judged_entries"] != seen:
            seen = m["daybreak_judged_entries"]
            lags.append(m["daybreak_detection_lag_seconds"])
        records = sum(v for k, v in m.items() if k.startswith("daybreak_source_records_total"))
        if records != last or min(m["daybreak_judged_entries"], m["daybreak_searchable_entries"]) < entries - 20:
            at, last, w.spent_then = now, records, w.spent()
        if now - said > 10:
            said = now
            print(f"  {now - w.began:5.0f} s: {records:,.0f} records collected, {stored:,.0f} searchable, {m['daybreak_judged_records_total']:,.0f} judged (acts included)", flush=True)
    w.took, w.lags = at - w.began, sorted(lags)
    last = 0  # what follows the log beside search and rules (reconcile, coverage, people) is done when the process has nothing to do
    while w.spent()[1] - last > 0.4:
        last = w.spent()[1]
        time.sleep(2)


def whole(w, sent):
    """Holds what is stored, found and judged against what was sent."""
    t, m = w.coverage()["statement"]["totals"], w.metrics()
    found = w.found("family:entra-diagnostic")
    n = sent["records"]
    sim, serve = w.spent_then
    print(f"  stored, found and judged in {w.took:.1f} s: {n / w.took:,.0f}/s; CPU {1e6 * serve / n:.1f} us a record in serve ({n / serve:,.0f}/s of a core), {1e6 * sim / n:.1f} in the simulator;"
          f" peak memory serve {peak(w.serve):.0f} MiB, simulator {peak(w.sim):.0f} MiB")
    print(f"  CPU {1e6 * w.spent()[1] / n:.1f} us a record until all that follows the log is done ({n / w.spent()[1]:,.0f}/s of a core)")
    print(f"  commit to judged p50 {share(w.lags, 0.5):.2f} s p99 {share(w.lags, 0.99):.2f} s, {m['daybreak_alerts_total']:.0f} alerts")
    wrong = [f"{what}: {have:,.0f}" for what, have in (("stored", t["stored"]), ("searches find", found)) if have != n]
    if m["daybreak_judged_records_total"] < n:
        wrong.append(f"judged: {m['daybreak_judged_records_total']:,.0f}")
    for what in ("duplicate", "mutated"):
        if m[f"daybreak_{what}_records_total"]:
            wrong.append(f"{what}: {m[f'daybreak_{what}_records_total']:,.0f}")
    if wrong:
        sys.exit(f"  WRONG: {n:,} were sent, and " + ", ".join(wrong))
    print(f"  all {n:,} are stored once, found by a search, and judged")


COMMANDS = {
    "hubs": (hubs, float, int, int), "drain": (drain, int, int),
    "steady": (steady, float, float), "backfill": (backfill, float), "blobs": (blobs, int), "outage": (outage,), "idle": (idle, float),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS or len(sys.argv) - 1 != len(COMMANDS[sys.argv[1]]):
        sys.exit(__doc__)
    command, *types = COMMANDS[sys.argv[1]]
    print(" ".join(sys.argv[1:]) + f" on {os.cpu_count()} cores:", flush=True)
    command(*(t(a) for t, a in zip(types, sys.argv[2:])))
