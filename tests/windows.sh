#!/usr/bin/env bash
# Builds the agent for Windows and tries it under Wine: its unit tests, then a walk as an administrator would go.
#
#   tests/windows.sh            everything; prints a table, exit status 1 if anything failed
#   tests/windows.sh --walk     the walk alone
#   tests/windows.sh --needs    installs what it needs, and nothing else
#   tests/windows.sh --build    builds the agent and its unit tests, and nothing else
#   tests/windows.sh --harness ARGUMENTS
#                               lets the harness of the detectors attack the release build; ARGUMENTS are its own, such as
#                               `--long --part attacks --seeds 3`
#
# Results: target/windows/results.tsv (step, outcome, seconds) and target/windows/detection.json (one scenario a line).
# What Wine cannot show is tried on a real machine by deploy/windows/try-here.ps1.
set -euo pipefail
cd "$(dirname "$0")/.."

units=yes only=
while [ $# -gt 0 ]; do
  case "$1" in
    --walk) units=no; shift ;;
    --needs | --build) only=${1#--}; shift ;;
    --harness) only=harness; shift; break ;;
    *) echo "tests/windows.sh: unknown argument \`$1\`; it takes --walk, --needs, --build, --harness or nothing" >&2; exit 2 ;;
  esac
done

triple=x86_64-pc-windows-gnu
target=${CARGO_TARGET_DIR:-$PWD/target}
here=$PWD/target/windows
wine=/usr/lib/wine/wine64
mkdir -p "$here"
: >"$here/results.tsv"
: >"$here/detection.json"

. tests/walk.sh

install_needs() {
  local missing=()
  [ -x "$wine" ] || missing+=(wine64)
  command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v wixl >/dev/null || missing+=(wixl)
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
      echo "tests/windows.sh: not root; install these Debian packages first: ${missing[*]}" >&2
      return 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}"
  fi
  rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
}

build_agent() { cargo build --locked -p shirase-agent --bin shirase-agent --target "$triple"; }
build_unit_tests() { cargo test --locked -p shirase-agent --lib --target "$triple" --no-run; }

case "$only" in
  needs) install_needs; exit ;;
  build) build_agent && build_unit_tests; exit ;;
esac

# A Windows of its own, thrown away at the end.
prefix=$(mktemp -d)
export WINEPREFIX=$prefix/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
finish() {
  [ -z "$held" ] || kill "$held" 2>/dev/null || true
  if [ -x "$wine" ]; then "${wine%wine64}wineserver64" -k 2>/dev/null || true; fi
  rm -rf "$prefix"
}
held=
trap finish EXIT

# Wine shuts its Windows down, services included, a moment after the last program ended: one stays.
hold() {
  mkdir -p "$WINEPREFIX/drive_c/held"
  "$wine" 'C:\agent.exe' watch 'C:\held' >"$prefix/held.txt" 2>&1 &
  held=$!
  eventually 60 grep -q watching "$prefix/held.txt"
}

make_windows() {
  "$wine" wineboot -i >/dev/null 2>&1
  "$wine" winecfg -v win10 >/dev/null 2>&1
  "${wine%wine64}wineserver64" -w
  # Wine 8 lacks this library, which Rust's own needs. For this test alone, never to be shipped.
  cat >"$prefix/shim.c" <<'C'
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }
C
  x86_64-w64-mingw32-gcc -O2 -shared -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$prefix/shim.c" -ladvapi32
}

build() {
  build_agent &&
    cp "$target/$triple/debug/shirase-agent.exe" "$WINEPREFIX/drive_c/agent.exe"
}

# Left out are tests that write paths as Linux has them, and those of growing logs: under Wine a file's time of creation
# moves with every write.
unit_tests() {
  CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine \
    cargo test --locked -p shirase-agent --lib --target "$triple" -- --test-threads=2 \
    --skip sensors::protection::logs::tests --skip sensors::protection::tests::the_known_and_the_configured \
    --skip sensors::backups::config::tests --skip config::tests::a_job_on_a_root_that_is_not_watched \
    --skip detectors::mass_change::tests::what_a_rescan_finds_counts_like_what_was_seen
}

agent() { "$wine" 'C:\agent.exe' "$@" 2>>"$here/agent.err" | tr -d '\r'; }

commands() {
  says '^shirase-agent ' agent --version &&
    agent config >"$WINEPREFIX/drive_c/default.toml" &&
    says 'is good' agent check --config 'C:\default.toml' &&
    ! agent check --config 'C:\missing.toml'
}

