#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tools/sign-images, and images held against the catalogue that it makes.

load lib.bash

setup() {
  command -v signify-openbsd >/dev/null || skip "signify-openbsd is not installed"
  cd "$BATS_TEST_TMPDIR"
  SIGN=$BATS_TEST_DIRNAME/../../tools/sign-images
  OURS=stage/usr/lib/smss
  mkdir -p "$OURS" stage/usr/bin
  for name in "$OURS/smss" "$OURS/csrss" "stage/usr/bin/tool"; do
    cp /bin/true "$name"
    printf '%s' "$name" >>"$name"
  done
  signify-openbsd -G -n -p key.pub -s key.sec
}

judge() { run "$AUDIT" image "$@" --catalog "$OURS/catalog.sig" --catalog-key key.pub --all; }

@test "what it signs is what signify checks, other programs by their whole path" {
  "$SIGN" -s key.sec "$OURS" /usr/bin/tool
  (cd "$OURS" && signify-openbsd -C -q -p "$BATS_TEST_TMPDIR/key.pub" -x catalog.sig smss csrss)
  judge "$OURS/csrss"
  [[ $output == *"as it is"* ]]
  judge stage/usr/bin/tool --claimed /usr/bin/tool
  [[ $output == *"as it is"* ]]
  printf x >>stage/usr/bin/tool
  judge stage/usr/bin/tool --claimed /usr/bin/tool
  [ "$status" -eq 1 ]
  [[ $output == *"not the file that stands in the signed catalogue"* ]]
}

@test "an image that nothing in the catalogue is named like is undecided, not clean" {
  "$SIGN" -s key.sec "$OURS"
  cp "$OURS/smss" other
  judge other
  [ "$status" -eq 3 ]
  [[ $output == *"--claimed"* ]]
}

@test "what is missing or no image directory is refused, and the catalogue stays" {
  "$SIGN" -s key.sec "$OURS"
  cp "$OURS/catalog.sig" before
  run "$SIGN" -s key.sec "$OURS" /usr/bin/none
  [ "$status" -ne 0 ]
  [[ $output == *"/usr/bin/none"* ]]
  run "$SIGN" -s key.sec "$OURS" usr/bin/tool
  [ "$status" -ne 0 ]
  run "$SIGN" -s key.sec stage
  [ "$status" -ne 0 ]
  cmp "$OURS/catalog.sig" before
}

@test "a name that no catalogue can have is refused" {
  cp /bin/true "$OURS/a b"
  run "$SIGN" -n -s key.sec "$OURS"
  [ "$status" -ne 0 ]
  [[ $output == *"a b"* ]]
}
