package compliance

import (
	"slices"
	"strings"
)

// stopWords are the messages that 47 CFR 64.1200(a)(10) names as a wish for no
// more of them, and startWords those that take it back.
var (
	stopWords  = []string{"stop", "stopall", "stop all", "end", "quit", "cancel", "unsubscribe", "revoke", "opt out", "optout"}
	startWords = []string{"start", "unstop"}
)

// TextOptsOut reports whether a text message is a wish to be neither called nor
// written to again: one of the words for it alone, in any case and with any marks
// around, or what OptsOut finds in it.
func TextOptsOut(text string) bool { return slices.Contains(stopWords, bare(text)) || OptsOut(text) }

// TextOptsIn reports whether a text message takes such a wish back.
func TextOptsIn(text string) bool { return slices.Contains(startWords, bare(text)) }

// bare is the words of a text that is a single clause, else "".
func bare(text string) string {
	const longest = 100 // bytes: more than a word with the marks that people put around it
	if len(text) > longest {
		return ""
	}
	all := clauses(text)
	if len(all) != 1 {
		return ""
	}
	return strings.TrimSpace(all[0])
}
