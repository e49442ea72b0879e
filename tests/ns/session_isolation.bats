# SPDX-License-Identifier: MIT
# What a session is held to, looked at from inside and from outside: its own namespaces and what is
# private in them, its owner, limits and capabilities; that of hive and request the stricter wins;
# that what cannot be had is refused and leaves nothing; and that nothing of it outlives it.
# bats file_tags=ns

setup() {
  load lib
  [ "$(id -u)" -eq 0 ] || skip 'needs root: other users, limits, and the outside of the namespaces'
  machine
  hive
  value 'Session Manager\Sessions\Default' CopyAheadSeconds REG_DWORD 0 # before and after are compared
  value 'Session Manager' BootGoodSeconds REG_DWORD 0 # no copy of its own accord
  mkdir -p "$M/root/probe"
  mkdir -m 1777 "$M/root/probe/seen"
  install -m 755 "$BATS_TEST_DIRNAME/session_ask.py" "$M/root/probe/ask"
  cat >"$M/root/probe/look" <<'LOOK'
# runs in a session: leaves its marks, tells what it sees, stays
: >/tmp/mark; : >/dev/shm/mark; : >/run/user/mark
cd / && exec >"/probe/seen/$1" 2>&1
echo "pid $$"; echo "host $(hostname)"; hostname "of-$1"; echo "host $(hostname)"
echo "processes $(ls /proc | grep -c '^[0-9]')"
echo "tmp $(ls /tmp) shm $(ls /dev/shm) user $(ls /run/user)"
echo "links $(ls /sys/class/net | wc -l) $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')"
python3 -I -c 'import socket
try: socket.create_connection(("127.0.0.1", 9))
except OSError as e: print("loopback", e.errno)'
ipcmk -M 4096 >/dev/null; echo "segments $(ipcs -m | grep -c ^0x)"
env | sort >"/probe/seen/$1.env"; echo done
exec sleep 1000
LOOK
}

teardown() {
  load lib
  [ -z "${JOB:-}" ] || { kill "$JOB" 2>/dev/null && [ -s "$M/pid" ] && kill -9 "$(cat "$M/pid")" 2>/dev/null; wait "$JOB" 2>/dev/null; } || true
  [ "${BATS_TEST_COMPLETED:-}" = 1 ] || { [ ! -s "${M:-}/console" ] || tail -n 40 "$M/console" | tr -d '\r' >&3; } || true
}

ask() { inside /probe/ask "$@"; }

# made [NAME=VALUE...] -- COMMAND - a session that must succeed; N is its number, P its initial pid
made() {
  local answer
  answer=$(ask start "$@") || { echo "$answer"; return 1; }
  N=$(cut -d' ' -f2 <<<"$answer")
  row_of "$N"
}

row_of() {
  ROW=$(ask rows | grep "^$1 ")
  P=$(sed 's/.*initial=\([0-9]*\).*/\1/' <<<"$ROW")
  CSRSS=$(sed 's/.*csrss=\([0-9]*\).*/\1/' <<<"$ROW")
}

# refused STATUS TEXT [NAME=VALUE...] -- COMMAND - it is not made, for that reason
refused() {
  local want=$1 text=$2
  shift 2
  run ask start "$@"
  [ "$status" -eq 1 ]
  [[ $output == "$want "* && $output == *"$text"* ]] || { echo "$output"; return 1; }
}

