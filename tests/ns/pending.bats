#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Groups of pending file operations at boot: each whole or not at all, exactly once, in order.
# First the roles for real, with fakemaster in the master's place, on a throwaway root with two
# file systems of its own; then whole machines.

load lib.bash

setup_file() {
  export STAGE FAKEMASTER=$BUILD/src/smss/boot/fakemaster
  export MAKE_GROUP=$BUILD/tests/ns/make_group KILL_AT=$BUILD/tests/ns/kill_at
}

# in_root SCRIPT - runs it as root of a throwaway root. There: /w is a work directory with a hive
# and a state directory, /d1 and /d2 are file systems of their own; the words below.
in_root() {
  local outer=$BATS_TEST_TMPDIR/outer
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  cat >"$outer" <<'END'
set -e
t=$BATS_TEST_TMPDIR/mem
mkdir -p "$t"
mount -t tmpfs -o mode=755 tmpfs "$t"
mkdir "$t/up" "$t/work" "$t/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$t/up,workdir=$t/work" "$t/root"
cp "$BATS_TEST_TMPDIR/inner" "$t/root/inner"
mkdir -p "$t/root"/{w,d1,d2,usr/lib/smss}
cp "$STAGE/usr/lib/smss/smss" "$t/root/usr/lib/smss/smss"
cp "$FAKEMASTER" "$MAKE_GROUP" "$KILL_AT" "$t/root/"
for d in w d1 d2 run dev; do mount -t tmpfs -o mode=755 tmpfs "$t/root/$d"; done
mount -t proc proc "$t/root/proc"
mknod -m 666 "$t/root/dev/null" c 1 3
exec chroot "$t/root" bash -eu /inner
END
  {
    cat <<'END'
umask 022
mkdir /w/state; { printf regf; head -c 8188 /usr/bin/env; } >/w/SYSTEM
F='/fakemaster --word SMSS_HIVE=/w/SYSTEM --word SMSS_STATE=/w/state --fit /w/SYSTEM'
role() { $F "$@"; }
group() { /make_group /w/state "$@"; }
boot() { role state 0 >/dev/null; role "$@" renames 3; }
fallback() { role state 1 >/dev/null; role --word SMSS_LEVEL=1 renames 3; }
accept() { role "$@" accept 0; }
# everything below the two file systems but graveyards: names and contents
shot() { find /d1 /d2 -name .smss -prune -o -type f -printf '%p=' -exec cat {} \; -o -type l -printf '%p -> %l\n' -o -type d -printf '%p/\n' | LC_ALL=C sort; }
files() {
  mkdir -p /d1/app/lib /d1/app.new/lib /d2/x
  echo old >/d1/app/bin; echo old-lib >/d1/app/lib/a; echo new >/d1/app.new/bin; echo new-lib >/d1/app.new/lib/b
  echo A >/d2/a; echo B >/d2/b; echo gone >/d2/x/gone; echo stays >/d2/x/stays
}
update() { # replace a directory, swap two files, delete one: over two file systems
  group "${1:-1}" "${2:-update}" <<'OPS'
replace /d1/app.new /d1/app
move /d2/a /d2/a.tmp
move /d2/b /d2/a
move /d2/a.tmp /d2/b
delete /d2/x/gone
OPS
}
done_() {
  [ "$(cat /d1/app/bin /d1/app/lib/b /d2/a /d2/b /d2/x/*)" = $'new\nnew-lib\nB\nA\nstays' ]
  [ ! -e /d1/app.new ] && [ ! -e /d2/a.tmp ]
}
END
    cat
  } >"$BATS_TEST_TMPDIR/inner"
  run timeout 120 unshare --fork --pid --mount --uts --ipc --mount-proc bash "$outer"
  echo "$output"
  [ "$status" -eq 0 ]
}

has() {
  local text
  for text in "$@"; do
    [[ $output == *"$text"* ]] || { echo "missing: $text"; return 1; }
  done
}
hasnt() { [[ $output != *"$1"* ]] || { echo "should not be there: $1"; return 1; }; }

