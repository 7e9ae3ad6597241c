package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// mayBeEmpty is the annotation of a flag for which "" is a value of its own.
const mayBeEmpty = "mirror_may_be_empty"

// refuseEmpty returns an error for an empty argument or an empty value of a flag. Most often it is a variable that a
// script has not set, and the command must not do what it does without the argument.
func refuseEmpty(cmd *cobra.Command, args []string) error {
	if at := slices.Index(args, ""); at >= 0 {
		return fmt.Errorf("argument %d is empty; is a variable not set?", at+1)
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && takesText(f) && f.Annotations[mayBeEmpty] == nil && slices.Contains(texts(f), "") {
			err = fmt.Errorf("--%s is empty; is a variable not set?", f.Name)
		}
	})
	return err
}

// takesText reports whether any text can be a value of the flag.
func takesText(f *pflag.Flag) bool {
	return slices.Contains([]string{"string", "stringArray"}, f.Value.Type())
}

// texts lists the values that the flag has got.
func texts(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}
