# Sourced by the tests of deploy/azure, deploy/akamai and deploy/azd. Nothing here touches the network or this machine's tools. PATH
# holds the stub under the names of az and the other tools, and a few programs that every system has.
#
# shellcheck shell=bash

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$tests/../../.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
checks=0
failures=0
# With the tools of tests/deploy/run.
outside=$project/.local/lint-deploy/bin:$PATH

mkdir -p "$place/bin" "$place/top/deploy" "$place/top/target/wasm32-wasip2/release"
for program in bash env awk cat chmod cksum cut dirname find grep head id ls mkdir mktemp rm sed sort tail tr wc; do
  ln -s "$(command -v "$program")" "$place/bin/$program"
done
ln -s "$(command -v "$BASH")" "$place/bin/sh"
for tool in az azd docker git kubectl helm spin sqlcmd curl openssl sleep; do ln -s "$tests/stub" "$place/bin/$tool"; done
cp -r "$project/sql" "$project/dab" "$project/spin.toml" "$place/top"
cp -r "$project"/deploy/{lib.sh,azure,akamai,azd,spinkube} "$place/top/deploy"
: >"$place/top/target/wasm32-wasip2/release/customer_api.wasm"

# fresh: an empty cloud.
fresh() {
  export STATE=$place/state
  rm -rf "$STATE"
  mkdir -p "$STATE/home"
  : >"$STATE/calls"
  : >"$STATE/input"
  mkdir "$STATE/things"
  unset FAIL MADE_BY
}

# called COMMAND…: in the copied project, with only the stubs and the given variables.
called() {
  (cd "$place/top" && env -i PATH="$place/bin" HOME="$STATE/home" TMPDIR="$STATE" STATE="$STATE" ${FAIL+FAIL="$FAIL"} ${MADE_BY+MADE_BY="$MADE_BY"} \
    "$@" </dev/null >"$STATE/output" 2>&1)
}

# Only failures are printed; with VERBOSE=1, everything is.
ok() {
  checks=$((checks + 1))
  if [ "${VERBOSE:-}" = 1 ]; then printf '  ✓ %s\n' "$1"; fi
}
bad() {
  printf '  ✗ %s\n' "$1"
  failures=$((failures + 1))
}

# holds NAME COMMAND…
holds() {
  local name=$1
  shift
  if "$@"; then ok "$name"; else
    bad "$name"
    sed 's/^/      /' "$STATE/output" | tail -n 15
  fi
}
fails() { ! "$@"; }
said() { grep -qF -- "$1" "$STATE/output"; }
asked() { grep -qE -- "$1" "$STATE/calls"; }
never_asked() { ! grep -qE -- "$1" "$STATE/calls"; }
order() { [ "$(grep -nE -- "$1" "$STATE/calls" | head -n 1 | cut -d : -f 1)" -lt "$(grep -nE -- "$2" "$STATE/calls" | tail -n 1 | cut -d : -f 1)" ]; }

# The calls without the script's own checks, which are not part of a plan. Port-forwards run beside the rest, early or late.
deeds() { grep -vE '^(az account show --query (name|tenantId) |az account show .* --query tenantId |git |sqlcmd --version|spin aka info|kubectl port-forward)' "$STATE/calls" | sort; }

# plan_is_run SCRIPT ARGUMENT…: the plan, run by bash, makes the calls that the script makes. BEFORE=1: where something has been deployed.
plan_is_run() {
  fresh
  called "$@" --dry-run
  cp "$STATE/output" "$place/plan"
  holds "${*:2}: its plan makes no call" fails grep -v '^git ' "$STATE/calls"
  before "$1"
  holds "${*:2}: the script succeeds" called "$@" --yes
  deeds >"$place/run"
  before "$1"
  holds "${*:2}: its plan succeeds" called bash "$place/plan"
  deeds >"$place/pasted"
  holds "${*:2}: the plan's calls are the script's" diff "$place/run" "$place/pasted"
  holds "${*:2}: there are some" test -s "$place/run"
}
before() {
  fresh
  if [ "${BEFORE:-}" = 1 ]; then
    called "$1" --yes
    : >"$STATE/calls"
  fi
}

# No call contains secrets; "went by pipe" shows that they were used at all.
secrets_unseen() {
  holds "no secret is in a call" never_asked 'secret-(made|kept)-|token-of'
  holds "no secret is shown" fails grep -qE 'secret-(made|kept)-|token-of' "$STATE/output"
  holds "secrets went by pipe" grep -qE 'secret-(made|kept)-' "$STATE/input"
}

# skipped WHY: fails where NO_SKIPS=1.
skipped() {
  if [ "${NO_SKIPS:-}" = 1 ]; then bad "$1, and NO_SKIPS forbids that"; else printf '  · SKIPPED: %s\n' "$1"; fi
}

linted() {
  local lint
  if ! lint=$(PATH=$outside command -v shellcheck); then
    skipped "no shellcheck: tests/deploy/run brings one"
    return
  fi
  holds "shellcheck: scripts" "$lint" --external-sources --source-path="$project" "$@"
  # A plan has all parameters, needed or not.
  holds "shellcheck: plan" "$lint" --exclude=SC2034 "$place/plan"
}

finish() {
  [ "$failures" = 0 ] || { printf '%s\n' "error: $failures of $((checks + failures)) checks do not hold" >&2 && exit 1; }
  printf '  ✓ %s checks\n' "$checks"
}
