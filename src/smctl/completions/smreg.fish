# SPDX-License-Identifier: MIT
# smreg.fish - completion of smreg(8) for fish

complete -c smreg -f
complete -c smreg -l hive -r -F -d 'The hive'
complete -c smreg -l state -r -F -d 'The state directory'
complete -c smreg -l help -d 'Help'
complete -c smreg -n __fish_use_subcommand -l version -d 'Version'
complete -c smreg -n __fish_use_subcommand -a init -d 'Make a new hive'
complete -c smreg -n __fish_use_subcommand -a import -d 'Carry out .reg files'
complete -c smreg -n __fish_use_subcommand -a restore -d 'Take back an earlier hive'
complete -c smreg -n __fish_use_subcommand -a query -d 'Show a key, a value, or a tree'
complete -c smreg -n __fish_use_subcommand -a export -d 'A key and all below as .reg text'
complete -c smreg -n __fish_use_subcommand -a add -d 'Make a key or set a value'
complete -c smreg -n __fish_use_subcommand -a delete -d 'Delete a key or a value'
complete -c smreg -n __fish_use_subcommand -a copy -d 'Copy a key'
complete -c smreg -n __fish_use_subcommand -a edit -d 'A key in your editor'
complete -c smreg -n __fish_use_subcommand -a check -d 'Check every value that drives smss'
complete -c smreg -n __fish_use_subcommand -a diff -d 'What parts two hives, sets or texts'
complete -c smreg -n __fish_use_subcommand -a plan -d 'Tell what the next boot will do'
complete -c smreg -n '__fish_seen_subcommand_from init import' -F
complete -c smreg -n '__fish_seen_subcommand_from init import restore export add delete copy edit' \
    -l force -d 'In spite of errors'
complete -c smreg -n '__fish_seen_subcommand_from query add delete' -l value -x -d 'Name of a value'
complete -c smreg -n '__fish_seen_subcommand_from query copy' -s s -l recursive -d 'With all below'
complete -c smreg -n '__fish_seen_subcommand_from query check diff plan' -l json -d 'Print JSON'
complete -c smreg -n '__fish_seen_subcommand_from query export copy check diff plan' \
    -l salvage -d 'Read what can be read'
complete -c smreg -n '__fish_seen_subcommand_from query export copy check diff plan' \
    -l no-logs -d 'Do not apply logs'
complete -c smreg -n '__fish_seen_subcommand_from export diff' -l output -r -F -d 'Into a file'
complete -c smreg -n '__fish_seen_subcommand_from export diff' -l utf16 -d 'As regedit writes'
complete -c smreg -n '__fish_seen_subcommand_from export diff' -l readable -d 'Lists as text'
complete -c smreg -n '__fish_seen_subcommand_from add' -l type -x \
    -a 'REG_SZ REG_EXPAND_SZ REG_MULTI_SZ REG_DWORD REG_QWORD REG_BINARY' -d 'Its type'
complete -c smreg -n '__fish_seen_subcommand_from add' -l data -x -d 'Its data'
complete -c smreg -n '__fish_seen_subcommand_from copy' -l from -r -F -d 'From another hive'
complete -c smreg -n '__fish_seen_subcommand_from check' -l all -d 'Unused values too'
complete -c smreg -n '__fish_seen_subcommand_from diff' -l with -r -F -d 'A hive or a .reg file'
complete -c smreg -n '__fish_seen_subcommand_from diff' -l sets -x \
    -a '1,2 current,lastknowngood' -d 'Two control sets'
complete -c smreg -n '__fish_seen_subcommand_from restore' -l previous -d 'Before the last commit'
complete -c smreg -n '__fish_seen_subcommand_from restore' -l lkg -d 'The last that booted well'
complete -c smreg -n '__fish_seen_subcommand_from query' -l times -d 'When keys were last written'
complete -c smreg -n '__fish_seen_subcommand_from import diff' -l whole -d 'The file is all there is'
complete -c smreg -n '__fish_seen_subcommand_from diff' -l short -d 'One line a change'
complete -c smreg -n '__fish_seen_subcommand_from plan' -l write \
    -d 'Keep plan and queue beside the hive'
