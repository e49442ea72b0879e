# SPDX-License-Identifier: MIT
# smctl.fish - completion of smctl(8) for fish

function __smctl_sessions
    smctl sessions 2>/dev/null | awk 'NR > 1 { sub(/,$/, "", $2); print $1 "\t" $2 }'
end

# Names and numbers of the queue that the words so far are about.
function __smctl_groups
    set -l words (commandline -opc)
    set -l where
    for i in (seq (count $words))
        contains -- $words[$i] --root --state --hive
        and set -a where $words[$i] $words[(math $i + 1)]
    end
    smctl pending $where list 2>/dev/null |
        awk '/^classic/ { exit } $1 ~ /^[0-9]+$/ {
            print $1 "\t" $2; name = substr($0, 55)
            if (name != "-" && name !~ / /) print name "\t" $2 }'
end

complete -c smctl -f
complete -c smctl -s j -l json -d 'Print JSON'
complete -c smctl -n 'not __fish_seen_subcommand_from exec' -s s -l socket -r -F -d 'The socket'
complete -c smctl -s h -l help -d 'Help'
complete -c smctl -n __fish_use_subcommand -s V -l version -d 'Version'
complete -c smctl -n __fish_use_subcommand -a status -d 'What the session manager is doing'
complete -c smctl -n __fish_use_subcommand -a tree -d 'Sessions and their processes'
complete -c smctl -n __fish_use_subcommand -a sessions -d 'One line per session'
complete -c smctl -n __fish_use_subcommand -a session -d 'Show, make, end sessions'
complete -c smctl -n __fish_use_subcommand -a exec -d 'Run a program in a session'
complete -c smctl -n __fish_use_subcommand -a boot -d 'The timeline of this boot'
complete -c smctl -n __fish_use_subcommand -a wait -d 'Wait until the boot is ready'
complete -c smctl -n __fish_use_subcommand -a events -d 'What happens, as JSON lines'
complete -c smctl -n __fish_use_subcommand -a stops -d 'The stop that ended the previous run'
complete -c smctl -n __fish_use_subcommand -a known -d 'The known libraries'
complete -c smctl -n __fish_use_subcommand -a pending -d 'What the next boot renames and deletes'
complete -c smctl -n __fish_use_subcommand -a probe -d 'What this kernel offers'
complete -c smctl -n __fish_use_subcommand -a poweroff -d 'Power off in order'
complete -c smctl -n __fish_use_subcommand -a reboot -d 'Start again in order'
complete -c smctl -n __fish_use_subcommand -a halt -d 'Halt in order'
set -l session_verbs list show new end limits freeze thaw
complete -c smctl -n "__fish_seen_subcommand_from session
    and not __fish_seen_subcommand_from $session_verbs" -a "$session_verbs"
complete -c smctl -n '__fish_seen_subcommand_from session
    and __fish_seen_subcommand_from show end limits freeze thaw' -a '(__smctl_sessions)'
complete -c smctl -n '__fish_seen_subcommand_from session
    and __fish_seen_subcommand_from end' -s a -l all -d 'All but session 0'
set -l held '__fish_seen_subcommand_from session; and __fish_seen_subcommand_from new limits'
complete -c smctl -n $held -l memory -x -d 'Of all its processes, as 64M'
complete -c smctl -n $held -l processes -x -d 'As many'
complete -c smctl -n $held -l cpu -x -d 'Percent; 100 is one processor'
complete -c smctl -n $held -l cpu-weight -x -d '1 to 10000'
complete -c smctl -n $held -l io -x -d 'A second of each disk, as 10M'
complete -c smctl -n $held -l io-weight -x -d '1 to 10000'
set -l news '__fish_seen_subcommand_from session; and __fish_seen_subcommand_from new'
complete -c smctl -n $news -a '(__fish_complete_command)'
complete -c smctl -n $news -l isolate -x -a '(__fish_append , mount ipc pid uts net dev all)' \
    -d 'Of its own'
complete -c smctl -n $news -l owner -x -a '(__fish_complete_users)' -d 'Whom it belongs to'
complete -c smctl -n $news -l caps -x -d 'The only capabilities' \
    -a '(__fish_append , none chown dac_override fowner kill net_admin net_bind_service net_raw \
        setgid setuid sys_admin sys_nice sys_ptrace sys_time)'
complete -c smctl -n $news -l no-new-privs -d 'Set-user-id programs gain nothing'
complete -c smctl -n $news -l umask -x -d 'Octal'
complete -c smctl -n $news -l limit -x -d 'NAME=N' \
    -a 'nofile= nproc= core= as= cpu= data= fsize= memlock= stack='
