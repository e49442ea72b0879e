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
    _arguments $common '--root[a mounted system]:directory:_files -/' \
      '--hive[its hive]:file:_files' '*--drive[a drive of a Windows hive]:X\:=directory:' \
      '*'{-d,--delete}'[a delete]:file:_files' '(-m --manifest)'{-m,--manifest}'[from a file]:file:_files' \
      '(-r --replace)'{-r,--replace}'[targets make room]' '(-g --group)'{-g,--group}'[its name]:name:' \
      '1:verb:(add list show check report cancel undo retry purge apply clear)' '*:path:_files'
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
