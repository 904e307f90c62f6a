"""Checks azure.yaml, deploy/azd and .dockerignore with a parser. No package registry has Bicep's own compiler, so that only the workflow ci uses
it. deploy/azd/test/run starts this, with the tools of tests/deploy/run on PATH."""

import contextlib
import fnmatch
import glob
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import os
import re
import sys
import tomllib
from pathlib import Path

os.chdir(sys.argv[1])
sys.path[:0] = ["deploy/azd/test", "tests/deploy"]

import arithmetic
import facts
import jsonschema
import probes
import queries
import yaml
from pycep import BicepParser
from report import Report

FOLDER = Path("deploy/azd")
# The variables that azd itself gives to main.parameters.json: cli/azd/docs/environment-variables.md of Azure/azure-dev, as released with azd
# 1.31.2.
AZD = {
    "AZURE_ENV_NAME": "shop",
    "AZURE_LOCATION": "westeurope",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000009",
    "AZURE_PRINCIPAL_ID": "00000000-0000-0000-0000-000000000001",
    "AZURE_PRINCIPAL_TYPE": "User",
}


def main():
    report = Report()
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.bicep"))}
    parsed, errors = {}, []
    for name, text in sources.items():
        try:
            parsed[name] = BicepParser().parse(text=text)
        except Exception as error:  # Lark's errors have no common ancestor with the package's own.
            errors.append(f"{FOLDER}/{name}.bicep: {error}")
    report.check(f"{len(sources)} Bicep files parse", errors)
    if not errors:
        report.check("azure.yaml is valid, and its hooks can run", project())
        report.check("azd resolves every parameter with nothing but its own variables, for a person and for a pipeline", resolved(parsed["main"]))
        report.check("Bicep files, scripts and parameters give each other what they take", agreed(parsed, sources))
        report.check("a second deployment takes the server as it is, and a changed administrator", repeatable(parsed["resources"]))
        report.check("Container Apps take no passwords, show nothing but the API, and stay in use while the database is unavailable", app(parsed))
        report.check("the connections of two revisions leave a tenth of the database's workers", connections(parsed))
        report.check("a change of the key or of dab-config.json makes a new revision", revision(parsed["app"]))
        report.check("the ledger is purged once a day, by an identity of its own", purge(parsed, sources))
        report.check("alerts go to a group, and a test asks /readyz from outside", told(parsed["monitoring"]))
    report.check("every query runs, on lines as the component and the purge write them; each rule fires when it should, and only then", queries.problems())
    report.check("the cost counts what is deployed", cost(sources))
    report.check("the images are built from what a build needs, and secrets are in none", images())
    return report.finish()


def project():
    path = Path("azure.yaml")
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = Path("tests/deploy/azure.yaml.schema.json")
    # schemas/v1.0/azure.yaml.json of Azure/azure-dev, as released with azd 1.31.2.
    if hashlib.sha256(schema.read_bytes()).hexdigest() != "ff8d40d0d84c4b5ab1a934e61553c8ce985a05da63e63c59f6abcd58ab73b998":
        yield f"{schema} is not the file that azd was released with"
    yield from (f"{path}: {error.message}" for error in jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).iter_errors(read))
    for name, hook in read["hooks"].items():
        script = Path(hook["posix"]["run"].split()[0])
        if not script.stat().st_mode & 0o100:
            yield f"{path}: {script} cannot be executed"
        # Without `shell` azd runs the line unchanged, and Windows says that it cannot find the path.
        if hook["windows"]["shell"] != "pwsh" or "WSL" not in hook["windows"]["run"] or not hook["windows"]["run"].endswith("exit 1\n"):
            yield f"{path}: {name} does not say on Windows what to do there"
    if "--check" not in read["hooks"]["preprovision"]["posix"]["run"]:
        yield f"{path}: nothing is looked at before azd makes resources"
    if not Path(read["infra"]["path"], f"{read['infra']['module']}.bicep").exists():
        yield f"{path}: its module is not there"
    # onlyIfNotExists came with Bicep 0.38, which azd 1.20 brought. azd 1.23.15 has the principal's id of the subscription's tenant.
    wanted, needed = re.search(r"[\d.]+", read["requiredVersions"]["azd"])[0], (1, 23, 15)
    if tuple(map(int, wanted.split("."))) < needed:
        yield f"{path}: azd {wanted} is enough, and it is not"


