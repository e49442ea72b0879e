# shellcheck shell=bash disable=SC2034  # what is set here is used by those who source it
# What the benches share: images small enough to know what is in them, hives, boots under -icount,
# and how a result is written down. Sourced, never run.
#
# The image is not the test VM's Debian: busybox, the stage, the few programs autochk may need, and
# the peers' own files. No udev, as when the peers' figures of the design were taken.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tests/lib.sh"

BENCH=$TOP/bench
# CACHE, VM_MARKER, rig_mkfs and rig_debugfs: the VM rig's common part
# shellcheck source=tests/vm/rig.sh
. "$TOP/tests/vm/rig.sh"
CACHE=${SMSS_CACHE:-$BUILD/vm}
OUT=$BUILD/bench            # images, logs, raw results; bench/results has what is kept
IMAGE_MB=96                 # room for 16 MiB of paging file and the largest peer
PAGEFILE_MB=16

bench_start() {
  need_packages qemu-system-x86 busybox-static e2fsprogs musl-tools python3 libc-bin gcc
  mkdir -p "$OUT"
  # One bench at a time: they share the images, and a busy machine spoils what is timed.
  exec {BENCH_LOCK_FD}>"$OUT/lock"
  flock "$BENCH_LOCK_FD"
  rig_ready || "$VM_DIR/prepare"
  [ -x "$STAGE/usr/lib/smss/smss" ] || die "nothing staged in $STAGE: ./run --build first"
  [ "$(id -u)" -eq 0 ] || die "run as root: the images' files must be root's"
  if [ ! -x "$OUT/mark" ] || [ "$BENCH/guest/mark.c" -nt "$OUT/mark" ]; then
    # an address of its own, so that bench/profile knows it
    musl-gcc -static -no-pie -Wl,-Ttext-segment=0x70000000 -Os -s -Wall -Wextra -o "$OUT/mark" "$BENCH/guest/mark.c"
  fi
}

# with_libraries TREE FILE... - copies programs of this machine, at their own paths, with what they
# are linked with.
with_libraries() {
  local tree=$1 file
  shift
  for file in "$@"; do
    install -D -m 755 "$(realpath "$file")" "$tree$(realpath -ms "$file" | sed 's|^/\(s\?bin\|lib\|lib64\)/|/usr/\1/|')"
    libraries_of "$tree" "$file"
  done
}

libraries_of() { # TREE PROGRAM
  local lib
  ldd "$2" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
    install -D -m 755 "$(realpath "$lib")" "$1/usr/${lib#/}"
  done
}

# make_tree TREE - the skeleton that every init here gets.
make_tree() {
  local tree=$1 applet name
  rm -rf "$tree"
  mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64},proc,sys,dev,run,tmp,root,etc,var/{lib/smss,log,tmp},bench,mnt}
  chmod 1777 "$tree/tmp" "$tree/var/tmp"
  chmod 700 "$tree/var/lib/smss"
  for applet in bin sbin lib lib64; do ln -s "usr/$applet" "$tree/$applet"; done
  install -m 755 "$(command -v busybox)" "$tree/usr/bin/busybox"
  for applet in sh cat sleep mount umount hostname swapon swapoff mkswap dd cp sed grep tr dmesg \
    ps ls true env ln mkdir rm kill chmod; do
    ln -s busybox "$tree/usr/bin/$applet"
  done
  for name in exec core quit pages; do install -m 755 "$OUT/mark" "$tree/bench/$name"; done
  install -m 755 "$BENCH/guest/after" "$tree/bench/after"
  echo smss-bench >"$tree/etc/hostname"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$tree/etc/passwd"
  printf 'root:x:0:\n' >"$tree/etc/group"
  chmod -R go-w "$tree/usr" "$tree/etc" "$tree/bench"
}

