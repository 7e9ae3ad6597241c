package command

// shellLine is the command line with which cmd.exe runs a line as it is: /s has it take off the outer quotes
// and no others, and /d keeps what the registry says from being run first.
func shellLine(shell, line string) string { return `"` + shell + `" /d /s /c "` + line + `"` }
