# shellcheck shell=bash disable=SC2034  # what is set here is used by those who source it
# The VM rig's common part: where the cache is, what goes into it, and how QEMU is called. Sourced
# by prepare, mkimage and boot (and nothing else), so that the three agree on every name.
#
# The machine is QEMU's microvm under TCG: no firmware to speak of, no PCI, virtio over MMIO found
# through ACPI. It reaches PID 1 in half the time of q35. Its one trap: it has neither HPET nor PM
# timer, so when the host is busy the guest's calibration of the TSC against the PIT fails, and the
# kernel then waits for ever, silently, for a timer tick. dialog.py tells it the frequency instead.

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

CACHE=${SMSS_CACHE:-$BUILD/vm}
VM_DIR=$TOP/tests/vm

VM_SUITE=bookworm
VM_MIRROR=${SMSS_MIRROR:-}  # empty: mmdebstrap's own choice for the suite, updates and security too

# The root: what a small Debian server has below an init, plus the libraries our tools link. All of
# it is in the cache's key, so a change here makes a new root.
VM_PACKAGES=(
  bsdutils e2fsprogs kmod login mount passwd procps runit udev util-linux
  libblkid1 libevtx1 libhivex0 libjson-c5 libmount1 libssl3
)
read -r -a vm_extra <<<"${SMSS_VM_PACKAGES:-}"
VM_PACKAGES+=("${vm_extra[@]}")

# Modules that the initramfs loads, a set for each way to the root device: virtio over MMIO
# (microvm) or PCI (q35), and memory that serves as a disk (--icount). ext4 is built in.
VM_MODULES_MMIO=(virtio_mmio virtio_blk)
VM_MODULES_PCI=(virtio_pci virtio_blk)
VM_MODULES_PMEM=(nd_e820 nd_pmem)
# Modules that the root offers to modprobe: file systems, and what storage tests stack upon.
VM_MODULES_ROOT=(
  btrfs dm-flakey dm-log-writes dm-mod fuse loop overlay softdog vfat nls_ascii nls_cp437 nls_utf8
  virtio_console virtio_rng xfs zram
)

VM_BASE_MB=512              # the base image, and the least mkimage makes; sparse, 160 MB on disk
VM_EPOCH=1735689600         # file system times, before any guest's clock: e2fsck minds the future
VM_ROOT_UUID=5d55d55d-0000-4000-8000-000000000001
VM_DATA_UUID=5d55d55d-0000-4000-8000-000000000002
VM_MARKER='smss-vm: exec of PID 1'

VM_TOOLS=(qemu-system-x86 mmdebstrap busybox-static e2fsprogs cpio lz4 kmod openssl python3)
[ "$(id -u)" -eq 0 ] || VM_TOOLS+=(uidmap)  # an ordinary user unpacks the root in a user namespace

# e2fsprogs and fsck live in sbin, which an ordinary user's PATH lacks.
PATH=$PATH:/usr/sbin:/sbin

# rig_hash WORD... - a short key for the cache.
rig_hash() {
  printf '%s\n' "$@" | sha256sum | cut -c1-12
}

rig_kernel_version() {
  cat "$CACHE/kernel/version"
}

# The key of the root covers the packages, the modules, and the scripts that make it.
rig_base() {
  printf '%s/base-%s' "$CACHE" "$(rig_hash "$VM_SUITE" "$VM_MIRROR" "${VM_PACKAGES[@]}" \
    "${VM_MODULES_ROOT[@]}" "$VM_BASE_MB" "$(rig_kernel_version)" \
    "$(sha256sum <"$VM_DIR/prepare")")"
}

rig_initramfs() {
  printf '%s/initramfs-%s.cpio' "$CACHE" "$(rig_hash "${VM_MODULES_MMIO[@]}" / \
    "${VM_MODULES_PCI[@]}" / "${VM_MODULES_PMEM[@]}" "$(rig_kernel_version)" \
    "$(sha256sum <"$VM_DIR/prepare")")"
}

# rig_initramfs_for TYPE - the same for a root of another file system: behind it a second archive
# with the modules, which go with those of the disk.
rig_initramfs_for() {
  local all work file n=200
  all=$(rig_initramfs)
  [ "$1" = ext4 ] || all=${all%.cpio}-$1.cpio
  printf '%s' "$all"
  [ ! -s "$all" ] || return 0
  work=$(mktemp -d "$CACHE/initramfs.XXXXXX")
  mkdir -p "$work/root/lib/modules" "$work/more/mod/mmio"
  ln -s "$CACHE/kernel/modules" "$work/root/lib/modules/$(rig_kernel_version)"
  while read -r _ file _; do
    cp "$file" "$work/more/mod/mmio/$((n++))-${file##*/}"
  done < <(modprobe -d "$work/root" -S "$(rig_kernel_version)" --show-depends "$1" | grep ^insmod)
  { cat "$(rig_initramfs)" && cd "$work/more" && find mod -name '*.ko' | LC_ALL=C sort |
    cpio --quiet -o -H newc -R 0:0 --reproducible; } >"$work/initramfs.cpio"
  mv "$work/initramfs.cpio" "$all"
  rm -rf "$work"
}

# rig_ready - is everything in the cache? Quick, for callers that then need not take the lock.
rig_ready() {
  [ -s "$CACHE/kernel/version" ] && [ -s "$(rig_initramfs)" ] && [ -s "$(rig_base).img" ]
}

# rig_lock - parallel callers fill the cache one after the other; the lock ends with the process.
rig_lock() {
  mkdir -p "$CACHE"
  exec {VM_LOCK_FD}>"$CACHE/lock"
  flock "$VM_LOCK_FD"
}

rig_unlock() {
  exec {VM_LOCK_FD}>&-
}

# rig_as_root CMD... - as root, or as the root of a user namespace with the user's subordinate ids.
rig_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    unshare --user --map-root-user --map-auto -- "$@"
  fi
}

# rig_debugfs IMG - runs the debugfs commands on stdin against the image. debugfs ends with 0
# whatever happens, and speaks on stderr only of trouble (after its banner).
rig_debugfs() {
  local trouble
  trouble=$(E2FSPROGS_FAKE_TIME=$VM_EPOCH debugfs -w -f /dev/stdin "$1" 2>&1 >/dev/null |
    grep -v '^debugfs [0-9]' || true)
  [ -z "$trouble" ] || die "debugfs: $trouble"
}

# rig_mkfs IMG MB UUID [ARG...] - an ext4 with Debian's features, the same each time; blocks as on a
# real disk, where mkfs would take smaller ones for a disk as small as this.
rig_mkfs() {
  local img=$1 mb=$2 uuid=$3
  shift 3
  rm -f "$img"
  truncate -s "${mb}M" "$img"
  E2FSPROGS_FAKE_TIME=$VM_EPOCH mkfs.ext4 -q -F -U "$uuid" \
    -b 4096 -i 8192 -E "hash_seed=$uuid,nodiscard,lazy_itable_init=1,root_owner=0:0" "$@" "$img"
}
