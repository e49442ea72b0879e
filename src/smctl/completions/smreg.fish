# SPDX-License-Identifier: MIT
# smreg.fish - completion of smreg(8) for fish

complete -c smreg -f
complete -c smreg -l hive -r -F -d 'The hive'
complete -c smreg -l state -r -F -d 'The state directory'
complete -c smreg -l help -d 'Help'
complete -c smreg -n __fish_use_subcommand -l version -d 'Version'
complete -c smreg -n __fish_use_subcommand -a init -d 'Make a new hive'
complete -c smreg -n __fish_use_subcommand -a import -d 'Carry out .reg files'
complete -c smreg -n __fish_use_subcommand -a query -d 'Show a key, a value, or a tree'
complete -c smreg -n __fish_use_subcommand -a export -d 'A key and all below as .reg text'
complete -c smreg -n __fish_use_subcommand -a add -d 'Make a key or set a value'
complete -c smreg -n __fish_use_subcommand -a delete -d 'Delete a key or a value'
complete -c smreg -n __fish_use_subcommand -a check -d 'Check every value that drives smss'
complete -c smreg -n __fish_use_subcommand -a plan -d 'Tell what the next boot will do'
complete -c smreg -n '__fish_seen_subcommand_from init import' -F
complete -c smreg -n '__fish_seen_subcommand_from init import add delete' -l force \
    -d 'In spite of errors'
complete -c smreg -n '__fish_seen_subcommand_from query add delete' -l value -x -d 'Name of a value'
complete -c smreg -n '__fish_seen_subcommand_from query' -s s -l recursive -d 'With all below'
complete -c smreg -n '__fish_seen_subcommand_from query check plan' -l json -d 'Print JSON'
complete -c smreg -n '__fish_seen_subcommand_from export' -l output -r -F -d 'Into a file'
complete -c smreg -n '__fish_seen_subcommand_from add' -l type -x \
    -a 'REG_SZ REG_EXPAND_SZ REG_MULTI_SZ REG_DWORD REG_QWORD REG_BINARY' -d 'Its type'
complete -c smreg -n '__fish_seen_subcommand_from add' -l data -x -d 'Its data'
complete -c smreg -n '__fish_seen_subcommand_from check' -l all -d 'Unused values too'
complete -c smreg -n '__fish_seen_subcommand_from plan' -l write \
    -d 'Keep plan and queue beside the hive'
