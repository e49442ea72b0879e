# shellcheck shell=bash
# What the namespace tests share: a hive, a boot of it as PID 1, questions to it, its end.
# Each test is a machine of its own; nothing of it is left when it is over.

BUILD=${BUILD:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build}
STAGE=${STAGE:-$BUILD/stage}
SMREG=$STAGE/usr/bin/smreg
SM='HKLM\SYSTEM\CurrentControlSet\Control\Session Manager'

# machine - an empty one: its files below $M/root, its state in $M/var, its console in $M/console
machine() {
  M=$BATS_TEST_TMPDIR/machine
  mkdir -p "$M/root/etc/smss" "$M/root/var/tmp" "$M/root/usr-test" "$M/var"
  chmod 755 "$M" "$M/var"
  HIVE=$M/root/etc/smss/SYSTEM
  : >"$M/console"
  chmod -R go-w "$M"
}

# hive [REG-FILE...] - the usual hive of the tests: two sessions, root logged on in session 1
hive() {
  "$SMREG" init --hive "$HIVE" >/dev/null
  value 'Winlogon' AutoAdminLogon REG_SZ 1
  value 'Winlogon' Shell REG_SZ /bin/bash
  value 'Session Manager' BootGoodSeconds REG_DWORD 1
}

# value KEY NAME TYPE DATA - KEY is below Control
value() {
  "$SMREG" add "HKLM\\SYSTEM\\CurrentControlSet\\Control\\$1" --hive "$HIVE" \
    --value "$2" --type "$3" --data "$4" "${@:5}" >/dev/null
}

LAUNCH=()
# start [WORD...] - with DATA as its /data and LAUNCH before the launcher, if set; boots it in the background; returns when the API port is there
start() {
  local i
  rm -f "$M/pid" "$M/input"
  mkfifo "$M/input"
  exec 8<>"$M/input"
  "$BUILD/tests/ns/terminal" "${LAUNCH[@]}" "$BATS_TEST_DIRNAME/launch" --stage "$STAGE" --root "$M/root" \
    --var "$M/var" ${DATA:+--data "$DATA"} --pid "$M/pid" -- "$@" <"$M/input" >>"$M/console" 2>&1 3>&- 8>&- &
  JOB=$!
  for ((i = 0; i < 500; i++)); do
    [ -s "$M/pid" ] && inside test -S /run/smss/SmApiPort 2>/dev/null && return 0
    kill -0 "$JOB" 2>/dev/null || break
    sleep 0.02
  done
  # it may be gone again already: that is for the test to judge
  [ -s "$M/pid" ]
}

inside() {
  local user=()
  [ "$(id -u)" -eq 0 ] || user=(--user --preserve-credentials)
  nsenter --target "$(cat "$M/pid")" "${user[@]}" --mount --pid --uts --ipc --net -- \
    env -i PATH=/usr/sbin:/usr/bin LANG=C.UTF-8 "$@" 3>&- 8>&-
}

ctl() { inside smctl "$@"; }
ready() { ctl wait ready --timeout "${1:-20}"; }
type_line() { printf '%s\n' "$1" >"$M/input"; }

# wait_for SECONDS COMMAND... - until it succeeds
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.1
  done
}

# ended [SECONDS] - waits for the machine to go by itself; $status is how (0 off, 129 reboot, 137 killed)
ended() {
  local i
  for ((i = 0; i < ${1:-20} * 10; i++)); do
    kill -0 "$JOB" 2>/dev/null || break
    sleep 0.1
  done
  status=0
  if kill -0 "$JOB" 2>/dev/null; then # it hangs: end it, so that the test fails and not the suite
    kill -9 "$(cat "$M/pid")" || true
    sleep 0.5
    kill "$JOB" 2>/dev/null || true
    wait "$JOB" || true
    status=hung
  else
    wait "$JOB" || status=$?
  fi
  JOB=''
  exec 8>&-
}

# the question itself may be ended by what it asked for
off() { ctl poweroff >/dev/null || [ $? -ge 128 ] || return 1; ended; }

# seen TEXT - on the console;  row NAME RESULT [TEXT] - in the boot timeline
seen() { tr -d '\r' <"$M/console" | grep -aqF -- "$1"; }
row() { ctl boot | grep -aF -- "$1" | grep -aF -- "$2" | grep -aqF -- "${3:-}"; }

teardown() {
  [ -z "${JOB:-}" ] || { kill "$JOB" 2>/dev/null && [ -s "$M/pid" ] && kill -9 "$(cat "$M/pid")" 2>/dev/null; wait "$JOB" 2>/dev/null; } || true
  [ "${BATS_TEST_COMPLETED:-}" = 1 ] || { [ ! -s "${M:-}/console" ] || tail -n 40 "$M/console" | tr -d '\r' >&3; } || true
}

# isnt COMMAND... - it fails. A plain "! command" would not end a test of bats.
isnt() { ! "$@"; }

# tells_not REGEX COMMAND... - what it prints does not match
tells_not() {
  local regex=$1 said
  shift
  said=$("$@")
  [[ ! $said =~ $regex ]]
}
