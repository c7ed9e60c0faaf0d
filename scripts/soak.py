#!/usr/bin/env python3
"""Every simulated vendor but the event hubs, and `serve` over all of them, at the pace of real time.

    scripts/soak.py [MINUTES]     default 20

Tests move a simulated clock in jumps; what only goes wrong when nothing jumps is found here. Each minute a line says how
the intervals since the start are called. It fails if at the end an interval is late, or said to have a gap, that ended ten minutes
before or more, of a stream that is not being filled back, or if serve has ended. Run `make build` first.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone

BIN = os.path.abspath(os.environ.get("BIN", "bin/daybreak"))
VENDORS = ["m365", "entra", "google", "okta", "slack", "github", "aws"]
SECRETS = ["client_secret", "api_token", "token", "secret_access_key", "service_account"]
SETTLED = timedelta(minutes=10)


def sim(vendor, directory, env):
    """Starts a vendor, and returns its process and the block of configuration that collects from it."""
    log = open(f"{directory}/{vendor}.log", "w")
    p = subprocess.Popen(
        [BIN, "sim", vendor, "--json", "--quiet", "--listen", "127.0.0.1:0", "--people", "60", "--history", "2h", "--office-hours"],
        stdout=subprocess.PIPE, stderr=log, text=True)
    card = json.loads(p.stdout.readline())
    name = f"DAYBREAK_SOAK_{vendor.upper()}"
    env[name] = next(card[s] for s in SECRETS if s in card)
    source = re.sub(r"env:DAYBREAK_SIM_\w+", f"env:{name}", card["source"])
    return p, re.sub(r'(?m)^name = .*', f'name = "{vendor}"', source, count=1)


def coverage(data, since, until, env):
    out = subprocess.run(
        [BIN, "coverage", "--json", "--data", data, "--since", stamp(since), "--until", stamp(until)],
        capture_output=True, text=True, env=env)
    if not out.stdout:
        sys.exit(f"coverage: {out.stderr}")
    return json.loads(out.stdout)["statement"]["streams"]


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    directory, env, running = tempfile.mkdtemp(prefix="daybreak-soak-"), dict(os.environ), []
    data = f"{directory}/data"
    try:
        blocks = ['[server]\nlisten = "127.0.0.1:0"\n']
        for vendor in VENDORS:
            p, block = sim(vendor, directory, env)
            running.append(p)
            blocks.append(block)
        with open(f"{directory}/daybreak.toml", "w") as f:
            f.write("\n".join(blocks))
        serve = subprocess.Popen(
            [BIN, "serve", "--config", f"{directory}/daybreak.toml", "--data", data], stderr=open(f"{directory}/serve.log", "w"), env=env)
        running.append(serve)
        begun = datetime.now(timezone.utc)
        while datetime.now(timezone.utc) < begun + timedelta(minutes=minutes):
            time.sleep(60)
            if serve.poll() is not None:
                sys.exit(f"serve has ended: {directory}/serve.log says why")
            streams, sums = coverage(data, begun, datetime.now(timezone.utc), env), {}
            for s in streams:
                for what, n in s["intervals"].items():
                    sums[what] = sums.get(what, 0) + n
            said = ", ".join(f"{n} {what}" for what, n in sums.items() if n)
            print(f"{(datetime.now(timezone.utc) - begun).seconds // 60:3} min  {len(streams)} streams, intervals: {said}", flush=True)
        bad = [s for s in coverage(data, begun, datetime.now(timezone.utc) - SETTLED, env)
               if s["intervals"]["late"] + s["intervals"]["gap"] > 0 and not s["back_filling"]]
        for s in bad:
            print(f"{s['tenant']} {s['stream']}: {s['intervals']['late']} late, {s['intervals']['gap']} gap; listed up to {s['listed']}")
        warned = sum('"level":"WARN"' in line or '"level":"ERROR"' in line for line in open(f"{directory}/serve.log"))
        print(f"serve has warned {warned} times; all is in {directory}")
        if bad:
            sys.exit("intervals that should be complete are not")
    finally:
        for p in reversed(running):
            p.terminate()
        for p in running:
            p.wait()


main()
