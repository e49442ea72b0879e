# shellcheck shell=bash disable=SC2034  # what is set here is used by those who source it
# The other inits: the same job from Debian's own packages, unpacked and never installed. Sourced.
#
# The job: proc, sysfs, devtmpfs, tmpfs on /run and /dev/shm, devpts, cgroup2, / read-write, the
# host's name, a swap file that is ready, two core processes. Each init gets it in the way that
# costs it least; what a shell script would make of it is shown once, for busybox.

PEERS=(busybox busybox-lines busybox-script sysvinit runit)

FSTAB_KERNEL='proc /proc proc nosuid,nodev,noexec 0 0
sysfs /sys sysfs nosuid,nodev,noexec 0 0
tmpfs /run tmpfs nosuid,nodev,mode=0755 0 0
devpts /dev/pts devpts nosuid,noexec,mode=0620,gid=5,ptmxmode=0666 0 0
tmpfs /dev/shm tmpfs nosuid,nodev,mode=1777 0 0
cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec,nsdelegate 0 0'
FSTAB_SWAP='/pagefile.sys none swap sw 0 0'

# ready_swap TREE - one without holes: of zeros mkfs would make it one.
ready_swap() {
  head -c "${PAGEFILE_MB}M" /dev/zero | tr '\0' '\1' >"$1/pagefile.sys"
  chmod 600 "$1/pagefile.sys"
  mkswap -q "$1/pagefile.sys"
}

# peer_package PKG TREE - its files into the tree; 1 when Debian has no such package.
peer_package() {
  local dir=$OUT/peers file dest
  mkdir -p "$dir"
  if ! compgen -G "$dir/$1_*.deb" >/dev/null; then
    (cd "$dir" && apt-get download -q -o APT::Sandbox::User="$(id -un)" "$1" >&2) || return 1
  fi
  rm -rf "$dir/unpacked"
  dpkg-deb -x "$dir/$1"_*.deb "$dir/unpacked"
  rm -rf "$dir"/unpacked/usr/share
  # /sbin and the like are links in the tree
  (cd "$dir/unpacked" && find . ! -type d -printf '%P\n') | while read -r file; do
    case $file in
    bin/* | sbin/* | lib/*) dest=$2/usr/$file ;;
    *) dest=$2/$file ;;
    esac
    mkdir -p "${dest%/*}"
    cp -a --remove-destination "$dir/unpacked/$file" "$dest"
  done
}

# rc_script TREE PATH - the job as a script of busybox's shell, with the least of commands.
rc_script() {
  cat >"$1$2" <<'RC'
#!/bin/sh
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -a
mount -o remount,rw /
hostname -F /etc/hostname
swapon -a
RC
  chmod 755 "$1$2"
}

peer_tree() { # NAME TREE
  local name=$1 tree=$2 applet
  make_tree "$tree"
  ready_swap "$tree"
  FSTAB="$FSTAB_KERNEL
$FSTAB_SWAP"
  case $name in
  busybox*)
    ln -s /usr/bin/busybox "$tree/bench/init"
    ln -sf busybox "$tree/usr/bin/init"
    for applet in poweroff reboot halt; do ln -sf busybox "$tree/usr/bin/$applet"; done
    ;;
  esac
  "peer_${name//-/_}" "$tree"
}

BUSYBOX_REST='::once:/bench/core 1
::once:/bench/core 2
::ctrlaltdel:/bin/reboot
::shutdown:/bin/swapoff -a
::shutdown:/bin/umount -a -r'

peer_busybox() {
  cat >"$1/etc/inittab" <<INITTAB
::sysinit:/bin/mount -t devtmpfs dev /dev
::sysinit:/bin/mkdir -p /dev/pts /dev/shm
::sysinit:/bin/mount -a
::sysinit:/bin/mount -o remount,rw /
::sysinit:/bin/hostname -F /etc/hostname
::sysinit:/bin/swapon -a
$BUSYBOX_REST
INITTAB
}

peer_busybox_lines() {
  FSTAB=$FSTAB_SWAP
  cat >"$1/etc/inittab" <<INITTAB
::sysinit:/bin/mount -t proc proc /proc
::sysinit:/bin/mount -t sysfs sysfs /sys
::sysinit:/bin/mount -t devtmpfs dev /dev
::sysinit:/bin/mount -t tmpfs run /run
::sysinit:/bin/mkdir -p /dev/pts /dev/shm
::sysinit:/bin/mount -t devpts devpts /dev/pts
::sysinit:/bin/mount -t tmpfs shm /dev/shm
::sysinit:/bin/mount -t cgroup2 cgroup2 /sys/fs/cgroup
::sysinit:/bin/mount -o remount,rw /
::sysinit:/bin/hostname -F /etc/hostname
::sysinit:/bin/swapon -a
$BUSYBOX_REST
INITTAB
}

peer_busybox_script() {
  rc_script "$1" /etc/rc
  printf '::sysinit:/etc/rc\n%s\n' "$BUSYBOX_REST" >"$1/etc/inittab"
}

peer_sysvinit() {
  peer_package sysvinit-core "$1" || return 1
  libraries_of "$1" "$1/usr/sbin/init"
  ln -s /usr/sbin/init "$1/bench/init"
  rc_script "$1" /etc/rc
  printf '#!/bin/sh\nkill -TERM -1\nkill -KILL -1\nswapoff -a\numount -a -r\nexec halt -d -f -p\n' >"$1/etc/rc0"
  chmod 755 "$1/etc/rc0"
  cat >"$1/etc/inittab" <<'INITTAB'
id:2:initdefault:
si::sysinit:/etc/rc
l0:0:wait:/etc/rc0
c1:2:once:/bench/core 1
c2:2:once:/bench/core 2
INITTAB
  echo '/usr/sbin/init 0' >"$1/bench/quit-with"
}

peer_runit() {
  local program file n
  peer_package runit "$1" && peer_package runit-init "$1" || return 1
  for program in runit runit-init runsvdir runsv; do
    file=$(find "$1/usr" -name "$program" -type f | head -n1)
    libraries_of "$1" "$file"
  done
  ln -s "$(cd "$1" && find usr -name runit -type f | head -n1 | sed 's|^|/|')" "$1/bench/init"
  rm -rf "$1/etc/service" "$1/etc/runit/runsvdir"
  mkdir -p "$1"/etc/runit "$1"/etc/service/core1 "$1"/etc/service/core2
  rm -f "$1"/etc/runit/[123] "$1/etc/runit/ctrlaltdel"
  rc_script "$1" /etc/runit/1
  printf '#!/bin/sh\nexec runsvdir -P /etc/service\n' >"$1/etc/runit/2"
  printf '#!/bin/sh\nswapoff -a\numount -a -r\n' >"$1/etc/runit/3"
  for n in 1 2; do
    printf '#!/bin/sh\nexec /bench/core %s\n' "$n" >"$1/etc/service/core$n/run"
    chmod 755 "$1/etc/service/core$n/run"
  done
  # supervise/ lies on the root, which stage 1 makes writable
  chmod 755 "$1"/etc/runit/[123]
  echo '/usr/sbin/init 0' >"$1/bench/quit-with"
}
