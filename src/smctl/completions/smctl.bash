# SPDX-License-Identifier: MIT
# smctl.bash - completion of smctl(8) for bash

_smctl_sessions() {
  smctl sessions 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_smctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local verbs='status tree sessions session exec boot wait events stops known probe
    poweroff reboot halt pending pagefiles help'
  local words='--json --socket --help' verb='' second='' at=1
  COMPREPLY=()
  while ((at < COMP_CWORD)); do
    case ${COMP_WORDS[at]} in
    -s | --socket | --reason | -t | --timeout) ((at++)) ;;
    -*) ;;
    *)
      if [[ -z $verb ]]; then
        verb=${COMP_WORDS[at]}
      elif [[ -z $second ]]; then
        second=${COMP_WORDS[at]}
      fi
      ;;
    esac
    ((at++))
  done
  case $prev in
  -s | --socket)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  --reason | -t | --timeout) return ;;
  esac
  case $verb in
  '') words="$verbs $words --version" ;;
  help) words=$verbs ;;
  session)
    case $second in
    '') words='new end' ;;
    end) words="$(_smctl_sessions) $words" ;;
    new)
      mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      return
      ;;
    esac
    ;;
  exec)
    if [[ -z $second ]]; then
      words="$(_smctl_sessions) $words --detached"
    else
      mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
      return
    fi
    ;;
  pending)
    case $cur$second in
    /* | *add)
      [[ $cur == -* ]] || {
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
      }
      ;;
    esac
    words="$words --root --state --hive --drive"
    case $second in
    '') words="add list show check report cancel undo retry purge apply clear $words" ;;
    add) words="$words --replace --delete --manifest --null --group --reason --digest
      --allow-protected --check" ;;
    undo) words="$words --reason" ;;
    purge) words="$words --keep --days --mib --unaccepted" ;;
    apply) words="$words --fallback" ;;
    esac
    ;;
  boot)
    if [[ $second == reject ]]; then
      words="$words --force"
    elif [[ -z $second ]]; then
      words="accept reject next-lkg $words --follow --phases"
    fi
    ;;
  wait)
    if [[ -z $second ]]; then words='ready'; else words="$words --timeout"; fi
    ;;
  poweroff | reboot | halt) words="$words --fast --reason" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _smctl smctl
