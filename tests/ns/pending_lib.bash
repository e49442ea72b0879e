# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of pending groups share that run the boot's role for real, on a throwaway root.
# shellcheck disable=SC2154 # bats sets output and status

setup_file() {
  export STAGE FAKEMASTER=$BUILD/src/smss/boot/fakemaster
  export MAKE_GROUP=$BUILD/tests/ns/make_group KILL_AT=$BUILD/tests/ns/kill_at
}

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'needs root'
  command -v mkfs.ext4 >/dev/null || skip 'needs mkfs.ext4'
  losetup --find >/dev/null 2>&1 || skip 'no loop devices here'
}

# in_root [WORDS] <SCRIPT - runs it as root of a throwaway root. There: /var/lib/smss is the state directory,
# /d1 an ext4 on a loop device, /d2 a tmpfs; and the words below. Loop devices go with their mounts,
# and these with the namespace, however the script ends.
in_root() {
  local outer=$BATS_TEST_TMPDIR/outer
  cat >"$outer" <<'END'
set -e
t=$BATS_TEST_TMPDIR/mem
mkdir -p "$t"
mount -t tmpfs -o mode=755 tmpfs "$t"
mkdir "$t/up" "$t/work" "$t/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$t/up,workdir=$t/work" "$t/root"
cp "$BATS_TEST_TMPDIR/inner" "$t/root/inner"
mkdir -p "$t/root"/{w,d1,d2,d3,usr/lib/smss,usr/bin,var/lib/smss}
cp "$STAGE/usr/lib/smss/smss" "$t/root/usr/lib/smss/smss"
cp "$STAGE/usr/bin/smctl" "$t/root/usr/bin/smctl"
cp "$FAKEMASTER" "$MAKE_GROUP" "$KILL_AT" "$t/root/"
for d in w d2 run tmp var/lib/smss; do mount -t tmpfs -o mode=755 tmpfs "$t/root/$d"; done
mount --rbind /dev "$t/root/dev"
mount -t proc proc "$t/root/proc"
truncate -s 32M "$t/d1.img"; mkfs.ext4 -q "$t/d1.img"; mount -o loop "$t/d1.img" "$t/root/d1"
exec chroot "$t/root" bash -eu /inner
END
  {
    cat <<'END'
umask 022
STATE=/var/lib/smss; QUEUE=$STATE/pending
{ printf regf; head -c 8188 /usr/bin/env; } >/w/SYSTEM
F='/fakemaster --word SMSS_HIVE=/w/SYSTEM --fit /w/SYSTEM'
role() { $F "$@"; }
pending() { timeout 60 smctl pending "$@"; }
boot() { role state 0 >/dev/null; role "$@" renames 3; }
accept() { role "$@" accept 0; }
state() { pending list --json | jq -r ".groups[] | select(.group == $1) | .state"; }
states() { pending list --json | jq -r '[.groups[].state] | join(" ")'; }
# shot - all files but the keepers': names, kinds, modes, owners, links, inodes, targets, times, contents
shot() {
  (cd /; find d1 d2 "$@" \( -name .smss -o -name lost+found \) -prune -o \
    \( -type d -printf '%p/ %m %U %G\0' \) -o -printf '%p %y %m %U %G %n %i %l %T@\0' | LC_ALL=C sort -z
   find d1 d2 "$@" -name .smss -prune -o -type f -size -2000k -execdir sha256sum -z {} + | LC_ALL=C sort -z)
}
files() {
  mkdir -p /d1/app/lib /d1/app.new/lib /d2/x
  echo old >/d1/app/bin; echo old-lib >/d1/app/lib/a; echo new >/d1/app.new/bin; echo new-lib >/d1/app.new/lib/b
  echo A >/d2/a; echo B >/d2/b; echo gone >/d2/x/gone; echo stays >/d2/x/stays
  before=$(shot | sha256sum)
}
update() { # a directory replaced, two files swapped, one deleted: over two file systems
  printf '!%s\t%s\n' /d1/app.new /d1/app | cat - <(printf '%s\t%s\n' /d2/a /d2/a.tmp /d2/b /d2/a /d2/a.tmp /d2/b - /d2/x/gone) |
    pending add -m - --group "${1:-update}"
}
done_() {
  [ "$(cat /d1/app/bin /d1/app/lib/b /d2/a /d2/b /d2/x/*)" = $'new\nnew-lib\nB\nA\nstays' ] 2>/dev/null &&
    [ ! -e /d1/app.new ] && [ ! -e /d2/a.tmp ]
}
# whole - is it? WHOLE, UNTOUCHED or HALF, which must never be
whole() {
  if [ "$(shot | sha256sum)" = "$before" ]; then echo UNTOUCHED
  elif done_ 2>/dev/null; then echo WHOLE
  else echo HALF; fi
}
fresh() { rm -rf "${STATE:?}"/* /d[12]/* /d[12]/.smss; files; update >/dev/null; }
# shut DIRECTORY - its ext4 answers everything with EIO from now on, as with a disk that is gone
shut() { python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' "$1"; }
END
    printf '%s\n' "${1:-}"
    cat
  } >"$BATS_TEST_TMPDIR/inner"
  run timeout 120 unshare --fork --kill-child --pid --mount --uts --ipc --mount-proc bash "$outer"
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