# with_smss TREE REG-LINE... - our stage, what autochk may start, and a hive from the examples' form.
with_smss() {
  local tree=$1 file
  shift
  cp -a "$STAGE/usr/." "$tree/usr/"
  rm -rf "${tree:?}"/usr/{include,share,lib/x86_64-linux-gnu/pkgconfig,lib/x86_64-linux-gnu/libsm.a}
  # As a package has them: symbols would be read from the disk with the rest. bench/profile has its
  # own copy beside the tree.
  rm -rf "$tree.symbols"
  cp -a "$STAGE/usr/lib/smss" "$tree.symbols"
  [ -n "${BENCH_UNSTRIPPED:-}" ] || for file in "$tree"/usr/lib/smss/* "$tree/usr/bin/smctl"; do
    [ ! -f "$file" ] || strip -s "$file"
  done
  chown -R 0:0 "$tree/usr"
  libraries_of "$tree" "$STAGE/usr/lib/smss/smreg"
  libraries_of "$tree" "$STAGE/usr/bin/smctl"
  with_libraries "$tree" /sbin/fsck.ext4 /sbin/e2fsck
  # libm is one of the default known libraries
  with_libraries "$tree" /lib/x86_64-linux-gnu/libm.so.6
  ln -sf ../lib/smss/smss "$tree/usr/sbin/init"
  ln -s /usr/lib/smss/smss "$tree/bench/init"
  mkdir -p "$tree/etc/smss"
  "$STAGE/usr/bin/smreg" init --hive "$tree/etc/smss/SYSTEM" >&2
  smss_setting "$tree" 'Wininit' Supervisor SZ /bench/after
  while [ $# -ge 4 ]; do
    smss_setting "$tree" "$1" "$2" "$3" "$4"
    shift 4
  done
}

smss_setting() { # TREE KEY-BELOW-CONTROL NAME TYPE DATA
  "$STAGE/usr/bin/smreg" add "HKLM\\SYSTEM\\CurrentControlSet\\Control\\$2" --value "$3" \
    --type "REG_$4" --data "$5" --hive "$1/etc/smss/SYSTEM" >&2
}

# fstab_for DEVICE - the root, and for the inits that mount by it what else there is.
fstab_for() {
  echo "$1 / ext4 errors=remount-ro 0 1"
  [ -z "${FSTAB:-}" ] || printf '%s\n' "$FSTAB"
}

# pack TREE IMG - an ext4 of it, with the nodes that must be there before devtmpfs.
pack() {
  fstab_for /dev/pmem0 >"$1/etc/fstab"
  # before any guest's clock, and the same each time
  find "$1" -exec touch -h -d "@$VM_EPOCH" {} +
  rig_mkfs "$2" "$IMAGE_MB" "$VM_ROOT_UUID" -L smss-bench -d "$1"
  rig_debugfs "$2" <<'NODES'
cd /dev
mknod console c 5 1
mknod null c 1 3
sif console mode 020600
sif null mode 020666
NODES
}

# settle IMG - boots it once on a real disk, so that what a first boot makes (paging file, boot
# state, random seed) is there: what -icount writes is lost, its disks being memory.
settle() {
  local img=$1 device table
  table=$(mktemp "$OUT/fstab.XXXXXX")
  for device in /dev/vda /dev/pmem0; do
    fstab_for "$device" >"$table"
    chmod 644 "$table"
    printf 'cd /etc\nrm fstab\nwrite %s fstab\nsif fstab uid 0\nsif fstab gid 0\n' "$table" |
      rig_debugfs "$img"
    [ "$device" = /dev/vda ] || break
    "$VM_DIR/boot" "$img" --hide --loglevel 4 --timeout 120 --log "$img.first.log" \
      --append "init=/bench/exec" >"$img.first.rig" 2>&1 || {
      cat "$img.first.rig" >&2
      die "the first boot failed, see $img.first.log"
    }
  done
  rm -f "$table"
  e2fsck -fn "$img" >/dev/null 2>&1 || die "$img is not clean after its first boot"
}

# icount LOG IMG [WORD...] - one boot of the image with one CPU, its clock being its instructions.
icount() {
  local log=$1 img=$2 qemu=()
  shift 2
  read -r -a qemu <<<"${QEMU_WORDS:-}"
  "$VM_DIR/boot" "$img" --icount --hide --loglevel "${LOGLEVEL:-4}" --timeout 300 --log "$log" \
    --append "init=/bench/exec $*" -- "${qemu[@]}" >"$log.rig" 2>&1 || {
    cat "$log.rig" >&2
    die "the boot failed, see $log"
  }
}

# section LOG NAME - what /bench/after printed under that name.
section() {
  tr -d '\r' <"$1" | sed -n "/^=== $2\$/,/^=== end/{/^===/!p}"
}

# facts - the JSON members that every result begins with.
facts() {
  printf '"date": "%s", "commit": "%s", "kernel": "%s", "host_cpu": "%s", "host_kernel": "%s"' \
    "$(date -u +%F)" "$(git -C "$TOP" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
    "$(rig_kernel_version)" "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)" "$(uname -r)"
}

# ---- namespaces ----------------------------------------------------------------------------------

# ns_root DIR - a throwaway root's own files: no services, one session.
ns_root() {
  rm -rf "$1"
  mkdir -p "$1"/etc/smss "$1"/bench
  "$STAGE/usr/bin/smreg" init --hive "$1/etc/smss/SYSTEM" >&2
  smss_setting "$1" Wininit Supervisor SZ ''
  smss_setting "$1" 'Session Manager' BootExecute MULTI_SZ ''
  smss_setting "$1" 'Session Manager\Memory Management' PagingFiles MULTI_SZ ''
  chmod -R go-w "$1"
}

# ns_start ROOT - boots it in fresh namespaces, as ./run does: script(1) is the terminal. Sets
# NS_PID (PID 1 as the host numbers it) and NS_JOB.
ns_start() {
  NS_DIR=$(mktemp -d)
  mkfifo "$NS_DIR/input"
  exec 9<>"$NS_DIR/input" # never at its end
  script -qefc "'$TOP/tests/ns/launch' --root '$1' --pid '$NS_DIR/pid' -- quiet" "$NS_DIR/console" \
    <"$NS_DIR/input" >/dev/null &
  NS_JOB=$!
  trap ns_kill EXIT
  for _ in $(seq 500); do [ ! -s "$NS_DIR/pid" ] || break; sleep 0.02; done
  NS_PID=$(cat "$NS_DIR/pid")
  for _ in $(seq 500); do ns_do test -S /run/smss/SmApiPort 2>/dev/null && break; sleep 0.02; done
  ns_do smctl wait ready --timeout 30 >/dev/null || {
    cat "$NS_DIR/console" >&2
    die "no boot in namespaces"
  }
}

# ns_kill - the namespaces end with their PID 1; only what we started.
ns_kill() {
  [ -z "${NS_PID:-}" ] || kill -9 "$NS_PID" 2>/dev/null || true
}

ns_do() {
  nsenter --target "$NS_PID" --mount --pid --uts --ipc --net -- \
    env -i PATH=/usr/sbin:/usr/bin "$@"
}

ns_stop() {
  ns_do smctl poweroff >/dev/null || true
  wait "$NS_JOB" || true
  NS_PID=''
  exec 9>&-
  rm -rf "$NS_DIR"
}
