"""What docker-compose.yml promises, checked on what docker-compose makes of it. Usage: promises.py RESOLVED.yml"""

import json
import re
import sys

from ruamel.yaml import YAML

compose = YAML(typ="safe").load(open(sys.argv[1], encoding="utf-8"))
services = compose["services"]
wrong = []


def must(name, what, holds):
    if not holds:
        wrong.append(f"{name}: {what}")


def secret_names(service):
    return {entry if isinstance(entry, str) else entry["source"] for entry in service.get("secrets", [])}


def volume(entry):
    if isinstance(entry, dict):
        return entry
    source, target = entry.split(":")[:2]
    return {"source": source, "target": target}


for name, service in services.items():
    ours = service["image"].startswith("openledger")
    must(name, "drops all capabilities", service.get("cap_drop") == ["ALL"])
    must(name, "gains no privileges", "no-new-privileges:true" in service.get("security_opt", []))
    must(name, "has a limit of memory", "mem_limit" in service)
    must(name, "has a limit of processors", "cpus" in service)
    must(name, "has a limit of processes", "pids_limit" in service)
    must(name, "has an image of a fixed version", ":" in service["image"] and not service["image"].endswith(":latest"))
    must(name, "restarts, or runs once", service.get("restart") in ("unless-stopped", "no"))
    once = service.get("restart") == "no"
    must(name, "has a health check unless it runs once", once or service.get("healthcheck", {}).get("test"))
    must(name, "publishes no port unless it is the gateway", name == "gateway" or not service.get("ports"))
    must(name, "is in no outside network unless it is the gateway", name == "gateway" or "outside" not in service["networks"])
    if ours:
        must(name, "has a read-only root", service.get("read_only") is True)
        must(name, "adds no capability", not service.get("cap_add"))
        must(name, "is of the user that the image names", "user" not in service)
    for key, value in (service.get("environment") or {}).items():
        if any(word in key.upper() for word in ("PASSWORD", "SECRET", "KEY")):
            must(name, f"takes {key} from a file", key.endswith("_FILE"))
        if key.endswith("_FILE") and str(value).startswith("/run/secrets/"):
            must(name, f"is given the secret of {key}", value.removeprefix("/run/secrets/") in secret_names(service))
    for given in secret_names(service):
        must(name, f"knows the secret {given}", given in compose["secrets"])

for network in ("inside", "store"):
    must(network, "has no way out", compose["networks"][network].get("internal") is True)
must("postgres", "is away from the gateway", "inside" not in services["postgres"]["networks"])
must("ledger", "has a standby that differs in nothing", services["ledger"] == services["ledger-standby"])
ports = [service.get("environment", {}).get("OPENLEDGER_PORT") for name, service in services.items() if name != "ledger-standby"]
ports = [port for port in ports if port]
must("services", "have a port each", len(ports) == len(set(ports)))

# Each service of ours is one of its own: role, password, key for tokens, folder; and knows where all others are.
apart = {"ingest": 7402, "datanet": 7403, "training": 7404, "attribution": 7405, "billing": 7406, "agent-gateway": 7407}
owned = []
for name, port in apart.items():
    service = services[name]
    environment, plain = service["environment"], name.replace("-", "_")
    must(name, "serves itself", service["command"] == ["serve", name])
    must(name, "listens where the door asks it", environment["OPENLEDGER_PORT"] == str(port))
    must(name, "has its own role", environment["OPENLEDGER_DATABASE"].startswith(f"postgresql://openledger_{plain}@"))
    must(name, "has its own password", environment["OPENLEDGER_DATABASE_PASSWORD_FILE"] == f"/run/secrets/{plain}_password")
    must(name, "has its own key", environment["OPENLEDGER_SERVICE_KEY_FILE"] == f"/run/secrets/{plain}_token_key")
    must(name, "gets no other secret", secret_names(service) == {"jwks.json", f"{plain}_password", f"{plain}_token_key"})
    must(name, "starts after a healthy ledger", service["depends_on"]["ledger"]["condition"] == "service_healthy")
    must("gateway", f"starts after a healthy {name}", services["gateway"]["depends_on"][name]["condition"] == "service_healthy")
    must("migrate", f"gives {name} its password", f"OPENLEDGER_{plain.upper()}_ROLE_PASSWORD_FILE" in services["migrate"]["environment"])