# of PID FIELD - a field of /proc/PID/status
of() { inside sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
same_namespace() { [ "$(inside readlink "/proc/$1/ns/$3")" = "$(inside readlink "/proc/$2/ns/$3")" ]; }
told() { wait_for 10 inside grep -qx done "/probe/seen/$1" && inside cat "/probe/seen/$1"; }
things() { inside sh -c 'ls /run/smss/sessions; find /sys/fs/cgroup/smss -type d | sort; cat /proc/mounts | sort; ls /proc/1/fd | wc -l'; }

@test "a program of a session finds itself clean" {
  start
  ready
  made -- /bin/sleep 1000
  [ "$(inside ls "/proc/$P/fd" | tr '\n' ' ')" = "0 1 2 " ]
  [ "$(of "$P" SigBlk)" = 0000000000000000 ]
  [ "$(of "$P" SigIgn)" = 0000000000000000 ]
  [ "$(of "$P" SigCgt)" = 0000000000000000 ]
  [ "$(of "$P" Umask)" = 0022 ]
  [ "$(of "$P" PPid)" = 1 ]
  [ "$(inside ps -o sid= -p "$P" | tr -d ' ')" = "$P" ]
  [ "$(inside readlink "/proc/$P/cwd")" = / ]
  inside sh -c "tr '\\0' '\\n' </proc/$P/environ" >"$M/env"
  grep -qx "SMSS_SESSION=$N" "$M/env"
  [ "$(grep -c '^SMSS' "$M/env")" -eq 1 ]
  isnt grep -qE '^(HOME|BATS|SUDO|LISTEN|NOTIFY)' "$M/env"
  # nothing was asked for: it sees what the machine sees
  for kind in mnt ipc uts net pid user cgroup; do same_namespace "$P" 1 "$kind"; done
  off
}

@test "mount, ipc, uts, net and pid: its own inside, unseen outside, gone afterwards" {
  start
  ready
  local before
  before=$(things)
  inside mount --make-rshared / # as a machine's is; here it would be private
  made isolation=mount,ipc,uts,net,pid -- /bin/sh /probe/look all
  [[ $ROW == "$N running mount,ipc,pid,uts,net - "* ]]
  run told all
  [ "$status" -eq 0 ]
  [[ $output == *"pid 2"*"host smss-demo"*"host of-all"* ]]
  [[ $output == *"tmp mark shm mark user mark"* ]]
  [[ $output == *"loopback 111"* ]] # refused by somebody who is there: lo is up
  [[ $output =~ links\ [0-9]+\ lo ]]
  [[ $output == *"segments 1"* ]]
  [ "$(sed -n 's/processes //p' <<<"$output")" -le 8 ]
  [ "$(of "$CSRSS" NSpid | awk '{ print $NF }')" = 1 ]
  [ "$(inside hostname)" = smss-demo ]
  for mark in /tmp/mark /dev/shm/mark /run/user/mark; do isnt inside test -e "$mark"; done
  [ "$(inside ipcs -m | grep -c ^0x || true)" -eq 0 ]
  # the machine's mounts go on reaching it, its own never come out
  inside mount -t tmpfs later /mnt
  inside grep -q '^later /mnt' "/proc/$P/mounts"
  inside nsenter -t "$P" -m mount -t tmpfs own /home
  isnt inside grep -q '^own ' /proc/mounts
  inside umount /mnt
  ask stop "$N"
  [ "$(things)" = "$before" ]
  off
}

@test "each kind alone parts that and nothing else" {
  start
  ready
  local kind name
  for pair in mount:mnt ipc:ipc uts:uts net:net pid:pid; do
    made isolation="${pair%:*}" -- /bin/sleep 1000
    [[ $ROW == "$N running ${pair%:*} - "* ]]
    for name in mnt ipc uts net pid; do
      if [ "$name" = "${pair#*:}" ] || [ "$pair $name" = "pid:pid mnt" ]; then # for its /proc
        isnt same_namespace "$P" 1 "$name"
      else
        same_namespace "$P" 1 "$name"
      fi
      same_namespace "$P" "$CSRSS" "$name"
    done
    ask stop "$N"
  done
  off
}

@test "what the waiting copy has made before is each session's own, and none has it who asked for none" {
  value 'Session Manager\Sessions\Default' CopyAheadSeconds REG_DWORD 30
  value 'Session Manager\Sessions\Default' Isolation REG_MULTI_SZ 'ipc\0uts'
  value 'Session Manager\Sessions\4' Isolation REG_MULTI_SZ 'uts'
  value 'Session Manager\Sessions\5' Isolation REG_MULTI_SZ ''
  start
  ready
  local -a pid
  for n in 2 3 4 5 6; do
    made -- /bin/sleep 1000
    [ "$N" = "$n" ]
    pid[n]=$P
    wait_for 5 inside pgrep -f 'smss session next' >/dev/null
  done
  for n in 2 3 6; do
    run same_namespace 1 "${pid[n]}" ipc
    [ "$status" -ne 0 ]
  done
  run same_namespace "${pid[2]}" "${pid[3]}" ipc
  [ "$status" -ne 0 ]
  run same_namespace "${pid[3]}" "${pid[6]}" ipc
  [ "$status" -ne 0 ]
  same_namespace 1 "${pid[4]}" ipc
  same_namespace 1 "${pid[5]}" ipc
  [ "$(inside ls "/proc/${pid[6]}/fd" | tr '\n' ' ')" = "0 1 2 " ]
  off
}

@test "dev: a /dev of its own with what everybody expects, its terminal and its links" {
  "$SMREG" add 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Sessions\2' --hive "$HIVE" \
    --value Links --type REG_MULTI_SZ --data 'machine/zero /dev/zero' --data 'here /probe' >/dev/null
  start
  ready
  made isolation=dev,ipc -- /bin/sleep 1000
  [[ $ROW == "2 running mount,ipc,dev - "* ]]
  run inside nsenter -t "$P" -m ls /dev
  [ "$(tr '\n' ' ' <<<"$output")" = "console fd full here machine mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero " ]
  inside nsenter -t "$P" -m sh -ec '
    [ "$(head -c 3 /dev/zero | wc -c)" = 3 ]; [ "$(head -c 3 /dev/machine/zero | wc -c)" = 3 ]
    [ "$(head -c 3 /dev/urandom | wc -c)" = 3 ]; : >/dev/null
    [ "$(readlink /dev/here)" = /probe ]; [ "$(readlink /dev/fd)" = /proc/self/fd ]
    [ "$(ls /dev/pts)" = ptmx ]; [ "$(stat -c %a /dev/shm /dev/null)" = "1777
666" ]'
  # a terminal made in it is numbered from 0, and the machine does not see it
  inside nsenter -t "$P" -m python3 -I -c 'import os; a, b = os.openpty(); assert os.ttyname(b) == "/dev/pts/0", os.ttyname(b)'
  ask stop 2
  off
}

@test "an owner: by request or by hive, with its groups, home and words; core processes stay root" {
  local user
  printf 'smith:x:1234:1234::/home/smith:/bin/bash\n' >"$M/root/probe/passwd"
  cp /etc/passwd "$M/root/etc/passwd"
  cp /etc/group "$M/root/etc/group"
  cat "$M/root/probe/passwd" >>"$M/root/etc/passwd"
  printf 'smith:x:1234:\nfriends:x:4321:root,smith\n' >>"$M/root/etc/group"
  mkdir -p "$M/root/home/smith"
  value 'Session Manager\Sessions\3' Owner REG_SZ smith
  start
  ready
  made owner=1234:1234 isolation=mount -- /bin/sleep 1000
  [ "$(of "$P" Uid)" = $'1234\t1234\t1234\t1234' ]
  [ "$(of "$P" Gid)" = $'1234\t1234\t1234\t1234' ]
  [ "$(of "$P" Groups | xargs)" = "1234 4321" ]
  [ "$(of "$P" CapEff)" = 0000000000000000 ]
  [ "$(of "$CSRSS" Uid)" = $'0\t0\t0\t0' ]
  [ "$(inside readlink "/proc/$P/cwd")" = /home/smith ]
  [ "$(inside ls "/proc/$P/fd" | tr '\n' ' ')" = "0 1 2 " ]
  inside sh -c "tr '\\0' '\\n' </proc/$P/environ" >"$M/env"
  for user in HOME=/home/smith USER=smith LOGNAME=smith SHELL=/bin/bash XDG_RUNTIME_DIR=/run/user/1234; do
    grep -qx "$user" "$M/env"
  done
  isnt grep -q SMSS_POLICY "$M/env"
  [ "$(inside stat -c '%u %g %a' "/proc/$P/root/run/user/1234")" = "1234 1234 700" ]
  made -- /bin/sleep 1001
  [ "$N" -eq 3 ]
  [[ $ROW == "3 running - 1234 "* ]]
  [ "$(of "$P" Uid)" = $'1234\t1234\t1234\t1234' ]
  ask stop 3
  # the hive's owner cannot be exchanged; a number without an account is somebody, too
  refused c0000022 "another user" owner=77:77 -- /bin/sleep 1
  ask stop 2
  made owner=77:78 -- /bin/sleep 1000
  [ "$(of "$P" Uid)" = $'77\t77\t77\t77' ]
  [ "$(inside readlink "/proc/$P/cwd")" = / ]
  off
}

@test "capabilities, no new privileges, umask, limits and score hold for all of it" {
  local who
  start
  ready
  made caps=0x1 nnp=1 umask=0077 oom=300 nofile=100 core=0 -- /bin/sleep 1000
  for who in "$P" "$CSRSS"; do
    [ "$(of "$who" CapBnd)" = 0000000000000001 ]
    [ "$(of "$who" CapEff)" = 0000000000000001 ]
    [ "$(of "$who" NoNewPrivs)" = 1 ]
    [ "$(of "$who" Umask)" = 0077 ]
    [ "$(inside cat "/proc/$who/oom_score_adj")" = 300 ]
    inside grep -qE '^Max open files +100 +100 ' "/proc/$who/limits"
    inside grep -qE '^Max core file size +0 +0 ' "/proc/$who/limits"
  done
  ask stop "$N"
  # an owner's server keeps what it needs to become the owner; none of it reaches the programs
  made owner=1234:1234 caps=0 -- /bin/sleep 1000
  [ "$(of "$P" CapBnd)" = 0000000000000000 ]
  [ "$(of "$CSRSS" CapBnd)" = 00000000000001e0 ]
  off
}

@test "of hive and request the stricter wins" {
  value 'Session Manager\Sessions\Default' Umask REG_SZ 0027
  value 'Session Manager\Sessions\2' Isolation REG_MULTI_SZ uts
  value 'Session Manager\Sessions\2' Limits REG_MULTI_SZ 'nofile 128' --data 'core 0'
  value 'Session Manager\Sessions\2' OomScoreAdjust REG_SZ 200
  value 'Session Manager\Sessions\2' NoNewPrivileges REG_DWORD 1
  value 'Session Manager\Sessions\2' Environment REG_MULTI_SZ 'OS=Mine' --data 'KIOSK=1'
  start
  ready
  made umask=0070 isolation=ipc nofile=512 core=1000 oom=-500 -- /bin/sleep 1000
  [[ $ROW == "2 running ipc,uts - "* ]]
  [ "$(of "$P" Umask)" = 0077 ]
  inside grep -qE '^Max open files +128 +128 ' "/proc/$P/limits"
  inside grep -qE '^Max core file size +0 +0 ' "/proc/$P/limits"
  [ "$(inside cat "/proc/$P/oom_score_adj")" = 200 ]
  [ "$(of "$P" NoNewPrivs)" = 1 ]
  inside sh -c "tr '\\0' '\\n' </proc/$P/environ" >"$M/env"
  grep -qx OS=Mine "$M/env"
  grep -qx KIOSK=1 "$M/env"
  isnt grep -qx OS=Linux "$M/env"
  ask stop 2
  made umask=0700 nofile=64 oom=900 -- /bin/sleep 1000
  [ "$(of "$P" Umask)" = 0727 ]
  inside grep -qE '^Max open files +64 +64 ' "/proc/$P/limits"
  [ "$(inside cat "/proc/$P/oom_score_adj")" = 900 ]
  off
}

@test "what cannot be had is refused with its reason, and leaves nothing" {
  value 'Session Manager\Sessions\4' Owner REG_SZ nobody-there
  start
  ready
  local before
  made -- /bin/sleep 1000
  before=$(things)
  made -- /bin/sleep 1000
  refused c0000034 "owner: nobody-there: the hive names a user that there is not" -- /bin/sleep 1
  ask stop "$N"
  refused c0000034 "/bin/nothing" isolation=mount -- /bin/nothing
  refused c000000d "" oom=5000 -- /bin/sleep 1
  refused c0000001 "" stack=1 -- /bin/sleep 1
  if ! inside grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    refused c00000bb "memory limit: this kernel offers no memory controller" memory=100000000 -- /bin/sleep 1
    refused c00000bb "limit of processes: this kernel offers no pids controller" processes=5 -- /bin/sleep 1
  fi
  [ "$(things)" = "$before" ]
  off
}

@test "an operator gets sessions of his own, and nobody else's" {
  cp /etc/passwd /etc/group "$M/root/etc/"
  printf 'smith:x:1234:1234::/home/smith:/bin/bash\n' >>"$M/root/etc/passwd"
  printf 'smith:x:1234:\nturners:x:4321:smith\n' >>"$M/root/etc/group"
  value 'Session Manager' SessionOperators REG_SZ turners
  value 'Session Manager\Sessions\3' Owner REG_SZ nobody
  start
  ready
  local -r smith=(inside setpriv --reuid 1234 --regid 1234 --groups 4321 /probe/ask)
  run inside setpriv --reuid 1234 --regid 1234 --clear-groups /probe/ask start -- /bin/sleep 1
  [[ $output == c0000022* ]]
  # what he asks for to be more than others is not his to ask for
  run "${smith[@]}" start owner=0:0 -- /bin/sleep 1000
  [[ $output == "c0000022 "*"owner: only root makes sessions for somebody else"* ]]
  run "${smith[@]}" start owner=1234:1234 oom=-900 nofile=99999999 -- /bin/sleep 1000
  [[ $output == "00000000 2 " ]]
  row_of 2
  [[ $ROW == "2 running - 1234 "* ]]
  [ "$(of "$P" Uid)" = $'1234\t1234\t1234\t1234' ]
  [ "$(inside cat "/proc/$P/oom_score_adj")" = 0 ]
  diff <(inside grep 'open files' "/proc/$P/limits" | awk '{ print $5 }') <(inside grep 'open files' /proc/1/limits | awk '{ print $5 }')
  # the next number belongs to somebody else: not with a command of his in it
  run "${smith[@]}" start -- /bin/sleep 1000
  [[ $output == "c0000022 3 owner: the hive names another user"* ]]
  "${smith[@]}" stop 2
  off
}

@test "a lost server comes back into the same namespaces, held to the same" {
  start
  ready
  made isolation=mount,ipc,uts,net owner=1234:1234 caps=0 nnp=1 umask=0077 nofile=99 -- /bin/sleep 1000
  local old=$CSRSS kind
  inside kill -9 "$CSRSS"
  again() { row_of "$N"; [ "$CSRSS" != "$old" ] && [ "$CSRSS" != 0 ] && [[ $ROW == *restarts=1 ]]; }
  wait_for 10 again
  again
  for kind in mnt ipc uts net cgroup; do same_namespace "$P" "$CSRSS" "$kind"; done
  isnt same_namespace "$CSRSS" 1 mnt
  [ "$(of "$CSRSS" CapBnd)" = 00000000000001e0 ]
  [ "$(of "$CSRSS" NoNewPrivs)" = 1 ]
  [ "$(of "$CSRSS" Umask)" = 0077 ]
  inside grep -qE '^Max open files +99 +99 ' "/proc/$CSRSS/limits"
  [ "$(inside cat "/proc/$CSRSS/cgroup" | grep '^0::')" = "$(inside cat "/proc/$P/cgroup" | grep '^0::')" ]
  ask stop "$N"
  off
}

@test "what a session left in its group and directory is swept, nothing beyond is touched" {
  start
  ready
  made -- /bin/sleep 1000
  inside bash -ec "
    cd /sys/fs/cgroup/smss/session-$N
    mkdir -p a/b/c/d a/e f; sleep 2000 & echo \$! >a/b/c/d/cgroup.procs
    for i in {1..300}; do mkdir deep; cd deep; done
    cd /run/smss/sessions/$N
    mkdir -p x/y; : >x/y/file; ln -s /probe x/probe; ln -s / x/y/root; mkfifo x/pipe
    mkdir held; mount -t tmpfs held held; : >held/inside
    for i in {1..300}; do mkdir deep; cd deep; done; : >bottom"
  run ask stop "$N"
  # the mount is the machine's own: it is not looked into, and the session waits for it to go
  [ "$status" -eq 1 ]
  [ "$(inside ls -A "/run/smss/sessions/$N")" = held ]
  [ "$(inside ls -A "/run/smss/sessions/$N/held")" = inside ]
  isnt inside test -e "/sys/fs/cgroup/smss/session-$N"
  inside test -e /probe/ask
  inside umount "/run/smss/sessions/$N/held"
  gone() { isnt inside test -e "/run/smss/sessions/$N"; }
  ask stop "$N" || wait_for 10 gone
  gone
  off
}

@test "an ordinary user: in a user namespace, a pid namespace proves the end" {
  local -r as=(setpriv --reuid 1000 --regid 1000 --clear-groups)
  "${as[@]}" unshare --user --map-root-user --mount true || skip "no user namespaces"
  M=$BATS_TEST_TMPDIR/machine
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
  chown -R 1000:1000 "$M"
  "${as[@]}" test -x "$STAGE/usr/lib/smss/smss" -a -w "$M" || skip "the stage is out of an ordinary user's reach"
  inside() {
    nsenter --target "$(cat "$M/pid")" --user --mount --pid --uts --ipc --net -S 0 -G 0 -- \
      env -i PATH=/usr/sbin:/usr/bin LANG=C.UTF-8 "$@" 3>&- 8>&-
  }
  mkfifo "$M/input"
  exec 8<>"$M/input"
  "${as[@]}" "$BUILD/tests/ns/terminal" "$BATS_TEST_DIRNAME/launch" --stage "$STAGE" --root "$M/root" \
    --var "$M/var" --pid "$M/pid" -- <"$M/input" >>"$M/console" 2>&1 3>&- 8>&- &
  JOB=$!
  wait_for 10 test -s "$M/pid"
  wait_for 10 inside test -S /run/smss/SmApiPort
  ready
  made isolation=mount,ipc,uts -- /bin/bash /probe/look user
  [[ $ROW == "$N running mount,ipc,pid,uts - "*how=1* ]]
  run told user
  [[ $output == *"pid 2"*"tmp mark shm mark user mark"* ]]
  isnt inside test -e /tmp/mark
  made isolation=dev -- /bin/sleep 1000
  inside nsenter -t "$P" -m sh -ec '[ "$(head -c 3 /dev/zero | wc -c)" = 3 ]; : >/dev/null'
  ask stop "$N"
  refused c00000bb "no cgroup v2" memory=100000000 -- /bin/sleep 1
  refused c000000d "" owner=1234:1234 isolation=mount -- /bin/sleep 1 # a number that it does not have
  off
}
