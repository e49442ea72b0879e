# SPDX-License-Identifier: MIT
# smctl.bash - completion of smctl(8) for bash

_smctl_sessions() {
  smctl sessions 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# _smctl_groups WORD... - names and numbers of the queue that these words are about
_smctl_groups() {
  local -a where=()
  while (($# > 1)); do
    case $1 in
    --root | --state | --hive) where+=("$1" "$2") && shift ;;
    esac
    shift
  done
  smctl pending "${where[@]}" list 2>/dev/null |
    awk '/^classic/ { exit } $1 ~ /^[0-9]+$/ {
      print $1; name = substr($0, 55); if (name != "-" && name !~ / /) print name }'
}

# _smctl_pending CUR PREV VERB WORD... - for smctl pending
_smctl_pending() {
  local cur=$1 prev=$2 verb=$3 words='--json --help --root --state --hive'
  shift 3
  case $prev in
  --root | --state)
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    return
    ;;
  --hive | -m | --manifest | -d | --delete | --delete-if-there)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  --drive | =) # bash takes C:=DIR for three words where : and = break them
    mapfile -t COMPREPLY < <(compgen -d -P "${cur%"${cur#[A-Za-z]:=}"}" -- "${cur#[A-Za-z]:=}")
    return
    ;;
  -g | --group)
    mapfile -t COMPREPLY < <(compgen -W "$(_smctl_groups "$@" | grep '[^0-9]')" -- "$cur")
    return
    ;;
  --keep | --days | --mib) return ;;
  esac
  if [[ $verb == add && $cur != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
  fi
  case $verb in
  '') words="add list show check report cancel undo retry purge apply clear $words --drive" ;;
  list) words="$words --drive" ;;
  check) words="$(_smctl_groups "$@") $words --drive" ;;
  add) words="$words --replace --delete --delete-if-there --manifest --null --group --reason
    --digest --allow-protected --check" ;;
  undo) words="$(_smctl_groups "$@") $words --reason" ;;
  show | report | cancel | retry) words="$(_smctl_groups "$@") $words" ;;
  purge) words="$words --keep --days --mib --unaccepted --check" ;;
  apply) words="$words --fallback" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
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
    --root | --state | --hive | --drive | --keep | --days | --mib) ((at++)) ;;
    -m | --manifest | -g | --group | --delete | --delete-if-there) ((at++)) ;;
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
    _smctl_pending "$cur" "$prev" "$second" "${COMP_WORDS[@]}"
    return
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