for name in [*apart, "runner"]:
    environment = services[name]["environment"]
    for peer, port in {"ledger": 7401, **apart}.items():
        url = environment.get(f"OPENLEDGER_{peer.replace('-', '_').upper()}_URL")
        # The log is written by whichever of two ledgers leads.
        wanted = f"http://{peer}:{port}" + (f",http://{peer}-standby:{port}" if peer == "ledger" else "")
        must(name, f"knows where {peer} is", url == wanted)
    mounts = {mount["target"]: mount["source"] for mount in (volume(entry) for entry in services[name]["volumes"])}
    must(name, "shares the evidence", mounts.get(environment["OPENLEDGER_SHARED"]) == "evidence")
    owned.append(mounts.get(environment["OPENLEDGER_DATA"]))
must("services", "have a folder each", None not in owned and len(owned) == len(set(owned)))
must("runner", "is away from the database", services["runner"]["networks"] == {"inside": None} or services["runner"]["networks"] == ["inside"])
must("agent-gateway", "asks the runner", services["agent-gateway"]["environment"]["OPENLEDGER_BACKEND_URL"] == "http://runner:7408/runner")

# What is there on demand only, and fits what is there always.
must("compose", "starts neither vllm nor prometheus unasked", [services[name].get("profiles") for name in ("vllm", "prometheus")] == [["vllm"], ["monitoring"]])
must("vllm", "takes adapters while it runs", services["vllm"]["environment"]["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True")
backends = {backend["kind"]: backend for backend in json.load(open("deploy/vllm/backends.json", encoding="utf-8"))["backends"]}
must("backends.json", "asks the runner where it is", backends["runner"]["url"] == services["agent-gateway"]["environment"]["OPENLEDGER_BACKEND_URL"])
command = services["vllm"]["command"]
must("backends.json", "asks vllm where it is", backends["vllm"]["url"] == "http://vllm:" + command[command.index("--port") + 1])
must("backends.json", "calls the model as vllm does", list(backends["vllm"]["bases"].values()) == [command[command.index("--served-model-name") + 1]])
must("backends.json", "fills no more places than vllm has", str(backends["vllm"]["slots"]) == command[command.index("--max-loras") + 1])
shelves = [{mount["target"]: mount["source"] for mount in map(volume, services[name]["volumes"])} for name in ("agent-gateway", "vllm")]
must("vllm", "finds the gateway's adapters", shelves[0].get(backends["vllm"]["adapters_here"]) == "adapters" == shelves[1].get(backends["vllm"]["adapters_there"]))
scraped = YAML(typ="safe").load(open("deploy/prometheus/prometheus.yml", encoding="utf-8"))["scrape_configs"][0]
ours = {f"{name}:{service['environment']['OPENLEDGER_PORT']}" for name, service in services.items() if "OPENLEDGER_PORT" in (service.get("environment") or {})}
must("prometheus", f"asks each of our services: {sorted(ours)}", set(scraped["static_configs"][0]["targets"]) == ours)
must("prometheus", "is given the token", secret_names(services["prometheus"]) == {"metrics_token"})
# Every figure that an alert looks at is one that operating.md tells of.
told = open("docs/operating.md", encoding="utf-8").read()
for group in YAML(typ="safe").load(open("deploy/prometheus/alerts.yml", encoding="utf-8"))["groups"]:
    for rule in group["rules"]:
        for metric in re.findall(r"(?:openledger|process)_[a-z_]+", rule["expr"]):
            known = metric in told or re.sub(r"_(sum|count)$", "", metric) in told or "openledger_backend_*" in told and metric.startswith("openledger_backend_")
            must(rule["alert"], f"looks at a figure that is documented: {metric}", known)

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
