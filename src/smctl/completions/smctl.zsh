#compdef smctl
# SPDX-License-Identifier: MIT
# smctl.zsh - completion of smctl(8) for zsh

_smctl_sessions() {
  local -a numbers
  numbers=(${(f)"$(smctl sessions 2>/dev/null | awk 'NR > 1 { sub(/,$/, "", $2); print $1 ":" $2 }')"})
  _describe 'session' numbers
}

_smctl_verbs() {
  local -a verbs
  verbs=(
    'status:what the session manager is doing'
    'tree:sessions and their processes'
    'sessions:one line per session'
    'session:list, show, make, end, limit or freeze sessions'
    'exec:run a program in a session'
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

_smctl_session() {
  local verb=${words[(r)(list|show|new|end|limits|freeze|thaw)]}
  local -a held
  held=('--memory[of all its processes]:size, as 64M:' '--processes[as many]:number:'
    '--cpu[100 is one processor]:percent:' '--cpu-weight[1 to 10000]:weight:'
    '--io[a second of each disk]:size, as 10M:' '--io-weight[1 to 10000]:weight:')
  case $verb in
  new)
    # as if the verb were the program: of a word before the command no option would be completed
    shift words && ((CURRENT--))
    _arguments -A '-*' $common $held \
      '--isolate[of its own]:what:_values -s , what mount ipc pid uts net dev all' \
      '--owner[whom it belongs to]:user:_users' \
      '--caps[the only capabilities]:list:_values -s , capability none chown dac_override fowner kill net_admin net_bind_service net_raw setgid setuid sys_admin sys_nice sys_ptrace sys_time' \
      '--no-new-privs[set-user-id programs gain nothing]' '--umask[octal]:umask:' \
      '*--limit[a resource limit]:NAME=N:(nofile= nproc= core= as= cpu= data= fsize= memlock= stack=)' \
      '--oom[-1000 to 1000]:score:' '--idle[ends without input]:time, as 5m:' \
      '--lifetime[ends after]:time, as 2h:' '*::command:_normal'
    ;;
  limits) _arguments $common $held '1: :' '2:session:_smctl_sessions' ;;
  end) _arguments $common '(-a --all)'{-a,--all}'[all but session 0]' '1: :' '*:session:_smctl_sessions' ;;
  show) _arguments $common '1: :' '2:session:_smctl_sessions' ;;
  freeze | thaw) _arguments $common '1: :' '*:session:_smctl_sessions' ;;
  *)
    _arguments $common '1:what:((list\:"one line per session" show\:"all about one" new\:"make a session" end\:"end sessions" limits\:"change what it is held to" freeze\:"stop all its processes" thaw\:"let them go on"))'
    ;;
  esac
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
  _arguments -C -A '-*' $common '(-V --version)'{-V,--version}'[version]' \
    '1:verb:_smctl_verbs' '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
  session)
    _smctl_session
    ;;
  exec)
    _arguments -S '(-j --json)'{-j,--json}'[print JSON]' '(-h --help)'{-h,--help}'[help]' \
      '--socket[the socket]:socket:_files' '(-s --session)'{-s,--session}'[the session]:session:_smctl_sessions' \
      '(-t --terminal -d --detach)'{-t,--terminal}'[a terminal of its own]' \
      '(-t --terminal -d --detach)'{-d,--detach}'[do not wait]' '*::command:_normal'
    ;;
  events)
    _arguments $common '(-f --follow)'{-f,--follow}'[what it does anyway]' \
      '(-o --only)'{-o,--only}'[these kinds]:kinds:_values -s , kind boot session shutdown'
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