# Files in a folder, some in each of a few directories.
make_share() {
  local dir=$1 number
  for number in $(seq 40); do
    mkdir -p "$dir/d$((number % 4))"
    printf '%%PDF-1.7 chart %s\n' "$number" >"$dir/d$((number % 4))/$number.pdf"
  done
}

# One scenario: watch a share, do something to it as a Windows program, see whether that is told.
scenario() {
  local name=$1 batch=$2 expected=$3 dir=$WINEPREFIX/drive_c/shares/$1
  local out=$here/watch-$name.jsonl
  make_share "$dir"
  printf '@echo off\r\ncd /d C:\\shares\\%s\r\n%s\r\n' "$name" "$batch" >"$WINEPREFIX/drive_c/$name.bat"
  "$wine" 'C:\agent.exe' watch "C:\\shares\\$name" --json >"$out" 2>>"$here/agent.err" &
  local watch=$!
  eventually 60 grep -q '"type":"ready"' "$out" || { kill "$watch" 2>/dev/null; return 1; }
  "$wine" cmd /c "C:\\$name.bat" >/dev/null 2>&1
  local detected=false harmed=null
  if eventually 20 grep -Eq '"severity":"(high|critical)"' "$out"; then
    detected=true
    harmed=$(grep -E -m1 '"severity":"(high|critical)"' "$out" | grep -oE '"files_affected":[0-9]+' | cut -d: -f2)
  fi
  kill "$watch" 2>/dev/null
  wait "$watch" 2>/dev/null
  printf '{"system":"windows (wine)","backend":"notify","scenario":"%s","detected":%s,"files_harmed":%s}\n' \
    "$name" "$detected" "$harmed" | tee -a "$here/detection.json"
  [ "$detected" = "$expected" ]
}

# Lays down what an enrolment leaves, for a collector nobody runs.
enrol_by_hand() {
  local state=$WINEPREFIX/drive_c/state key=$prefix/authority.key
  mkdir -p "$state"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$key" -out "$state/authority.crt" \
    -subj /CN=authority -days 30 2>/dev/null
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$state/host.key" 2>/dev/null
  openssl req -new -key "$state/host.key" -subj /CN=host |
    openssl x509 -req -CA "$state/authority.crt" -CAkey "$key" -CAcreateserial -days 30 -out "$state/host.crt" \
      -extfile <(echo 'basicConstraints=CA:FALSE') 2>/dev/null
  cat >"$state/enrolment.json" <<JSON
{"host":"$(cat /proc/sys/kernel/random/uuid)","facility":"handa-hp","order_key":"$(head -c32 /dev/zero | base64)",
"manifest_recipient":"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p","ingest_url":"https://127.0.0.1:1",
"enrolled_at":"2026-02-08T16:50:00Z"}
JSON
  make_share "$WINEPREFIX/drive_c/shares/service"
  cat >"$WINEPREFIX/drive_c/agent.toml" <<'TOML'
[agent]
state_dir = 'C:\state'
[[sensors.roots]]
path = 'C:\shares\service'
[[sensors.services]]
name = "Spooler"
[[sensors.services]]
name = "no-such-service"
TOML
}

told_by_status() { says "$1" agent status --config 'C:\agent.toml' >/dev/null; }
kept_in_buffer() { says "$1" agent buffer export --config 'C:\agent.toml' >/dev/null; }

service_installs() {
  enrol_by_hand &&
    says 'is installed' agent install --config 'C:\agent.toml' &&
    says 'brought up to date' agent install --config 'C:\agent.toml'
}

service_starts() {
  "$wine" net start shirase-agent >/dev/null 2>&1
  eventually 60 told_by_status 'files: ' && agent status --config 'C:\agent.toml'
}

service_sees_services() { eventually 30 told_by_status 'services: service control manager'; }

service_tells_a_storm() {
  printf '@echo off\r\ncd /d C:\\shares\\service\r\nfor /r %%%%f in (*.pdf) do ren "%%%%f" "%%%%~nxf.qzx"\r\n' \
    >"$WINEPREFIX/drive_c/storm.bat"
  "$wine" cmd /c 'C:\storm.bat' >/dev/null 2>&1
  eventually 30 kept_in_buffer '"kind":"mass_change"'
}

service_stops() {
  "$wine" net stop shirase-agent >/dev/null 2>&1
  eventually 40 stopped
}
stopped() { ! told_by_status 'files: ' 2>/dev/null; }

# A second start finds the buffer as it was left.
service_starts_again() { eventually 60 started_with_what_was_kept; }
# The manager refuses while the service is still ending.
started_with_what_was_kept() {
  "$wine" net start shirase-agent >/dev/null 2>&1
  kept_in_buffer '"kind":"mass_change"'
}

