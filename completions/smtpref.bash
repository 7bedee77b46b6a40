# smtpref's completion for bash, made by `python -m smtpref.completion`.

_smtpref_completion() {
    local program=smtpref before=${COMP_WORDS[COMP_CWORD - 1]} prefix='' word
    local -a words=(smtpref)
    COMPREPLY=()
    # Bash takes redirections and colons for words of their own; what follows one is no code.
    [[ $before && -z ${before//[<>&:]/} ]] && return
    [[ $1 == */* ]] && program=${1/#"~/"/"$HOME/"}
    # The "=" of --option=value is a word of its own too, unless COMP_WORDBREAKS lacks it.
    [[ $2 == --*=* ]] && prefix=${2%%=*}=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    while IFS= read -r word; do
        [[ $word ]] && COMPREPLY+=("$prefix$word")
    done < <(
        env COMP_WORDS="$(printf '%s\n' "${words[@]}" && printf '%q' "$2")" COMP_CWORD=${#words[@]} \
            _SMTPREF_COMPLETE=complete_bash "$program" 2>/dev/null
    )
}

# nosort, which keeps 5.1.10 after 5.1.9, is new in bash 4.4.
complete -o nosort -o bashdefault -o default -F _smtpref_completion smtpref 2>/dev/null ||
    complete -o bashdefault -o default -F _smtpref_completion smtpref
