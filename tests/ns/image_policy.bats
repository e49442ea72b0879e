#!/usr/bin/env bats
# ImagePolicy: copies start only what the signed catalogue vouches for, and a catalogue that cannot be
# believed stops a level, never the machine.

setup() {
  load lib.bash
  command -v signify-openbsd >/dev/null || skip "signify-openbsd is not installed"
  machine
  cp -a "$STAGE/." "$BATS_TEST_TMPDIR/stage"
  STAGE=$BATS_TEST_TMPDIR/stage
  WHOLE=$BATS_TEST_TMPDIR/whole # the root that the hive is made for: files as they will lie
  mkdir -p "$WHOLE/etc/smss" "$WHOLE/usr/lib"
  ln -s "$STAGE/usr/lib/smss" "$WHOLE/usr/lib/smss"
  HIVE=$WHOLE/etc/smss/SYSTEM
  signify-openbsd -G -n -p "$WHOLE/etc/smss/catalog.pub" -s "$BATS_TEST_TMPDIR/catalog.sec"
  chmod 644 "$WHOLE/etc/smss/catalog.pub"
  hive
  sign
}

# sign - all images as they are now
sign() {
  "$BATS_TEST_DIRNAME/../../tools/sign-images" -s "$BATS_TEST_TMPDIR/catalog.sec" "$STAGE/usr/lib/smss" >/dev/null
}

policy() { value 'Session Manager' ImagePolicy REG_SZ "$@"; }
edit() { printf x >>"$STAGE/usr/lib/smss/$1"; }
boot() {
  cp -a "$WHOLE/etc/smss/." "$M/root/etc/smss/"
  start
}

@test "what sign-images makes, signify checks" {
  cd "$STAGE/usr/lib/smss"
  run signify-openbsd -C -p "$WHOLE/etc/smss/catalog.pub" -x catalog.sig
  [ "$status" -eq 0 ]
  [[ $output == *"csrss: OK"* ]]
}

@test "off: nobody looks" {
  edit winlogon
  boot
  ready
  tells_not 'catalogue' ctl boot
  off
}

@test "enforce: what is signed boots, and the plan beside the hive is taken as it is" {
  policy enforce
  "$SMREG" plan --hive "$HIVE" | grep -q 'in the signed catalogue; any other one: not started'
  boot
  ready
  tells_not 'SYSTEM.plan' ctl boot
  wait_for 5 ctl session show 1
  off
}

@test "enforce: an edited winlogon is not started, and the row says why" {
  policy enforce
  edit winlogon
  boot
  wait_for 20 seen 'is not the one of the signed catalogue'
  ctl boot | grep winlogon | grep -q 'is not the one of the signed catalogue'
  ctl session show 0 | grep -q wininit
  off
}

@test "enforce: a BootExecute program that nobody signed is not started" {
  value 'Session Manager' BootExecute REG_MULTI_SZ 'autocheck autochk *\0/usr/bin/true'
  policy enforce
  boot
  ready
  row /usr/bin/true refused 'not in the signed catalogue' || row true refused 'not in the signed catalogue'
  off
}

@test "warn: an edited winlogon is started, and told" {
  policy warn
  edit winlogon
  boot
  ready
  row winlogon degraded 'started: ImagePolicy is warn'
  off
}

@test "another catalogue: the plan is stale, and the new one counts" {
  policy enforce
  edit winlogon
  sign
  boot
  ready
  row SYSTEM.plan degraded 'the signed catalogue of images is another one now'
  tells_not 'is not the one' ctl boot
  off
}

@test "enforce without a catalogue: no commit makes that, and a boot leaves the level" {
  policy enforce
  rm "$STAGE/usr/lib/smss/catalog.sig"
  run policy enforce
  [ "$status" -ne 0 ]
  boot
  wait_for 20 eval 'ctl status | grep -q built-in'
  row SYSTEM refused 'ImagePolicy'
}

@test "enforce with a catalogue that somebody changed: the same" {
  policy enforce
  sed -i '3s/= ..../= 0000/' "$STAGE/usr/lib/smss/catalog.sig"
  boot
  wait_for 20 eval 'ctl status | grep -q built-in'
  row SYSTEM refused 'signature'
}

@test "warn without a catalogue: it boots, and says that nothing is checked" {
  policy warn
  rm "$STAGE/usr/lib/smss/catalog.sig"
  boot
  ready
  row SYSTEM degraded 'images are not checked'
  off
}

# step TEXT - a command that README and smss-registry(5) name, run on the machine of the test
step() {
  local top=$BATS_TEST_DIRNAME/../.. line=$1
  grep -qF -- "${line%%$'\n'*}" "$top/README.md" "$top/src/registry/smss-registry.5" || {
    sed 's/\\(dq/"/g; s/\\e/\\/g' "$top/src/registry/smss-registry.5" | grep -qF -- "${line%%$'\n'*}"
  } || {
    echo "nobody is told: $line"
    return 1
  }
  line=${line//\/usr\/lib\/smss/$STAGE/usr/lib/smss}
  line=${line//\/etc\/smss/$WHOLE/etc/smss}
  line=${line/smreg add/$SMREG add --hive $HIVE}
  (cd "$BATS_TEST_TMPDIR/keys" && eval "${line/tools\/sign-images/$top/tools/sign-images}")
}

@test "the steps that the manual names: sign, warn, enforce, and back" {
  mkdir "$BATS_TEST_TMPDIR/keys"
  rm "$WHOLE/etc/smss/catalog.pub" "$STAGE/usr/lib/smss/catalog.sig"
  policy_is() {
    step "smreg add \"CurrentControlSet\\Control\\Session Manager\" \\
  --value ImagePolicy --data $1"
  }
  # a passphrase is asked for; a test has none
  grep -qF 'signify-openbsd -G -p catalog.pub -s catalog.sec' "$BATS_TEST_DIRNAME/../../README.md"
  (cd "$BATS_TEST_TMPDIR/keys" && signify-openbsd -G -n -p catalog.pub -s catalog.sec)
  step 'tools/sign-images -s catalog.sec /usr/lib/smss'
  step 'install -m 644 catalog.pub /etc/smss/catalog.pub'
  policy_is warn
  edit winlogon
  boot
  ready
  row winlogon degraded 'started: ImagePolicy is warn'
  run inside smaudit live --format ndjson
  [[ $output == *'"unsigned-image"'* ]]
  off
  step 'tools/sign-images -s catalog.sec /usr/lib/smss'
  policy_is enforce
  boot
  ready
  tells_not 'is not the one' ctl boot
  off
  edit winlogon
  boot
  wait_for 20 seen 'is not the one of the signed catalogue'
  off
  # back: the word rescue starts what no hive can refuse, and there the policy is turned off
  start rescue
  ready
  inside smreg add "CurrentControlSet\\Control\\Session Manager" --value ImagePolicy --data off
  inside cat /etc/smss/SYSTEM >"$M/hive" # a machine of the tests forgets its root
  off
  cp "$M/hive" "$M/root/etc/smss/SYSTEM"
  start
  ready
  tells_not 'is not the one' ctl boot
  wait_for 5 ctl session show 1
  off
}