@test "a directory replaced, a swap and a delete over two file systems: once, and it is said" {
  in_root <<'END'
files; update; role state 0; role renames 3; done_
before=$(shot); mkdir /d1/app.new; echo A2 >/d2/a.tmp
role state 0 | grep STATE_READY; role renames 3
rmdir /d1/app.new; rm /d2/a.tmp; [ "$before" = "$(shot)" ] && echo ONCE
cat /w/state/pending.report
ls /d1/.smss/graveyard/00000001 /d2/.smss/graveyard/00000001
stat -c '%n %a' /d1/.smss /d1/.smss/graveyard /w/state/pending.report
END
  has '"attempts":1,"flags":80' '"attempts":2,"flags":17' ONCE \
    '"result":"ok","detail":0,"name":"update","text":"applied, 5 operations"' \
    '{"boot":1,"group":1,"name":"update","state":"applied","operation":null,"result":"ok","text":"applied, 5 operations"}' \
    '/d1/.smss 700' '/d1/.smss/graveyard 700' '/w/state/pending.report 600'
  [ "$(grep -c '"name":"update"' <<<"$output")" -eq 2 ]
}

@test "an empty queue asks for no copy; a group that waits does" {
  in_root <<'END'
files
role state 0 | grep STATE_READY; mkdir -p /w/state/pending; role state 0 | grep STATE_READY
update; role state 0 | grep STATE_READY
END
  has '"attempts":1,"flags":16' '"attempts":2,"flags":17' '"attempts":3,"flags":81'
}

