#compdef smctl
# SPDX-License-Identifier: MIT
# smctl.zsh - completion of smctl(8) for zsh

_smctl_sessions() {
  local -a numbers
  numbers=(${(f)"$(smctl sessions 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }')"})
  _describe 'session' numbers
}

_smctl_verbs() {
  local -a verbs
  verbs=(
    'status:what the session manager is doing'
    'tree:sessions and their processes'
    'sessions:one line per session'
    'session:make or end a session'
    'exec:start a program in a session'
    'boot:the timeline of this boot'
    'wait:wait until the boot is ready'
    'events:what happens, one JSON object per line'
    'stops:the stop that ended the previous run'
    'known:the known libraries'
    'pending:what the next boot renames and deletes'
    'probe:what this kernel offers'
    'poweroff:end sessions, write everything, power off'
    'reboot:the same, then start again'
    'halt:the same, then halt the processor'
    'help:help for a verb'
  )
  _describe 'verb' verbs
}

# Names and numbers of the queue that the words so far are about.
_smctl_groups() {
  local -a where groups
  local i
  for ((i = 1; i < CURRENT; i++)); do
    [[ $words[i] == --(root|state|hive) ]] && where+=($words[i] $words[i + 1])
  done
  groups=(${(f)"$(smctl pending $where list 2>/dev/null |
    awk '/^classic/ { exit } $1 ~ /^[0-9]+$/ {
      print $1 ":" $2; name = substr($0, 55)
      if (name != "-" && name !~ /[ :]/) print name ":" $2 }')"})
  _describe 'group' groups
}

_smctl_pending() {
  local verb=${words[(r)(add|list|show|check|report|cancel|undo|retry|purge|apply|clear)]}
  local -a own rest
  rest=('1:verb:(add list show check report cancel undo retry purge apply clear)')
  case $verb in
  add)
    own=('*'{-d,--delete}'[a delete]:path:_files'
      '*--delete-if-there[a delete of what may be gone]:path:_files'
      '(-m --manifest)'{-m,--manifest}'[from a file]:file:_files'
      '(-0 --null)'{-0,--null}'[fields end with NUL]'
      '(-r --replace)'{-r,--replace}'[targets make room]'
      '(-g --group)'{-g,--group}'[its name]:group:_smctl_groups'
      '--reason[why]:text:' '--digest[SHA-256 of large files too]'
      '--allow-protected[protected paths may be touched]' '--check[queue nothing]')
    rest+=('*:path:_files')
    ;;
  list | check) own=('*--drive[a drive of a Windows hive]:X\:=directory:') ;|
  undo) own=('--reason[why]:text:') ;|
  show | check | report | cancel | undo | retry) rest+=('*:group:_smctl_groups') ;;
  purge)
    own=('--keep[groups, 4]:number:' '--days[days, 30]:number:' '--mib[MiB, 1024]:number:'
      '--unaccepted[also what no accepted boot has kept]' '--check[purge nothing]')
    ;;
  apply) own=('--fallback[take back instead]') ;;
  esac
  _arguments $common '--root[a mounted system]:directory:_files -/' \
    '--state[its state directory]:directory:_files -/' '--hive[its hive]:file:_files' \
    $own $rest
}

_smctl() {
  local state line
  local -a common
  common=(
    '(-j --json)'{-j,--json}'[print JSON]'
    '(-s --socket)'{-s,--socket}'[the socket]:socket:_files'
    '(-h --help)'{-h,--help}'[help]'
  )
  _arguments -C $common '(-V --version)'{-V,--version}'[version]' \
    '1:verb:_smctl_verbs' '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
  session)
    _arguments $common '1:what:((new\:"make a session" end\:"end a session"))' \
      '2:session or command:{ [[ $words[2] == end ]] && _smctl_sessions || _command_names -e }'
    ;;
  exec)
    _arguments $common '(-d --detached)'{-d,--detached}'[null descriptors]' \
      '1:session:_smctl_sessions' '*::command:_normal'
    ;;
  boot)
    _arguments $common '(-f --follow)'{-f,--follow}'[until the boot is ready]' \
      '(-p --phases)'{-p,--phases}'[phases only]' \
      '(-F --force)'{-F,--force}'[reject also when only the built-in minimum is left]' \
      '1:decision:((accept\:"this boot is good" reject\:"this boot is bad" next-lkg\:"LastKnownGood next, once"))'
    ;;
  pending)
    _smctl_pending
    ;;
  wait)
    _arguments $common '1:what:(ready)' '(-t --timeout)'{-t,--timeout}'[seconds]:seconds:'
    ;;
  poweroff | reboot | halt)
    _arguments $common '--fast[sessions are not asked first]' '--reason[for the log]:text:'
    ;;
  help) _smctl_verbs ;;
  *) _arguments $common ;;
  esac
}

_smctl "$@"
