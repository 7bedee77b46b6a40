# smtpref's completion for fish, made by `python -m smtpref.completion`.

function __smtpref_complete
    set -l program smtpref
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l typed (commandline --current-process --cut-at-cursor | string collect)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l option (string match --regex -- '^--[^=]+=' $word)
    if string match --quiet -- '*/*' $words[1]
        set program (string replace --regex -- '^~/' "$HOME/" $words[1])
    end
    set -l lines (env _SMTPREF_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args COLUMNS=9999 _TYPER_COMPLETE_ARGS=$typed $program 2>/dev/null | string match --regex -- '.+')
    if not set -q lines[1]
        set lines (__fish_complete_path (string replace -- "$option" '' $word))
    end
    string join \n -- "$option"$lines
end

complete --command smtpref --keep-order --no-files --arguments '(__smtpref_complete)'
