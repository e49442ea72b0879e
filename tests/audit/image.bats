#!/usr/bin/env bats
# Images: what is signed how, by whom and under which root, and what each says it is. They are made by
# make_images with mingw-w64 and osslsigncode, and never run; the foreign one is Debian's shim.

# Each test is a shell of its own, and so are its ROOTS.
# shellcheck disable=SC2030,SC2031
load lib.bash

setup_file() {
  export IMAGES=$BATS_FILE_TMPDIR/images
  MADE=0
  "$BATS_TEST_DIRNAME/make_images" "$IMAGES" >"$BATS_FILE_TMPDIR/made" 2>&1 || MADE=$?
  export MADE
}

setup() {
  [ "$MADE" -ne 77 ] || skip "$(tail -n 1 "$BATS_FILE_TMPDIR/made")"
  [ "$MADE" -eq 0 ] || {
    cat "$BATS_FILE_TMPDIR/made"
    return 1
  }
  ROOTS=(--roots "$IMAGES/root.pem")
}

# told NAME - what is told of one image, as sorted "verdict rule severity"; the exit status in $status
told() {
  run "$AUDIT" image --format ndjson "${ROOTS[@]}" "${@:2}" "$IMAGES/$1/smss.exe"
  TOLD=$(python3 -c 'import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if "rule" in o and o.get("verdict") in ("finding", "indeterminate"):
        print(o["verdict"], o["rule"], *([o["severity"]] if o["verdict"] == "finding" else []))' <<<"$output" | sort)
}

# is NAME STATUS [LINE...] - exactly these
is() {
  local want
  told "$1"
  want=$(printf '%s\n' "${@:3}" | sort)
  if [ "$status" -ne "$2" ] || [ "$TOLD" != "$want" ]; then
    printf '%s: status %s, told:\n%s\nwanted %s:\n%s\n%s\n' "$1" "$status" "$TOLD" "$2" "$want" "$output"
    return 1
  fi
}

# evidence NAME FIELD - of the line that --all adds for every image
evidence() {
  "$AUDIT" image --all --format ndjson "${ROOTS[@]}" "$IMAGES/$1/smss.exe" | python3 -c 'import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if o.get("subject", "").endswith("(facts)"):
        print(o["evidence"].get(sys.argv[1], ""))' "$2"
}

@test "an image signed as Windows signs its own gives nothing, with and without a time stamp" {
  for name in genuine stamped countersigned nested sha1 two-entries checksum expired-stamped; do
    is "$name" 0
  done
}

@test "under a root that was not given the same image is told" {
  ROOTS=()
  is genuine 1 'finding wrong-signer high'
}

@test "an image without a signature is indeterminate: a catalogue could vouch for it" {
  is unsigned 3 'indeterminate unsigned-image'
  [[ $output == *CatRoot* ]]
  is unsigned-overlay 3 'indeterminate unsigned-image'
}

@test "without a signature and with another mismatch it is a finding" {
  is bare 1 'finding identity-mismatch high' 'finding unsigned-image high'
  is gui 1 'finding identity-mismatch high' 'finding unsigned-image high'
  is company 1 'finding identity-mismatch high' 'finding unsigned-image high'
}

@test "a product of the same company under the name of smss.exe is told" {
  is renamed 1 'finding identity-mismatch high' 'finding wrong-signer high'
  [[ $output == *'Microsoft Corporation'* ]]
}

@test "a right signature on a program that is not native is told" {
  is gui-signed 1 'finding identity-mismatch high'
}

@test "a changed byte, changed bytes behind it, and a changed signature are told" {
  for name in tampered redigested appended nested-tampered broken-signature; do
    is "$name" 1 'finding unsigned-image high'
  done
}

@test "an expired signature is told, also when it was stamped too late" {
  is expired 1 'finding unsigned-image medium'
  is stamped-late 1 'finding unsigned-image medium'
}

@test "a time stamp of another signature, or of anybody, prolongs nothing" {
  is stolen-stamp 1 'finding unsigned-image medium'
  is stamped-by-anybody 1 'finding unsigned-image medium'
}

@test "signatures inside of others are read, and when each was made" {
  [[ $(evidence nested signatures) == 'trusted, sha256,'*'; nested: trusted, sha512, by Microsoft Windows,'* ]]
  [[ $(evidence expired-stamped signatures) == *', stamped 2015-06-22' ]]
  [[ $(evidence countersigned signatures) == *', stamped 20'* ]]
}

@test "names of Microsoft under a foreign root are told, whatever the root is called" {
  is forged-root 1 'finding wrong-signer high'
  is forged-root-embedded 1 'finding wrong-signer high'
  is foreign-root 1 'finding wrong-signer high'
}

@test "a root of Microsoft that is not known here leaves it open, and does when it is given" {
  is newer-root 3 'indeterminate wrong-signer'
  [[ $output == *--roots* ]]
  ROOTS+=(--roots "$IMAGES/newer.pem")
  is newer-root 0
}

@test "certificates that may not sign Windows' files are told" {
  is wrong-issuer 1 'finding wrong-signer high'
  is mail-eku 1 'finding wrong-signer high'
  is md5 1 'finding wrong-signer high'
  is not-an-authority 1 'finding wrong-signer high'
  is plain-eku 1 'finding wrong-signer medium'
}

@test "bytes in the certificate table that no signature covers are told" {
  is slack 1 'finding unsigned-image medium'
  is loose 1 'finding unsigned-image medium'
}

@test "a table that cannot be read, and a file cut short, are told" {
  is garbled 1 'finding unsigned-image high'
  is cut 1 'finding identity-mismatch high' 'finding unsigned-image high'
}

@test "the path that it had decides where it may lie" {
  told genuine --claimed 'C:\Windows\System32\smss.exe'
  [ "$status" -eq 0 ] && [ -z "$TOLD" ]
  told genuine --claimed '\Device\HarddiskVolume3\Windows\System32\smss.exe'
  [ "$status" -eq 0 ] && [ -z "$TOLD" ]
  told genuine --claimed 'C:\Windows\Fonts\smss.exe'
  [ "$status" -eq 1 ] && [ "$TOLD" = 'finding wrong-path high' ]
  told genuine --claimed 'C:\Windows\System32\svc.exe'
  [ "$status" -eq 1 ] && [ "$TOLD" = 'finding identity-mismatch high' ]
}

@test "digest and verdict are those of osslsigncode" {
  local dir name ours theirs n=0
  for dir in "$IMAGES"/*/smss.exe; do
    name=$(basename "$(dirname "$dir")")
    case $name in
      # it reads neither several entries, nor a table that does not end the file or is cut, nor garbage
      two-entries | appended | cut | loose | garbled) continue ;;
      sha1) continue ;; # its digest is not the one that is shown
      md5) continue ;;  # it takes what can be forged
    esac
    theirs=$(osslsigncode verify -CAfile "$IMAGES/root.pem" -TSA-CAfile "$IMAGES/root.pem" -in "$dir" 2>&1) || true
    ours=$(evidence "$name" signatures)
    if [[ $theirs == *'No signature found'* ]]; then
      [ "$ours" = 'none embedded' ]
    else
      [ "$(evidence "$name" authentihash)" = \
        "$(sed -n 's/^Calculated message digest *: \([0-9A-F]\{64\}\) .*/\L\1/p' <<<"$theirs" | head -n 1)" ]
      if grep -q '^Signature verification: ok' <<<"$theirs"; then
        [[ $ours == trusted* ]]
      else
        [[ $ours != *trusted,* || $ours == untrusted* ]]
      fi
    fi || {
      printf '%s: ours %s\n%s\n' "$name" "$ours" "$theirs"
      return 1
    }
    n=$((n + 1))
  done
  [ "$n" -ge 25 ]
}

@test "shim-signed: two entries, one under a known authority, one under a root not known here" {
  local shim=/usr/lib/shim/shimx64.efi.signed
  [ -f "$shim" ] || skip "no $shim (shim-signed)"
  run "$AUDIT" image --all --format ndjson "$shim"
  [ "$status" -eq 3 ]
  [[ $output == *'by Microsoft Windows UEFI Driver Publisher, issued by Microsoft Corporation UEFI CA 2011'* ]]
  [[ $output == *'by Microsoft UEFI CA 2023 signer'* ]]
  # its first signature is by a certificate of one year: only its time stamp keeps it
  [[ $output == *'trusted, sha256, by Microsoft Windows UEFI Driver Publisher'*', stamped 20'* ]]
}

@test "a shim under the name of smss.exe is told by identity and signer" {
  local shim=/usr/lib/shim/shimx64.efi.signed
  [ -f "$shim" ] || skip "no $shim (shim-signed)"
  mkdir -p "$IMAGES/shim"
  cp "$shim" "$IMAGES/shim/smss.exe"
  is shim 1 'finding identity-mismatch high' 'finding wrong-signer high'
}

@test "a program that no rule is about is not clean: exit 3, why, and what to do" {
  local dir=$BATS_TEST_TMPDIR
  cp "$IMAGES/bare/smss.exe" "$dir/tool.exe" # it has no version resource
  run "$AUDIT" image "$dir/tool.exe"
  [ "$status" -eq 3 ]
  [[ $output == *'this is not clean'*'Indeterminate   unsigned-image: a rule about a program of this name; --claimed PATH'* ]]
  run "$AUDIT" image "$dir/tool.exe" --claimed 'C:\Windows\System32\smss.exe'
  [ "$status" -eq 1 ]
  run "$AUDIT" image "$dir/tool.exe" --format ecs
  [ "$(jq -r '"\(.event.category[0]) \(.labels.verdict)"' <<<"$output")" = 'file indeterminate' ]
  cp "$AUDIT" "$dir/tool"
  run "$AUDIT" image "$dir/tool"
  [ "$status" -eq 3 ]
  [[ $output == *--claimed* ]]
}

@test "other images of the system are judged by place and signature" {
  local dir=$BATS_TEST_TMPDIR
  cp "$IMAGES/bare/smss.exe" "$dir/svchost.exe"
  run "$AUDIT" image "$dir/svchost.exe"
  [ "$status" -eq 3 ]
  [[ $output == *'unsigned-image: the catalogues of its machine'* ]]
  run "$AUDIT" image "$dir/svchost.exe" --claimed 'C:\Windows\SysWOW64\svchost.exe'
  [ "$status" -eq 3 ]
  run "$AUDIT" image "$dir/svchost.exe" --claimed 'C:\Windows\svchost.exe'
  [ "$status" -eq 1 ]
  [[ $output == *'does not lie in System32'* ]]
  run "$AUDIT" image "$IMAGES/tampered/smss.exe" --claimed 'C:\Windows\System32\lsass.exe' "${ROOTS[@]}"
  [ "$status" -eq 1 ]
}

@test "what is no image is an input error that names the file" {
  printf 'no image at all\n' >"$BATS_TEST_TMPDIR/smss.exe"
  run "$AUDIT" image "$BATS_TEST_TMPDIR/smss.exe"
  [ "$status" -eq 2 ]
  [[ $output == *"$BATS_TEST_TMPDIR/smss.exe"* ]]
  run "$AUDIT" image "$BATS_TEST_TMPDIR/absent.exe"
  [ "$status" -eq 2 ]
}

@test "an old program under the name of smss.exe is told" {
  mkdir -p "$IMAGES/old"
  { printf 'MZ' && head -c 200 /dev/zero; } >"$IMAGES/old/smss.exe"
  is old 1 'finding identity-mismatch high' 'finding unsigned-image high'
}

@test "an image of ours is open without a signed catalogue" {
  mkdir -p "$IMAGES/lib/smss"
  cp "$AUDIT" "$IMAGES/lib/smss/csrss"
  run "$AUDIT" image "$IMAGES/lib/smss/csrss"
  [ "$status" -eq 3 ]
  [[ $output == *catalogue* ]]
}
