#!/bin/sh
# SPDX-License-Identifier: MIT
#
# autochk.sh AUTOCHK AUTOCHK_MASTER - autochk for real: ext4 image files on loop devices, in a mount
# namespace of their own. AUTOCHK-full lies beside AUTOCHK. Speaks TAP. Needs root and the initial
# pid namespace (only there does autochk touch devices); without them it is skipped with a line.
# Mounts end with the namespace; loop devices are given back on every way out.
set -u
export LC_ALL=C

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

if [ "${AUTOCHK_IN_NAMESPACE-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ "$(readlink /proc/self/ns/pid)" = "pid:[4026531836]" ] ||
		skip "needs the initial pid namespace"
	for tool in losetup mkfs.ext4 e2fsck debugfs unshare; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
	AUTOCHK_IN_NAMESPACE=1 exec unshare --mount --propagation private sh "$0" "$@"
fi

autochk=$(readlink -f "$1")
master=$(readlink -f "$2")
work=$(mktemp -d)
loops=""
image="" # the image in a root of its own, "" = the one just built
count=0
failed=0

cleanup() {
	cd /
	umount -R "$work/root" 2>/dev/null
	for m in "$work/data/sub/bound" "$work/data/sub" "$work/data" "$work/two"; do
		umount "$m" 2>/dev/null
	done
	umount /etc/fstab 2>/dev/null
	umount /usr/sbin/fsck.ext4 2>/dev/null
	for l in $loops; do
		losetup -d "$l" 2>/dev/null
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# check NAME COMMAND... - one assertion
check() {
	name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/check.out" 2>&1; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		sed 's/^/# /' "$work/check.out" "$work/out"
	fi
}
has() { grep -q -e "$1" "$work/out"; }
lacks() { ! grep -q -e "$1" "$work/out"; }
mounted() { grep -q " $1 " /proc/self/mountinfo; }
not() { ! "$@"; }
status() { [ "$code" = "$1" ]; }
# run [MASTER OPTIONS] -- ARGS: autochk as the session manager starts it
run() {
	options=""
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	# never the machine's own root
	[ -n "$image" ] || set -- "$@" /k:/
	# shellcheck disable=SC2086
	"$master" $options "${image:-$autochk}" "$@" >"$work/out" 2>&1
	code=$?
}
# volume NAME MIB: an ext4 image with a file in it, on a loop device named by $loop
volume() {
	truncate -s "$2M" "$work/$1.img"
	mkfs.ext4 -q -F -L "$1" "$work/$1.img"
	echo content >"$work/file"
	debugfs -w -R "write $work/file file" "$work/$1.img" >/dev/null 2>&1
	attach "$1"
}
attach() {
	loop=$(losetup -f --show "$work/$1.img") || exit 1
	loops="$loops $loop"
}
# plant NAME-OR-DEVICE: a wrong link count and the error flag
plant() {
	debugfs -w -R "sif file links_count 5" "$1" >/dev/null 2>&1
	debugfs -w -R "ssv state 2" "$1" >/dev/null 2>&1
}
unmount_all() {
	umount "$work/data/sub/bound" 2>/dev/null
	umount "$work/data/sub" 2>/dev/null
	umount "$work/data" 2>/dev/null
	umount "$work/two" 2>/dev/null
}

echo "TAP version 13"
mkdir "$work/data" "$work/two" "$work/state"
cp /proc/cmdline "$work/words"
words() { echo "$1 smss.state=$work/state" >"$work/words"; }
words ""
mount --bind "$work/words" /proc/cmdline
# fstab: standard input and a line that keeps the machine's root as it is
fstab() { { cat; echo "none / auto ro 0 0"; } >"$work/fstab"; }
fstab </dev/null
[ -e /etc/fstab ] || : >/etc/fstab
mount --bind "$work/fstab" /etc/fstab

# ---- a damaged volume ------------------------------------------------------------------------------
volume data 16
data=$loop
plant "$data"
echo "$data $work/data ext4 defaults 0 2" | fstab
check "the planted volume is bad before" not e2fsck -fn "$data"

run -- -n '*'
check "a dry run names the volume" has "^skipped 0 $data: would be checked: ext4, errors recorded"
check "a dry run repairs nothing" not e2fsck -fn "$data"
check "a dry run mounts nothing" not mounted "$work/data"

words "fsck.mode=skip"
run -- '*'
check "fsck.mode=skip is obeyed" has "not checked: fsck.mode=skip"
unmount_all
words "fsck.repair=no"
run -- '*'
check "fsck.repair=no finds errors and leaves them" has "fsck.ext4 -n.*errors left (4)"
check "a volume with errors left is mounted read-only" has "^degraded .*$work/data.*read-only"
check "what is left is a failure" status 1
unmount_all
words ""

run -- '*'
check "the item names type, passes and bits" \
	has "^ok 1 $data: ext4, errors recorded: fsck.ext4 -p, passes 1-5: errors fixed (1)"
check "the volume is mounted" mounted "$work/data"
check "its file is there" test -f "$work/data/file"
unmount_all
check "the volume is good after" e2fsck -fn "$data"

run -- '*'
check "a clean volume is not checked" has "^ok 0 $data: ext4, clean"
check "and it is mounted" mounted "$work/data"
before=$(cat /proc/self/mountinfo)
run -- '*'
check "a second run changes no mount" test "$before" = "$(cat /proc/self/mountinfo)"
check "a mounted volume is not checked" has "not checked: mounted read-write"
unmount_all

words "fsck.mode=force"
run -- '*'
check "fsck.mode=force checks a clean volume" has "^ok 0 $data: .*passes 1-5: clean (0)"
unmount_all
words ""

# ---- errors that preening leaves ---------------------------------------------------------------------
debugfs -w -R "sif <2> mode 0" "$data" >/dev/null 2>&1
debugfs -w -R "ssv state 2" "$data" >/dev/null 2>&1
run -- '*'
unmount_all
check "what preening leaves is repaired by a second run" has "fsck.ext4 -p then -y.*errors fixed"
check "the volume is good then" e2fsck -fn "$data"

# ---- requests ------------------------------------------------------------------------------------------
run -- /p "$data" '*'
check "/p checks a clean volume" has "check asked for.*clean (0)"
unmount_all
run -- /p "$data" '*'
check "/p runs once for a hive" has "^skipped 0 $data: /p has run already"
check "the volume is only looked at then" has "^ok 0 $data: ext4, clean"
unmount_all
run -h 9 -- /p "$work/data" '*'
check "another hive is another request; a mount point names the volume" has "check asked for"
unmount_all
plant "$data"
run -- "/k:$data" '*'
check "/k leaves a bad volume unchecked" has "^skipped 0 $data: not checked: /k"
check "/k leaves it bad" test "$(debugfs -R 'show_super_stats -h' "$data" 2>/dev/null |
	grep -c 'with errors')" = 1
unmount_all
run -- /zz /x '*'
check "an unknown switch is said" has "/x: not understood"
check "the rest is done" has "errors fixed"
check "and the exit code is 2" status 2
unmount_all

# ---- a key ---------------------------------------------------------------------------------------------
plant "$data"
run -k -t 20 -- '*'
check "a key leaves the volume unchecked" has "not checked, a key was pressed"
check "the countdown is shown" has "to be checked. A key leaves it unchecked"
unmount_all
run -k -t 0 -- '*'
check "with 0 seconds no key helps" has "errors fixed"
unmount_all
run -k -t 20 -- '*'
check "a clean boot has no countdown" lacks "A key leaves"
unmount_all

# ---- a check that hangs -----------------------------------------------------------------------------------
plant "$data"
printf '#!/bin/sh\nexec sleep 600\n' >"$work/hang"
chmod 755 "$work/hang"
fsck=$(readlink -f /usr/sbin/fsck.ext4)
mount --bind "$work/hang" "$fsck"
run -c 2 -- '*'
umount "$fsck"
check "a check that hangs is killed at its deadline" has "^timeout .*not finished at its deadline"
check "its volume is mounted read-only" has "^degraded .*read-only"
unmount_all
e2fsck -fy "$data" >/dev/null 2>&1

# ---- fstab -------------------------------------------------------------------------------------------------
volume two 8
two=$loop
mount "$data" "$work/data"
mkdir -p "$work/data/sub"
umount "$work/data"
mount "$two" "$work/two"
mkdir -p "$work/two/bound"
umount "$work/two"
fstab <<EOF
# the order is wrong on purpose
$work/data $work/data/sub/bound none bind 0 0
LABEL=two $work/data/sub ext4 noatime 0 2
this-is-no-line
/dev/not-there-1 $work/two ext4 nofail 0 2
/dev/not-there-2 $work/two ext4 defaults 0 2
server:/export $work/two nfs defaults 0 0
$two $work/no-such-directory ext4 defaults 0 0
none none swap sw 0 0
/dev/not-there-3 $work/two ext4 noauto 0 2
LABEL=data $work/data ext4 defaults 0 2
EOF
run -- '*'
check "the lowest mount comes first" mounted "$work/data"
check "what lies on it next" mounted "$work/data/sub"
check "a bind last" mounted "$work/data/sub/bound"
check "a bad line is named" has "/etc/fstab: line 4 cannot be read"
check "nofail makes a missing device no failure" has "^skipped 2 .*not-there-1.*(nofail)\|^skipped 2 .*/two: /dev/not-there-1 not mounted (nofail)"
check "a missing device is a failure" has "^failed 2 .*/two: /dev/not-there-2 not mounted: the device is not there"
check "noauto is left alone" lacks "not-there-3"
check "the network is not waited for" has "server:/export needs the network"
check "a missing mount point is said" has "there is no such directory"
check "it is not made" test ! -e "$work/no-such-directory"
check "something was not done" status 1
unmount_all
echo "LABEL=data /efi ext4 nofail 0 2" | fstab
run -s -- '*'
check "AutoChkSkipSystemPartition skips the system partition" has "AutoChkSkipSystemPartition"
fstab </dev/null

# ---- other pid namespaces ------------------------------------------------------------------------------------
plant "$data"
echo "$data $work/data ext4 defaults 0 2" | fstab
unshare --fork --pid --mount-proc "$master" "$autochk" '*' >"$work/out" 2>&1
code=$?
check "elsewhere nothing is checked" has "^skipped 0 volumes: outside the initial pid namespace"
check "elsewhere nothing is mounted" not mounted "$work/data"
check "elsewhere that is no failure" status 0
fstab </dev/null

# ---- the root ------------------------------------------------------------------------------------------------
tree="$work/tree"
mkdir -p "$tree/usr/lib/smss" "$tree/usr/sbin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/etc" \
	"$tree/tmp" "$tree/data" "$tree/var/lib"
ln -s usr/lib "$tree/lib"
ln -s usr/lib64 "$tree/lib64"
ln -s usr/sbin "$tree/sbin"
mkdir -p "$tree/usr/lib64"
cp "$autochk" "$tree/usr/lib/smss/autochk"
cp "$autochk-full" "$tree/usr/lib/smss/autochk-full"
cp -L /usr/sbin/fsck.ext4 "$tree/usr/sbin/fsck.ext4"
library() { ldconfig -p | sed -n "s,.*$1 .*=> ,,p" | head -n 1; }
for f in "$autochk-full" /usr/sbin/fsck.ext4 "$(library libmount.so.1)" "$(library libblkid.so.1)"; do
	echo "$f"
	ldd "$f" | sed -n 's,.*=> \(/[^ ]*\).*,\1,p; s,^[[:space:]]*\(/[^ ]*\).*,\1,p'
done | sort -u | grep '\.so' | while read -r f; do
	mkdir -p "$tree$(dirname "$(echo "$f" | sed 's,^/lib,/usr/lib,')")"
	cp -L "$f" "$tree$(echo "$f" | sed 's,^/lib,/usr/lib,')"
done
echo content >"$tree/file"
echo "UUID=whatever / ext4 errors=remount-ro,noatime 0 1" >"$tree/etc/fstab"
truncate -s 48M "$work/root.img"
mkfs.ext4 -q -F -d "$tree" "$work/root.img"
attach root
root=$loop
mkdir "$work/root"
image=/usr/lib/smss/autochk
begin_root() {
	mount -o ro "$root" "$work/root"
	mount --rbind /dev "$work/root/dev"
	mount -t proc proc "$work/root/proc"
	mount --bind "$work/words" "$work/root/proc/cmdline"
	mount -t sysfs sysfs "$work/root/sys"
}
end_root() { umount -R "$work/root"; }
root_mode() { grep " $work/root " /proc/self/mountinfo | cut -d' ' -f6 | cut -d, -f1; }

begin_root
run -d "$work/root" -- '*'
check "a clean root is said to be clean" has "^ok 0 .*ext4, clean"
check "it becomes writable" test "$(root_mode)" = rw
check "with the options of fstab" grep -q " $work/root .*noatime" /proc/self/mountinfo
check "and all is well" status 0
run -d "$work/root" -- '*'
check "a second run finds a writable root" has "not checked: mounted read-write"
check "and that is well too" status 0
end_root

plant "$root"
begin_root
run -d "$work/root" -- '*'
check "a damaged root is repaired" has "fsck.ext4 -p, passes 1-5: errors fixed, reboot needed (3)"
check "a reboot is wanted" status 3
check "the root stays read-only until then" test "$(root_mode)" = ro
end_root
check "the root is good after" e2fsck -fn "$root"
begin_root
run -d "$work/root" -- '*'
check "after the reboot it becomes writable" test "$(root_mode)" = rw
check "and nothing wants another one" status 0
end_root

plant "$root"
words "fsck.repair=no"
begin_root
run -d "$work/root" -- '*'
check "a root with errors left stays read-only" test "$(root_mode)" = ro
check "that is said" has "^degraded 0 /: stays read-only"
check "and is trouble" status 1
end_root
words ""
e2fsck -fy "$root" >/dev/null 2>&1

begin_root
mount -o remount,rw "$work/root"
echo "UUID=whatever / ext4 ro 0 1" >"$work/root/etc/fstab"
mount -o remount,ro "$work/root"
run -d "$work/root" -- '*'
check "a root that fstab says is ro stays so" test "$(root_mode)" = ro
end_root

begin_root
mount -o remount,rw "$work/root"
echo "UUID=whatever / ext4 rw,x-mine.remark=1,nodiratime 0 1" >"$work/root/etc/fstab"
mount -o remount,ro "$work/root"
run -d "$work/root" -- '*'
check "options that are not plain go through libmount" test "$(root_mode)" = rw
check "and arrive" grep -q " $work/root .*nodiratime" /proc/self/mountinfo
end_root

begin_root
mount -o remount,rw "$work/root"
rm "$work/root/usr/lib/smss/autochk-full"
echo "none /tmp tmpfs defaults 0 0" >>"$work/root/etc/fstab"
mount -o remount,ro "$work/root"
run -d "$work/root" -- '*'
check "without its other half it says what is missing" has "^failed .*/etc/fstab: libmount.so.1"
check "and makes the root writable" test "$(root_mode)" = rw
check "and that is trouble" status 1
end_root

echo "1..$count"
[ "$failed" = 0 ]