service_goes() {
  says 'is removed' agent uninstall && says 'is not installed' agent uninstall
}

packages=$target/packages
program='drive_c/Program Files/Shirase/shirase-agent.exe'
msi() { "$wine" msiexec "$@" /qn >>"$here/msi.txt" 2>&1; }
service_state() { "$wine" sc query shirase-agent 2>/dev/null | tr -d '\r'; }

installer_is_packed() {
  local version
  for version in 0.1.0 0.1.1; do
    deploy/windows/package.sh --built "$target/$triple/debug/shirase-agent.exe" --version "$version" &&
      cp "$packages/shirase-agent-$version-x64.msi" "$WINEPREFIX/drive_c/agent-$version.msi" || return 1
  done
}

# A machine that is not enrolled has nothing to start.
installer_installs() {
  msi /i 'C:\agent-0.1.0.msi' && [ -e "$WINEPREFIX/$program" ] && says 'STOPPED' service_state
}

# Enrolled, it is started with the newer program, and finds its buffer.
installer_upgrades() {
  mkdir -p "$WINEPREFIX/drive_c/ProgramData/Shirase" &&
    cp "$WINEPREFIX/drive_c/agent.toml" "$WINEPREFIX/drive_c/ProgramData/Shirase/agent.toml" &&
    msi /i 'C:\agent-0.1.1.msi' &&
    eventually 60 told_by_status 'files: ' && kept_in_buffer '"kind":"mass_change"' && says 'RUNNING' service_state
}

# Back to the older version as well, from the running one.
installer_goes_back() {
  msi /i 'C:\agent-0.1.0.msi' && eventually 60 told_by_status 'files: ' && kept_in_buffer '"kind":"mass_change"'
}

installer_removes() {
  msi /x 'C:\agent-0.1.0.msi' && [ ! -e "$WINEPREFIX/$program" ] && ! service_state | grep STATE >/dev/null &&
    [ -e "$WINEPREFIX/drive_c/state/enrolment.json" ] && [ -e "$WINEPREFIX/drive_c/ProgramData/Shirase/agent.toml" ]
}

# The harness starts `wine`.
harness() {
  local exe=$target/$triple/release/shirase-agent.exe
  mkdir -p "$prefix/bin"
  printf '#!/bin/sh\nexec %s "$@"\n' "$wine" >"$prefix/bin/wine"
  chmod +x "$prefix/bin/wine"
  cargo build --locked --release -p shirase-agent --bin shirase-agent --target "$triple" &&
    cp "$exe" "$WINEPREFIX/drive_c/agent.exe" && hold &&
    PATH=$prefix/bin:$PATH cargo run --locked -p shirase-system-tests --bin detection -- \
      --backend windows --windows-agent "$exe" "$@"
}
if [ "$only" = harness ]; then
  install_needs && make_windows && harness "$@"
  exit
fi

: >"$here/agent.err"
: >"$here/msi.txt"
step "install what is needed" install_needs
step "make a Windows" make_windows
step "build the agent" build
[ "$units" = no ] || step "unit tests" unit_tests
step "keep the Windows up" hold
step "version, config, check" commands
step "scenario: renamed with a suffix" scenario A01 'for /r %%f in (*.pdf) do ren "%%f" "%%~nxf.qzx"' true
step "scenario: overwritten" scenario A02 'for /r %%f in (*.pdf) do copy /y C:\windows\system32\bcryptprimitives.dll "%%f" >nul' true
step "scenario: deleted" scenario A10 'del /s /q *.pdf' true
step "scenario: one file renamed by hand" scenario quiet-one 'ren d1\1.pdf chart.pdf' false
step "service: install" service_installs
step "service: start" service_starts
step "service: the service manager is asked" service_sees_services
step "service: a storm of renames is kept" service_tells_a_storm
step "service: stop" service_stops
step "service: start again" service_starts_again
step "service: stop and remove" service_goes
step "installer: packed" installer_is_packed
step "installer: install" installer_installs
step "installer: upgrade, enrolled" installer_upgrades
step "installer: back to the older version" installer_goes_back
step "installer: remove" installer_removes

note "results"
column -t -s "$(printf '\t')" "$here/results.tsv" 2>/dev/null || cat "$here/results.tsv"
if [ "$failures" -gt 0 ]; then
  echo "tests/windows.sh: $failures step(s) failed; the agent's own words are in $here/agent.err" >&2
  exit 1
fi
note "done"