complete -c smctl -n $news -l oom -x -d '-1000 to 1000'
complete -c smctl -n $news -l idle -x -d 'Ends without input, as 5m'
complete -c smctl -n $news -l lifetime -x -d 'Ends after, as 2h'
set -l execs '__fish_seen_subcommand_from exec'
complete -c smctl -n $execs -s s -l session -x -a '(__smctl_sessions)' -d 'The session'
complete -c smctl -n $execs -s t -l terminal -d 'A terminal of its own'
complete -c smctl -n $execs -s d -l detach -d 'Do not wait'
complete -c smctl -n $execs -a '(__fish_complete_command)'
complete -c smctl -n '__fish_seen_subcommand_from events' -s f -l follow -d 'What it does anyway'
complete -c smctl -n '__fish_seen_subcommand_from events' -s o -l only -x \
    -a '(__fish_append , boot session shutdown)' -d 'These kinds'
complete -c smctl -n '__fish_seen_subcommand_from boot' -s f -l follow -d 'Until the boot is ready'
complete -c smctl -n '__fish_seen_subcommand_from boot' -s p -l phases -d 'Phases only'
complete -c smctl -n '__fish_seen_subcommand_from boot' -a accept -d 'This boot is good'
complete -c smctl -n '__fish_seen_subcommand_from boot' -a reject -d 'This boot is bad'
complete -c smctl -n '__fish_seen_subcommand_from boot' -a next-lkg \
    -d 'The next boot takes LastKnownGood, once'
complete -c smctl -n '__fish_seen_subcommand_from reject' -s F -l force \
    -d 'Also when only the built-in minimum is left'
complete -c smctl -n '__fish_seen_subcommand_from wait' -a ready
complete -c smctl -n '__fish_seen_subcommand_from wait' -s t -l timeout -x -d 'Seconds'
complete -c smctl -n '__fish_seen_subcommand_from poweroff reboot halt' -l fast \
    -d 'Sessions are not asked first'
complete -c smctl -n '__fish_seen_subcommand_from poweroff reboot halt' -l reason -x \
    -d 'For the log'
set -l pending_verbs add list show check report cancel undo retry purge apply clear
complete -c smctl -n "__fish_seen_subcommand_from pending
    and not __fish_seen_subcommand_from $pending_verbs" -a "$pending_verbs"
complete -c smctl -n '__fish_seen_subcommand_from pending
    and __fish_seen_subcommand_from show check report cancel undo retry' -a '(__smctl_groups)'
complete -c smctl -n '__fish_seen_subcommand_from pending' -l root -r -F -d 'A mounted system'
complete -c smctl -n '__fish_seen_subcommand_from pending' -l state -r -F -d 'Its state directory'
complete -c smctl -n '__fish_seen_subcommand_from pending' -l hive -r -F -d 'Its hive'
complete -c smctl -n '__fish_seen_subcommand_from pending
    and __fish_seen_subcommand_from list check' -l drive -x -a '(__fish_complete_directories)' \
    -d 'X:=DIR, a drive of a Windows hive'
set -l adds '__fish_seen_subcommand_from pending; and __fish_seen_subcommand_from add'
complete -c smctl -n $adds -F
complete -c smctl -n $adds -s d -l delete -r -F -d 'A delete'
complete -c smctl -n $adds -l delete-if-there -r -F -d 'A delete of what may be gone'
complete -c smctl -n $adds -s m -l manifest -r -F -d 'From a file'
complete -c smctl -n $adds -s 0 -l null -d 'Its fields end with NUL'
complete -c smctl -n $adds -s r -l replace -d 'Targets make room'
complete -c smctl -n $adds -s g -l group -x -a '(__smctl_groups)' -d 'Its name'
complete -c smctl -n $adds -l digest -d 'SHA-256 of large files too'
complete -c smctl -n $adds -l allow-protected -d 'Protected paths may be touched'
complete -c smctl -n '__fish_seen_subcommand_from pending
    and __fish_seen_subcommand_from add undo' -l reason -x -d 'Why'
complete -c smctl -n '__fish_seen_subcommand_from pending
    and __fish_seen_subcommand_from add purge' -l check -d 'Say what would come of it'
set -l purges '__fish_seen_subcommand_from pending; and __fish_seen_subcommand_from purge'
complete -c smctl -n $purges -l keep -x -d 'Groups, 4'
complete -c smctl -n $purges -l days -x -d 'Days, 30'
complete -c smctl -n $purges -l mib -x -d 'MiB, 1024'
complete -c smctl -n $purges -l unaccepted -d 'Also what no accepted boot has kept'
complete -c smctl -n '__fish_seen_subcommand_from pending
    and __fish_seen_subcommand_from apply' -l fallback -d 'Take back instead'
