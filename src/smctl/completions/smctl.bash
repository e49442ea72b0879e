# SPDX-License-Identifier: MIT
# smctl.bash - completion of smctl(8) for bash

_smctl_sessions() {
  smctl sessions 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# _smctl_list CUR WORD... - the next word of a list with commas
_smctl_list() {
  local cur=$1 before=''
  shift
  [[ $cur != *,* ]] || before=${cur%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$*" -- "${cur##*,}")
}

# _smctl_session CUR PREV VERB - for smctl session
_smctl_session() {
  local cur=$1 prev=$2 verb=$3 words='--json --help --socket'
  local held='--memory --processes --cpu --cpu-weight --io --io-weight'
  case $prev in
  --isolate)
    _smctl_list "$cur" mount ipc pid uts net dev all
    return
    ;;
  --owner)
    mapfile -t COMPREPLY < <(compgen -u -- "$cur")
    return
    ;;
  --caps)
    _smctl_list "$cur" none chown dac_override fowner kill net_admin net_bind_service net_raw \
      setgid setuid sys_admin sys_nice sys_ptrace sys_time
    return
    ;;
  --limit)
    mapfile -t COMPREPLY < <(compgen -S = -W 'as core cpu data fsize locks memlock msgqueue nice
      nofile nproc rss rtprio rttime sigpending stack' -- "$cur")
    return
    ;;
  --memory | --processes | --cpu | --cpu-weight | --io | --io-weight) return ;;
  --umask | --oom | --idle | --lifetime) return ;;
  esac
  case $verb in
  '') words="list show new end limits freeze thaw $words" ;;
  show | freeze | thaw) words="$(_smctl_sessions) $words" ;;
  end) words="$(_smctl_sessions) $words --all" ;;
  limits) words="$(_smctl_sessions) $words $held" ;;
  new)
    if [[ $cur != -* ]]; then
      mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      return
    fi
    words="$words $held --isolate --owner --caps --no-new-privs --umask --limit --oom --idle
      --lifetime"
    ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
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
    -t) [[ $verb == exec ]] || ((at++)) ;;
    -s | --socket | --reason | --timeout | --session | -o | --only) ((at++)) ;;
    --memory | --processes | --cpu | --cpu-weight | --io | --io-weight) ((at++)) ;;
    --isolate | --owner | --caps | --umask | --limit | --oom | --idle | --lifetime) ((at++)) ;;
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
  case $verb:$prev in
  exec:-s | exec:--session)
    mapfile -t COMPREPLY < <(compgen -W "$(_smctl_sessions)" -- "$cur")
    return
    ;;
  *:-s | *:--socket)
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
    ;;
  events:-o | events:--only)
    _smctl_list "$cur" boot session shutdown
    return
    ;;
  exec:-t) ;;
  *:--reason | *:-t | *:--timeout) return ;;
  esac
  case $verb in
  '') words="$verbs $words --version" ;;
  help) words=$verbs ;;
  session)
    _smctl_session "$cur" "$prev" "$second"
    return
    ;;
  events) words="$words --follow --only" ;;
  exec)
    if [[ -z $second && $cur == -* ]]; then
      words='--json --help --socket --session --terminal --detach'
    elif [[ -z $second ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$(_smctl_sessions)" -- "$cur"; compgen -c -- "$cur")
      return
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
