# SPDX-License-Identifier: MIT
# smreg.bash - completion of smreg(8) for bash

_smreg() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local words='--hive --state --help' verb='' at=1
  COMPREPLY=()
  while ((at < COMP_CWORD)); do
    case ${COMP_WORDS[at]} in
    --hive | --state | --value | --type | --data | --output) ((at++)) ;;
    -*) ;;
    *) [[ -n $verb ]] || verb=${COMP_WORDS[at]} ;;
    esac
    ((at++))
  done
  case $prev in
  --hive | --output)
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
  --value | --data) return ;;
  esac
  case $verb in
  '') words="init import query export add delete check plan $words --version" ;;
  init | import)
    if [[ $cur != -* ]]; then
      mapfile -t COMPREPLY < <(compgen -f -X '!*.reg' -- "$cur"; compgen -d -S / -- "$cur")
      return
    fi
    words="$words --force"
    ;;
  query) words="$words --value --recursive --json" ;;
  export) words="$words --output" ;;
  add) words="$words --value --type --data --force" ;;
  delete) words="$words --value --force" ;;
  check) words="$words --all --json" ;;
  plan) words="$words --json --write" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _smreg smreg
