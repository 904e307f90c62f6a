"""Checks runtime-config.toml: what is active, and that each commented example can be uncommented. Spin stops at a key that it does not know."""

import re
import sys
import tomllib

# The environment is always a provider. Naming it would make Spin ask it twice.
ACTIVE = {"outbound_http": {"connection_pooling": True}}

# The keys that Spin 3.6 and 4.1 read for each type of provider, and the required keys.
KEYS = {
    "env": ({"prefix", "dotenv_path"}, set()),
    "vault": ({"url", "token", "mount", "prefix"}, {"url", "token", "mount"}),
    "azure_key_vault": ({"vault_url", "client_id", "client_secret", "tenant_id", "authority_host"}, {"vault_url"}),
}


def check(toml):
    for provider in toml["variables_provider"]:
        known, needed = KEYS[provider["type"]]
        keys = provider.keys() - {"type"}
        assert keys <= known, f"{provider['type']}: Spin does not know {keys - known}"
        assert keys >= needed, f"{provider['type']}: Spin needs {needed - keys}"
    assert toml.keys() == ACTIVE.keys() | {"variables_provider"}, f"Spin would not know {toml.keys() - ACTIVE.keys()}"


text = open(sys.argv[1], encoding="utf-8").read()
assert tomllib.loads(text) == ACTIVE, "what is active has changed"

# A line of an example starts with # and no space; prose has one.
example = re.compile(r"(?:^#[^\s].*\n?)+", re.MULTILINE)
examples = example.findall(text)
uncommented = [re.sub(r"^#", "", block, flags=re.MULTILINE) for block in examples]
assert {tomllib.loads(block)["variables_provider"][0]["type"] for block in uncommented} == KEYS.keys(), "an example of each type"

for block, toml in zip(examples, uncommented):
    check(tomllib.loads(text.replace(block, toml)))
check(tomllib.loads(example.sub(lambda block: re.sub(r"^#", "", block[0], flags=re.MULTILINE), text)))