@test "groups go in order; one that is refused leaves everything alone and the next one goes on" {
  in_root <<'END'
files; echo t >/d2/t; mkdir /d2/dir /d2/m /d2/y; echo 1 >/d2/y/1; echo 2 >/d2/y/2
mount -t tmpfs tmpfs /d2/m
mkdir -p /w/ro /w/away; mount -t tmpfs tmpfs /w/ro; echo r >/w/ro/r
mount -t tmpfs tmpfs /w/away; echo r >/w/away/r
group 1 missing <<<'move /d2/none /d2/n'
group 2 exists <<<'move /d2/a /d2/t'
group 3 stale --stale 2 <<<$'delete /d2/x/gone\nmove /d2/a /d2/n'
group 4 digest --digest 1 <<<'move /d2/a /d2/n'
group 5 protected <<<'delete /w/state/boot.state'
group 6 kind <<<'replace /d2/a /d2/dir'
group 7 mounted <<<'delete /d2/m'
group 9 graveyard <<<'move /d1/.smss /d1/free'
group 10 second <<<$'delete /d2/x/gone\nmove /d2/a /d2/t'
group 11 link <<<$'delete /d2/x/gone\ndelete /d2/y/1'
group 12 away <<<'delete /w/away/r'
group 13 damaged <<<'delete /d2/x/gone'; printf x >>/w/state/pending/0000000d.group
echo state >/w/state/kept; group 14 permitted --protected <<<'delete /w/state/kept'
group 15 first <<<'move /d2/a /d2/n'
group 17 readonly <<<'delete /w/ro/r'
group 16 second <<<$'replace /d2/b /d2/n\noptional /d2/none'
mount -o remount,ro /w/ro; mv /d2/y /d2/y.moved; ln -s /d2/y.moved /d2/y
umount /w/away; mount -t tmpfs tmpfs /w/away; echo r >/w/away/r; mkdir -p /d1/.smss
boot
echo "NOW $(cat /d2/n) $(cat /d2/x/gone /d2/y/1 /w/away/r | tr '\n' ' ')"; test ! -e /w/state/kept
boot | sed 's/^/AGAIN /'; tail -n 1 /w/state/pending.report
END
  has '"result":"refused","detail":2,"name":"missing","text":"refused: no such file' '"name":"/d2/none","text":"no such file' \
    '"result":"refused","detail":17,"name":"exists"' '"name":"/d2/a","text":"exists already; to /d2/t"' \
    '"name":"stale","text":"refused: the file found is not the file that was queued"' \
    '"name":"digest","text":"refused: its content is not what was queued"' \
    '"name":"protected","text":"refused: a protected path' \
    '"name":"kind","text":"refused: a directory in a file' \
    '"name":"mounted","text":"refused: something is mounted there"' \
    '"detail":30,"name":"readonly","text":"failed, nothing was changed: read-only file system"' \
    '"name":"graveyard","text":"refused: ' \
    '"name":"second","text":"refused: exists already"' \
    '"name":"link","text":"refused: a link in the way' '"name":"/d2/y/1","text":"a link in the way' \
    '"name":"away","text":"refused: another file system is mounted there now"' \
    '"name":"0000000d","text":"refused: the group file is damaged"' \
    '"result":"ok","detail":0,"name":"permitted"' \
    '"result":"ok","detail":0,"name":"first","text":"applied, 1 operation"' \
    '"name":"pending","text":"3 applied, 1 failed, 12 refused"' 'NOW B gone 1 r' \
    'AGAIN {"call":"ITEM","result":"failed","detail":30,"name":"readonly","text":"quarantined'
  [ "$(grep -c '^AGAIN.*"name":"[a-z]' <<<"$output")" -eq 1 ]
}

@test "a step that is killed at any of its renames is gone on with" {
  in_root <<'END'
for ((n = 1; ; n++)); do
  rm -rf /w/state/* /d[12]/* /d[12]/.smss; files; update; role state 0 >/dev/null
  /kill_at "$n" $F renames 3 >/w/said
  grep -q signal /w/said || break
  role state 0 >/dev/null; role renames 3 >/w/said
  done_ || { echo "CUT AT $n"; shot; }
  grep -o '"result":"ok".*"applied, 5' /w/said
done
echo "CUTS $((n - 1))"
END
  hasnt 'CUT AT'
  # the things file, two exchanges and two parkings at least
  [ "$(sed -n 's/^CUTS //p' <<<"$output")" -ge 5 ]
  [ "$(grep -c 'applied, 5' <<<"$output")" -eq "$(sed -n 's/^CUTS //p' <<<"$output")" ]
}

@test "killed twice: all of it is taken back, put into quarantine and left there" {
  in_root <<'END'
for ((n = 2; n <= 5; n++)); do
  rm -rf /w/state/* /d[12]/* /d[12]/.smss; files; update; before=$(shot); role state 0 >/dev/null
  /kill_at "$n" $F renames 3 >/w/said; grep signal /w/said
  [ "$before" != "$(shot)" ] || [ "$n" -eq 2 ]
  /kill_at 1 $F renames 3 >/w/said; grep -q signal /w/said || continue
  role renames 3
  [ "$before" = "$(shot)" ] && echo BACK
  role renames 3 | sed 's/^/AGAIN /'; role state 0 | grep STATE_READY
done
tail -n 1 /w/state/pending.report
END
  [ "$(grep -c BACK <<<"$output")" -ge 3 ]
  has '"result":"failed","detail":4,"name":"update","text":"quarantined, nothing was changed: ' \
    '"state":"quarantined","operation":null,"result":"failed"' '"flags":17'
  hasnt 'AGAIN {"call'
}

@test "falling back to LastKnownGood swaps back what no boot accepted, newest first, and only that" {
  in_root <<'END'
files; group 1 early <<<'delete /d2/x/stays'; boot >/dev/null; accept >/dev/null; kept=$(shot)
update 3; boot >/dev/null
echo C >/d2/c; group 4 later <<<'replace /d2/c /d2/a'; boot >/dev/null
cat /d2/a; rm -f /d2/c
role state 1 | grep STATE_READY
role --word SMSS_LEVEL=1 renames 3
rm /d2/c; [ "$kept" = "$(shot)" ] && echo BACK
role state 1 | grep STATE_READY
role --word SMSS_LEVEL=1 renames 3 | sed 's/^/AGAIN /'
role state 0 | grep STATE_READY
END
  has '"name":"later","text":"reverted"' '"name":"update","text":"reverted"' '2 taken back, 0 failed, 0 refused' BACK
  hasnt '"name":"early","text":"reverted"'
  hasnt 'AGAIN {"call'
  [[ $output == *'"name":"later"'*'"name":"update"'* ]]
}

@test "an accepted boot gives up what its groups replaced, by the policy; the rest can still go back" {
  in_root <<'END'
graves() { (cd /w/state/pending; ls *.things 2>/dev/null | tr '\n' ' '); ls /d1/.smss/graveyard /d2/.smss/graveyard | grep '^0' | sort -u | tr '\n' ' '; echo; }
for i in 1 2 3 4 5 6; do echo "$i" >/d1/new; [ "$i" -eq 1 ] && echo 0 >/d1/f
  group "$i" "g$i" <<<'replace /d1/new /d1/f'; boot >/dev/null; done
mkdir -p /d2/.smss/graveyard
echo "BEFORE $(graves)"
accept --set KeepGroups=4 --set KeepDays=30 --set KeepMib=1024; echo "COUNT $(graves)"
role state 0 >/dev/null; role --word SMSS_LEVEL=1 renames 3; cat /d1/f # accepted: nothing goes back
# a whole tree in a graveyard, deeper than any path may be long
mkdir -p /d2/t; (cd /d2/t; for ((i = 0; i < 300; i++)); do mkdir a-directory-of-some-length; echo x >f; cd a-directory-of-some-length; done)
group 7 tree <<<'delete /d2/t'; boot >/dev/null
truncate -s 2M /d1/big; group 8 big <<<'delete /d1/big'; boot >/dev/null
role --word SMSS_LEVEL=1 renames 3 | sed 's/^/BACK /'; ls -d /d1/big /d2/t
group 9 both <<<$'delete /d1/big\ndelete /d2/t'; boot >/dev/null
accept --set KeepGroups=4 --set KeepDays=30 --set KeepMib=1; echo "MIB $(graves)"
accept --set KeepGroups=2 --set KeepDays=30 --set KeepMib=1024; echo "TWO $(graves)"
accept --set KeepGroups=4 --set KeepDays=0 --set KeepMib=1024; echo "SAME DAY $(graves)"
df --output=iused /d2 | tail -n 1
END
  g() { local i; for i in "$@"; do printf '0000000%s%s ' "$i" "${SUFFIX:-}"; done; }
  both() { SUFFIX=.things g "$@"; SUFFIX='' g "$@"; }
  has "BEFORE $(both 1 2 3 4 5 6)" "COUNT $(both 3 4 5 6)" '2 groups gave up what they replaced'
  grep -qx 6 <<<"$output"
  has 'BACK {"call":"ITEM","result":"ok","detail":0,"name":"big","text":"reverted"}' \
    'BACK {"call":"ITEM","result":"ok","detail":0,"name":"tree","text":"reverted"}' \
    "MIB $(both 5 6 7 8)" "TWO $(both 7 8)"
  grep -qx "SAME DAY " <<<"$output"
  grep -qx " *3" <<<"$output" # the deep tree is gone: three directories are left there
}

@test "an undo takes a group back; what an undo waits for is not purged; a purged one is refused" {
  in_root <<'END'
files; before=$(shot); update; boot >/dev/null
group 2 undo --reverse 1 </dev/null; accept --set KeepGroups=0; boot
[ "$before" = "$(shot)" ] && echo BACK
files; update 3; boot >/dev/null; accept --set KeepGroups=0; group 4 late --reverse 3 </dev/null; boot
END
  has '"name":"undo","text":"applied"' BACK '"name":"late","text":"refused: there is nothing to take back'
}

@test "running programs, mapped libraries and read-only files are replaced; a writer at work is waited for" {
  in_root <<'END'
cp /usr/bin/sleep /d1/prog; cp /usr/bin/env /d1/prog.new; echo old >/d1/ro; chmod 444 /d1/ro; echo new >/d1/ro.new
chmod 555 /d1; /d1/prog 100 & echo x >/d2/open; exec 7<>/d2/open
group 1 busy <<<$'replace /d1/prog.new /d1/prog\nreplace /d1/ro.new /d1/ro\ndelete /d2/open'
exec 6>/w/state/pending/lock; flock 6; { sleep 1; flock -u 6; } &
boot; cmp /usr/bin/env /d1/prog; cat /d1/ro; test ! -e /d2/open
kill %1
END
  has '"name":"busy","text":"applied, 3 operations"'
  grep -qx new <<<"$output"
}

@test "two thousand operations in twenty groups; the timeline has room and the report has all" {
  in_root <<'END'
mkdir /d1/a /d1/b /d2/c; (cd /d1/a; touch $(seq 2000))
for g in $(seq 20); do for i in $(seq $((g * 100 - 99)) $((g * 100))); do echo "move /d1/a/$i /d1/b/$i"; done | group "$g" "g$g"; done
for g in $(seq 21 80); do touch "/d2/c/$g"; group "$g" "g$g" <<<"delete /d2/c/$g"; done
boot >/w/said; echo "ITEMS $(grep -c '"name":"g' /w/said)"; grep '"pending"' /w/said
echo "LEFT $(find /d1/a /d2/c -type f | wc -l) THERE $(ls /d1/b | wc -l) LINES $(wc -l </w/state/pending.report)"
END
  has '"text":"80 applied, 0 failed, 0 refused; all of them are in pending.report"' 'ITEMS 40' \
    'LEFT 0 THERE 2000 LINES 80'
}

@test "what cannot be written is said, and groups are kept" {
  in_root <<'END'
files; update; before=$(shot); role state 0 >/dev/null
mount --bind /w/state /w/state; mount -o remount,ro,bind /w/state
role state 0; role renames 3; [ "$before" = "$(shot)" ] && echo UNTOUCHED
umount /w/state; role renames 3; done_
END
  has '"name":"pending","text":"groups of file operations wait for a boot that can write its state"' \
    'no state directory, groups kept' UNTOUCHED '"text":"applied, 5 operations"'
}

# ---- whole machines: the files below /data and the state outlive a boot ----

INTO=()
# data - /data for the machine to come: two file systems as root, one for an ordinary user
data() {
  machine
  hive
  DATA=$M/data
  mkdir -p "$DATA/one"
  if [ "$(id -u)" -eq 0 ]; then
    unshare --mount --propagation private sleep 1000 3>&- &
    HOLDER=$!
    INTO=(nsenter --target "$HOLDER" --mount --) LAUNCH=("${INTO[@]}")
    wait_for 5 eval '[ "$(readlink /proc/$HOLDER/ns/mnt)" != "$(readlink /proc/$$/ns/mnt)" ]'
    on_data mkdir -p two
    on_data mount -t tmpfs -o mode=755 two two
  else
    mkdir "$DATA/two"
  fi
  on_data bash -c 'mkdir one/app one/app.new; echo old >one/app/bin; echo new >one/app.new/bin
    echo A >two/a; echo B >two/b; echo gone >two/gone'
}
on_data() { "${INTO[@]}" env --chdir="$DATA" "$@"; }
eval "machine_$(declare -f teardown)"
teardown() {
  machine_teardown
  [ -z "${HOLDER:-}" ] || { kill "$HOLDER" && wait "$HOLDER"; } 2>/dev/null || true
}
contents() { on_data bash -c 'cat one/app/bin two/a two/b two/gone 2>/dev/null | tr "\n" " "'; }

# queue ID NAME [OPTION...] <OPERATIONS - by the running machine itself, where /data is what it will be
queue() {
  cp "$MAKE_GROUP" "$M/var/make_group"
  inside /var/lib/smss/make_group /var/lib/smss "$@"
}
update() {
  queue "$1" "$2" "${@:3}" <<'OPS'
replace /data/one/app.new /data/one/app
move /data/two/a /data/two/a.tmp
move /data/two/b /data/two/a
move /data/two/a.tmp /data/two/b
delete /data/two/gone
OPS
}

@test "a machine applies what was queued before anything of it runs, once, and shows it" {
  data
  start; ready; isnt row ProcessFileRenames ''
  update 1 'update 7'; off
  [ "$(contents)" = 'old A B gone ' ]
  start; ready
  row 'update 7' ok 'applied, 5 operations'; row ProcessFileRenames ok
  [ "$(contents)" = 'new B A ' ]
  off
  start; ready; isnt row ProcessFileRenames ''
  off
  [ "$(contents)" = 'new B A ' ]
  grep -q '"boot":2,"group":1,"name":"update 7","state":"applied"' "$M/var/pending.report"
}

@test "LastKnownGood swaps files and hive back together; what it took back is not applied again" {
  data
  value 'Session Manager' BootAttempts REG_DWORD 1
  start; ready; wait_for 15 eval "ctl boot | grep -q 'accepted: this boot is good'"
  update 1 bad; off
  value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ /bin/false # the update's other half
  start; ended
  start; ready
  ctl boot | grep -q '^level .*LastKnownGood'
  row bad ok reverted
  [ "$(contents)" = 'old A B gone ' ]
  off
  start; ready; isnt row bad ''
  [ "$(contents)" = 'old A B gone ' ]
  off
}

@test "a boot that was accepted gives up what was replaced, as the hive says" {
  data
  value 'Session Manager' PendingKeepCount REG_DWORD 0
  start; ready; update 1 one; off
  start; ready; row one ok applied
  wait_for 15 row pending ok '1 groups gave up'
  [ -z "$(inside find / -xdev -path '*graveyard/0*')" ]
  off
}

@test "a copy that is killed at work is started again: nothing runs between two halves of a group" {
  data
  start; ready; update 1 halved; off
  LAUNCH+=("$KILL_AT" 1:a)
  start; ready
  row halved ok applied; row renames crashed
  [ "$(contents)" = 'new B A ' ]
  off
}

@test "a copy that is killed twice: the third one takes all of it back, and the boot goes on" {
  data
  start; ready; update 1 halved; off
  LAUNCH+=("$KILL_AT" 2:a)
  start; ready
  row halved failed 'quarantined, nothing was changed'
  [ "$(contents)" = 'old A B gone ' ]
  off
  LAUNCH=("${INTO[@]}")
  start; ready; isnt row halved ''
  off
}
