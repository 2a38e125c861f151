package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"strings"
	"text/tabwriter"
)

// table prints a list: below a head of columns, or as one JSON object a line.
func table[T any](list iter.Seq2[T, error], asJSON bool, head string, row func(T) []any) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(out, head)
	}
	for one, err := range list {
		if err == nil && asJSON {
			err = json.NewEncoder(os.Stdout).Encode(one)
		}
		if err != nil {
			return err
		}
		if !asJSON {
			cells := row(one)
			fmt.Fprintf(out, strings.Repeat("%v\t", len(cells)-1)+"%v\n", cells...)
		}
	}
	return out.Flush()
}
