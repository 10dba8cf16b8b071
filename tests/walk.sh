# What the walks that are no Rust tests share; read by tests/windows.sh and tests/installed.sh, which set `here`.
# shellcheck shell=bash

note() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Runs a step and writes its outcome and time down; the walk goes on after a failure.
failures=0
step() {
  local name=$1 begun=$SECONDS outcome=passed
  shift
  note "$name"
  if ! "$@"; then outcome=FAILED; failures=$((failures + 1)); fi
  printf '%s\t%s\t%s\n' "$name" "$outcome" $((SECONDS - begun)) >>"$here/results.tsv"
}

# Looks every half second, for up to $1 seconds, whether a command succeeds.
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || { echo "waited in vain for: $*" >&2; return 1; }
    sleep 0.5
  done
}

# Whether what a command prints says so; it is shown where it does not.
says() {
  local expected=$1 told
  shift
  told=$("$@" 2>&1) || { printf '%s\n' "$told" >&2; return 1; }
  grep -qE -- "$expected" <<<"$told" || { printf 'no `%s` in:\n%s\n' "$expected" "$told" >&2; return 1; }
}
