# SPDX-License-Identifier: MIT
# smreg.bash - completion of smreg(8) for bash

_smreg() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local words='--hive --state --help' reading='--salvage --no-logs' verb='' at=1
  COMPREPLY=()
  while ((at < COMP_CWORD)); do
    case ${COMP_WORDS[at]} in
    --hive | --state | --value | --type | --data | --output | --with | --sets | --from) ((at++)) ;;
    -*) ;;
    *) [[ -n $verb ]] || verb=${COMP_WORDS[at]} ;;
    esac
    ((at++))
  done
  case $prev in
  --hive | --output | --with | --from)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  --state)
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    return
    ;;
  --type)
    mapfile -t COMPREPLY < <(compgen -W 'REG_SZ REG_EXPAND_SZ REG_MULTI_SZ REG_DWORD REG_QWORD
      REG_BINARY' -- "$cur")
    return
    ;;
  --sets)
    mapfile -t COMPREPLY < <(compgen -W 'current,lastknowngood current,default 1,2' -- "$cur")
    return
    ;;
  --value | --data) return ;;
  esac
  case $verb in
  '') words="init import restore query export add delete copy edit check diff plan $words --version" ;;
  init | import)
    if [[ $cur != -* ]]; then
      mapfile -t COMPREPLY < <(compgen -f -X '!*.reg' -- "$cur"; compgen -d -S / -- "$cur")
      return
    fi
    words="$words --force"
    [[ $verb == init ]] || words="$words --whole"
    ;;
  restore) words="$words --previous --lkg --force" ;;
  query) words="$words --value --recursive --times --json $reading" ;;
  export) words="$words --output --utf16 --readable --force $reading" ;;
  add) words="$words --value --type --data --force" ;;
  delete) words="$words --value --force" ;;
  copy) words="$words --recursive --from --force $reading" ;;
  edit) words="$words --force" ;;
  check) words="$words --all --json $reading" ;;
  diff) words="$words --with --sets --whole --short --json --output --utf16 --readable $reading" ;;
  plan) words="$words --json --write $reading" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _smreg smreg
