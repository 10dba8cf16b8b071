#!/usr/bin/env bash
# Installs what the tests need and runs everything: formatting, lints, tests of all three rings, documentation.
#
#   tests/run.sh            everything, as CI does
#   tests/run.sh --short    formatting, lints and the unit and crate tests: no browser, no quick start
set -euo pipefail
cd "$(dirname "$0")/.."

short=no
for argument in "$@"; do
  case "$argument" in
    --short) short=yes ;;
    *) echo "tests/run.sh: unknown argument \`$argument\`; it takes --short or nothing" >&2; exit 2 ;;
  esac
done

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Debian package -> what shows that it is there.
needs=(
  "gcc:$(command -v cc || true)"
  "fonts-morisawa-bizud-gothic:$(ls /usr/share/fonts/truetype/bizud-gothic/BIZUDPGothic-Regular.ttf 2>/dev/null || true)"
  "poppler-utils:$(command -v pdftotext || true)"
  "logrotate:$(command -v logrotate || ls /usr/sbin/logrotate 2>/dev/null || true)"
  "faketime:$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null || true)"
  "dbus:$(command -v dbus-daemon || true)"
  "iproute2:$(command -v ip || ls /usr/sbin/ip 2>/dev/null || true)"
  "python3-aiosmtpd:$(/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null && echo yes || true)"
)
if [ "$short" = no ]; then
  needs+=("chromium:$(command -v chromium || true)")
  needs+=("npm:$(command -v npm || true)")
fi
missing=()
for need in "${needs[@]}"; do
  [ -n "${need#*:}" ] || missing+=("${need%%:*}")
done
if [ ${#missing[@]} -gt 0 ]; then
  step "install ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    echo "tests/run.sh: not root; install these Debian packages first: ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

if [ "$short" = yes ]; then
  step "unit and crate tests"
  cargo test --workspace --locked --exclude shirase-system-tests
  cargo test -p shirase-system-tests --locked --test tidy
else
  step "browser driver"
  (cd tests/browser && npm ci --no-audit --no-fund --silent)

  # Rust's own library for Windows comes from where rustup got this toolchain; neither apt nor cargo has it.
  step "what the agent for Windows needs"
  windows=no
  if rustup target add x86_64-pc-windows-gnu; then
    tests/windows.sh --needs
    windows=yes
  else
    echo "tests/run.sh: NOT WALKED ON WINDOWS: this machine cannot get Rust's library for it; run tests/windows.sh on one that can" >&2
  fi

  step "tests: build"
  cargo test --workspace --locked --no-run

  step "documentation"
  RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

  # Tests mostly wait: what is built behind them gets what they leave. In a folder of its own, for some of them build too.
  step "tests"
  behind=
  if [ "$windows" = yes ]; then
    CARGO_TARGET_DIR=$PWD/target/behind nice -n 19 tests/windows.sh --build >target/behind.log 2>&1 &
    behind=$!
    trap 'kill "$behind" 2>/dev/null || true' EXIT
  fi
  cargo test --workspace --locked

  if [ "$windows" = yes ]; then
    step "the agent on Windows, under Wine"
    wait "$behind" || { cat target/behind.log; exit 1; }
    CARGO_TARGET_DIR=$PWD/target/behind tests/windows.sh
  fi
fi

step "done"