def substituted(text, variables):
    """Substitutes like azd: evalParamEnvSubst in cli/azd/pkg/infra/provisioning/bicep/bicep_provider.go. None where a variable is not set and nothing is left."""
    unset = [name for name in re.findall(r"\$\{(\w+)", text) if name not in variables]
    value = re.sub(r"\$\{(\w+)(?:=([^}]*))?\}", lambda match: variables.get(match[1]) or match[2] or "", text)
    return None if unset and not value else value


def resolved(bicep):
    given = json.loads((FOLDER / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    pipeline = AZD | {"AZURE_PRINCIPAL_TYPE": "ServicePrincipal", "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000002"}
    for who, variables in (("a person", AZD), ("a pipeline", pipeline)):
        values = {name: substituted(each["value"], variables) for name, each in given.items()}
        for name, parameter in bicep["parameters"].items():
            value = values.get(name)
            if value is None and parameter["default"] is None:
                yield f"{who}: azd asks for {name}, before any hook runs"
            allowed = next((each["argument"] for each in parameter["decorators"] if each["type"] == "allowed"), None)
            if value is not None and allowed and value not in allowed:
                yield f"{who}: {name} is {value}, and one of {allowed} is allowed"


def agreed(parsed, sources):
    given = json.loads((FOLDER / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    if set(given) != set(parsed["main"]["parameters"]):
        yield f"main.parameters.json gives {sorted(given)}, main.bicep takes {sorted(parsed['main']['parameters'])}"
    for name, bicep in parsed.items():
        for module in bicep.get("modules", {}).values():
            yield from missing(f"{name}.bicep", module["config"]["params"], parsed[Path(module["detail"]["path"]).stem], module["detail"]["path"])
    script = (FOLDER / "app.sh").read_text(encoding="utf-8")
    used = re.search(r"AZURE_SUBSCRIPTION_ID, and ([A-Z_,\s#]+)\(outputs", script)[1]
    if set(re.findall(r"\w+", used)) != set(parsed["main"]["outputs"]):
        yield f"app.sh wants {used}, main.bicep puts out {sorted(parsed['main']['outputs'])}"
    for caller in ("deploy/lib.sh", "deploy/azd/app.sh", "deploy/akamai/deploy.sh"):
        text = Path(caller).read_text(encoding="utf-8").replace("\\\n", " ")
        for file, rest in re.findall(r"--template-file deploy/azd/(\w+)\.bicep\s+--parameters ([^\n]*)", text):
            told = set(re.findall(r"(?<![\w$])(\w+)=", rest.partition("--output")[0]))
            told |= {"apiKey"} if "@/dev/stdin" in rest else set()
            yield from missing(caller, told, parsed[file], f"{file}.bicep")


def missing(caller, told, bicep, callee):
    wanted = {name for name, parameter in bicep["parameters"].items() if parameter["default"] is None}
    if not wanted <= set(told) <= set(bicep["parameters"]):
        yield f"{caller} gives {sorted(told)}, {callee} takes {sorted(bicep['parameters'])} and needs {sorted(wanted)}"


def repeatable(bicep):
    resources = bicep["resources"]
    server = resources["server"]
    properties = server["config"]["properties"]
    if properties["administrators"]["azureADOnlyAuthentication"] is not True or "administratorLogin" in properties:
        yield "the server takes passwords"
    # https://learn.microsoft.com/azure/templates/microsoft.sql/servers: administrators can only be used at server create time.
    if [each["type"] for each in server["decorators"]] != ["onlyIfNotExists"]:
        yield "the server is deployed again with administrators, which Azure refuses or ignores"
    children = {each["type"]: each["config"] for each in resources.values() if each["config"].get("parent") == "server"}
    administrator = children.get("Microsoft.Sql/servers/administrators", {}).get("properties", {})
    if (administrator.get("sid"), administrator.get("login")) != (properties["administrators"]["sid"], properties["administrators"]["login"]):
        yield "a changed administrator is not applied"
    if children.get("Microsoft.Sql/servers/azureADOnlyAuthentications", {}).get("properties") != {"azureADOnlyAuthentication": True}:
        yield "passwords are not refused again where somebody has allowed them"
    for name, each in resources.items():
        tenant_wide = each["type"].startswith("Microsoft.ManagedIdentity/") or each["type"] == "Microsoft.Sql/servers"
        if tenant_wide and not each["config"]["name"].endswith("-${suffix}"):
            yield f"{name} is called {each['config']['name']} in every environment"


def app(parsed):
    properties = parsed["app"]["resources"]["app"]["config"]["properties"]
    ingress, template = properties["configuration"]["ingress"], properties["template"]
    if (ingress["targetPort"], ingress["allowInsecure"], "additionalPortMappings" in ingress) != (3000, False, False):
        yield f"more than the API can be reached from outside: {ingress}"
    if ingress["ipSecurityRestrictions"]["config"]["action"] != "Allow" or "allowedAddresses" not in parsed["app"]["parameters"]:
        yield "no parameter says which addresses may reach the API"
    api, dab = template["containers"]
    services = facts.compose()["services"]
    if dab["image"] != services["dab"]["image"]:
        yield "Data API Builder is of another version than in deploy/compose.yaml"
    dockerfile = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    if f"FROM {services['api']['image']} AS container-app\n" not in dockerfile or json.dumps(services["api"]["command"]) not in dockerfile:
        yield f"{FOLDER}/Dockerfile starts another Spin than deploy/compose.yaml, or another way"
    if "SPIN_VARIABLE_DAB_URL" in json.dumps(api) or facts.manifest_toml()["variables"]["dab_url"]["default"] != "http://127.0.0.1:5000":
        yield "the component does not ask the Data API Builder beside it"
    if not any(each["name"] == "SPIN_VARIABLE_API_KEY" and each["secretRef"] == "api-key" for each in api["env"]):
        yield "the API has no key"
    held = {each["name"]: each.get("value") for each in api["env"]}.get("SPIN_MAX_INSTANCE_COUNT")
    yield from arithmetic.memory_problems("deploy/azd/app.bicep", api["resources"]["memory"], held)
    for container, problems in ((api, probes.api_problems), (api, probes.full_problems), (dab, probes.dab_problems)):
        yield from problems({probe["type"].lower(): probe for probe in container["probes"]})
        yield from (f"{container['name']}: too many failures for Container Apps" for probe in container["probes"] if probe.get("failureThreshold", 3) > 10)


def connections(parsed):
    replicas = parsed["app"]["variables"]["maxReplicas"]["value"]
    divisor = int(re.search(r"WORKERS \* 9 / 10 / (\d+)", (FOLDER / "app.sh").read_text(encoding="utf-8"))[1])
    # Container Apps runs a whole revision beside the old one: https://learn.microsoft.com/azure/container-apps/revisions
    if divisor != 2 * replicas:
        yield f"app.sh divides by {divisor}, and two revisions have {2 * replicas} replicas"


def revision(bicep):
    (api, _) = bicep["resources"]["app"]["config"]["properties"]["template"]["containers"]
    hashed = json.dumps([each["value"] for each in api["env"] if each["name"] == "REVISION_OF_SECRETS"])
    secrets = bicep["resources"]["app"]["config"]["properties"]["configuration"]["secrets"]
    yield from (f"the secret {each['name']} may change and no container gets it" for each in secrets if f'"{each["value"]}"' not in hashed)


def purge(parsed, sources):
    (job,) = (each["config"] for each in parsed["purge"]["resources"].values() if each["type"] == "Microsoft.App/jobs")
    configuration = job["properties"]["configuration"]
    if configuration["triggerType"] != "Schedule" or not re.fullmatch(r"\d+ \d+ \* \* \*", configuration["scheduleTriggerConfig"]["cronExpression"]):
        yield f"it does not run once a day: {configuration}"
    (container,) = job["properties"]["template"]["containers"]
    if container["args"][-1] != "EXECUTE ops.purge_requests;" or "ActiveDirectoryManagedIdentity" not in container["args"]:
        yield f"it does something else: {container['args']}"
    given = parsed["app"]["modules"]["purge"]["config"]["params"]
    if (given["identityId"], given["clientId"]) != ("purgeIdentityId", "purgeClientId"):
        yield "it signs in as somebody else"
    dockerfile = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    if not re.search(r"^FROM \S+@sha256:[0-9a-f]{64} AS purge$", dockerfile, re.M) or not re.search(r"/cmd/modern@v\d+\.\d+\.\d+$", dockerfile, re.M):
        yield "its image is made of parts that move"
    for place in ("deploy", "docs", "sql"):
        for path in Path(place).rglob("*.*"):
            if path.suffix in (".sh", ".md", ".sql", ".bicep") and re.search(r"elastic job|jobs\.sp_add", path.read_text(encoding="utf-8")):
                yield f"{path} still has the elastic job"


def told(bicep):
    # A condition or a loop encloses the resource.
    resources = {name: each["config"].get("config", each["config"]) for name, each in bicep["resources"].items()}
    readiness = resources["readiness"]["properties"]
    if not readiness["Request"]["RequestUrl"].endswith("/readyz") or readiness["ValidationRules"]["ExpectedHttpStatusCode"] != 200:
        yield f"the test from outside asks something else: {readiness['Request']}"
    # Azure's own advice: https://learn.microsoft.com/azure/azure-monitor/app/availability
    if len(readiness["Locations"]) < 5:
        yield "the test from outside comes from fewer than five places"
    groups = {name: json.dumps(each["properties"]["actions"]) for name, each in resources.items() if "actions" in each.get("properties", {})}
    if set(groups) != {"alerts", "unavailable"} or not all("told" in each for each in groups.values()):
        yield f"alerts reach nobody: {groups}"
    rule = resources["alerts"]["properties"]
    if rule["skipQueryValidation"] is not True:
        yield "a rule is refused while its table has no line yet"


# List prices in USD from the service in 2026: the node's price in West Europe, the others in East US. The list also has prices that the search
# must not mistake for them.
PRICES = {
    "Standard vCPU Idle Usage": [("Azure Container Apps", "Standard", 0.0, 0), ("Azure Container Apps", "Standard", 3e-06, 180000)],
    "Standard Memory Idle Usage": [("Azure Container Apps", "Standard", 3e-06, 0)],
    "S0 DTUs": [("SQL Database Elastic Pool", "S0", 9.0, 0), ("SQL Database Single Standard", "S0", 0.4839, 0)],
    "Standard Private Endpoint": [("Virtual Network Private Link", "Standard", 0.01, 0)],
    "Alerts System Log Monitored at 5 Minute Frequency": [("Azure Monitor", "Alerts", 1.5, 0)],
    "Alerts System Log Monitored at 10 Minute Frequency": [("Azure Monitor", "Alerts", 1.0, 0)],
    "Alerts System Log Monitored at 15 Minute Frequency": [("Azure Monitor", "Alerts", 0.5, 0)],
    "Standard Web Test Execution": [("Azure Monitor", "Standard Web Test", 0.0005, 0)],
    "D2s v5": [("Virtual Machines Dsv5 Series Windows", "D2s v5", 0.2, 0), ("Virtual Machines Dsv5 Series", "D2s v5 Spot", 0.02, 0),
               ("Virtual Machines Dsv5 Series", "D2s v5", 0.115, 0)],
    "P10 LRS Disk": [("Premium SSD Managed Disks", "P10 LRS", 19.71, 0)],
    "Standard Included LB Rules and Outbound Rules": [("Load Balancer", "Standard", 0.025, 0)],
    "Standard IPv4 Static Public IP": [("IP Addresses", "Standard", 0.005, 0)],
    "Basic Registry Unit": [("Container Registry", "Basic", 0.1666, 0)],
}


def cost(sources):
    path = str(FOLDER / "cost")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cost", loader := importlib.machinery.SourceFileLoader("cost", path)))
    loader.exec_module(module)

    def ask(_, meter):
        names = ("productName", "skuName", "retailPrice", "tierMinimumUnits")
        return [dict(zip(names, each)) for each in PRICES.get(meter, [])]

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        module.main("eastus", ask)
    totals = re.findall(r"\*\*([\d.]+)\*\*", printed.getvalue())
    page = Path("docs/azure.md").read_text(encoding="utf-8")
    for way, total in zip(("Container Apps", "AKS"), totals, strict=True):
        if f"{float(total):.0f} USD" not in page:
            yield f"{way} costs {total} USD, and docs/azure.md says something else"
    if "not found" in printed.getvalue():
        yield "a meter has no price"
    frequencies = [int(minutes) for minutes in re.findall(r"frequency: 'PT(\d+)M'", (FOLDER / "monitoring.bicep").read_text(encoding="utf-8"))]
    frequencies += [15] * len(re.findall(r"frequency: 'PT\d+H'", (FOLDER / "monitoring.bicep").read_text(encoding="utf-8")))
    counted = {int(minutes): amount for meter, amount, _ in module.CONTAINER_APPS for minutes in re.findall(r"at (\d+) Minute", meter)}
    if counted != {minutes: frequencies.count(minutes) for minutes in set(frequencies)}:
        yield f"it counts rules by frequency as {counted}, monitoring.bicep has {frequencies}"
    cpu, memory = (sum(map(float, re.findall(pattern, sources["app"]))) for pattern in (r"cpu: json\('([\d.]+)'\)", r"memory: '([\d.]+)Gi'"))
    amounts = [amount for _, amount, _ in module.CONTAINER_APPS[:2]]
    if amounts != [cpu * module.SECONDS - 180_000, memory * module.SECONDS - 360_000]:
        yield f"it counts {amounts}, app.bicep has {cpu} vCPU and {memory} GiB"


def images():
    ignored = [line.strip() for line in Path(".dockerignore").read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]

    def left_out(path):
        # The last matching line decides: https://docs.docker.com/build/concepts/context/#dockerignore-files
        out = False
        for line in ignored:
            pattern = line.removeprefix("!").removeprefix("**/")
            parts = path.split("/")
            starts = range(len(parts)) if "**/" in line else [0]
            if any(fnmatch.fnmatch("/".join(parts[start:end]), pattern) for start in starts for end in range(start + 1, len(parts) + 1)):
                out = not line.startswith("!")
        return out

    secret = [".azure/shop/.env", ".azure/config.json", "deploy/.env", ".git/config", ".github/workflows/ci.yml", "docs/azure.md", "bench/compare/compare.py", "target/debug/local"]
    yield from (f"{path} is in the context of every build" for path in secret if not left_out(path))
    cargo = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))
    manifest = facts.manifest_toml()
    (component,) = manifest["component"].values()
    needed = {"Cargo.toml", "Cargo.lock", "spin.toml", "runtime-config.toml"}
    needed |= {path for member in cargo["workspace"]["members"] for path in glob.glob(f"{member}/Cargo.toml")}
    needed |= {path for pattern in component["build"]["watch"] for path in glob.glob(pattern, recursive=True)}
    if len(needed) < 10:
        yield f"what a build needs was not found: {sorted(needed)}"
    yield from (f"a build needs {path}, and .dockerignore leaves it out" for path in sorted(needed) if left_out(path))


raise SystemExit(main())
