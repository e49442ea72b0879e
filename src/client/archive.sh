#!/bin/sh
# SPDX-License-Identifier: MIT
# archive.sh - libsm.a: one object with the public functions as its only global symbols
#
# A static library shows its insides to every program it is linked into; names as short as
# str_copy() would collide there. So client and what it needs of the rooms below become one
# relocatable object, and all but the listed symbols become local.
#   archive.sh SYMBOLS OUTPUT CLIENT.a CORE.a -- CC...
set -eu
symbols=$1 output=$2 client=$3 core=$4
shift 5
object=$output.o
"$@" -r -nostdlib -o "$object" -Wl,--whole-archive "$client" -Wl,--no-whole-archive "$core"
objcopy --keep-global-symbols="$symbols" "$object"
rm -f "$output"
ar rcsD "$output" "$object"
rm -f "$object"
