# SPDX-License-Identifier: MIT
# smaudit.bash - completion of smaudit(8) for bash

_smaudit() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' at=1
  local words='--colour --quiet --progress --output --help --version'
  local told='--format --json --all' processes='--grace --late --system-root --host'
  local images='--roots --catalog --catalog-key'
  COMPREPLY=()
  while ((at < COMP_CWORD)); do
    case ${COMP_WORDS[at]} in
    --format | --grace | --late | --system-root | --host | --logs | --claimed | --roots | --root | \
      --catalog | --catalog-key | --colour | --output | -o) ((at++)) ;;
    -*) ;;
    *) [[ -n $verb ]] || verb=${COMP_WORDS[at]} ;;
    esac
    ((at++))
  done
  case $prev in
  --format)
    words='text ndjson ecs'
    [[ $verb != profile ]] || words='text json html'
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    return
    ;;
  --colour)
    mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
    return
    ;;
  --logs | --roots | --catalog | --catalog-key | --output | -o)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  --root)
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    return
    ;;
  --grace | --late | --system-root | --host | --claimed) return ;;
  esac
  case $verb in
  '') words="all live hive processes evtx image profile rules $words $told" ;;
  all) words="$words $told $processes --logs $images" ;;
  live) words="$words $told --grace --late --root" ;;
  hive) words="$words $told --logs --host" ;;
  processes | evtx) words="$words $told $processes" ;;
  image) words="$words $told --claimed --host $images" ;;
  profile) words="$words --format --json $processes --logs $images" ;;
  rules) words="$words --json" ;;
  *) words="$words $told $processes" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [[ $cur != -* && $verb != live && $verb != rules ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _smaudit smaudit
